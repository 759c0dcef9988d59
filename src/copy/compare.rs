//! Reads both sides again after the copy, and compares every row and a checksum over all of them.

use std::collections::HashMap;

use super::canonical::{Checksum, digest};
use super::{Copy, is_left, name_of, source_failed, target_failed};
use crate::import::{Error, Result};
use crate::progress::Progress;
use crate::store::Tx;
use crate::store::copy::{Copied, Key, Visitor, page, with_keys};

/// The checksums of a table.
#[derive(Debug, Clone)]
pub struct TableChecksums {
    /// The table's name.
    pub table: &'static str,
    /// The checksum of the source.
    pub source: Checksum,
    /// The checksum of the target's rows that have keys of the source.
    pub target: Checksum,
}

impl TableChecksums {
    /// Whether both sides have the same rows.
    pub fn is_equal(&self) -> bool {
        self.source == self.target
    }
}

/// The comparison of all tables.
pub struct Comparison<'a, 's, 't> {
    pub copy: &'a Copy,
    pub source: &'a mut Tx<'s>,
    pub target: &'a mut Tx<'t>,
    pub progress: Progress,
    pub tables: Vec<TableChecksums>,
}

impl Visitor for Comparison<'_, '_, '_> {
    type Error = Error;

    fn visit<T: Copied>(&mut self) -> Result<()> {
        if is_left::<T>(self.copy) {
            return Ok(());
        }
        let (mut source, mut target) = (Checksum::default(), Checksum::default());
        let mut after = None;
        loop {
            let page = page::<T>(self.source, after.as_ref()).map_err(source_failed)?;
            let Some(last) = page.last else { break };
            let keys: Vec<Key> = page.rows.iter().map(T::key).collect();
            let there = with_keys::<T>(self.target, &keys).map_err(target_failed)?;
            let there: HashMap<Key, T> = there.into_iter().map(|row| (row.key(), row)).collect();
            for row in &page.rows {
                let digest_of =
                    |row| digest(row, self.copy.numbers).map_err(|(column, why)| format!("{column} {why}"));
                let wanted = digest_of(row)?;
                source.add(&wanted);
                let found = there.get(&row.key()).map(digest_of).transpose()?;
                if let Some(found) = &found {
                    target.add(found);
                }
                if found != Some(wanted) {
                    let what =
                        if found.is_none() { "is missing in the target" } else { "differs in the target" };
                    self.progress.say(&format!("{} {} {what}.", T::TABLE, name_of(&row.key())));
                }
            }
            self.progress.advance(page.rows.len() as u64);
            after = Some(last);
        }
        self.tables.push(TableChecksums { table: T::TABLE, source, target });
        Ok(())
    }
}
