//! `freezer-api policy ...`: shows and checks the policy rules.

mod caller;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use front::error::Kind;
use oslo_policy::{Policy, Settings, sample, show};

use self::caller::CallerOptions;
use super::say;
use crate::rules::DEFAULTS;

/// The exit status of a check that could not be made, and of a command line that is not valid.
const CANNOT_SAY: u8 = 2;

/// The options of `freezer-api policy`.
#[derive(Debug, Args)]
pub struct PolicyOptions {
    /// This policy file, instead of the configured files
    #[arg(long, global = true, value_name = "PATH")]
    policy_file: Option<PathBuf>,
    /// The policy files in this directory, instead of the configured files; can be repeated
    #[arg(long, global = true, value_name = "PATH")]
    policy_dir: Vec<PathBuf>,
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// Print the rules in force
    Show {
        /// Those of the service itself, without any file
        #[arg(long)]
        default: bool,
    },
    /// Print a policy file with all rules, their defaults and what they guard, all of it commented out
    Sample,
    /// Check the policy files; or, with --rule, --access or a caller's attributes, what somebody may do
    ///
    /// Exits with 0 if all is well (the files, or the one rule asked for), 1 if not, 2 if it could not be found out.
    Check {
        /// The rule to ask; all of the API's where none is named
        #[arg(long, value_name = "NAME")]
        rule: Option<String>,
        #[command(flatten)]
        caller: CallerOptions,
    },
}

/// Runs a command with the configured settings.
///
/// # Errors
/// A sentence for the operator: a policy file cannot be read or understood.
pub fn run(settings: Settings, options: PolicyOptions) -> Result<ExitCode, String> {
    let settings = options.with_files(settings);
    match options.command {
        PolicyCommand::Show { default: true } => {
            let settings = Settings { policy_file: PathBuf::new(), policy_dirs: vec![], ..settings? };
            print(&show::text(&oslo_policy::rules(&settings, DEFAULTS)?, DEFAULTS));
        }
        PolicyCommand::Show { default: false } => {
            print(&show::text(&oslo_policy::rules(&settings?, DEFAULTS)?, DEFAULTS));
        }
        PolicyCommand::Sample => print(&sample::text(DEFAULTS)),
        PolicyCommand::Check { rule, caller } => {
            let outcome = settings.and_then(|settings| match rule.is_some() || caller.is_set() {
                true => ask(settings, rule.as_deref(), &caller),
                false => validate(&settings),
            });
            return Ok(outcome.unwrap_or_else(|why| {
                eprintln!("freezer-api: {why}");
                ExitCode::from(CANNOT_SAY)
            }));
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl PolicyOptions {
    /// The settings with the files of the command line, which must exist.
    fn with_files(&self, settings: Settings) -> Result<Settings, String> {
        if self.policy_file.is_none() && self.policy_dir.is_empty() {
            return Ok(settings);
        }
        let there = |path: &PathBuf| match path.canonicalize() {
            Ok(path) => Ok(path),
            Err(error) => Err(format!("Cannot read {}: {error}.", path.display())),
        };
        Ok(Settings {
            policy_file: self.policy_file.as_ref().map(there).transpose()?.unwrap_or_default(),
            policy_dirs: self.policy_dir.iter().map(there).collect::<Result<_, _>>()?,
            ..settings
        })
    }
}

fn print(text: &str) {
    say(text.trim_end());
}

/// Reports problems of the files, as oslopolicy-validator and oslopolicy-list-redundant do.
fn validate(settings: &Settings) -> Result<ExitCode, String> {
    let rules = oslo_policy::rules(settings, DEFAULTS)?;
    let mut problems = Vec::new();
    for (name, rule) in &rules.from_files {
        let file = rule.file.display();
        problems.extend(rule.problems.iter().map(|why| format!("{file}: {name}: {why}")));
    }
    let undefined = rules.undefined();
    problems.extend(
        undefined.iter().map(|(name, other)| format!("{name} refers to {other}, which does not exist")),
    );
    problems.extend(rules.cyclic().iter().map(|name| format!("{name} leads back to itself")));
    let unused = rules.unused(DEFAULTS);
    problems.extend(
        unused.iter().map(|name| format!("{name} is no rule of this service, and no other refers to it")),
    );
    for problem in &problems {
        say(format_args!("problem: {problem}"));
    }
    for name in rules.redundant(DEFAULTS) {
        say(format_args!("note: {name} is what it is by default; it can be left out"));
    }
    for (name, roles) in rules.across_projects(DEFAULTS) {
        let whom = match roles.as_slice() {
            [] => "every caller".to_owned(),
            roles => format!("the role {}", roles.join(", ")),
        };
        say(format_args!("note: {name} allows other projects than the token's: to {whom}"));
    }
    for deprecation in &rules.deprecations {
        say(format_args!("note: {deprecation}"));
    }
    match (problems.len(), rules.from_files.is_empty()) {
        (0, true) => say("There are no rules in policy files; the defaults are in force."),
        (0, false) => {
            say(format_args!("The policy files are in order; rules in them: {}.", rules.from_files.len()))
        }
        _ => return Ok(ExitCode::FAILURE),
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints what a caller may do, as oslopolicy-checker does, and decided as in the service: with the scope.
fn ask(settings: Settings, rule: Option<&str>, options: &CallerOptions) -> Result<ExitCode, String> {
    let caller = options.caller()?;
    let target = options.target(&caller);
    let policy = Policy::new(settings, DEFAULTS)?;
    let names = match rule {
        Some(rule) => vec![rule],
        None => DEFAULTS.iter().map(|rule| rule.name).filter(|name| name.contains(':')).collect(),
    };
    let mut status = ExitCode::SUCCESS;
    for name in names {
        match policy.enforce(&caller, name, target) {
            Ok(()) => say(format_args!("passed: {name}")),
            Err(error) if error.kind == Kind::Forbidden => {
                let why = error.log.map(|why| format!(" ({why})")).unwrap_or_default();
                say(format_args!("failed: {name}{why}"));
                if rule.is_some() {
                    status = ExitCode::FAILURE;
                }
            }
            Err(error) => {
                say(format_args!("error: {}", error.log.unwrap_or(error.description)));
                status = ExitCode::from(CANNOT_SAY);
            }
        }
    }
    Ok(status)
}
