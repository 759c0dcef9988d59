//! `freezer-api db ...`: the schema, by the migrations that are built in.

use clap::Subcommand;

use super::{Failure, say};
use crate::store::migrations::{self, SchemaError, SchemaState};
use crate::store::sqlite_file;
use crate::store::url::DatabaseUrl;

/// What can be done with the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Bring the schema up to date
    Sync,
    /// Print the newest migration that the database has
    Version,
    /// Exit with 0 if the schema is what this release needs, with 1 if it is older, and with 78 if it is newer
    Check,
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
            say(standing(&ready(url, allow_newer)?));
            Ok(())
        }
    }
}

fn sync(url: &DatabaseUrl) -> Result<(), SchemaError> {
    sqlite_file::create(url)?;
    let applied = migrations::sync(url)?;
    for name in &applied {
        say(format_args!("applied {name}"));
    }
    if applied.is_empty() {
        say(standing(&migrations::state(url)?));
    }
    Ok(())
}

/// How a schema that lacks nothing stands to this release.
fn standing(state: &SchemaState) -> String {
    if state.unknown.is_empty() {
        return "The database schema is up to date.".to_owned();
    }
    format!("The database schema is newer than this release: {}.", state.unknown.join(", "))
}

/// The state of a database that this release can work with. A newer schema is one of these with `allow_newer` only.
///
/// # Errors
/// A sentence for the operator: the database cannot be reached, is not there yet, or has an old or a newer schema.
pub fn ready(url: &DatabaseUrl, allow_newer: bool) -> Result<SchemaState, SchemaError> {
    let state = existing(url)?;
    expect_known(&state, allow_newer)?;
    match migrations::refusal(&state) {
        Some(error) => Err(error),
        None => Ok(state),
    }
}

/// Refuses a schema that a newer release has migrated, or with `allow_newer` warns of it.
pub fn expect_known(state: &SchemaState, allow_newer: bool) -> Result<(), SchemaError> {
    match migrations::newer(state) {
        Some(error) if !allow_newer => Err(error),
        Some(_) => {
            log::warn!("{}", standing(state));
            Ok(())
        }
        None => Ok(()),
    }
}

/// The state of a database that is there: looking must not create an SQLite file.
fn existing(url: &DatabaseUrl) -> Result<SchemaState, SchemaError> {
    if sqlite_file::is_missing(url) {
        return Err(format!("There is no database {url:?} yet; `freezer-api db sync` creates it.").into());
    }
    migrations::state(url)
}
