//! Measures the service: starts the real binary on a database of its own, fills that to so many jobs, and loads it over
//! HTTP, each operation beside what the front and the database could do at most. `docs/PERFORMANCE.md` says more.

mod constant;
mod cost;
mod daemon;
mod database;
mod delay;
mod documents;
mod fill;
mod fleet;
mod http;
mod import;
mod load;
mod machine;
mod operations;
mod options;
mod processor;
mod progress;
mod python;
mod report;
mod results;
mod run;
mod session;
mod statements;
mod targets;
mod verify;
mod world;

use std::process::ExitCode;

use clap::Parser;

use options::{Command, Options};

/// An error, as a text for the person that runs this.
type Failure = Box<dyn std::error::Error + Send + Sync>;
type Result<T> = std::result::Result<T, Failure>;

fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = match options.command {
        Some(Command::Constant { status }) => constant::serve(status),
        Some(Command::Cost(ref cost)) => cost::run(&options, cost),
        Some(Command::Import(ref import)) => import::run(&options.database, import),
        None => measure(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// Measures, and says and writes what came of it. A target that is missed is no failure: they are for one machine.
fn measure(options: &Options) -> Result<()> {
    let results = run::run(options)?;
    let checks = targets::judge(&results);
    progress::print(format_args!("{}", report::summary(&results, &checks)));
    if let Some(path) = &options.json {
        std::fs::write(path, report::json(&results, &checks))?;
    }
    if let Some(path) = &options.markdown {
        let page = std::fs::read_to_string(path).unwrap_or_default();
        std::fs::write(path, report::placed(&page, &results, &checks))?;
    }
    Ok(())
}
