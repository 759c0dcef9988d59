//! `freezer-api import ...`: imports from a Python freezer-api's database or Elasticsearch index.

mod check;
mod options;
mod sources;
mod summary;
pub mod target;
mod verify;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Subcommand;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use super::{Failure, database, say};
use crate::config::Options;
use crate::import::run::{self, ImportResult};
use crate::import::write::Mode;
use crate::import::{QUARANTINED, Source};
use options::{CheckOptions, ElasticsearchOptions, ImportOptions, SqlOptions};

/// The end of the `--help` of an import.
const NOTES: &str = "\
The source is only read, in one snapshot where it has such a thing, and may be in use meanwhile. The target is [database] \
connection or --database-connection, and needs the schema (freezer-api db sync). An import that was stopped at any moment \
is continued by running it again. The summary is printed to standard error.

Exit status: 0 when everything is imported, merged into another row or rightly skipped; 3 when rows are in the quarantine; \
4 when the account does not add up; 2 for a command line that cannot be read; 1 for any other failure.";

/// The commands of `import`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say what the source is and what an import would do; nothing is written anywhere
    #[command(after_help = NOTES)]
    Check(Box<CheckOptions>),
    /// Import the MySQL, MariaDB or SQLite database of a Python freezer-api, releases 7 to 19
    #[command(after_help = NOTES)]
    Sql(Box<SqlOptions>),
    /// Import the documents of a Python freezer-api's Elasticsearch index, from a server or from files
    #[command(after_help = NOTES)]
    Elasticsearch(Box<ElasticsearchOptions>),
    /// Compare every document that the old service shows with the one that the target shows
    #[command(after_help = verify::NOTES)]
    Verify(Box<verify::VerifyOptions>),
}

/// Runs a command; returns the exit status.
///
/// # Errors
/// A sentence for the operator.
pub fn run(options: &Options, command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Check(more) => check::run(options, &more),
        Command::Verify(more) => verify::run(options, *more),
        Command::Sql(more) => import(options, &more.import, || sources::sql(&more)),
        Command::Elasticsearch(more) => {
            if more.import.delete_missing {
                return Err(Failure::usage(
                    "Elasticsearch keeps no trace of what was deleted, so that --delete-missing cannot be done from it.",
                ));
            }
            import(options, &more.import, || sources::elasticsearch(&more))
        }
    }
}

/// Imports the source that `open` opens. The target is checked first.
fn import(
    options: &Options,
    more: &ImportOptions,
    open: impl FnOnce() -> Result<Box<dyn Source>, Failure>,
) -> Result<ExitCode, Failure> {
    more.keep_edits()?;
    let stop = stop_flag()?;
    let target = target::open(&database(options)?, options.allow_newer_schema)?;
    let mut source = open()?;
    if !more.reading.quiet {
        let description = source.describe()?;
        let warnings = description.warnings.iter().map(|warning| format!("Warning: {warning}"));
        description.lines.iter().cloned().chain(warnings).for_each(|line| eprintln!("{line}"));
    }
    let order = run::RunOptions {
        mapping: more.reading.mapping()?,
        mode: Mode { update: more.update, delete_missing: more.delete_missing, is_dry: more.dry_run },
        into_existing: more.into_existing,
        report: more.report.clone(),
        quarantine: more.side_file(),
        from_quarantine: more.from_quarantine.clone(),
        is_quiet: more.reading.quiet,
    };
    let ended = run::run(source, Some(&target), &order, &stop)?;
    conclude(&ended, more)
}

/// Prints the account; returns the exit status.
fn conclude(ended: &ImportResult, more: &ImportOptions) -> Result<ExitCode, Failure> {
    if !more.reading.quiet {
        eprint!("{}", summary::table(&ended.account));
        if more.dry_run {
            eprintln!("Nothing was written: this was a dry run.");
        }
        if let Some(path) = &ended.quarantine {
            eprintln!("What has no place in the target is in {}.", path.display());
        }
    }
    if more.reading.json {
        say(serde_json::to_string(&ended.account).map_err(|error| error.to_string())?);
    }
    let is_incomplete = ended.account.has_quarantined() && !more.allow_quarantine;
    Ok(if is_incomplete { ExitCode::from(QUARANTINED) } else { ExitCode::SUCCESS })
}

/// A flag that SIGINT and SIGTERM set. A second signal ends the process at once.
pub fn stop_flag() -> Result<Arc<AtomicBool>, Failure> {
    const ENDED_BY_SIGNAL: i32 = 130;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(signal, ENDED_BY_SIGNAL, Arc::clone(&stop))
            .and_then(|_| flag::register(signal, Arc::clone(&stop)))
            .map_err(|error| format!("signals cannot be received: {error}"))?;
    }
    Ok(stop)
}
