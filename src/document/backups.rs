//! The backup document (contract, api-v2 §9).

pub mod v1;

use std::ops::RangeInclusive;

use front::error::{Error, Result};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::shape::{Shape, about, closed, project_id, resource_id, rule, user_id, words};
use super::{longest, size};
use crate::document::collection::Collection;
use crate::store;
use crate::store::backups::{Backup, BackupSpec};
use crate::store::types::json::Json;
use crate::store::types::time::Time;

pub use crate::store::backups::STATUSES;
/// The default status.
const AVAILABLE: &str = "available";
/// The statuses of a record that is created before the agent runs, or whose run failed.
const UNFINISHED: &[&str] = &["creating", "error", "deleting"];

const BACKUP_ID: &str = "The entry's id.";
const STATUS: &str = "Where the backup stands.";

/// Schemas of the metadata keys that have rules.
fn names() -> Value {
    json!({
        "backup_name": about(
            "The name that the backup is found by.",
            json!({"type": "string", "minLength": 1, "maxLength": 255}),
        ),
        "hostname": about("The host that was saved.", json!({"type": ["string", "null"], "maxLength": 255})),
        "container": about("Where in the storage it is.", json!({"type": ["string", "null"], "maxLength": 512})),
        "time_stamp": about(
            "When it was taken, in seconds since 1970; digits as text become the number. It may be missing while the \
             status is creating, error or deleting.",
            json!({"type": ["number", "string", "null"]}),
        ),
    })
}

/// The times that Python's `datetime.fromtimestamp`, which clients use, accepts: the years 1 to 9999.
const TIMES: RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// The value as a number, if it is a time that every client can show. Digits in a string count as a number.
fn valid_time(value: Option<&Value>) -> Option<Value> {
    let number = match value? {
        Value::String(text) => Value::from(text.trim().parse::<i64>().ok()?),
        value => value.clone(),
    };
    let seconds = number.as_i64().map_or_else(|| number.as_f64(), |whole| Some(whole as f64))?;
    (*TIMES.start() as f64..=*TIMES.end() as f64).contains(&seconds).then_some(number)
}

/// Converts a `time_stamp` to a number, and refuses any value that the command line cannot convert: it sorts its
/// lists by the time, and would fail. An unfinished record may lack the time, and gets the time at which it is
/// `written`.
fn check_time(status: &str, metadata: &mut Map<String, Value>, written: Time) -> Result<()> {
    let sent = metadata.get("time_stamp");
    if let Some(time) = valid_time(sent) {
        metadata.insert("time_stamp".to_owned(), time);
        return Ok(());
    }
    let is_missing = sent.is_none_or(Value::is_null);
    let has_old_name = valid_time(metadata.get("timestamp")).is_some();
    if is_missing && has_old_name {
        return Ok(());
    }
    if is_missing && UNFINISHED.contains(&status) {
        metadata.insert("time_stamp".to_owned(), super::epoch(written).into());
        return Ok(());
    }
    let (least, greatest) = (TIMES.start(), TIMES.end());
    Err(Error::bad_request(format!(
        "At /time_stamp: this value must be seconds since 1970 from {least} to {greatest}, as a number or as digits."
    )))
}

/// The metadata in a document, with a time that every client can show. A record without such a time, from an import or
/// from an older release, gets the time at which it was created.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Metadata<'b> {
    /// The stored metadata.
    Stored(&'b Json),
    /// The stored metadata with another time.
    WithTime(Map<String, Value>),
}

impl<'b> Metadata<'b> {
    fn new(backup: &'b Backup) -> Self {
        // The column has the time of the metadata if that is a whole number. The metadata may have it under the old
        // name `timestamp` only.
        let text = backup.metadata.text();
        let has_time = text.contains("\"time_stamp\"") && !text.contains("\"timestamp\"");
        if has_time && backup.promoted.time_stamp.is_some_and(|time| TIMES.contains(&time)) {
            return Self::Stored(&backup.metadata);
        }
        let mut metadata = backup.metadata.object();
        let stored = valid_time(metadata.get("time_stamp")).or_else(|| valid_time(metadata.get("timestamp")));
        let time = stored.unwrap_or_else(|| Value::from(super::epoch(backup.created_at)));
        metadata.insert("time_stamp".to_owned(), time);
        Self::WithTime(metadata)
    }
}

/// The keys that lists of backups filter and sort by. Most of them are metadata keys with a column
/// ([`crate::store::backups::PromotedColumns`]).
pub static COLLECTION: Collection = Collection {
    noun: "backups",
    path: "backups",
    keys: store::backups::KEYS.keys,
    places: &[("project_id", "/project_id"), ("user_id", "/user_id")],
    extras: &[],
    is_strict: false,
    document: Some(&BACKUP_DOCUMENT),
};

/// The body of `POST /backups`: the agent's metadata of the backup, and its status.
pub static BACKUP: Shape = Shape::new("BackupCreate", || {
    let named =
        |key: &str| json!({"required": [key], "properties": {key: {"type": "string", "minLength": 1}}});
    // The agent has not yet decided where an unfinished backup is stored.
    let unfinished = json!({
        "required": ["status"],
        "properties": {"status": {"enum": UNFINISHED}},
    });
    // Backups that another OpenStack service stores have no container.
    let kept_elsewhere = json!({
        "required": ["mode"],
        "properties": {"mode": {"type": "string", "minLength": 1, "not": {"enum": ["fs"]}}},
    });
    let mut properties = names();
    properties["status"] = about("Where the backup stands; `available` by default.", words(STATUSES));
    let schema = json!({
        "type": "object",
        "required": ["backup_name"],
        "properties": properties,
        "allOf": [
            rule(
                "a hostname of 1 to 255 characters is needed, unless the status is creating, error or deleting",
                &[named("hostname"), unfinished.clone()],
            ),
            rule(
                "a container of 1 to 512 characters is needed, unless the status is creating, error or deleting, or the mode is not fs",
                &[named("container"), unfinished, kept_elsewhere],
            ),
        ],
    });
    about("Whatever the agent says of the backup; all of it is kept as the backup's metadata.", schema)
})
.with_example(|| {
    json!({
        "backup_name": "etc-daily",
        "container": "freezer-web1",
        "hostname": "web1.example.com",
        "job_id": "3c59dc048e8850243be8079a5c74d079",
        "action": "backup",
        "mode": "fs",
        "storage": "swift",
        "path_to_backup": "/etc",
        "time_stamp": 1_796_095_842,
        "curr_backup_level": 0,
    })
});

/// The shape of an update whose body itself is the metadata.
pub static BACKUP_METADATA: Shape =
    Shape::new("BackupMetadata", || json!({"type": "object", "properties": names()}));

/// The body of `PATCH /backups/{id}`.
pub static BACKUP_PATCH: Shape = Shape::new("BackupPatch", || {
    let metadata = json!({"type": "object", "properties": names()});
    let schema = json!({
        "type": "object",
        "minProperties": 1,
        "properties": {
            "status": about(STATUS, words(STATUSES)),
            "backup_metadata": about("Merged into the metadata that there is, key by key.", metadata.clone()),
        },
        "allOf": [rule(
            "without backup_metadata, the body is the metadata",
            &[json!({"required": ["backup_metadata"]}), metadata],
        )],
    });
    about("Without `backup_metadata`, the body itself is the metadata, as the agent sends it.", schema)
})
.with_example(|| json!({"status": "available", "backup_metadata": {"consistency_checksum": "9a3f"}}));

/// A backup as [`render`] shows it.
pub static BACKUP_DOCUMENT: Shape = Shape::new("Backup", || {
    let mut metadata =
        json!({"type": "object", "required": ["backup_name", "time_stamp"], "properties": names()});
    metadata["properties"]["time_stamp"] = about(
        "When it was taken, in seconds since 1970; without one, when it was written.",
        json!({"type": "number"}),
    );
    closed(json!({
        "project_id": project_id(),
        "backup_id": resource_id(BACKUP_ID),
        "user_id": user_id(),
        "status": about(STATUS, words(STATUSES)),
        "backup_metadata": about("What the agent said of it.", metadata),
    }))
})
.with_example(|| {
    json!({
        "project_id": "8f3c1d6a2b7e4f0d9c5a1e6b3d8f2a47",
        "backup_id": "6512bd43d9caa6e02c990b0a82652dca",
        "user_id": "c0ffee254729296a45a3885639ac7e10",
        "status": "available",
        "backup_metadata": {
            "backup_name": "etc-daily",
            "container": "freezer-web1",
            "hostname": "web1.example.com",
            "job_id": "3c59dc048e8850243be8079a5c74d079",
            "action": "backup",
            "mode": "fs",
            "storage": "swift",
            "path_to_backup": "/etc",
            "time_stamp": 1_796_095_842,
            "curr_backup_level": 0,
        },
    })
});

/// The response to the creation of a backup.
pub static BACKUP_CREATED: Shape =
    Shape::new("BackupId", || closed(json!({"backup_id": resource_id(BACKUP_ID)})))
        .with_example(|| json!({"backup_id": "6512bd43d9caa6e02c990b0a82652dca"}));

/// An update of a backup as parsed from a body.
#[derive(Debug, Clone, PartialEq)]
pub struct BackupPatch {
    status: Option<Value>,
    metadata: Map<String, Value>,
}

/// Parses a new backup. `written` is its time if the record is unfinished and has none.
///
/// # Errors
/// 400 if the body does not have the shape, or its time is invalid.
pub fn parse(body: Value, written: Time) -> Result<BackupSpec> {
    let mut metadata = BACKUP.check(body)?;
    let status = match metadata.remove("status") {
        Some(Value::String(status)) => status,
        _ => AVAILABLE.to_owned(),
    };
    check_time(&status, &mut metadata, written)?;
    Ok(BackupSpec { status, metadata })
}

/// Parses an update.
///
/// The agent sends the same flat object as for a new backup, with the backup's id in it. So a body without
/// `backup_metadata` is itself the metadata.
///
/// # Errors
/// 400 if the body does not have the shape.
pub fn parse_patch(body: Value) -> Result<BackupPatch> {
    // Check flat metadata by its own shape first, because the errors of that one name the key.
    let body = match body.as_object() {
        Some(object) if !object.is_empty() && !object.contains_key("backup_metadata") => {
            Value::Object(BACKUP_METADATA.check(body)?)
        }
        _ => body,
    };
    let mut body = BACKUP_PATCH.check(body)?;
    let status = body.remove("status");
    let mut metadata = match body.remove("backup_metadata") {
        Some(Value::Object(metadata)) => metadata,
        _ => {
            for ours in ["backup_id", "project_id", "user_id", "_version", "version"] {
                body.remove(ours);
            }
            body
        }
    };
    let inner_status = metadata.remove("status");
    Ok(BackupPatch { status: status.or(inner_status), metadata })
}

/// Applies an update to a backup. The metadata is merged key by key, and the result must satisfy the rules of a new
/// backup.
///
/// # Errors
/// 400 if it does not.
pub fn patched(backup: &Backup, patch: &BackupPatch) -> Result<BackupSpec> {
    let mut whole = backup.metadata.object();
    whole.extend(patch.metadata.clone());
    let status = patch.status.clone().unwrap_or_else(|| Value::from(backup.status.as_str()));
    whole.insert("status".to_owned(), status);
    parse(Value::Object(whole), backup.created_at)
}

/// The JSON of a backup: these keys and no others, in alphabetical order.
#[derive(Serialize)]
pub struct BackupJson<'b, M> {
    backup_id: &'b str,
    backup_metadata: M,
    project_id: &'b str,
    status: &'b str,
    user_id: &'b str,
}

impl<'b> BackupJson<'b, Metadata<'b>> {
    /// The document of a row.
    pub fn new(backup: &'b Backup) -> Self {
        Self {
            backup_id: &backup.id,
            backup_metadata: Metadata::new(backup),
            project_id: &backup.project_id,
            status: &backup.status,
            user_id: &backup.user_id,
        }
    }
}

/// A backup document as a value, for searches and preconditions.
pub fn render(backup: &Backup) -> Value {
    // Never fails: a backup holds only values that JSON can represent.
    serde_json::to_value(BackupJson::new(backup)).unwrap_or_default()
}

/// The largest size, in bytes, that a backup's document can reach with any status.
pub fn max_size(spec: &BackupSpec, (project, user): (&str, &str), id: &str) -> usize {
    size(&BackupJson {
        backup_id: id,
        backup_metadata: &spec.metadata,
        project_id: project,
        status: longest(STATUSES),
        user_id: user,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_accepted(mut body: Value) -> bool {
        if let Value::Object(body) = &mut body {
            body.entry("time_stamp").or_insert(1.into());
        }
        match parse(body, crate::store::now()) {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.status(), 400);
                false
            }
        }
    }

    #[test]
    fn the_three_names_are_required() {
        assert!(is_accepted(json!({"backup_name": "b", "hostname": "h", "container": "c", "more": [1]})));
        for key in ["backup_name", "hostname", "container"] {
            for wrong in [Value::Null, json!(""), json!(1), json!("x".repeat(513))] {
                let mut body = json!({"backup_name": "b", "hostname": "h", "container": "c"});
                body[key] = wrong;
                assert!(!is_accepted(body.clone()), "{body}");
            }
        }
        for wrong in [json!({}), json!([]), json!("x"), Value::Null] {
            assert!(!is_accepted(wrong));
        }
    }

    #[test]
    fn an_unfinished_record_may_lack_names() {
        for status in ["creating", "error", "deleting"] {
            assert!(is_accepted(json!({"backup_name": "b", "container": null, "status": status})));
            assert!(!is_accepted(json!({"hostname": "h", "container": "c", "status": status})));
        }
        for status in ["available", "deleted", "restoring", "lost", ""] {
            assert!(!is_accepted(json!({"backup_name": "b", "status": status})));
        }
    }

    #[test]
    fn only_files_need_a_container() {
        assert!(is_accepted(
            json!({"backup_name": "b", "hostname": "h", "container": "", "mode": "cindernative"})
        ));
        assert!(is_accepted(json!({"backup_name": "b", "hostname": "h", "mode": "nova"})));
        for mode in [json!("fs"), json!(""), Value::Null, json!(1)] {
            assert!(!is_accepted(
                json!({"backup_name": "b", "hostname": "h", "container": "", "mode": mode})
            ));
        }
    }

    #[test]
    fn an_update_is_nested_or_flat_as_the_agent_sends_it() {
        let nested = parse_patch(json!({"status": "error", "backup_metadata": {"a": 1}, "b": 2})).unwrap();
        assert_eq!((nested.status, Value::Object(nested.metadata)), (Some(json!("error")), json!({"a": 1})));
        let flat = parse_patch(json!({"backup_id": "x", "status": "available", "hostname": "h"})).unwrap();
        assert_eq!(Value::Object(flat.metadata), json!({"hostname": "h"}));
        for wrong in [json!({}), json!([]), json!({"backup_metadata": null}), json!({"status": 1})] {
            assert_eq!(parse_patch(wrong).unwrap_err().status(), 400);
        }
    }
}
