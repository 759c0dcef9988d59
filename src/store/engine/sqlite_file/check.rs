//! Checks the file for damage.

use std::path::Path;

use diesel::connection::{Connection, SimpleConnection};
use diesel::sql_types::Text;
use diesel::sqlite::SqliteConnection;
use diesel::{QueryableByName, RunQueryDsl, sql_query};

use super::{SHM, WAL, lock, real_path, unmerged_log};
use crate::store::engine::dialect::BUSY_TIMEOUT;
use crate::store::engine::url::DatabaseUrl;

#[derive(QueryableByName)]
struct Finding {
    #[diesel(sql_type = Text)]
    quick_check: String,
}

/// Checks the whole file by `PRAGMA quick_check`. Does nothing for other databases.
///
/// # Errors
/// A sentence for the operator: the file is damaged, or cannot be read.
pub fn quick_check(url: &DatabaseUrl) -> Result<(), String> {
    match url.sqlite_path() {
        Some(path) => quick_check_file(&real_path(path)?),
        None => Ok(()),
    }
}

/// Checks a database before a command opens it, if it was not closed cleanly and no process serves it. The first program
/// that opens such a file merges the log into it; if the log belongs to another file, that damages the database.
///
/// # Errors
/// A sentence for the operator: the file is damaged, or does not belong to its log.
pub fn after_unclean_stop(url: &DatabaseUrl) -> Result<(), String> {
    let Some(path) = url.sqlite_path().filter(|path| path.exists()) else { return Ok(()) };
    let path = real_path(path)?;
    lock::unless_locked(&path, || if_not_closed(&path))
}

/// As [`after_unclean_stop`], for a database that this process has locked.
pub(super) fn if_not_closed(path: &Path) -> Result<(), String> {
    if unmerged_log(path).is_none() {
        return Ok(());
    }
    log::info!("the database {} was not closed; it is checked", path.display());
    quick_check_file(path)
}

/// Checks a file, with or without a log. If the check fails, the file and its log stay as they are.
fn quick_check_file(path: &Path) -> Result<(), String> {
    damage(path).map_err(|why| {
        format!(
            "The database {path} is damaged ({why}). Restore a backup with `freezer-api db restore`. If it is a copy that \
             was put there while the log of the file before it was still beside it, remove that log ({path}{WAL} and \
             {path}{SHM}): the copy is unharmed.",
            path = path.display(),
        )
    })
}

/// Checks a file by SQLite.
///
/// # Errors
/// What is wrong, in a few words. The file and its log stay as they are.
pub(super) fn damage(path: &Path) -> Result<(), String> {
    let name = path.to_str().ok_or("its path is not UTF-8")?;
    let mut connection = SqliteConnection::establish(name).map_err(|error| error.to_string())?;
    let findings = connection
        .batch_execute(BUSY_TIMEOUT)
        .and_then(|()| sql_query("PRAGMA quick_check(1)").load::<Finding>(&mut connection));
    let why = match findings {
        Ok(findings) => match findings.into_iter().find(|finding| finding.quick_check != "ok") {
            None => return Ok(()),
            Some(finding) => finding.quick_check,
        },
        Err(error) => error.to_string(),
    };
    // Closing the last connection would merge the log into the file. The process ends soon, and the system then closes the
    // files without a merge.
    std::mem::forget(connection);
    Err(why.lines().collect::<Vec<_>>().join(" "))
}
