//! Backups.

use serde_json::{Map, Value, json};

use super::draft::Draft;
use crate::document::MAX_DOCUMENT;
use crate::document::backups::{STATUSES, max_size};
use crate::import::legacy::{Backup, Row};
use crate::import::staging::table::Head;
use crate::import::unit::TargetRow;
use crate::store::backups::{Backup as TargetBackup, BackupSpec, PromotedColumns};
use crate::store::is_id;
use crate::store::types::time::Time;

/// The job that a backup names.
pub fn job_id(backup: &Backup) -> Option<&str> {
    let of_metadata = backup.metadata.get("job_id").and_then(Value::as_str);
    backup.job_id.as_deref().or(of_metadata).filter(|id| !id.is_empty())
}

/// Plans a backup; `job` is the job that it names.
pub fn plan(draft: &mut Draft, head: &Head, row: &Row, backup: &Backup, job: Option<&Head>, now: Time) {
    let mut metadata = backup.metadata.clone();
    for (key, value) in [("user_name", &backup.user_name), ("legacy_backup_id", &backup.legacy_id)] {
        if let Some(value) = value {
            metadata.entry(key).or_insert_with(|| json!(value));
        }
    }
    let mut promoted = PromotedColumns::from_metadata(&metadata);
    if let Some(id) = job_id(backup) {
        match job.filter(|job| job.is_present()) {
            Some(job) => promoted.job_id = Some(job.target().to_owned()),
            None => {
                draft.note("backup-job-missing", format!("It names job {id}, which is not there."));
                promoted.job_id = is_id(id).then(|| id.to_owned());
            }
        }
        if promoted.job_id.is_none() {
            metadata.entry("job_id").or_insert_with(|| json!(id));
        }
    }
    if let Some(odd) = oddity(&metadata) {
        draft.note("backup-odd", odd);
    }
    if metadata.values().any(is_imprecise) {
        draft.note("number-precision", "It has a number of more digits than databases keep.");
    }
    let status = match backup.status.as_deref().filter(|status| !status.is_empty()) {
        None => "available".to_owned(),
        status => draft.word("status", status, STATUSES),
    };
    let project = head.project.clone().unwrap_or_default();
    let spec = BackupSpec { status, metadata };
    let size = max_size(&spec, (&project, &row.user), head.target());
    if size > MAX_DOCUMENT {
        draft.quarantine("too-large", format!("Its document has {size} bytes, and may have {MAX_DOCUMENT}."));
        return;
    }
    let times = draft.times(row, None, now);
    draft.push(TargetRow::Backup(Box::new(TargetBackup {
        id: head.target().to_owned(),
        project_id: project,
        user_id: row.user.clone(),
        status: spec.status,
        promoted,
        metadata: spec.metadata.into(),
        created_at: times.created,
        updated_at: times.updated,
        version: 1,
    })));
}

/// An oddity of the metadata: a value that agents do not write, or only while a backup is running.
fn oddity(metadata: &Map<String, Value>) -> Option<String> {
    let odd = |key: &str, what: &str| Some(format!("{key} is {what}."));
    for key in ["hostname", "container", "backup_name"] {
        match metadata.get(key) {
            None => return odd(key, "missing"),
            Some(Value::String(_)) => {}
            Some(_) => return odd(key, "no text"),
        }
    }
    match metadata.get("time_stamp").or_else(|| metadata.get("timestamp")) {
        Some(Value::Number(number)) if number.is_i64() => None,
        None => odd("time_stamp", "missing"),
        Some(_) => odd("time_stamp", "no whole number"),
    }
}

/// Whether there is a number that neither a 64-bit integer nor a double holds exactly.
fn is_imprecise(value: &Value) -> bool {
    /// Two to the power of 63.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    match value {
        Value::Number(number) if number.is_f64() => {
            number.as_f64().is_some_and(|number| number.abs() >= BEYOND)
        }
        Value::Number(number) => number.as_i64().is_none(),
        Value::Array(items) => items.iter().any(is_imprecise),
        Value::Object(members) => members.values().any(is_imprecise),
        _ => false,
    }
}
