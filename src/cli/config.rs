//! `freezer-api config ...`: the configuration, as it is and as it could be.

use clap::Subcommand;

use super::say;
use crate::config::{self, Effective, Options};

/// What can be done with the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Print what each option comes to and where that is from, without secrets
    Show {
        /// Only what is not the default
        #[arg(long)]
        changed: bool,
    },
    /// Print a configuration file with every option, its default and its meaning
    Sample,
}

/// Runs a command. A sample can be had whatever the configuration is.
///
/// # Errors
/// A sentence for the operator: the configuration is not valid.
pub fn run(options: &Options, command: Command) -> Result<(), String> {
    let text = match command {
        Command::Show { changed } => Effective::load(options, None)?.show(changed),
        Command::Sample => config::sample(),
    };
    say(text.trim_end());
    Ok(())
}
