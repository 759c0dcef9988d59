//! `freezer-api db ...`: manages the schema with the built-in migrations.

mod backup;

use std::path::PathBuf;

use clap::Subcommand;

use super::{Failure, say};
use crate::store::engine::migrations::{self, SchemaError, SchemaState};
use crate::store::engine::sqlite_file;
use crate::store::engine::url::DatabaseUrl;

/// What can be done with the schema.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Bring the schema up to date
    Sync,
    /// Print the newest migration that the database has
    Version,
    /// Exit with 0 if the schema is what this release needs and an SQLite file is whole, with 78 if the schema is newer,
    /// and else with 1
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
pub fn run(url: &DatabaseUrl, command: Command, allow_newer: bool) -> Result<(), Failure> {
    match command {
        Command::Sync => Ok(sync(url)?),
        Command::Version => {
            say(existing(url)?.current.as_deref().unwrap_or("none"));
            Ok(())
        }
        Command::Check => {
            let state = ready(url, allow_newer)?;
            sqlite_file::check::quick_check(url)?;
            say(migrations::standing(&state));
            Ok(())
        }
        Command::Backup { file } => Ok(backup::backup(url, &file)?),
        Command::Restore { file } => Ok(backup::restore(url, &file)?),
    }
}

fn sync(url: &DatabaseUrl) -> Result<(), SchemaError> {
    sqlite_file::check::after_unclean_stop(url)?;
    if let Some(path) = sqlite_file::create(url)? {
        say(format_args!("created {}", path.display()));
    }
    let applied = migrations::sync(url)?;
    for name in &applied {
        say(format_args!("applied {name}"));
    }
    if applied.is_empty() {
        say(migrations::standing(&migrations::state(url)?));
    }
    Ok(())
}

/// The schema's state, if this release can work with it. A newer schema is accepted with `allow_newer` only.
///
/// # Errors
/// A sentence for the operator: the database cannot be reached, is not there yet, or has an old or a newer schema.
pub fn ready(url: &DatabaseUrl, allow_newer: bool) -> Result<SchemaState, SchemaError> {
    let state = existing(url)?;
    migrations::expect_known(&state, allow_newer)?;
    match migrations::refusal(&state) {
        Some(error) => Err(error),
        None => Ok(state),
    }
}

/// The schema's state. A missing SQLite file is an error and is not created.
fn existing(url: &DatabaseUrl) -> Result<SchemaState, SchemaError> {
    if sqlite_file::is_missing(url) {
        return Err(format!("There is no database {url:?} yet; `freezer-api db sync` creates it.").into());
    }
    sqlite_file::check::after_unclean_stop(url)?;
    migrations::state(url)
}
