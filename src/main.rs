//! The program: parse, dispatch, exit code.

use std::process::ExitCode;

use freezer_api::cli;
use mimalloc::MiMalloc;

/// mimalloc gives the memory of a large answer back to the system some seconds later. The C library's allocator keeps
/// it, in an arena for each connection's thread.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match cli::run() {
        Ok(status) => status,
        Err(failure) => {
            eprintln!("freezer-api: {failure}");
            failure.exit_code()
        }
    }
}
