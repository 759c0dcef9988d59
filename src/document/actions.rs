//! The action document and the `freezer_action` inside it (contract, api-v2 §4 and §6).

use std::collections::BTreeMap;

use front::error::{Error, Result};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Map, Value, json};

use super::clients::{ACTIONS, MODES};
use super::shape::{
    Shape, about, closed, id, integer, nullable, project_id, resource_id, text, titled, user_id, version,
};
use super::{MAX_TEXT, int, size};
use crate::document::collection::Collection;
use crate::store;
use crate::store::actions::{Action, ActionSpec};

/// The default number of retries of a failed action.
pub const DEFAULT_RETRIES: i32 = 5;
/// The default number of seconds between the tries.
pub const DEFAULT_RETRY_INTERVAL: i32 = 6;

/// The keys of `freezer_action` that clients expect. They are null in the document if they have no value.
const ALWAYS_SHOWN: &[&str] =
    &["mode", "path_to_backup", "backup_name", "container", "timeout", "priority", "log_file"];

const ACTION_ID: &str = "The action's id.";
const ACTION_WORD: &str = "What is done: `backup`, `restore`, `info`, `admin` or `exec`; others are kept, and no job brings them along.";
const MODE: &str = "What it is done to: `fs`, `mysql`, `mongo`, `sqlserver`, `cinder`, `cindernative`, `glance` or `nova`; others are kept, and no job brings them along.";
const PATH_TO_BACKUP: &str = "The file or directory that is saved.";
const BACKUP_NAME: &str = "The name that the backups are found by.";
const CONTAINER: &str = "Where in the storage they are.";
const FREEZER_ACTION: &str = "What freezer-agent is told to do: its options, of which those here are known, and all others are kept as they come.";
const MAX_RETRIES: &str = "How often it is tried again when it fails.";
const MAX_RETRIES_INTERVAL: &str = "Seconds between the tries.";
const MANDATORY: &str = "Whether the rest of the job is given up when it fails.";

/// The keys that lists of actions filter and sort by.
pub static COLLECTION: Collection = Collection {
    noun: "actions",
    path: "actions",
    keys: store::actions::KEYS.keys,
    places: &[("project_id", "/project_id"), ("user_id", "/user_id")],
    extras: &[],
    is_strict: false,
    document: Some(&ACTION_DOCUMENT),
};

/// Schema of an action's word or mode. Clients send words that no agent knows; only the new actions of a job are
/// checked for them ([`check_words`]).
fn any_word() -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": 64})
}

/// Refuses a new action, sent at `place`, with an action or mode that no agent knows.
///
/// # Errors
/// 400 with the known words.
pub fn check_words(place: &str, action: &ActionSpec) -> Result<()> {
    let mode = action.mode.as_deref();
    for (key, word, known) in [("action", Some(action.action.as_str()), ACTIONS), ("mode", mode, MODES)] {
        if let Some(word) = word
            && !known.contains(&word)
        {
            let known: Vec<String> = known.iter().map(|word| format!("\"{word}\"")).collect();
            let known = known.join(", ");
            return Err(Error::bad_request(format!("At {place}/{key}: this value must be one of {known}.")));
        }
    }
    Ok(())
}

/// Schema of `freezer_action`: the known keys have types, all other keys are stored as they are.
pub fn freezer_action(action_required: bool) -> Value {
    let mut schema = json!({
        "type": "object",
        "properties": {
            "action": about(ACTION_WORD, nullable(any_word())),
            "mode": about(MODE, nullable(any_word())),
            "path_to_backup": about(PATH_TO_BACKUP, nullable(text(MAX_TEXT))),
            "backup_name": about(BACKUP_NAME, nullable(text(255))),
            "container": about(CONTAINER, nullable(text(MAX_TEXT))),
            "restore_abs_path": about("Where a restore puts the files.", nullable(text(MAX_TEXT))),
            "cindernative_freezer_only":
                about("Whether only freezer's own volume backups count.", json!({"type": ["boolean", "null"]})),
        },
    });
    if action_required {
        schema["required"] = json!(["action"]);
        schema["properties"]["action"] = about(ACTION_WORD, any_word());
    }
    titled(
        if action_required { "FreezerActionCreate" } else { "FreezerActionPatch" },
        about(FREEZER_ACTION, schema),
    )
}

/// The properties that an action and an entry of `job_actions` have in common.
pub fn properties(action_required: bool) -> Value {
    json!({
        "action_id": about("An id to give it. Empty or missing: the server makes one.", nullable(id())),
        "freezer_action": freezer_action(action_required),
        "max_retries": about(MAX_RETRIES, nullable(integer(0))),
        "max_retries_interval": about(MAX_RETRIES_INTERVAL, nullable(integer(0))),
        "mandatory": about(MANDATORY, json!({"type": ["boolean", "null"]})),
    })
}

/// The body of `POST /actions` and of `POST /actions/{action_id}`.
pub static ACTION: Shape = Shape::new(
    "ActionCreate",
    || json!({"type": "object", "required": ["freezer_action"], "properties": properties(true)}),
)
.with_example(|| {
    json!({
        "freezer_action": {
            "action": "backup",
            "mode": "fs",
            "path_to_backup": "/etc",
            "backup_name": "etc-daily",
            "container": "freezer-web1",
            "storage": "swift",
            "engine_name": "tar",
        },
        "max_retries": 3,
        "max_retries_interval": 60,
        "mandatory": true,
    })
});

/// The body of `PATCH /actions/{action_id}`.
pub static ACTION_PATCH: Shape = Shape::new(
    "ActionPatch",
    || json!({"type": "object", "minProperties": 1, "properties": properties(false)}),
)
.with_example(|| json!({"freezer_action": {"container": "freezer-archive"}, "max_retries": 5}));

/// Schema of [`FreezerAction`]. The agent's options have no types: the service does not interpret them.
pub fn freezer_action_document() -> Value {
    let any = |what: &str| about(what, json!({}));
    let shown = json!({
        "type": "object",
        "required": ALWAYS_SHOWN,
        "properties": {
            "action": about(ACTION_WORD, text(64)),
            "mode": about(MODE, nullable(text(64))),
            "path_to_backup": about(PATH_TO_BACKUP, nullable(text(MAX_TEXT))),
            "backup_name": about(BACKUP_NAME, nullable(text(255))),
            "container": about(CONTAINER, nullable(text(MAX_TEXT))),
            "timeout": any("When the agent gives up, in seconds."),
            "priority": any("The agent's priority."),
            "log_file": any("Where the agent writes its log."),
        },
    });
    titled("FreezerAction", about(FREEZER_ACTION, shown))
}

/// An action as [`render`] shows it.
pub static ACTION_DOCUMENT: Shape = Shape::new("Action", || {
    closed(json!({
        "action_id": resource_id(ACTION_ID),
        "project_id": project_id(),
        "user_id": user_id(),
        "max_retries": about(MAX_RETRIES, integer(0)),
        "max_retries_interval": about(MAX_RETRIES_INTERVAL, integer(0)),
        "mandatory": about(MANDATORY, json!({"type": "boolean"})),
        "timeout": about("That of the `freezer_action`.", json!({})),
        "freezer_action": freezer_action_document(),
        "_version": version(),
    }))
})
.with_example(|| {
    json!({
        "action_id": "d3486ae9136e7856bc42212385ea7970",
        "project_id": "8f3c1d6a2b7e4f0d9c5a1e6b3d8f2a47",
        "user_id": "c0ffee254729296a45a3885639ac7e10",
        "max_retries": 3,
        "max_retries_interval": 60,
        "mandatory": true,
        "timeout": null,
        "freezer_action": {
            "action": "backup",
            "mode": "fs",
            "path_to_backup": "/etc",
            "backup_name": "etc-daily",
            "container": "freezer-web1",
            "storage": "swift",
            "engine_name": "tar",
            "timeout": null,
            "priority": null,
            "log_file": null,
        },
        "_version": 1,
    })
});

/// The response to the creation of an action.
pub static ACTION_CREATED: Shape =
    Shape::new("ActionId", || closed(json!({"action_id": resource_id(ACTION_ID)})))
        .with_example(|| json!({"action_id": "d3486ae9136e7856bc42212385ea7970"}));

/// The response to a change of an action.
pub static ACTION_CHANGED: Shape = Shape::new("ActionVersion", || {
    closed(json!({"action_id": resource_id(ACTION_ID), "version": version()}))
})
.with_example(|| json!({"action_id": "d3486ae9136e7856bc42212385ea7970", "version": 2}));

/// A new action as parsed from a body.
pub struct NewAction {
    /// The id that the body brings, if any.
    pub id: Option<String>,
    /// The content.
    pub spec: ActionSpec,
}

/// Parses the body of a new action, or of a replacement.
///
/// # Errors
/// 400 if the body does not have the shape.
pub fn parse(body: Value) -> Result<NewAction> {
    let body = ACTION.check(body)?;
    let id = super::text(&body, "action_id").filter(|id| !id.is_empty()).map(str::to_owned);
    Ok(NewAction { id, spec: spec(body) })
}

/// Validates the body of a change.
///
/// # Errors
/// 400 if the body is empty or does not have the shape.
pub fn parse_patch(body: Value) -> Result<Map<String, Value>> {
    ACTION_PATCH.check(body)
}

/// Applies a change to an action: objects are merged, and keys that the change does not have stay.
pub fn patched(action: &ActionSpec, patch: &Map<String, Value>) -> ActionSpec {
    let mut whole = json!({
        "freezer_action": action.freezer_action(),
        "max_retries": action.max_retries,
        "max_retries_interval": action.max_retries_interval,
        "mandatory": action.mandatory,
    });
    let mut patch = patch.clone();
    if let Some(Value::Object(inner)) = patch.get_mut("freezer_action") {
        // Null means that a form had an empty field; an action always has its word.
        inner.retain(|key, value| key != "action" || !value.is_null());
    }
    for key in ["max_retries", "max_retries_interval", "mandatory"] {
        if patch.get(key).is_some_and(Value::is_null) {
            patch.remove(key);
        }
    }
    // Old clients have `mandatory` inside the `freezer_action`.
    let inside =
        patch.get("freezer_action").and_then(|inner| inner.get("mandatory")).and_then(Value::as_bool);
    if let Some(mandatory) = inside {
        patch.entry("mandatory").or_insert(mandatory.into());
    }
    merge(&mut whole, Value::Object(patch));
    match whole {
        Value::Object(whole) => spec(whole),
        _ => action.clone(),
    }
}

/// Merges objects key by key, at any depth; any other value is replaced (contract, api-v1 §6).
pub fn merge(target: &mut Value, patch: Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (key, value) in patch {
                merge(target.entry(key).or_insert(Value::Null), value);
            }
        }
        (target, patch) => *target = patch,
    }
}

/// The content of a validated action, or of a validated entry of `job_actions`. Values that fit a column go there, and
/// the others stay in the metadata as they are.
pub fn spec(mut body: Map<String, Value>) -> ActionSpec {
    let mut rest = match body.remove("freezer_action") {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    };
    // Central schedulers put the trust that they run under into the document that they send back.
    rest.remove("os_trust_id");
    // These keys are rendered as null if they are missing, so null in a request means missing.
    rest.retain(|key, value| !(value.is_null() && ALWAYS_SHOWN.contains(&key.as_str())));
    let mandatory =
        [body.get("mandatory"), rest.get("mandatory")].into_iter().flatten().find_map(Value::as_bool);
    let mut take_text = |key: &str, max: usize| match rest.get(key) {
        Some(Value::String(text)) if text.chars().count() <= max => {
            let text = text.clone();
            rest.remove(key);
            Some(text)
        }
        _ => None,
    };
    let action = take_text("action", 64).unwrap_or_default();
    let mode = take_text("mode", 64);
    let src_file = take_text("path_to_backup", MAX_TEXT);
    let backup_name = take_text("backup_name", 255);
    let container = take_text("container", MAX_TEXT);
    let restore_abs_path = take_text("restore_abs_path", MAX_TEXT);
    let log_file = take_text("log_file", MAX_TEXT);
    let mut take_number = |key: &str| int(&rest, key).inspect(|_| drop(rest.remove(key)));
    ActionSpec {
        action,
        mode,
        src_file,
        backup_name,
        container,
        restore_abs_path,
        log_file,
        priority: take_number("priority"),
        timeout: take_number("timeout"),
        max_retries: int(&body, "max_retries").unwrap_or(DEFAULT_RETRIES),
        max_retries_interval: int(&body, "max_retries_interval").unwrap_or(DEFAULT_RETRY_INTERVAL),
        mandatory: mandatory.unwrap_or(false),
        metadata: rest.into(),
    }
}

/// The canonical text of a `freezer_action`. Two of them are equivalent if their texts are equal; a null member
/// counts as missing.
pub fn canonical(object: &Map<String, Value>) -> String {
    let members: BTreeMap<&String, &Value> =
        object.iter().filter(|(key, value)| !value.is_null() && *key != "os_trust_id").collect();
    // Never fails: every JSON value has a text.
    serde_json::to_string(&members).unwrap_or_default()
}

/// The JSON of a `freezer_action`, with members in alphabetical order.
pub struct FreezerAction<'a>(pub &'a ActionSpec);

impl Serialize for FreezerAction<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let spec = self.0;
        let metadata = spec.metadata.members();
        let mut rest = metadata.iter().peekable();
        let mut map = serializer.serialize_map(None)?;
        for (key, column) in spec.members() {
            while let Some((other, value)) = rest.next_if(|(other, _)| other.as_str() < key) {
                map.serialize_entry(other, value)?;
            }
            let stored = rest.next_if(|(other, _)| other.as_str() == key);
            match (column, stored) {
                (Some(member), _) => map.serialize_entry(key, &member)?,
                (None, Some((_, value))) => map.serialize_entry(key, value)?,
                (None, None) if ALWAYS_SHOWN.contains(&key) => map.serialize_entry(key, &())?,
                (None, None) => {}
            }
        }
        for (other, value) in rest {
            map.serialize_entry(other, value)?;
        }
        map.end()
    }
}

/// The JSON of an action, with members in alphabetical order.
#[derive(Serialize)]
pub struct ActionJson<'a> {
    _version: i32,
    action_id: &'a str,
    freezer_action: FreezerAction<'a>,
    mandatory: bool,
    max_retries: i32,
    max_retries_interval: i32,
    project_id: &'a str,
    timeout: Value,
    user_id: &'a str,
}

impl<'a> ActionJson<'a> {
    /// The document of a row.
    pub fn new(action: &'a Action) -> Self {
        let spec = &action.spec;
        let timeout = match spec.timeout {
            Some(timeout) => timeout.into(),
            None => spec.metadata.member("timeout").unwrap_or_default(),
        };
        Self {
            _version: action.version,
            action_id: &action.id,
            freezer_action: FreezerAction(spec),
            mandatory: spec.mandatory,
            max_retries: spec.max_retries,
            max_retries_interval: spec.max_retries_interval,
            project_id: &action.project_id,
            timeout,
            user_id: &action.user_id,
        }
    }
}

/// An action document as a value, for searches and preconditions.
pub fn render(action: &Action) -> Value {
    // Never fails: an action holds only values that JSON can represent.
    serde_json::to_value(ActionJson::new(action)).unwrap_or_default()
}

/// The largest size, in bytes, that an action's document can reach with any version number.
pub fn max_size(action: &Action) -> usize {
    size(&ActionJson { _version: i32::MAX, ..ActionJson::new(action) })
}
