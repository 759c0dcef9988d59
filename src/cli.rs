//! The commands. Each says on standard error why it failed, if it did.

mod db;
mod policy;
mod serve;
pub mod user;

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, DatabaseOptions, ServeOptions};
use crate::logging;
use crate::store::Store;

/// The backup-catalogue API service of OpenStack Freezer on a relational database
#[derive(Debug, Parser)]
#[command(name = "freezer-api", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    database: DatabaseOptions,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Listen and answer, until SIGTERM
    Serve(ServeOptions),
    /// Look after the database schema
    #[command(subcommand)]
    Db(db::Command),
    /// Manage the users, projects and roles of the built-in identity
    #[command(subcommand)]
    User(user::UserCommand),
    /// Show and check the rules that say who may do what
    Policy(policy::PolicyOptions),
}

impl Cli {
    /// Does what the command line says; the status to exit with.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn run(self) -> Result<ExitCode, String> {
        let debug = self.database.debug.unwrap_or(false);
        logging::init(&logging::Settings { debug, ..logging::Settings::default() })?;
        match self.command {
            Command::Serve(options) => serve::run(&Config::new(&self.database, &options)?)?,
            Command::Db(command) => db::run(&self.database.database()?, command)?,
            Command::User(command) => {
                let url = self.database.database()?;
                db::ready(&url)?;
                user::run(&Store::new(url, 1), &command)?;
            }
            Command::Policy(options) => return policy::run(crate::policy::Settings::default(), options),
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes a line to standard output, at once. A reader who has gone away is no failure of the command.
fn say(line: impl Display) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
