//! Imports the catalogue of the Python service, from its database or from Elasticsearch.
//!
//! A [`source`](Source) is read once into a [`Staging`](staging::Staging) file. Its rows have one form ([`legacy`]),
//! whatever the release. The plan makes a [`Unit`] of each row: its outcome, and the rows to write for it. Units are
//! written in batches, with a transaction for each. Every row is counted ([`account`]).

/// Counts the rows that were read, by outcome.
pub mod account;
/// The side file of an earlier import, as an operator edited it.
pub mod edited;
/// The documents of the old service's Elasticsearch index.
pub mod elasticsearch;
mod ids;
/// A source's rows in one form for every release and kind of source.
pub mod legacy;
/// Plans the rows to write for each row of the source.
pub mod plan;
/// The report and the side file.
pub mod report;
/// Runs an import: reads, plans and writes.
pub mod run;
/// The old service's database.
pub mod sql;
/// The temporary file with all rows of the source.
pub mod staging;
/// One row of the source and its outcome.
pub mod unit;
/// Compares the documents of the target with those of the source.
pub mod verify;
/// Writes units into the target.
pub mod write;

pub use account::Account;
pub use unit::{Note, Outcome, Unit};

use std::collections::BTreeMap;

/// An error that stops an import. Rows that were written stay, and the next run continues from there.
#[derive(Debug)]
pub struct Error {
    /// A sentence for the operator, without passwords and tokens.
    pub why: String,
    /// The exit status.
    pub status: u8,
}

/// What the functions of an import return.
pub type Result<T> = std::result::Result<T, Error>;

/// The exit status of an import after which some rows are in the quarantine.
pub const QUARANTINED: u8 = 3;

/// The exit status of an import whose account does not add up, which is a defect of the importer.
pub const ACCOUNT_IS_WRONG: u8 = 4;

impl From<String> for Error {
    fn from(why: String) -> Self {
        Self { why, status: 1 }
    }
}

impl From<&str> for Error {
    fn from(why: &str) -> Self {
        why.to_owned().into()
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.why)
    }
}

/// The description of a source, before its rows are read.
#[derive(Debug, Clone, Default)]
pub struct Description {
    /// The product, its release, and how it was recognised; one line each.
    pub lines: Vec<String>,
    /// Rows by table (`counts.json` has the names), of every state; empty if the source cannot tell.
    pub counts: BTreeMap<String, u64>,
    /// Warnings for the operator.
    pub warnings: Vec<String>,
}

/// A database or an index of the old service. Reading it changes nothing in it.
pub trait Source {
    /// Describes the source. Fails if it does not belong to the old service.
    ///
    /// # Errors
    /// A sentence for the operator.
    fn describe(&mut self) -> Result<Description>;

    /// Passes every row to `sink`, also deleted ones; in one snapshot if the source supports that.
    ///
    /// # Errors
    /// The source cannot be reached or read; any error of `sink`.
    fn read(&mut self, sink: &mut dyn FnMut(legacy::Row) -> Result<()>) -> Result<()>;

    /// Rows by table, counted by the source itself after everything was read, in the same snapshot or by a new count.
    ///
    /// # Errors
    /// As [`Source::read`].
    fn counts(&mut self) -> Result<BTreeMap<String, u64>>;

    /// Parses a row of a side file as this source parses its own, after [`Source::read`]. `id` replaces a missing document
    /// id.
    ///
    /// # Errors
    /// Why this is not a whole row of that table.
    fn row(
        &mut self,
        table: legacy::Table,
        id: &str,
        raw: serde_json::Value,
    ) -> std::result::Result<legacy::Row, String>;
}
