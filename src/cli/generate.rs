//! `freezer-api completion` and `freezer-api man`: generates shell completions and manual pages from the command line's
//! declaration, for packages.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory, Subcommand};
use clap_complete::Shell;

use super::{Cli, drop_in};

/// What to generate.
#[derive(Debug, Subcommand)]
pub enum Generate {
    /// Print the completions for a shell
    Completion {
        /// The shell
        shell: Shell,
    },
    /// Write the manual pages into a directory
    Man {
        /// The directory
        #[arg(value_name = "DIRECTORY")]
        directory: PathBuf,
    },
}

/// Generates completions or pages.
///
/// # Errors
/// A sentence: the directory cannot be written to.
pub fn run(what: &Generate) -> Result<(), String> {
    match what {
        Generate::Completion { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "freezer-api", &mut io::stdout());
            Ok(())
        }
        Generate::Man { directory } => {
            let pages = [Cli::command(), drop_in::manage(), drop_in::status()];
            let written = pages.into_iter().try_for_each(|command| write_pages(directory, command));
            written.map_err(|error| format!("Cannot write into {}: {error}.", directory.display()))
        }
    }
}

/// Writes a page for the program and for each command that has subcommands, in section 8 (administration).
fn write_pages(directory: &Path, command: Command) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let mut command = command.disable_help_subcommand(true);
    command.build();
    write_page(directory, &command)
}

fn write_page(directory: &Path, command: &Command) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).title(&name).section("8").render(&mut page)?;
    fs::write(directory.join(format!("{name}.8")), page)?;
    let visible = command.get_subcommands().filter(|command| !command.is_hide_set());
    visible.into_iter().try_for_each(|command| write_page(directory, command))
}
