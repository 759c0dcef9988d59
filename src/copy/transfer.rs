//! Writes the rows that the target does not have, with a transaction for each page.

use std::collections::{BTreeMap, HashMap};

use super::canonical::digest;
use super::{Copy, IN_THE_WAY, is_left, leave_out, name_of, sentence, source_failed};
use crate::import::{Account, Error, Result};
use crate::progress::Progress;
use crate::store::copy::{Copied, Key, Visitor, count, insert, page, with_keys};
use crate::store::{Outcome, Tx};

/// The transfer of all tables.
pub struct Transfer<'a, 's> {
    pub copy: &'a Copy,
    pub source: &'a mut Tx<'s>,
    pub progress: Progress,
    pub account: Account,
    /// The source's row count of each table.
    pub counted: BTreeMap<String, u64>,
}

/// The result of writing a page.
enum Written {
    /// The page is written; the number of rows that the target already had.
    Unchanged(u64),
    /// The target has another row with this key; the page is not written.
    Different(Key),
}

impl Visitor for Transfer<'_, '_> {
    type Error = Error;

    fn visit<T: Copied>(&mut self) -> Result<()> {
        self.counted.insert(T::TABLE.to_owned(), count::<T>(self.source).map_err(source_failed)?);
        if is_left::<T>(self.copy) {
            return leave_out::<T>(&mut self.account, self.source);
        }
        // A table without rows has figures, too.
        self.account.read(T::TABLE, 0);
        let mut after = None;
        loop {
            let page = page::<T>(self.source, after.as_ref()).map_err(source_failed)?;
            let Some(last) = page.last else { return Ok(()) };
            let written = self.copy.target.write(|tx| self.write(tx, &page.rows));
            let unchanged = match written {
                Ok(Written::Unchanged(rows)) => rows,
                Ok(Written::Different(key)) => {
                    let why = format!(
                        "{} {}: the target has another row with this id, which was written since the copy began.",
                        T::TABLE,
                        name_of(&key)
                    );
                    return Err(Error { why, status: IN_THE_WAY });
                }
                Err(error) => return Err(stopped::<T>(&sentence(error))),
            };
            let rows = page.rows.len() as u64;
            let figures = self.account.tables.entry(T::TABLE.to_owned()).or_default();
            figures.read += rows;
            figures.imported += rows - unchanged;
            figures.merged += unchanged;
            if unchanged > 0 {
                *figures.reasons.entry("unchanged".to_owned()).or_default() += unchanged;
            }
            self.progress.advance(rows);
            after = Some(last);
        }
    }
}

impl Transfer<'_, '_> {
    fn write<T: Copied>(&self, tx: &mut Tx<'_>, rows: &[T]) -> Outcome<Written> {
        let keys: Vec<Key> = rows.iter().map(T::key).collect();
        let there = with_keys::<T>(tx, &keys)?;
        if there.is_empty() {
            insert(tx, rows)?;
            return Ok(Written::Unchanged(0));
        }
        let there: HashMap<Key, &T> = there.iter().map(|row| (row.key(), row)).collect();
        let mut missing = Vec::new();
        for row in rows {
            match there.get(&row.key()) {
                None => missing.push(row.clone()),
                Some(other) if digest(row, self.copy.numbers) == digest(*other, self.copy.numbers) => {}
                Some(_) => return Ok(Written::Different(row.key())),
            }
        }
        insert(tx, &missing)?;
        Ok(Written::Unchanged(there.len() as u64))
    }
}

fn stopped<T: Copied>(why: &str) -> Error {
    format!(
        "The copy stopped at the table {}: {why} What was written stays; run the same command again, and it goes on \
         from there.",
        T::TABLE
    )
    .into()
}
