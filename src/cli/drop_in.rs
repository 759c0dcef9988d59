//! Drop-in replacements of the Python service's other programs. When the binary is called by one of their names, it
//! behaves as that program: `freezer-manage` manages the schema, `freezer-manager-status` checks before an upgrade.

mod upgrade;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use super::{Failure, database, db};
use crate::config::Options;

/// Look after the database schema of freezer-api, as the Python service's program of this name does
#[derive(Parser)]
#[command(name = "freezer-manage", version = super::VERSION)]
struct Manage {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: ManageCommand,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum ManageCommand {
    /// The schema
    #[command(subcommand)]
    Db(ManageDb),
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum ManageDb {
    /// Bring the schema up to date
    Sync,
    /// The same as sync
    Update,
    /// Print the newest migration that the database has
    Version,
    /// Say whether the schema is what this release needs
    Show,
    /// Refused: nothing removes the tables but the administrator of the database
    Remove,
    /// Refused: the settings were Elasticsearch's
    UpdateSettings,
}

/// Say what an upgrade of freezer-api has to expect, as the Python service's program of this name does
#[derive(Parser)]
#[command(name = "freezer-manager-status", version = super::VERSION)]
struct Status {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: StatusCommand,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum StatusCommand {
    /// Upgrades
    #[command(subcommand)]
    Upgrade(Upgrade),
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Upgrade {
    /// Exit with 0 if all checks succeed, 1 if one warns, 2 if one fails
    Check {
        /// Print the results as JSON
        #[arg(long)]
        json: bool,
    },
}

/// The command line of `freezer-manage`.
pub fn manage() -> clap::Command {
    Manage::command()
}

/// The command line of `freezer-manager-status`.
pub fn status() -> clap::Command {
    Status::command()
}

/// Runs the program that the binary is called as; `None` under any other name.
pub fn run(arguments: &[OsString]) -> Option<Result<ExitCode, Failure>> {
    let name = Path::new(arguments.first()?).file_name()?.to_str()?;
    let arguments = || oslo::translate(arguments);
    match name {
        "freezer-manage" => Some(Manage::parse_from(arguments()).run()),
        "freezer-manager-status" => Some(Status::parse_from(arguments()).run()),
        _ => None,
    }
}

impl Manage {
    fn run(self) -> Result<ExitCode, Failure> {
        let ManageCommand::Db(command) = self.command;
        let command = match command {
            ManageDb::Sync | ManageDb::Update => db::Command::Sync,
            ManageDb::Version => db::Command::Version,
            ManageDb::Show => db::Command::Check,
            ManageDb::Remove => {
                return Err("`db remove` is not done here, because it would destroy the catalogue: drop the database in \
                            the database server."
                    .to_owned()
                    .into());
            }
            ManageDb::UpdateSettings => {
                return Err("`db update-settings` has no meaning here: the settings were those of an Elasticsearch index."
                    .to_owned()
                    .into());
            }
        };
        db::run(&database(&self.options)?, command, self.options.allow_newer_schema)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Status {
    fn run(self) -> Result<ExitCode, Failure> {
        let StatusCommand::Upgrade(Upgrade::Check { json }) = self.command;
        Ok(upgrade::check(&self.options, json))
    }
}

/// Translates the arguments of oslo.config and oslo.log that deployments pass.
mod oslo {
    use std::ffi::OsString;

    /// Other spellings of existing options.
    const SPELLINGS: [(&str, &str); 2] = [("--logfile", "--log-file"), ("--logdir", "--log-dir")];

    /// Options without a value that have no effect here.
    const FLAGS: [&str; 9] = [
        "--nodebug",
        "--use-syslog",
        "--nouse-syslog",
        "--nouse-journal",
        "--nouse-json",
        "--use-stderr",
        "--nouse-stderr",
        "--watch-log-file",
        "--nowatch-log-file",
    ];

    /// Options with a value that have no effect here.
    const VALUES: [&str; 6] = [
        "--log-config",
        "--log-config-append",
        "--log_config",
        "--log-date-format",
        "--syslog-log-facility",
        "--log-format",
    ];

    /// Translates arguments to those of this program's own command line.
    pub fn translate(arguments: &[OsString]) -> Vec<OsString> {
        let mut translated = Vec::new();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let text = argument.to_str().unwrap_or_default();
            let (name, value) =
                text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
            if FLAGS.contains(&name) {
                continue;
            }
            if VALUES.contains(&name) {
                if value.is_none() {
                    rest.next();
                }
                continue;
            }
            match (SPELLINGS.iter().find(|(oslo, _)| *oslo == name), value) {
                (Some((_, ours)), Some(value)) => translated.push(format!("{ours}={value}").into()),
                (Some((_, ours)), None) => translated.push((*ours).into()),
                (None, _) => translated.push(argument.clone()),
            }
        }
        translated
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn options_of_oslo_without_an_effect_are_dropped() {
            let of = |line: &str| {
                let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
                translate(&arguments)
                    .into_iter()
                    .map(|a| a.into_string().unwrap())
                    .collect::<Vec<_>>()
                    .join(" ")
            };
            for (given, understood) in [
                (
                    "freezer-manage --config-file a.conf db sync",
                    "freezer-manage --config-file a.conf db sync",
                ),
                (
                    "freezer-manage db sync --config-file=a.conf",
                    "freezer-manage db sync --config-file=a.conf",
                ),
                ("freezer-manage --log-config-append x --nodebug db sync", "freezer-manage db sync"),
                (
                    "freezer-manage --log-config-append=x db --logfile y sync",
                    "freezer-manage db --log-file y sync",
                ),
            ] {
                assert_eq!(of(given), understood);
            }
        }
    }
}
