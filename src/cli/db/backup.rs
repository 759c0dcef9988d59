//! `freezer-api db backup` and `freezer-api db restore`, for SQLite only. Database servers have their own tools.

use std::path::Path;

use crate::cli::say;
use crate::store::engine::sqlite_file::{self, check};
use crate::store::engine::url::{Backend, DatabaseUrl};

/// Copies the database into a new file.
///
/// # Errors
/// A sentence for the operator.
pub fn backup(url: &DatabaseUrl, file: &Path) -> Result<(), String> {
    sqlite_path(url)?;
    check::after_unclean_stop(url)?;
    let size = sqlite_file::backup::backup(url, file)?;
    say(format_args!("The backup is in {} ({size} bytes).", file.display()));
    Ok(())
}

/// Replaces the database with a backup.
///
/// # Errors
/// A sentence for the operator.
pub fn restore(url: &DatabaseUrl, file: &Path) -> Result<(), String> {
    let restored = sqlite_file::restore::restore(sqlite_path(url)?, file)?;
    say(format_args!("{} is now a copy of {}.", restored.path.display(), file.display()));
    if let Some(kept) = restored.kept {
        say(format_args!(
            "The database that was there is {}; remove it when it is no longer needed.",
            kept.display()
        ));
    }
    if restored.is_old {
        say(
            "Its schema is that of an older release; `freezer-api serve` or `freezer-api db sync` brings it up to date.",
        );
    }
    Ok(())
}

fn sqlite_path(url: &DatabaseUrl) -> Result<&Path, String> {
    let other = |name, tools| {
        format!(
            "`freezer-api db backup` and `db restore` are for SQLite; for {name} use {tools} (docs/DATABASE.md)."
        )
    };
    match (url.sqlite_path(), url.backend()) {
        (Some(path), _) => Ok(path),
        (None, Backend::Postgres) => Err(other("PostgreSQL", "pg_dump and pg_restore")),
        (None, _) => Err(other("MySQL and MariaDB", "mysqldump --single-transaction and mysql")),
    }
}
