//! `freezer-api copy`: copies everything into another database of this service, of any backend.
//!
//! There are three passes over one snapshot of the source: a preflight, which finds all obstacles before the first row is
//! written; the transfer, with a transaction for each page of rows; and a comparison of both sides. A row that the target
//! already has in the same state counts as copied, so a copy that was killed can run again. Only one page of rows is in
//! memory.

mod canonical;
mod compare;
mod limits;
mod preflight;
mod summary;
mod transfer;

use std::collections::BTreeMap;

use front::error::{Error as Refusal, Kind};

use crate::import::{ACCOUNT_IS_WRONG, Account, Error, Result};
use crate::progress::Progress;
use crate::store::copy::{Copied, Server, Visitor, count, each_table, server};
use crate::store::engine::migrations::{self, SchemaError};
use crate::store::engine::sqlite_file;
use crate::store::engine::url::DatabaseUrl;
use crate::store::{Failure, Settings, Store, Tx};
use canonical::Numbers;
use compare::{Comparison, TableChecksums};
use preflight::{Preflight, PreflightResult};
use transfer::Transfer;

/// The exit status when the preflight finds obstacles and nothing is written.
pub const IN_THE_WAY: u8 = 3;

/// The options of a copy.
#[derive(Debug)]
pub struct Request {
    /// The source.
    pub from: DatabaseUrl,
    /// The target.
    pub to: DatabaseUrl,
    /// The target may have rows that the source does not have.
    pub into_existing: bool,
    /// Only the preflight.
    pub is_dry: bool,
    /// Tokens of the built-in identity are copied, too.
    pub with_tokens: bool,
    /// No progress and no summary.
    pub is_quiet: bool,
}

/// A copy in progress.
struct Copy {
    request: Request,
    target: Store,
    target_server: Server,
    numbers: Numbers,
}

/// Copies; returns the account.
///
/// # Errors
/// A sentence for the operator, and the exit status: [`IN_THE_WAY`] if there are obstacles and nothing is written,
/// [`ACCOUNT_IS_WRONG`] if the two sides differ at the end, 78 if a schema is newer than this release.
pub fn run(request: Request) -> Result<Account> {
    if is_same(&request.from, &request.to) {
        return Err("The source and the target are the same database.".into());
    }
    expect_current("source", &request.from)?;
    expect_current("target", &request.to)?;
    let settings = Settings { max_connections: 1, read_only: true, ..Settings::default() };
    let source = Store::with_settings(request.from.clone(), &settings);
    let target = Store::new(request.to.clone(), 1);
    let from = source.read(|tx| server(tx, request.from.backend())).map_err(|e| source_unavailable(&e))?;
    let to = target.read(|tx| server(tx, request.to.backend())).map_err(|e| target_unavailable(&e))?;
    let numbers = if [from, to].into_iter().any(limits::rounds) { Numbers::Doubles } else { Numbers::Exact };
    let copy = Copy { request, target, target_server: to, numbers };
    // The passes return their errors as values, because the store would retry a failed transaction after a lost connection.
    source.read(|tx| Ok(copy.run(tx))).map_err(|e| source_unavailable(&e))?
}

impl Copy {
    fn run(&self, source: &mut Tx<'_>) -> Result<Account> {
        let mut counts = Counts { copy: self, source, rows: 0 };
        each_table(&mut counts)?;
        let rows = counts.rows;
        let found = self.preflight(source, rows)?;
        self.decide(&found)?;
        if self.request.is_dry {
            self.tell(&summary::table(&found.account, &[]));
            return Ok(found.account);
        }
        let mut transfer = Transfer {
            copy: self,
            source,
            progress: self.progress("copying", rows),
            account: Account::default(),
            counted: BTreeMap::new(),
        };
        each_table(&mut transfer)?;
        let Transfer { account, counted, .. } = transfer;
        let compared = self.compare(source, rows)?;
        self.tell(&summary::table(&account, &compared));
        let mut errors = account.errors(&counted);
        let unequal = compared.iter().filter(|table| !table.is_equal());
        errors.extend(unequal.map(|table| format!("{}: the source and the target differ", table.table)));
        if !errors.is_empty() {
            return Err(Error { why: errors.join("; "), status: ACCOUNT_IS_WRONG });
        }
        Ok(account)
    }

    fn preflight(&self, source: &mut Tx<'_>, rows: u64) -> Result<PreflightResult> {
        let found = self.target.read(|target| {
            let progress = self.progress("checking", rows);
            let mut preflight =
                Preflight { copy: self, source, target, progress, found: PreflightResult::default() };
            Ok(each_table(&mut preflight).map(|()| preflight.found))
        });
        found.map_err(|e| target_unavailable(&e))?
    }

    fn compare(&self, source: &mut Tx<'_>, rows: u64) -> Result<Vec<TableChecksums>> {
        let compared = self.target.read(|target| {
            let progress = self.progress("comparing", rows);
            let mut comparison = Comparison { copy: self, source, target, progress, tables: Vec::new() };
            Ok(each_table(&mut comparison).map(|()| comparison.tables))
        });
        compared.map_err(|e| target_unavailable(&e))?
    }

    /// Fails if the preflight found obstacles.
    fn decide(&self, found: &PreflightResult) -> Result<()> {
        let mut reasons = Vec::new();
        if found.refused > 0 {
            reasons.push(format!("{} values or rows do not fit into the target", found.refused));
        }
        if found.different > 0 {
            reasons.push(format!("{} rows of the target have ids of the source and differ", found.different));
        }
        if !reasons.is_empty() {
            let why = format!("Nothing was written: {}. They are named above.", reasons.join(", and "));
            return Err(Error { why, status: IN_THE_WAY });
        }
        if !found.foreign.is_empty() && !self.request.into_existing {
            let tables = found.foreign.iter().map(|(table, rows)| format!("{rows} in {table}"));
            let tables = tables.collect::<Vec<_>>().join(", ");
            let why = format!(
                "Nothing was written: the target has rows that the source has not ({tables}). Name an empty database, or \
                 use --into-existing to add the source's rows to them."
            );
            return Err(why.into());
        }
        Ok(())
    }

    fn progress(&self, what: &str, rows: u64) -> Progress {
        Progress::new(what, Some(rows), self.request.is_quiet)
    }

    fn tell(&self, text: &str) {
        if !self.request.is_quiet {
            eprint!("{text}");
        }
    }
}

/// Counts the rows to copy.
struct Counts<'a, 's> {
    copy: &'a Copy,
    source: &'a mut Tx<'s>,
    rows: u64,
}

impl Visitor for Counts<'_, '_> {
    type Error = Error;

    fn visit<T: Copied>(&mut self) -> Result<()> {
        if !is_left::<T>(self.copy) {
            self.rows += count::<T>(self.source).map_err(source_failed)?;
        }
        Ok(())
    }
}

/// Whether a table is not copied.
fn is_left<T: Copied>(copy: &Copy) -> bool {
    T::TABLE == "identity_tokens" && !copy.request.with_tokens
}

/// Counts the rows of a table that is not copied.
fn leave_out<T: Copied>(account: &mut Account, source: &mut Tx<'_>) -> Result<()> {
    let rows = count::<T>(source).map_err(source_failed)?;
    let figures = account.tables.entry(T::TABLE.to_owned()).or_default();
    (figures.read, figures.skipped) = (rows, rows);
    if rows > 0 {
        figures.reasons.insert("without_tokens".to_owned(), rows);
    }
    Ok(())
}

/// Whether two URLs name the same database.
fn is_same(from: &DatabaseUrl, to: &DatabaseUrl) -> bool {
    let file = |url: &DatabaseUrl| url.sqlite_path().and_then(|path| path.canonicalize().ok());
    from.redacted() == to.redacted() || file(from).is_some_and(|path| file(to) == Some(path))
}

/// Refuses a database without the schema of this release. A newer schema may have columns that would be lost.
fn expect_current(side: &str, url: &DatabaseUrl) -> Result<()> {
    if sqlite_file::is_missing(url) {
        let hint = if side == "target" { " `freezer-api db sync` creates it." } else { "" };
        return Err(format!("There is no database {url:?}, which the {side} is to be.{hint}").into());
    }
    let refused = |error: SchemaError| Error {
        why: format!("The {side} {url:?}: {}", error.why),
        status: if error.lasting { 78 } else { 1 },
    };
    sqlite_file::check::after_unclean_stop(url)?;
    let state = migrations::state_unchanged(url).map_err(refused)?;
    migrations::expect_known(&state, false).map_err(refused)?;
    migrations::refusal(&state).map_or(Ok(()), |error| Err(refused(error)))
}

/// A key as text for a message.
fn name_of(key: &[String]) -> String {
    key.join("/").escape_debug().to_string()
}

fn source_failed(failure: Failure) -> Error {
    format!("The source cannot be read: {}", reason(failure)).into()
}

fn target_failed(failure: Failure) -> Error {
    format!("The target cannot be read: {}", reason(failure)).into()
}

fn source_unavailable(error: &Refusal) -> Error {
    format!("The source cannot be read: {}", sentence(error.clone())).into()
}

fn target_unavailable(error: &Refusal) -> Error {
    format!("The target cannot be read: {}", sentence(error.clone())).into()
}

fn reason(failure: Failure) -> String {
    match failure {
        Failure::Database(error) => error.to_string(),
        Failure::Stale => "it has changed".to_owned(),
        Failure::Answer(error) => sentence(*error),
    }
}

/// An error with the details that would otherwise go to the log.
fn sentence(error: Refusal) -> String {
    match (error.kind, error.log) {
        (Kind::Internal, Some(log)) => format!("The database failed: {log}."),
        (_, Some(log)) => format!("{} ({log})", error.description),
        (_, None) => error.description,
    }
}
