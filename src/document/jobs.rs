//! The job document (contract, api-v2 §7): a view over an attachment, its job, its session and its actions.

mod shapes;
mod shown;

use std::cell::OnceCell;
use std::collections::HashMap;

use serde_json::{Map, Value};

use super::actions::core;
use super::schedule::{self, EVENTS, RESULTS, RunState, STATUSES};
use super::search::Fields;
use super::shape::Shape;
use super::{MAX_DOCUMENT, check_size, int, size};
use crate::error::{Error, Result};
use crate::store::action_attachments::ActionAttachment;
use crate::store::actions::{Action, ActionSpec};
use crate::store::clients::Client;
use crate::store::jobs::PlaceSpec;
use crate::store::listing::{CREATED_AT, Collection, Extra, Key, Kind};

pub use shapes::{
    JOB, JOB_CHANGED, JOB_CREATED, JOB_DOCUMENT, JOB_EVENT, JOB_EVENT_RESULT, JOB_PATCH, parse_event,
};
pub use shown::{Shown, largest, render, searched};

/// How many actions a job can have.
pub const MAX_ACTIONS: usize = 1000;

/// Where the well-known keys of a job document are.
pub const FIELDS: Fields = &[
    ("job_id", "/job_id"),
    ("client_id", "/client_id"),
    ("session_id", "/session_id"),
    ("session_tag", "/session_tag"),
    ("project_id", "/project_id"),
    ("user_id", "/user_id"),
    ("description", "/description"),
    ("status", "/job_schedule/status"),
    ("job_schedule.status", "/job_schedule/status"),
    ("event", "/job_schedule/event"),
    ("job_schedule.event", "/job_schedule/event"),
    ("result", "/job_schedule/result"),
    ("job_schedule.result", "/job_schedule/result"),
    ("current_pid", "/job_schedule/current_pid"),
    ("time_created", "/job_schedule/time_created"),
    ("time_started", "/job_schedule/time_started"),
    ("time_ended", "/job_schedule/time_ended"),
];

/// What lists of jobs offer.
pub static COLLECTION: Collection = Collection {
    noun: "jobs",
    path: "jobs",
    keys: &[
        Key::new("job_id", Kind::Id, "The id of the document."),
        Key::new("client_id", Kind::Text, "The client's name, or its uuid."),
        Key::new("session_id", Kind::Id, "The session it is in; empty for none.").nullable(),
        Key::new("status", Kind::Word(STATUSES), "Where it stands.").sorting(),
        Key::new("event", Kind::Word(EVENTS), "What is asked of its scheduler.").sorting(),
        Key::new("result", Kind::Word(RESULTS), "How its last run ended.").sorting(),
        CREATED_AT,
    ],
    extras: &[Extra {
        name: "all_projects",
        kind: Kind::Flag,
        description: "The jobs of every project, in the order of creation; for those who may see them.",
    }],
    is_strict: false,
    document: Some(&JOB_DOCUMENT),
};

/// What a job document, or a part of one, says.
#[derive(Debug, Clone, Default)]
pub struct JobDocument {
    /// The id it brings.
    pub id: Option<String>,
    /// The client's name.
    pub client_id: Option<String>,
    /// The description; `Some(None)` is none.
    pub description: Option<Option<String>>,
    /// The session; `Some(None)` is none.
    pub session_id: Option<Option<String>>,
    /// The session's run that the scheduler knows of.
    pub session_tag: Option<i32>,
    /// Whether it has a `job_schedule` at all.
    pub has_schedule: bool,
    /// The `schedule_*` keys.
    pub unit: Map<String, Value>,
    /// How the last run went.
    pub run: RunState,
    /// The actions, in order.
    pub actions: Option<Vec<JobAction>>,
}

impl JobDocument {
    /// Whether a job made of this may exceed the limit on documents: it refers to stored actions, or brings many bytes
    /// of its own.
    pub fn may_be_large(&self) -> bool {
        const MOST: usize = MAX_DOCUMENT / 16;
        let actions = self.actions.as_deref().unwrap_or_default();
        let own: usize = actions.iter().map(|action| action.spec.weight() + 512).sum();
        own > MOST || actions.iter().any(|action| action.action_id.is_some())
    }

    /// The session that it wants its job in.
    pub fn session(&self) -> Option<&str> {
        self.session_id.as_ref()?.as_deref()
    }

    /// How many of its entries bring an action of their own.
    pub fn new_actions(&self) -> usize {
        self.actions.iter().flatten().filter(|entry| entry.action_id.is_none()).count()
    }
}

/// An entry of `job_actions`.
#[derive(Debug, Clone)]
pub struct JobAction {
    /// The action it refers to; without one it brings a new action.
    pub action_id: Option<String>,
    /// The content that the document gives for the action it refers to, as [`core`] returns it.
    says: Option<String>,
    /// The same, as a new action would have it.
    pub spec: ActionSpec,
    retries: Option<i32>,
    retry_interval: Option<i32>,
    mandatory: Option<bool>,
}

/// Reads a job document.
///
/// # Errors
/// 400 when the body does not have the shape, or there is none, or an action is not one.
pub fn parse(shape: &Shape, body: Value) -> Result<JobDocument> {
    let mut body = shape.check(body)?;
    let (entries, defaults) = (body.remove("job_actions"), body.remove("action_defaults"));
    let word = |key| super::text(&body, key).filter(|word| !word.is_empty()).map(str::to_owned);
    let empty = Map::new();
    let schedule = match body.get("job_schedule") {
        Some(Value::Object(schedule)) => Some(schedule),
        _ => None,
    };
    let defaults = match &defaults {
        Some(Value::Object(defaults)) => defaults,
        _ => &empty,
    };
    let actions = match entries {
        Some(Value::Array(entries)) => {
            if !defaults.is_empty() {
                check_size(
                    "the job with its action_defaults",
                    size(defaults).saturating_mul(entries.len()),
                    0,
                )?;
            }
            // One after the other becomes text: all of them as values take much more.
            let entries = entries.into_iter().enumerate().filter_map(|(index, entry)| match entry {
                Value::Object(entry) => Some(job_action(index, entry, defaults)),
                _ => None,
            });
            Some(entries.collect::<Result<Vec<_>>>()?)
        }
        _ => None,
    };
    Ok(JobDocument {
        id: word("job_id"),
        client_id: word("client_id"),
        description: body.get("description").map(|_| super::text(&body, "description").map(str::to_owned)),
        session_id: body.get("session_id").map(|_| word("session_id")),
        session_tag: int(&body, "session_tag"),
        has_schedule: schedule.is_some(),
        unit: schedule::unit(schedule.unwrap_or(&empty)),
        run: RunState::of(schedule.unwrap_or(&empty)),
        actions,
    })
}

fn job_action(
    index: usize,
    mut entry: Map<String, Value>,
    defaults: &Map<String, Value>,
) -> Result<JobAction> {
    let action_id = super::text(&entry, "action_id").filter(|id| !id.is_empty()).map(str::to_owned);
    if let Some(Value::Object(freezer_action)) = entry.get_mut("freezer_action") {
        for (key, value) in defaults {
            let slot = freezer_action.entry(key.clone()).or_insert(Value::Null);
            if slot.is_null() {
                *slot = value.clone();
            }
        }
    }
    let says = match entry.get("freezer_action") {
        Some(Value::Object(freezer_action)) if action_id.is_some() => Some(core(freezer_action)),
        _ => None,
    };
    let (retries, retry_interval) = (int(&entry, "max_retries"), int(&entry, "max_retries_interval"));
    let mandatory = entry.get("mandatory").and_then(Value::as_bool);
    let spec = super::actions::spec(entry);
    if action_id.is_none() && spec.action.is_empty() {
        return Err(Error::bad_request(format!(
            "At /job_actions/{index}: an action_id or a freezer_action with an action is needed."
        )));
    }
    if action_id.is_none() {
        super::actions::check_words(&format!("/job_actions/{index}/freezer_action"), &spec)?;
    }
    Ok(JobAction { spec, says, action_id, retries, retry_interval, mandatory })
}

/// The actions that the entries of a document refer to. Each is parsed at most once, however many entries name it.
pub struct KnownActions(HashMap<String, (Action, OnceCell<String>)>);

impl From<Vec<Action>> for KnownActions {
    fn from(actions: Vec<Action>) -> Self {
        Self(actions.into_iter().map(|action| (action.id.clone(), (action, OnceCell::new()))).collect())
    }
}

impl JobAction {
    /// The action this entry refers to, out of those that were found; `None` when it brings a new one.
    ///
    /// # Errors
    /// 422 when there is no such action, or it is not what the entry says it is.
    pub fn referred<'a>(&self, known: &'a KnownActions) -> Result<Option<&'a Action>> {
        let Some(id) = &self.action_id else { return Ok(None) };
        let Some((action, says)) = known.0.get(id) else {
            return Err(Error::unprocessable(format!("Action not found with ID {id}")));
        };
        match &self.says {
            Some(sent) if sent != says.get_or_init(|| core(&action.spec.freezer_action())) => {
                Err(Error::unprocessable(format!(
                    "The freezer_action sent with action_id {id} differs from that action. Update the action, or leave out \
                 action_id to make a new one."
                )))
            }
            _ => Ok(Some(action)),
        }
    }

    /// Its place in the job; what it does not say is as its place has it already, else as the action has it.
    pub fn place(&self, id: &str, action: &ActionSpec, stored: Option<&ActionAttachment>) -> PlaceSpec {
        let (retries, retry_interval, mandatory) = match stored {
            Some(place) => (place.retries, place.retry_interval, place.mandatory),
            None => (action.max_retries, action.max_retries_interval, action.mandatory),
        };
        PlaceSpec {
            action_id: id.to_owned(),
            retries: self.retries.unwrap_or(retries),
            retry_interval: self.retry_interval.unwrap_or(retry_interval),
            mandatory: self.mandatory.unwrap_or(mandatory),
        }
    }
}

/// Whether a client can do an action.
///
/// # Errors
/// 422 that names what it lacks.
pub fn check_capability(client: &Client, action: &ActionSpec) -> Result<()> {
    let object = action.freezer_action();
    let wants = [
        ("action", "action", &client.supported_actions),
        ("mode", "mode", &client.supported_modes),
        ("storage", "storage", &client.supported_storages),
        ("engine", "engine", &client.supported_engines),
        // The agent's option; clients send one or the other, or both.
        ("engine_name", "engine", &client.supported_engines),
    ];
    for (key, capability, supported) in wants {
        // A form may leave null, "" or false where nothing was chosen; nothing else but a word can be in the list.
        let Some(wanted) = object.get(key).filter(|value| !is_unset(value)) else { continue };
        let able = supported.value().as_array().is_some_and(|list| list.contains(wanted));
        if !able {
            let wanted = wanted.as_str().unwrap_or("a value that is no word");
            return Err(Error::unprocessable(format!(
                "Client {} does not support {capability}: {wanted}",
                client.client_id
            )));
        }
    }
    Ok(())
}

fn is_unset(value: &Value) -> bool {
    matches!(value, Value::Null | Value::Bool(false)) || value.as_str() == Some("")
}
