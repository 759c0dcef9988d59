//! `freezer-api db ...`: the schema, by the migrations that are built in.

mod backup;

use std::path::PathBuf;

use clap::Subcommand;

use super::say;
use crate::store::migrations::{self, SchemaState};
use crate::store::sqlite_file;
use crate::store::url::DatabaseUrl;

/// What can be done with the schema.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Bring the schema up to date
    Sync,
    /// Print the newest migration that the database has
    Version,
    /// Exit with 0 if the schema is what this release needs, and an SQLite file is whole
    Check,
    /// Copy an SQLite database into a new file, also while it is served
    Backup {
        /// The file, which must not exist
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Put a backup in the place of an SQLite database that is not served
    Restore {
        /// The backup, which stays
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// Runs a command.
///
/// # Errors
/// A sentence for the operator: the database cannot be reached or changed, or, for `check`, is not up to date.
pub fn run(url: &DatabaseUrl, command: Command) -> Result<(), String> {
    match command {
        Command::Sync => sync(url),
        Command::Version => {
            say(existing(url)?.current.as_deref().unwrap_or("none"));
            Ok(())
        }
        Command::Check => {
            let state = ready(url)?;
            sqlite_file::check::quick_check(url)?;
            if state.unknown.is_empty() {
                say("The database schema is up to date.");
            } else {
                let unknown = state.unknown.join(", ");
                say(format_args!("The database schema is newer than this release: {unknown}."));
            }
            Ok(())
        }
        Command::Backup { file } => backup::backup(url, &file),
        Command::Restore { file } => backup::restore(url, &file),
    }
}

fn sync(url: &DatabaseUrl) -> Result<(), String> {
    sqlite_file::check::after_unclean_stop(url)?;
    if let Some(path) = sqlite_file::create(url)? {
        say(format_args!("created {}", path.display()));
    }
    let applied = migrations::sync(url)?;
    for name in &applied {
        say(format_args!("applied {name}"));
    }
    if applied.is_empty() {
        say("The database schema is up to date.");
    }
    Ok(())
}

/// The state of a database that this release can work with.
///
/// # Errors
/// A sentence for the operator: the database cannot be reached, is not there yet, or has an old schema.
pub fn ready(url: &DatabaseUrl) -> Result<SchemaState, String> {
    let state = existing(url)?;
    match migrations::refusal(&state) {
        Some(why) => Err(why),
        None => Ok(state),
    }
}

/// The state of a database that is there: looking must not create an SQLite file.
fn existing(url: &DatabaseUrl) -> Result<SchemaState, String> {
    if sqlite_file::is_missing(url) {
        return Err(format!("There is no database {url:?} yet; `freezer-api db sync` creates it."));
    }
    sqlite_file::check::after_unclean_stop(url)?;
    migrations::state(url)
}
