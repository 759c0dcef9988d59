//! The staging file: everything that was read, in a temporary SQLite database, so that an import takes the same memory
//! whatever the size of the source.

use std::collections::BTreeMap;

use super::Result;
use super::legacy::Row;

/// The rows of a source, in the order in which they were read.
pub struct Staging {}

impl Staging {
    /// An empty staging file in the directory of temporary files (`TMPDIR`); it goes with the value.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn new() -> Result<Self> {
        todo!()
    }

    /// Keeps a row.
    ///
    /// # Errors
    /// The disk is full.
    pub fn add(&mut self, _row: &Row) -> Result<()> {
        todo!()
    }

    /// Rows by table.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn counts(&mut self) -> Result<BTreeMap<String, u64>> {
        todo!()
    }
}
