//! Runs an import: reads everything into the staging file, plans it, and writes it batch by batch.

/// Batches: a transaction each, with its own account.
mod batch;
/// Whether the target may be written.
mod resumable;
/// The outcome of a unit after its verdict.
mod settle;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use super::plan::{Mapping, Planner};
use super::report::Files;
use super::staging::Staging;
use super::unit::{Note, Unit, Verdict};
use super::write::Mode;
use super::{ACCOUNT_IS_WRONG, Account, Error, Result, Source, edited};
use crate::progress::Progress;
use crate::store::engine::url::Backend;
use crate::store::{self, Store};
use settle::settle;

/// The options of an import.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// The projects of rows that have none.
    pub mapping: Mapping,
    /// What may be done to rows that are there.
    pub mode: Mode,
    /// `--into-existing`: the target may have other rows.
    pub into_existing: bool,
    /// `--report`.
    pub report: Option<PathBuf>,
    /// The side file.
    pub quarantine: Option<PathBuf>,
    /// `--from-quarantine`: a side file with rows that take the place of the source's.
    pub from_quarantine: Option<PathBuf>,
    /// `-q`: no progress.
    pub is_quiet: bool,
}

/// The result of an import.
#[derive(Debug, Default)]
pub struct ImportResult {
    /// The outcomes of all rows.
    pub account: Account,
    /// The side file, if there is something in it.
    pub quarantine: Option<PathBuf>,
    /// The first notes of each reason, for a terminal.
    pub examples: BTreeMap<&'static str, Vec<String>>,
    /// Bytes of the staging file.
    pub staged_bytes: u64,
}

impl ImportResult {
    /// Keeps the first notes of each reason.
    fn note(&mut self, note: &Note) {
        const EXAMPLES: usize = 3;
        let examples = self.examples.entry(note.reason).or_default();
        if examples.len() < EXAMPLES {
            examples.push(format!("{} {}", note.table, note.id));
        }
    }
}

/// How many rows are read between two checks of the stop flag.
const LOOK_EVERY: u64 = 500;

/// The pause between writes to an SQLite file, so that the service that uses it gets the lock.
const SQLITE_PAUSE: std::time::Duration = std::time::Duration::from_millis(10);

/// Imports everything. Without a target, and in a dry run, nothing is written.
///
/// # Errors
/// A sentence. What was written stays, and the next run goes on from there.
pub fn run(
    mut source: Box<dyn Source>,
    target: Option<&Store>,
    order: &RunOptions,
    stop: &AtomicBool,
) -> Result<ImportResult> {
    if let Some(path) = &order.from_quarantine {
        edited::check(path)?;
    }
    let total = source.describe()?.counts.values().sum();
    let mut staging = read(&mut *source, Some(total).filter(|total| *total > 0), order, stop)?;
    let mut counted = source.counts()?;
    let mut staged = staging.counts()?;
    let missing = differences(&staged, &counted);
    if !missing.is_empty() {
        return Err(wrong(&format!(
            "not everything was read, and nothing is written: {}",
            missing.join("; ")
        )));
    }
    let mut files = None;
    let mut result = ImportResult::default();
    if let Some(path) = &order.from_quarantine {
        let files = files.insert(Files::new(order.report.as_deref(), order.quarantine.clone())?);
        let edited = edited::apply(path, &mut *source, &mut staging, &mut |note| {
            result.note(note);
            files.note(note)
        })?;
        for (table, rows) in edited.added {
            counted.entry(table).and_modify(|count| *count += rows);
        }
        result.account = edited.account;
        staged = staging.counts()?;
    }
    // The source's snapshot ends here; what follows may take long.
    drop(source);
    result.staged_bytes = staging.bytes()?;
    let mut planner = Planner::new(staging, order.mapping.clone(), store::now())?;
    if let Some(target) = target
        && !order.into_existing
        && order.from_quarantine.is_none()
    {
        resumable::check(target, &mut planner)?;
    }
    let files = match files {
        Some(files) => files,
        None => Files::new(order.report.as_deref(), order.quarantine.clone())?,
    };
    let mut import = Import { planner, target, order, files, result };
    import.write(staged.values().sum(), stop)?;
    import.finish(&staged, &counted)
}

/// Reads everything into a staging file.
fn read(
    source: &mut dyn Source,
    total: Option<u64>,
    order: &RunOptions,
    stop: &AtomicBool,
) -> Result<Staging> {
    let mut staging = Staging::new()?;
    let mut progress = Progress::new("reading", total, order.is_quiet);
    let mut rows = 0;
    source.read(&mut |row| {
        rows += 1;
        if rows % LOOK_EVERY == 0 {
            progress.advance(LOOK_EVERY);
            if stop.load(Ordering::Relaxed) {
                return Err("The import was stopped before anything was written.".into());
            }
        }
        staging.add(&row)
    })?;
    progress.advance(rows % LOOK_EVERY);
    Ok(staging)
}

/// An import in progress.
struct Import<'i> {
    planner: Planner,
    target: Option<&'i Store>,
    order: &'i RunOptions,
    files: Files,
    result: ImportResult,
}

impl Import<'_> {
    /// Writes batch after batch.
    fn write(&mut self, total: u64, stop: &AtomicBool) -> Result<()> {
        let remarks = self.planner.remarks()?;
        for note in &remarks {
            self.note(note)?;
        }
        let step = if self.order.mode.is_dry || self.target.is_none() { "planning" } else { "writing" };
        let mut progress = Progress::new(step, Some(total), self.order.is_quiet);
        while let Some(units) = self.planner.next()? {
            let rows = units.len();
            self.batch(units)?;
            progress.advance(u64::try_from(rows).unwrap_or_default());
            if stop.load(Ordering::Relaxed) {
                self.files.flush()?;
                return Err("The import was stopped after a whole batch; running it again continues.".into());
            }
        }
        Ok(())
    }

    /// Writes a batch, and then its lines of the report and the side file.
    fn batch(&mut self, units: Vec<Unit>) -> Result<()> {
        let verdicts = match self.target {
            Some(store) => {
                let planner = &mut self.planner;
                let mut live = |ids: Vec<String>| planner.live_places(&ids);
                let verdicts = batch::write(store, &units, self.order.mode, &mut live)?;
                if store.url().backend() == Backend::Sqlite && !self.order.mode.is_dry {
                    std::thread::sleep(SQLITE_PAUSE);
                }
                verdicts
            }
            None => units.iter().map(batch::Written::without_target).collect(),
        };
        let mut account = Account::default();
        for (mut unit, written) in units.into_iter().zip(verdicts) {
            let verdict = written.verdict.as_ref().filter(|_| !unit.rows.is_empty());
            self.planner.settle(&unit, verdict)?;
            let planner = &mut self.planner;
            settle(&mut unit, &written, |unit| planner.raw(unit))?;
            account.add(&Account::from_units(std::slice::from_ref(&unit)));
            if !unit.is_made_up() && written.verdict == Some(Verdict::Unchanged) {
                account.give_reason(unit.table.name(), settle::UNCHANGED);
            }
            for note in &unit.notes {
                self.note(note)?;
            }
            for remainder in &unit.remainders {
                self.files.remainder(remainder)?;
            }
        }
        self.result.account.add(&account);
        self.files.flush()
    }

    fn note(&mut self, note: &Note) -> Result<()> {
        self.result.note(note);
        self.files.note(note)
    }

    /// Closes the files, and checks the account against the rows read and the counts of the source.
    fn finish(
        mut self,
        staged: &BTreeMap<String, u64>,
        counted: &BTreeMap<String, u64>,
    ) -> Result<ImportResult> {
        self.result.quarantine = self.files.finish()?;
        let mut expected = staged.clone();
        expected.extend(counted.clone());
        let errors = self.result.account.errors(&expected);
        if errors.is_empty() {
            return Ok(self.result);
        }
        Err(wrong(&errors.join("; ")))
    }
}

/// Errors for tables with another count than rows read.
fn differences(staged: &BTreeMap<String, u64>, counted: &BTreeMap<String, u64>) -> Vec<String> {
    let read = |table: &String| staged.get(table).copied().unwrap_or_default();
    let wrong = counted.iter().filter(|(table, count)| !table.contains('.') && read(table) != **count);
    wrong
        .map(|(table, count)| format!("{table}: {} rows were read, and the source has {count}", read(table)))
        .collect()
}

fn wrong(why: &str) -> Error {
    Error { why: format!("The account does not add up: {why}."), status: ACCOUNT_IS_WRONG }
}
