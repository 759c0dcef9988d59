//! The backup document (contract, api-v2 §9).

pub mod v1;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::search::Fields;
use super::shape::{Shape, about, closed, own_id, project_id, rule, user_id, words};
use super::{longest, size};
use crate::error::{Error, Result};
use crate::store::backups::{Backup, BackupSpec};
use crate::store::document_type::Json;
use crate::store::listing::{CREATED_AT, Collection, Key, Kind};

/// Where a backup stands.
pub const STATUSES: &[&str] = &["creating", "available", "error", "deleting", "deleted", "restoring"];
/// Where it stands when nobody says.
const AVAILABLE: &str = "available";
/// Where the well-known keys of a backup document are.
pub const FIELDS: Fields = &[
    ("backup_id", "/backup_id"),
    ("project_id", "/project_id"),
    ("user_id", "/user_id"),
    ("status", "/status"),
    ("job_id", "/backup_metadata/job_id"),
    ("backup_metadata.job_id", "/backup_metadata/job_id"),
    ("backup_name", "/backup_metadata/backup_name"),
    ("backup_metadata.backup_name", "/backup_metadata/backup_name"),
    ("container", "/backup_metadata/container"),
    ("backup_metadata.container", "/backup_metadata/container"),
    ("hostname", "/backup_metadata/hostname"),
    ("backup_metadata.hostname", "/backup_metadata/hostname"),
    ("action", "/backup_metadata/action"),
    ("backup_metadata.action", "/backup_metadata/action"),
    ("mode", "/backup_metadata/mode"),
    ("backup_metadata.mode", "/backup_metadata/mode"),
    ("time_stamp", "/backup_metadata/time_stamp"),
    ("backup_metadata.time_stamp", "/backup_metadata/time_stamp"),
    ("curr_backup_level", "/backup_metadata/curr_backup_level"),
    ("backup_metadata.curr_backup_level", "/backup_metadata/curr_backup_level"),
];

const BACKUP_ID: &str = "The entry's id.";
const STATUS: &str = "Where the backup stands.";

/// The keys of the metadata that have rules.
fn names() -> Value {
    json!({
        "backup_name": about(
            "The name that the backup is found by.",
            json!({"type": "string", "minLength": 1, "maxLength": 255}),
        ),
        "hostname": about("The host that was saved.", json!({"type": ["string", "null"], "maxLength": 255})),
        "container": about("Where in the storage it is.", json!({"type": ["string", "null"], "maxLength": 512})),
    })
}

/// What lists of backups offer. Most keys stand for what the agent wrote into the metadata, as far as it has a column
/// ([`crate::store::backups::Promoted`]).
pub static COLLECTION: Collection = Collection {
    noun: "backups",
    path: "backups",
    keys: &[
        Key::new("backup_id", Kind::Id, BACKUP_ID),
        Key::new("status", Kind::Word(STATUSES), STATUS).sorting(),
        Key::new("job_id", Kind::Id, "The job that made it.").nullable(),
        Key::new("backup_name", Kind::Text, "The backup's name.").sorting().nullable(),
        Key::new("container", Kind::Text, "Where it is stored.").nullable(),
        Key::new("hostname", Kind::Text, "The host it was taken of.").sorting().nullable(),
        Key::new("action", Kind::Text, "What was done.").nullable(),
        Key::new("mode", Kind::Text, "What was backed up.").nullable(),
        Key::new("time_stamp", Kind::Integer, "When it was taken, in seconds since 1970.")
            .sorting()
            .nullable(),
        Key::new("curr_backup_level", Kind::Small, "Its level; 0 is a full backup.").nullable(),
        CREATED_AT,
    ],
    extras: &[],
    is_strict: false,
    document: Some(&BACKUP_DOCUMENT),
};

/// The body of `POST /backups`: what the agent says of the backup, with its status among it.
pub static BACKUP: Shape = Shape::new("BackupCreate", || {
    let named =
        |key: &str| json!({"required": [key], "properties": {key: {"type": "string", "minLength": 1}}});
    // A record that is made before the agent runs, or of a run that failed, cannot say where the backup is.
    let unfinished = json!({
        "required": ["status"],
        "properties": {"status": {"enum": ["creating", "error", "deleting"]}},
    });
    // Backups that another service keeps have no container.
    let kept_elsewhere = json!({
        "required": ["mode"],
        "properties": {"mode": {"type": "string", "minLength": 1, "not": {"enum": ["fs"]}}},
    });
    let mut properties = names();
    properties["status"] = about("Where the backup stands; `available` where nobody says.", words(STATUSES));
    let schema = json!({
        "type": "object",
        "required": ["backup_name"],
        "properties": properties,
        "allOf": [
            rule(
                "a hostname is needed, unless the status is creating, error or deleting",
                &[named("hostname"), unfinished.clone()],
            ),
            rule(
                "a container is needed, unless the status is creating, error or deleting, or the mode is not fs",
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
    let metadata = json!({"type": "object", "required": ["backup_name"], "properties": names()});
    closed(json!({
        "project_id": project_id(),
        "backup_id": own_id(BACKUP_ID),
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

/// The answer to a new backup.
pub static BACKUP_CREATED: Shape = Shape::new("BackupId", || closed(json!({"backup_id": own_id(BACKUP_ID)})))
    .with_example(|| json!({"backup_id": "6512bd43d9caa6e02c990b0a82652dca"}));

/// What an update changes.
#[derive(Debug, Clone, PartialEq)]
pub struct BackupPatch {
    status: Option<Value>,
    metadata: Map<String, Value>,
}

/// Reads a new backup.
///
/// # Errors
/// 400 when the body is not a backup.
pub fn parse(body: Value) -> Result<BackupSpec> {
    let mut metadata = BACKUP.check(body).map_err(bad_data)?;
    let status = match metadata.remove("status") {
        Some(Value::String(status)) => status,
        _ => AVAILABLE.to_owned(),
    };
    Ok(BackupSpec { status, metadata })
}

/// Reads an update.
///
/// The agent sends what it would send for a new backup, flat and with the backup's id in it, so that without
/// `backup_metadata` the body itself is the metadata.
///
/// # Errors
/// 400 when the body is not an update.
pub fn parse_patch(body: Value) -> Result<BackupPatch> {
    let mut body = BACKUP_PATCH.check(body).map_err(bad_data)?;
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
    let among = metadata.remove("status");
    Ok(BackupPatch { status: status.or(among), metadata })
}

/// What a backup becomes by an update. The metadata is merged key by key; the rules of a new backup must hold for
/// the outcome.
///
/// # Errors
/// 400 when they do not.
pub fn patched(backup: &Backup, patch: &BackupPatch) -> Result<BackupSpec> {
    let mut whole = backup.metadata.object();
    whole.extend(patch.metadata.clone());
    let status = patch.status.clone().unwrap_or_else(|| Value::from(backup.status.as_str()));
    whole.insert("status".to_owned(), status);
    parse(Value::Object(whole))
}

/// The contract has one sentence for whatever is wrong with a backup; where it is wrong goes to the log.
fn bad_data(error: Error) -> Error {
    let mut answer = Error::bad_request("Bad Data Format");
    answer.log = Some(error.description);
    answer
}

/// A backup as the API shows it: these keys and no others, in the order of their names.
#[derive(Serialize)]
pub struct BackupJson<'b, M> {
    backup_id: &'b str,
    backup_metadata: &'b M,
    project_id: &'b str,
    status: &'b str,
    user_id: &'b str,
}

impl<'b> BackupJson<'b, Json> {
    /// The document of a row.
    pub fn new(backup: &'b Backup) -> Self {
        Self {
            backup_id: &backup.id,
            backup_metadata: &backup.metadata,
            project_id: &backup.project_id,
            status: &backup.status,
            user_id: &backup.user_id,
        }
    }
}

/// A backup as the API shows it, to be searched, or held against a precondition.
pub fn render(backup: &Backup) -> Value {
    // Nothing in it is no JSON.
    serde_json::to_value(BackupJson::new(backup)).unwrap_or_default()
}

/// The most bytes that the document of a backup can come to, whatever its status.
pub fn largest(spec: &BackupSpec, (project, user): (&str, &str), id: &str) -> usize {
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

    fn taken(body: Value) -> bool {
        match parse(body) {
            Ok(_) => true,
            Err(error) => {
                assert_eq!((error.status(), error.description.as_str()), (400, "Bad Data Format"));
                false
            }
        }
    }

    #[test]
    fn the_three_names_are_wanted() {
        assert!(taken(json!({"backup_name": "b", "hostname": "h", "container": "c", "more": [1]})));
        for key in ["backup_name", "hostname", "container"] {
            for wrong in [Value::Null, json!(""), json!(1), json!("x".repeat(513))] {
                let mut body = json!({"backup_name": "b", "hostname": "h", "container": "c"});
                body[key] = wrong;
                assert!(!taken(body.clone()), "{body}");
            }
        }
        for wrong in [json!({}), json!([]), json!("x"), Value::Null] {
            assert!(!taken(wrong));
        }
    }

    #[test]
    fn a_record_made_before_its_backup_cannot_name_everything() {
        for status in ["creating", "error", "deleting"] {
            assert!(taken(json!({"backup_name": "b", "container": null, "status": status})));
            assert!(!taken(json!({"hostname": "h", "container": "c", "status": status})));
        }
        for status in ["available", "deleted", "restoring", "lost", ""] {
            assert!(!taken(json!({"backup_name": "b", "status": status})));
        }
    }

    #[test]
    fn only_files_need_a_container() {
        assert!(taken(json!({"backup_name": "b", "hostname": "h", "container": "", "mode": "cindernative"})));
        assert!(taken(json!({"backup_name": "b", "hostname": "h", "mode": "nova"})));
        for mode in [json!("fs"), json!(""), Value::Null, json!(1)] {
            assert!(!taken(json!({"backup_name": "b", "hostname": "h", "container": "", "mode": mode})));
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
