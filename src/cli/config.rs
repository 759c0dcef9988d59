//! `freezer-api config ...`: shows and checks the configuration, and prints a sample.

use clap::Subcommand;

use super::say;
use crate::config::{self, Config, Options};

/// What can be done with the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Print what each option comes to and where that is from, without secrets
    Show {
        /// Only what is not the default
        #[arg(long)]
        changed: bool,
    },
    /// Exit with 0 if the service can start with the configuration, as far as that can be told without the database
    Check,
    /// Print a configuration file with every option, its default and its meaning
    Sample,
}

/// Runs a command. The sample does not need a valid configuration.
///
/// # Errors
/// A sentence for the operator: the configuration is not valid.
pub fn run(options: &Options, command: Command) -> Result<(), String> {
    let text = match command {
        Command::Show { changed } => config::load(options, None)?.show(changed),
        Command::Check => check(options)?,
        Command::Sample => config::sample(),
    };
    say(text.trim_end());
    Ok(())
}

/// Checks all that can refuse the configuration, in the order of a start.
fn check(options: &Options) -> Result<String, String> {
    let effective = config::load(options, None)?;
    let config = Config::new(&effective, None)?;
    super::serve::check(&config)?;
    let mut lines = effective.warnings.clone();
    let idle = effective.without_effect();
    if !idle.is_empty() {
        lines.push(format!("Set, but without effect here: {}.", idle.join(", ")));
    }
    lines.push("The configuration is in order.".to_owned());
    Ok(lines.join("\n"))
}
