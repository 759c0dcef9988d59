//! The program: parse, dispatch, exit code.

use std::process::ExitCode;

use clap::Parser;
use freezer_api::cli::Cli;
use mimalloc::MiMalloc;

/// mimalloc gives the memory of a large answer back to the system some seconds later. The C library's allocator keeps
/// it, in an arena for each connection's thread.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(status) => status,
        Err(failure) => {
            eprintln!("freezer-api: {failure}");
            failure.exit_code()
        }
    }
}
