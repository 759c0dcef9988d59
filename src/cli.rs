//! The commands. Each says on standard error why it failed, if it did.

mod config;
mod db;
mod openapi;
mod policy;
mod serve;
pub mod user;

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, Effective, Options, Reload, ServeOptions};
use crate::logging;
use crate::store::Store;
use crate::store::url::DatabaseUrl;

/// The backup-catalogue API service of OpenStack Freezer on a relational database
#[derive(Parser)]
#[command(name = "freezer-api", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    options: Options,
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
    /// Look at the configuration
    #[command(subcommand)]
    Config(config::Command),
    /// Print the OpenAPI document that describes the API
    Openapi,
}

impl Cli {
    /// Does what the command line says; the status to exit with.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn run(self) -> Result<ExitCode, String> {
        let options = self.options;
        match self.command {
            Command::Serve(serve) => {
                let effective = Effective::load(&options, Some(&serve))?;
                let config = Config::new(&effective, serve.openrc.as_deref())?;
                logging::init(&config.logging).map_err(|why| effective.located(&why))?;
                report(&effective);
                serve::run(&config, Reload::new(options, serve, effective))?;
            }
            Command::Db(command) => db::run(&database(&options)?, command)?,
            Command::User(command) => {
                let url = database(&options)?;
                db::ready(&url)?;
                let around = user::Surroundings::new(&Effective::load(&options, None)?)?;
                user::run(&Store::new(url, 1), &command, &around)?;
            }
            Command::Policy(more) => {
                return policy::run(Effective::load(&options, None)?.policy(), more);
            }
            Command::Config(command) => config::run(&options, command)?,
            Command::Openapi => openapi::run(),
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The database, for the commands that are done at once; they log to standard error, whatever `serve` does.
fn database(options: &Options) -> Result<DatabaseUrl, String> {
    let effective = Effective::load(options, None)?;
    let debug = effective.section("DEFAULT").is("debug");
    logging::init(&logging::Settings { debug, ..logging::Settings::default() })?;
    effective.database()
}

/// Says in the log what the operator should know of the configuration.
fn report(effective: &Effective) {
    for warning in &effective.warnings {
        log::warn!("{warning}");
    }
    let idle = effective.without_effect();
    if !idle.is_empty() {
        log::info!("set, but without effect here: {}", idle.join(", "));
    }
}

/// Writes a line to standard output, at once. A reader who has gone away is no failure of the command.
fn say(line: impl Display) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
