//! Backups: rows and queries.

mod list;

pub use list::{KEYS, STATUSES, list};

use diesel::prelude::*;
use serde_json::{Map, Value};

use super::engine::dialect::{FailureKind, classify, on_each};
use super::listing::Weight;
use super::schema::backups;
use super::types::json::Json;
use super::types::time::Time;
use super::versioned::{bump, lookups};
use super::{Outcome, Tx, expect_one_row, is_id};

/// A row of `backups`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = backups, treat_none_as_default_value = false, treat_none_as_null = true)]
#[allow(missing_docs)] // the columns; docs/DATABASE.md says what they are
pub struct Backup {
    pub id: String,
    pub project_id: String,
    pub user_id: String,
    pub status: String,
    #[diesel(embed)]
    pub promoted: PromotedColumns,
    pub metadata: Json,
    pub created_at: Time,
    pub updated_at: Time,
    pub version: i32,
}

/// The members of the metadata that searches use, copied into columns at every write.
///
/// A column has the same value as the metadata, or null. Text that does not fit its column, or ends in spaces, which MySQL
/// ignores when it compares, is in the metadata only; no search by such text uses the column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = backups, treat_none_as_default_value = false, treat_none_as_null = true)]
#[allow(missing_docs)] // the columns; docs/DATABASE.md says what they are
pub struct PromotedColumns {
    pub job_id: Option<String>,
    pub backup_name: Option<String>,
    pub container: Option<String>,
    pub hostname: Option<String>,
    pub action: Option<String>,
    pub mode: Option<String>,
    pub time_stamp: Option<i64>,
    pub curr_backup_level: Option<i32>,
}

/// What an agent sends about a backup.
#[derive(Debug, Clone, PartialEq)]
pub struct BackupSpec {
    /// Its status.
    pub status: String,
    /// All other members, unchanged.
    pub metadata: Map<String, Value>,
}

impl Weight for Backup {
    fn row_id(&self) -> &str {
        &self.id
    }

    fn weight(&self) -> usize {
        self.metadata.text().len()
    }
}

impl PromotedColumns {
    /// Copies the columns' values out of the metadata.
    pub fn from_metadata(metadata: &Map<String, Value>) -> Self {
        let text = |key, can_hold: fn(&str) -> bool| {
            let text = metadata.get(key).and_then(Value::as_str)?;
            can_hold(text).then(|| text.to_owned())
        };
        Self {
            job_id: text("job_id", is_id),
            backup_name: text("backup_name", is_name),
            container: text("container", is_container),
            hostname: text("hostname", is_name),
            action: text("action", is_term),
            mode: text("mode", is_term),
            // Old releases call it `timestamp`.
            time_stamp: number(metadata, "time_stamp").or_else(|| number(metadata, "timestamp")),
            curr_backup_level: number(metadata, "curr_backup_level").and_then(|n| i32::try_from(n).ok()),
        }
    }
}

/// An integer, or text that is one.
fn number(metadata: &Map<String, Value>, key: &str) -> Option<i64> {
    match metadata.get(key)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Inserts a backup with a new id. If the id exists, an earlier attempt has inserted it and lost its connection; that counts
/// as success.
pub fn create(tx: &mut Tx<'_>, (project, user): (&str, &str), id: &str, spec: &BackupSpec) -> Outcome<()> {
    let backup = Backup {
        id: id.to_owned(),
        project_id: project.to_owned(),
        user_id: user.to_owned(),
        status: spec.status.clone(),
        promoted: PromotedColumns::from_metadata(&spec.metadata),
        metadata: spec.metadata.clone().into(),
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    };
    let insert = diesel::insert_into(backups::table).values(&backup);
    match on_each!(tx.connection, c => insert.execute(c)) {
        Err(error) if classify(&error) == FailureKind::Duplicate && find(tx, project, id)?.is_some() => {
            Ok(())
        }
        outcome => Ok(outcome.map(|_| ())?),
    }
}

lookups!(backups: Backup { find });

/// Changes a backup to `spec`, unless it is the same already. The user stays, because the user who made the backup need not
/// be the one who corrects its record.
pub fn update(tx: &mut Tx<'_>, backup: Backup, spec: BackupSpec) -> Outcome<Backup> {
    let metadata = Json::from(spec.metadata.clone());
    if backup.status == spec.status && backup.metadata == metadata {
        return Ok(backup);
    }
    let (promoted, status) = (PromotedColumns::from_metadata(&spec.metadata), spec.status);
    let columns = (backups::status.eq(&status), promoted.clone(), backups::metadata.eq(&metadata));
    let version = bump!(tx, backups, backup, columns)?;
    Ok(Backup { status, promoted, metadata, updated_at: tx.now, version, ..backup })
}

/// Deletes the project's backup of this id, and returns whether there was one. With a version in `seen`, it is deleted only
/// if it still has this version.
pub fn delete(tx: &mut Tx<'_>, project: &str, id: &str, seen: Option<i32>) -> Outcome<bool> {
    let its = backups::table.filter(backups::project_id.eq(project)).filter(backups::id.eq(id));
    let Some(version) = seen else { return Ok(diesel::delete(its).execute(tx.connection)? > 0) };
    expect_one_row(diesel::delete(its.filter(backups::version.eq(version))).execute(tx.connection)?)?;
    Ok(true)
}

/// Whether a column of a name has this text if the metadata has it, and every backend can compare it.
fn is_name(text: &str) -> bool {
    fits(text, 255)
}

/// The same for the container.
fn is_container(text: &str) -> bool {
    fits(text, 512)
}

/// The same for the action and the mode.
fn is_term(text: &str) -> bool {
    fits(text, 64)
}

fn fits(text: &str, longest: usize) -> bool {
    !text.ends_with(' ') && text.chars().count() <= longest
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn promoted(metadata: Value) -> PromotedColumns {
        PromotedColumns::from_metadata(metadata.as_object().unwrap())
    }

    #[test]
    fn numbers_may_be_text_and_the_time_may_have_its_old_name() {
        let row = promoted(json!({"time_stamp": "1700000000", "timestamp": 1, "curr_backup_level": "2"}));
        assert_eq!((row.time_stamp, row.curr_backup_level), (Some(1_700_000_000), Some(2)));
        let row = promoted(json!({"time_stamp": "", "timestamp": 1, "curr_backup_level": 1e10}));
        assert_eq!((row.time_stamp, row.curr_backup_level), (Some(1), None));
        assert_eq!(promoted(json!({"time_stamp": u64::MAX})).time_stamp, None);
    }

    #[test]
    fn what_does_not_fit_its_column_stays_in_the_metadata() {
        let row = promoted(json!({"mode": "x".repeat(65), "action": 1, "job_id": "é", "container": "a "}));
        assert_eq!(row, PromotedColumns::default());
        let row = promoted(json!({"mode": "é".repeat(64), "container": "", "job_id": "a-1"}));
        assert_eq!(row.mode.as_deref(), Some("é".repeat(64).as_str()));
        assert_eq!((row.container.as_deref(), row.job_id.as_deref()), (Some(""), Some("a-1")));
    }
}
