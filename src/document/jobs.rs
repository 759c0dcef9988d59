//! The job document (contract, api-v2 §7), rendered from a job attachment, its job, its session and its actions.

mod json;
mod shapes;

use std::cell::OnceCell;
use std::collections::HashMap;

use front::error::{Error, Result};
use serde_json::{Map, Value};

use super::actions::canonical;
use super::schedule::{self, RunState};
use super::shape::Shape;
use super::{MAX_DOCUMENT, check_size, int, size};
use crate::document::collection::{Collection, Extra};
use crate::store;
use crate::store::action_attachments::ActionAttachment;
use crate::store::actions::{Action, ActionSpec};
use crate::store::clients::Client;
use crate::store::jobs::PlaceSpec;
use crate::store::listing::Kind;

pub use json::{JobJson, max_size, render, render_for_search};
pub use shapes::{
    JOB, JOB_CHANGED, JOB_CREATED, JOB_DOCUMENT, JOB_EVENT, JOB_EVENT_RESULT, JOB_PATCH, parse_event,
};

/// The maximum number of actions in a job.
pub const MAX_ACTIONS: usize = 1000;

/// The keys that lists of jobs filter and sort by.
pub static COLLECTION: Collection = Collection {
    noun: "jobs",
    path: "jobs",
    keys: store::jobs::KEYS.keys,
    places: &[
        ("session_tag", "/session_tag"),
        ("project_id", "/project_id"),
        ("user_id", "/user_id"),
        ("description", "/description"),
        ("current_pid", "/job_schedule/current_pid"),
        ("time_created", "/job_schedule/time_created"),
        ("time_started", "/job_schedule/time_started"),
        ("time_ended", "/job_schedule/time_ended"),
    ],
    extras: &[Extra {
        name: "all_projects",
        kind: Kind::Flag,
        description: "The jobs of every project, in the order of creation; for those who may see them.",
    }],
    is_strict: false,
    document: Some(&JOB_DOCUMENT),
};

/// A job document, or a part of one, as parsed from a body. `None` stands for a key that the body does not have.
#[derive(Debug, Clone, Default)]
pub struct JobDocument {
    /// The id that the body brings.
    pub id: Option<String>,
    /// The client's name.
    pub client_id: Option<String>,
    /// The description; `Some(None)` removes it.
    pub description: Option<Option<String>>,
    /// The session; `Some(None)` leaves the one that the job is in.
    pub session_id: Option<Option<String>>,
    /// The latest run of the session that the scheduler knows of.
    pub session_tag: Option<i32>,
    /// Whether the body has a `job_schedule`.
    pub has_schedule: bool,
    /// The `schedule_*` keys.
    pub unit: Map<String, Value>,
    /// The state of the latest run.
    pub run: RunState,
    /// The actions, in order.
    pub actions: Option<Vec<JobAction>>,
}

impl JobDocument {
    /// Whether the job may exceed [`MAX_DOCUMENT`]: it refers to stored actions, or brings large ones. Only then the
    /// document has to be measured.
    pub fn may_be_large(&self) -> bool {
        const MOST: usize = MAX_DOCUMENT / 16;
        let actions = self.actions.as_deref().unwrap_or_default();
        let own: usize = actions.iter().map(|action| action.spec.weight() + 512).sum();
        own > MOST || actions.iter().any(|action| action.action_id.is_some())
    }

    /// The session that the job is to be in.
    pub fn session(&self) -> Option<&str> {
        self.session_id.as_ref()?.as_deref()
    }

    /// How many entries of `job_actions` bring a new action.
    pub fn new_actions(&self) -> usize {
        self.actions.iter().flatten().filter(|entry| entry.action_id.is_none()).count()
    }
}

/// An entry of `job_actions`.
#[derive(Debug, Clone)]
pub struct JobAction {
    /// The action that the entry refers to; `None` if it brings a new one.
    pub action_id: Option<String>,
    /// The `freezer_action` that the entry has beside an `action_id`, as [`canonical`] text.
    content: Option<String>,
    /// The entry as a new action.
    pub spec: ActionSpec,
    retries: Option<i32>,
    retry_interval: Option<i32>,
    mandatory: Option<bool>,
}

/// Parses a job document.
///
/// # Errors
/// 400 if the body is empty or does not have the shape, or if an entry has neither an action nor the id of one.
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
            // Each entry is converted to text before the next one: all of them as values would take much more memory.
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
        run: RunState::from_object(schedule.unwrap_or(&empty)),
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
    let content = match entry.get("freezer_action") {
        Some(Value::Object(freezer_action)) if action_id.is_some() => Some(canonical(freezer_action)),
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
    Ok(JobAction { spec, content, action_id, retries, retry_interval, mandatory })
}

/// The stored actions that the entries of a document refer to, by id, each with its [`canonical`] text. The text is
/// made at most once, however many entries refer to the action.
pub struct ActionsById(HashMap<String, (Action, OnceCell<String>)>);

impl From<Vec<Action>> for ActionsById {
    fn from(actions: Vec<Action>) -> Self {
        Self(actions.into_iter().map(|action| (action.id.clone(), (action, OnceCell::new()))).collect())
    }
}

impl JobAction {
    /// The stored action that this entry refers to; `None` if it brings a new one.
    ///
    /// # Errors
    /// 422 if there is no such action, or if the entry has a `freezer_action` that differs from the stored one.
    pub fn resolve<'a>(&self, actions: &'a ActionsById) -> Result<Option<&'a Action>> {
        let Some(id) = &self.action_id else { return Ok(None) };
        let Some((action, content)) = actions.0.get(id) else {
            return Err(Error::unprocessable(format!("Action not found with ID {id}")));
        };
        match &self.content {
            Some(sent) if sent != content.get_or_init(|| canonical(&action.spec.freezer_action())) => {
                Err(Error::unprocessable(format!(
                    "The freezer_action sent with action_id {id} differs from that action. Update the action, or leave out \
                 action_id to make a new one."
                )))
            }
            _ => Ok(Some(action)),
        }
    }

    /// The action's place in the job. Values that the entry does not have are those of its `stored` place, or else the
    /// action's.
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

/// Checks that a client can run an action.
///
/// # Errors
/// 422 with the capability that the client lacks.
pub fn check_capability(client: &Client, action: &ActionSpec) -> Result<()> {
    let object = action.freezer_action();
    let wants = [
        ("action", "action", &client.supported_actions),
        ("mode", "mode", &client.supported_modes),
        ("storage", "storage", &client.supported_storages),
        ("engine", "engine", &client.supported_engines),
        // The name of the agent's option. Clients send this key, `engine`, or both.
        ("engine_name", "engine", &client.supported_engines),
    ];
    for (key, capability, supported) in wants {
        // A form sends null, "" or false where nothing was chosen. Any other value has to be in the list.
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
