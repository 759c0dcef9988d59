//! Measures `freezer-api import sql`: a database of the Python service is made and filled, and the release binary imports
//! it into an empty database of ours.

mod fill;
mod process;

use std::process::Command;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::Result;
use crate::database::Database;
use crate::machine::Machine;
use crate::progress;
use crate::world::BLOCK;
use process::Usage;

/// What is imported.
#[derive(Args)]
pub struct Options {
    /// Import so many jobs with all that belongs to them, each number from and into databases of its own
    #[arg(long, value_delimiter = ',', value_name = "JOBS", default_value = "1000000")]
    jobs: Vec<usize>,
    /// The release of the Python service whose tables are filled
    #[arg(long, value_enum, default_value = "19.0.0")]
    release: Release,
    /// The server to import into, or `sqlite` for a file; the server with the old database if it is missing
    #[arg(long, value_name = "URL")]
    into: Option<String>,
}

/// A release of the Python service.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Release {
    /// Actions stand in the rows of the jobs
    #[value(name = "18.0.0")]
    V18,
    /// Actions are attached by `job_actions`
    #[value(name = "19.0.0")]
    V19,
}

/// What one import took.
struct Measured {
    jobs: usize,
    rows: u64,
    time: Duration,
    usage: Usage,
}

/// Fills, imports and prints a table.
pub fn run(server: &str, options: &Options) -> Result<()> {
    if options.jobs.iter().any(|jobs| *jobs == 0 || !jobs.is_multiple_of(BLOCK)) {
        return Err(format!("The numbers of jobs must be multiples of {BLOCK}.").into());
    }
    let machine = Machine::this();
    let mut all = Vec::new();
    for jobs in &options.jobs {
        all.push(import(server, options, *jobs)?);
    }
    progress::print(format_args!(
        "{}, commit {}, {} x {}",
        machine.date, machine.commit, machine.cores, machine.processor
    ));
    println!("| jobs | rows | seconds | rows/s | CPU seconds | most memory, MB |");
    println!("| ---: | ---: | ---: | ---: | ---: | ---: |");
    for Measured { jobs, rows, time, usage } in all {
        let seconds = time.as_secs_f64();
        println!(
            "| {jobs} | {rows} | {seconds:.1} | {:.0} | {:.1} | {:.0} |",
            rows as f64 / seconds,
            usage.processor.as_secs_f64(),
            usage.memory,
        );
    }
    Ok(())
}

fn import(server: &str, options: &Options, jobs: usize) -> Result<Measured> {
    let source = Database::empty(server, "old")?;
    let begin = Instant::now();
    let rows = fill::fill(&source, options.release, jobs)?;
    progress::print(format_args!(
        "{jobs} jobs, {rows} rows: filled in {:.0} s",
        begin.elapsed().as_secs_f64()
    ));
    let target = Database::create(options.into.as_deref().unwrap_or(server))?;
    let home = tempfile::tempdir()?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_freezer-api"));
    command.args(["--database-connection", &target.text, "import", "sql", "--from", &source.text, "--json"]);
    // No configuration of this machine; what the import writes beside the database is gone afterwards.
    command.env("HOME", home.path()).env("TMPDIR", home.path()).current_dir(home.path());
    let begin = Instant::now();
    let (account, usage) = process::watch(command)?;
    let time = begin.elapsed();
    check(&account, rows)?;
    Ok(Measured { jobs, rows, time, usage })
}

/// Whether every row of the source was read, and none was left out for a fault.
fn check(account: &[u8], rows: u64) -> Result<()> {
    let account: Value = serde_json::from_slice(account)?;
    let tables = account["tables"].as_object().ok_or("an account without tables")?;
    // What is inside a row is counted by itself.
    let tables = tables.iter().filter(|(name, _)| !name.contains('.'));
    let sum = |of: &str| tables.clone().filter_map(|(_, table)| table[of].as_u64()).sum::<u64>();
    if sum("read") != rows || sum("quarantined") != 0 {
        return Err(format!("{rows} rows were to be imported: {account}").into());
    }
    Ok(())
}
