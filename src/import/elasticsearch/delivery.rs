//! Passes rows to the sink, and counts them.

use crate::import::Result;
use crate::import::legacy::{Row, Table};

/// The sink of the rows, and the number of documents read.
pub struct Delivery<'s> {
    sink: &'s mut dyn FnMut(Row) -> Result<()>,
    skip_unknown: bool,
    /// Documents read, including bad ones.
    pub read: u64,
}

impl<'s> Delivery<'s> {
    /// Nothing is read yet.
    pub fn new(sink: &'s mut dyn FnMut(Row) -> Result<()>, skip_unknown: bool) -> Self {
        Self { sink, skip_unknown, read: 0 }
    }

    /// Passes a row on. The plan skips documents marked `skipped:`, and quarantines other unknown ones.
    pub fn add(&mut self, mut row: Row) -> Result<()> {
        self.read += 1;
        if self.skip_unknown && row.table == Table::Unknown {
            for problem in row.problems.iter_mut().filter(|problem| problem.reason == "unknown-kind") {
                problem.detail.insert_str(0, "skipped: ");
            }
        }
        (self.sink)(row)
    }
}
