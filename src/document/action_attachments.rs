//! The action attachment: an action's place in a job.

use front::error::{Error, Result};
use serde_json::{Map, Value, json};

use super::int;
use super::job_attachments::{READ_ONLY, request_schema};
use super::shape::{Shape, about, closed, document, id, integer, project_id, resource_id, user_id, version};
use super::time::{self, iso};
use crate::document::collection::Collection;
use crate::store;
use crate::store::action_attachments::{ActionAttachment, PlaceChange};

/// Schemas of a place's properties, without the ids of its action and its job.
fn place_properties() -> Value {
    json!({
        "priority": about(
            "Its place in the order of the job's actions; a new one comes last. Not every number need be taken.",
            integer(0),
        ),
        "retries": about("How often it is tried again; the action's when a new one does not say.", integer(0)),
        "retry_interval": about("Seconds between the tries; the action's when a new one does not say.", integer(0)),
        "mandatory": about(
            "Whether the rest of the job is given up when it fails; the action's when a new one does not say.",
            json!({"type": "boolean"}),
        ),
    })
}

/// The body of `POST /action-attachments`.
pub static ACTION_ATTACHMENT_CREATE: Shape = Shape::new("ActionAttachmentCreate", || {
    let mut properties = place_properties();
    properties["action_id"] = resource_id("The action that is put into the job.");
    properties["job_id"] = resource_id("The job (its definition).");
    request_schema(properties, &["action_id", "job_id"], &[READ_ONLY])
})
.with_example(|| {
    json!({
        "action_id": "d3486ae9136e7856bc42212385ea7970",
        "job_id": "3c59dc048e8850243be8079a5c74d079",
        "priority": 10,
    })
});

/// The body of `PATCH /action-attachments/{action_attachment_id}`.
pub static ACTION_ATTACHMENT_PATCH: Shape = Shape::new("ActionAttachmentPatch", || {
    let mut properties = place_properties();
    properties["action_id"] = about("The action, which cannot be changed; the same one is ignored.", id());
    properties["job_id"] = about("The job, which cannot be changed; the same one is ignored.", id());
    request_schema(properties, &[], &[READ_ONLY])
})
.with_example(|| json!({"priority": 20, "retries": 0, "mandatory": false}));

document! {
    /// An action attachment as [`render`] shows it.
    ACTION_ATTACHMENT: "ActionAttachment";
    /// An action attachment as the API shows it.
    render(place: &ActionAttachment);
    "id": resource_id("The attachment's id."), "8f14e45fceea167a5a36dedd4bea2543" => place.id;
    "project_id": project_id(), "8f3c1d6a2b7e4f0d9c5a1e6b3d8f2a47" => place.project_id;
    "user_id": user_id(), "c0ffee254729296a45a3885639ac7e10" => place.user_id;
    "action_id": resource_id("The action."), "d3486ae9136e7856bc42212385ea7970" => place.action_id;
    "job_id": resource_id("The job (its definition)."), "3c59dc048e8850243be8079a5c74d079" => place.job_id;
    "priority": about("Its place in the order of the job's actions.", integer(0)), 10 => place.priority;
    "retries": about("How often it is tried again.", integer(0)), 3 => place.retries;
    "retry_interval": about("Seconds between the tries.", integer(0)), 60 => place.retry_interval;
    "mandatory": about("Whether the rest of the job is given up when it fails.", json!({"type": "boolean"})),
        true => place.mandatory;
    "created_at": about("When it was made.", time::output_schema()),
        "2026-11-22T19:55:23.123456Z" => iso(place.created_at);
    "updated_at": about("When it was changed last.", time::output_schema()),
        "2026-11-22T19:55:23.123456Z" => iso(place.updated_at);
    "version": version(), 1 => place.version;
}

/// The keys that lists of action attachments filter and sort by.
pub static COLLECTION: Collection = Collection {
    noun: "action_attachments",
    path: "action-attachments",
    keys: store::action_attachments::KEYS.keys,
    places: &[],
    extras: &[],
    is_strict: true,
    document: Some(&ACTION_ATTACHMENT),
};

/// A new attachment as parsed from a body. A missing priority means the last place; other missing values are the
/// action's.
#[derive(Debug, Clone)]
pub struct NewPlace {
    /// The action.
    pub action_id: String,
    /// The definition.
    pub job_id: String,
    /// The priority, the retries and whether the action is mandatory.
    pub place: PlaceChange,
}

/// Parses the body of a new attachment.
///
/// # Errors
/// 400 if the body does not have the shape.
pub fn parse(body: Value) -> Result<NewPlace> {
    let body = ACTION_ATTACHMENT_CREATE.check(body)?;
    let word = |key| super::text(&body, key).unwrap_or_default().to_owned();
    Ok(NewPlace { action_id: word("action_id"), job_id: word("job_id"), place: change(&body) })
}

/// A change of an attachment as parsed from a body.
#[derive(Debug, Clone)]
pub struct PlacePatch {
    action_id: Option<String>,
    job_id: Option<String>,
    place: PlaceChange,
}

/// Parses the body of a change.
///
/// # Errors
/// 400 if the body is empty or does not have the shape.
pub fn parse_patch(body: Value) -> Result<PlacePatch> {
    let body = ACTION_ATTACHMENT_PATCH.check(body)?;
    let word = |key| super::text(&body, key).map(str::to_owned);
    Ok(PlacePatch { action_id: word("action_id"), job_id: word("job_id"), place: change(&body) })
}

fn change(body: &Map<String, Value>) -> PlaceChange {
    PlaceChange {
        priority: int(body, "priority"),
        retries: int(body, "retries"),
        retry_interval: int(body, "retry_interval"),
        mandatory: body.get("mandatory").and_then(Value::as_bool),
    }
}

impl PlacePatch {
    /// The change without the values that the stored attachment has already.
    ///
    /// # Errors
    /// 400 if the body names another action or another job.
    pub fn effective(&self, stored: &ActionAttachment) -> Result<PlaceChange> {
        for (key, sent, stored) in
            [("action", &self.action_id, &stored.action_id), ("job", &self.job_id, &stored.job_id)]
        {
            if sent.as_ref().is_some_and(|id| id != stored) {
                return Err(Error::bad_request(format!(
                    "An attachment's {key} cannot be changed; make a new attachment."
                )));
            }
        }
        let place = &self.place;
        Ok(PlaceChange {
            priority: place.priority.filter(|value| *value != stored.priority),
            retries: place.retries.filter(|value| *value != stored.retries),
            retry_interval: place.retry_interval.filter(|value| *value != stored.retry_interval),
            mandatory: place.mandatory.filter(|value| *value != stored.mandatory),
        })
    }
}
