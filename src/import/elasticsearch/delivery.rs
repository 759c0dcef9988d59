//! Handing rows on, and counting them.

use crate::import::Result;
use crate::import::legacy::{Row, Table};

/// Where the rows go, and how many documents have been read.
pub struct Delivery<'s> {
    sink: &'s mut dyn FnMut(Row) -> Result<()>,
    skip_unknown: bool,
    /// Documents read, bad ones among them.
    pub read: u64,
    skipped: u64,
}

impl<'s> Delivery<'s> {
    /// Nothing is read yet.
    pub fn new(sink: &'s mut dyn FnMut(Row) -> Result<()>, skip_unknown: bool) -> Self {
        Self { sink, skip_unknown, read: 0, skipped: 0 }
    }

    /// Hands a row on.
    pub fn add(&mut self, row: Row) -> Result<()> {
        self.read += 1;
        let is_unknown =
            row.table == Table::Unknown && row.problems.iter().any(|it| it.reason == "unknown-kind");
        if is_unknown && self.skip_unknown {
            self.skipped += 1;
            return Ok(());
        }
        (self.sink)(row)
    }

    /// Says how many documents of other software were left out.
    pub fn finish(&self) {
        if self.skipped > 0 {
            log::warn!("{} documents are of an unknown kind and are skipped", self.skipped);
        }
    }
}
