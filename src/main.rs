//! The program: parse, dispatch, exit code.

use std::process::ExitCode;

use clap::Parser;
use freezer_api::cli::Cli;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(status) => status,
        Err(failure) => {
            eprintln!("freezer-api: {failure}");
            failure.exit_code()
        }
    }
}
