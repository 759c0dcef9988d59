//! The way in: the catalogue of the Python service, out of its database or out of Elasticsearch, into ours.
//!
//! A [`source`](Source) is read once, into a [`Staging`](staging::Staging) file of rows in one form ([`legacy`]), whatever
//! the release. A plan is made of these, a [`Unit`] for each row: what becomes of it, and which rows of ours it is. The
//! units are written in batches, a transaction each. Everything is counted ([`account`]).

/// How many rows were read, and what became of them.
pub mod account;
/// The side file of an earlier import, as an operator mended it.
pub mod edited;
/// The documents of the old service's Elasticsearch index.
pub mod elasticsearch;
mod ids;
/// A source's rows in one form for every release and kind of source.
pub mod legacy;
/// Which rows of ours the rows of the source become.
pub mod plan;
/// The files that say what became of each row.
pub mod report;
/// From the source to the target.
pub mod run;
/// The old service's database.
pub mod sql;
/// Everything that was read.
pub mod staging;
/// What becomes of one row.
pub mod unit;
/// Whether the target shows what the source shows.
pub mod verify;
/// Writing into the target.
pub mod write;

pub use account::Account;
pub use unit::{Note, Outcome, Unit};

use std::collections::BTreeMap;

/// Why an import stops. What was written before it stays, and the next run goes on from there.
#[derive(Debug)]
pub struct Error {
    /// A sentence for the operator; no password and no token is in it.
    pub why: String,
    /// The status to exit with.
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

/// What a source is, as far as it can be told before its rows are read.
#[derive(Debug, Clone, Default)]
pub struct Description {
    /// The product, its release or era, and how that was recognised; a line each.
    pub lines: Vec<String>,
    /// Rows by table (`counts.json` has the names), of every state; empty if the source cannot tell.
    pub counts: BTreeMap<String, u64>,
    /// What an operator should know before the import.
    pub warnings: Vec<String>,
}

/// A database or an index of the old service. Reading it changes nothing in it.
pub trait Source {
    /// What it is. Fails if it is none of the old service's.
    ///
    /// # Errors
    /// A sentence for the operator.
    fn describe(&mut self) -> Result<Description>;

    /// Gives every row to `sink`, deleted ones too, in one snapshot where the source has such a thing.
    ///
    /// # Errors
    /// The source is away or not readable; whatever `sink` fails with.
    fn read(&mut self, sink: &mut dyn FnMut(legacy::Row) -> Result<()>) -> Result<()>;

    /// Rows by table, counted by the source itself when everything was read: in the same snapshot, or anew.
    ///
    /// # Errors
    /// As [`Source::read`].
    fn counts(&mut self) -> Result<BTreeMap<String, u64>>;

    /// A row of a side file, read as this source reads its own, after [`Source::read`]. `id` stands for the id of a
    /// document without one.
    ///
    /// # Errors
    /// Why it is no whole row of that table.
    fn row(
        &mut self,
        table: legacy::Table,
        id: &str,
        raw: serde_json::Value,
    ) -> std::result::Result<legacy::Row, String>;
}
