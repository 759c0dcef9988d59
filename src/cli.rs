//! The commands. A command that fails prints the reason on standard error.

mod config;
mod copy;
mod db;
mod drop_in;
mod export;
mod failure;
mod generate;
mod healthcheck;
pub mod import;
mod openapi;
mod policy;
mod serve;
pub mod user;

use std::env;
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use oslo_config::Effective;

use crate::config::{self as configuration, Config, Options, Reload, ServeOptions, load};
use crate::loggers;
use crate::store::Store;
use crate::store::engine::url::DatabaseUrl;
pub use failure::Failure;

/// The release, and the commit that it was built from.
const VERSION: &str = env!("FREEZER_API_VERSION");

/// What `--help` says at its end.
const NOTES: &str = "\
Without a command it serves, as `serve` does, if an option says anything or a configuration file is found; otherwise it \
prints this help.

Exit status: 0 after success and after SIGTERM, 1 for a failure that waiting may mend, 2 for a command line that cannot \
be read, 3 and 4 for an import or a copy with rows in the way or with differences, 78 for what stays until the configuration or the program is changed.";

/// The backup-catalogue API service of OpenStack Freezer on a relational database
#[derive(Parser)]
#[command(name = "freezer-api", version = VERSION, after_help = NOTES)]
pub struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Listen and answer, until SIGTERM
    Serve(ServeOptions),
    /// Look after the database schema
    #[command(subcommand)]
    Db(db::Command),
    /// Copy everything into another database of this service, of any backend
    Copy(copy::CopyOptions),
    /// Manage the users, projects and roles of the built-in identity
    #[command(subcommand)]
    User(user::UserCommand),
    /// Show and check the rules that say who may do what
    Policy(policy::PolicyOptions),
    /// Print what was created or changed, as JSON documents
    Export(export::ExportOptions),
    /// Bring in what a Python freezer-api has stored
    #[command(subcommand)]
    Import(import::Command),
    /// Look at the configuration
    #[command(subcommand)]
    Config(config::Command),
    /// Print the OpenAPI document that describes the API
    Openapi,
    /// Ask the running service whether it is healthy; exit with 0 if it is, else with 1
    Healthcheck(healthcheck::HealthcheckOptions),
    /// Make completions and manual pages
    #[command(subcommand)]
    Generate(generate::Generate),
}

/// Runs the command line of this process; returns the exit status.
///
/// # Errors
/// A sentence for the operator.
pub fn run() -> Result<ExitCode, Failure> {
    let arguments: Vec<_> = env::args_os().collect();
    drop_in::run(&arguments).unwrap_or_else(|| Cli::parse_from(arguments).run())
}

impl Cli {
    /// Runs the command; returns the exit status.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn run(self) -> Result<ExitCode, Failure> {
        let options = self.options;
        let Some(command) = self.command else { return without_command(options) };
        match command {
            Command::Serve(more) => return serve(options, more),
            Command::Db(command) => db::run(&database(&options)?, command, options.allow_newer_schema)?,
            Command::Copy(more) => {
                copy::run(&more, || database(&options))?;
            }
            Command::User(command) => {
                let url = database(&options)?;
                db::ready(&url, options.allow_newer_schema)?;
                let effective = load(&options, None).map_err(Failure::lasting)?;
                let context = user::OpenrcContext::new(&effective)?;
                user::run(&Store::new(url, 1), &command, &context)?;
            }
            Command::Import(command) => return import::run(&options, command),
            Command::Policy(more) => {
                let settings = configuration::policy(&load(&options, None).map_err(Failure::lasting)?);
                return Ok(policy::run(settings, more)?);
            }
            Command::Export(more) => {
                let url = database(&options)?;
                db::ready(&url, options.allow_newer_schema)?;
                let effective = load(&options, None).map_err(Failure::lasting)?;
                export::run(&Store::new(url, 1), &effective, more)?;
            }
            Command::Config(command) => config::run(&options, command).map_err(Failure::lasting)?,
            Command::Openapi => openapi::run(),
            Command::Healthcheck(more) => healthcheck::run(&options, &more)?,
            Command::Generate(what) => generate::run(&what)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn serve(options: Options, more: ServeOptions) -> Result<ExitCode, Failure> {
    let effective = load(&options, Some(&more)).map_err(Failure::lasting)?;
    let config = Config::new(&effective, more.openrc.as_deref()).map_err(Failure::lasting)?;
    oslo_log::init(&config.logging, loggers::ALIASES)
        .map_err(|why| Failure::lasting(effective.located(&why)))?;
    report(&effective);
    let allow_newer_schema = options.allow_newer_schema;
    serve::run(&config, Reload::new(options, more, effective), allow_newer_schema)?;
    Ok(ExitCode::SUCCESS)
}

/// Without a command, serves if there is a configuration, as other OpenStack services do. Without one this would start a
/// new, empty service in the current directory, so it prints the help.
fn without_command(options: Options) -> Result<ExitCode, Failure> {
    let is_configured = !options.cli_values(None).is_empty()
        || !load(&options, None).map_err(Failure::lasting)?.files.is_empty();
    if is_configured {
        return serve(options, ServeOptions::default());
    }
    eprintln!("{}", Cli::command().render_help());
    Ok(ExitCode::from(2))
}

/// The database of a one-off command, which logs to standard error whatever the log options are.
fn database(options: &Options) -> Result<DatabaseUrl, Failure> {
    let effective = load(options, None).map_err(Failure::lasting)?;
    let debug = effective.section("DEFAULT").is("debug");
    oslo_log::init(&oslo_log::Settings { debug, ..oslo_log::Settings::default() }, loggers::ALIASES)?;
    configuration::database(&effective).map_err(Failure::lasting)
}

/// Logs warnings about the configuration.
fn report(effective: &Effective) {
    for warning in &effective.warnings {
        log::warn!("{warning}");
    }
    let idle = effective.without_effect();
    if !idle.is_empty() {
        log::info!("set, but without effect here: {}", idle.join(", "));
    }
}

/// Writes a line to standard output and flushes it. A closed pipe does not fail the command.
fn say(line: impl Display) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
