//! Checks every row before the first one is written, and reports all obstacles.

use std::collections::HashMap;

use super::canonical::digest;
use super::limits::{Problem, problem};
use super::{Copy, is_left, leave_out, name_of, source_failed, target_failed};
use crate::import::{Account, Result};
use crate::progress::Progress;
use crate::store::Tx;
use crate::store::copy::{Copied, Key, Page, Visitor, count, page, twins, with_keys};
use crate::store::engine::url::Backend;

/// Unique keys that end with blanks, each with its row.
type Blanks = HashMap<(&'static str, Key), Key>;

/// The result of the preflight.
#[derive(Debug, Default)]
pub struct PreflightResult {
    /// The account of what a copy would do.
    pub account: Account,
    /// The number of values that the target cannot store, and of rows that collide.
    pub refused: u64,
    /// The number of rows that the target has in another state.
    pub different: u64,
    /// Rows of the target that the source does not have, by table.
    pub foreign: Vec<(&'static str, u64)>,
}

/// The preflight of all tables.
pub struct Preflight<'a, 's, 't> {
    pub copy: &'a Copy,
    pub source: &'a mut Tx<'s>,
    pub target: &'a mut Tx<'t>,
    pub progress: Progress,
    pub found: PreflightResult,
}

impl Visitor for Preflight<'_, '_, '_> {
    type Error = crate::import::Error;

    fn visit<T: Copied>(&mut self) -> Result<()> {
        if is_left::<T>(self.copy) {
            return leave_out::<T>(&mut self.found.account, self.source);
        }
        let in_target = count::<T>(self.target).map_err(target_failed)?;
        let (mut after, mut blanks, mut read, mut known) = (None, Blanks::new(), 0, 0);
        loop {
            let Page { rows, unreadable, last } =
                page::<T>(self.source, after.as_ref()).map_err(source_failed)?;
            let Some(last) = last else { break };
            for (key, why) in &unreadable {
                self.refuse::<T>(key, None, &format!("cannot be read: {why}"));
            }
            for row in &rows {
                self.check_values(row);
            }
            if in_target > 0 {
                known += self.count_existing(&rows)?;
                self.check_unique_keys(&rows)?;
            }
            if self.copy.target_server.backend == Backend::Mysql {
                self.check_blanks(&rows, &mut blanks)?;
            }
            let some = (rows.len() + unreadable.len()) as u64;
            read += some;
            self.progress.advance(some);
            after = Some(last);
        }
        let figures = self.found.account.tables.entry(T::TABLE.to_owned()).or_default();
        (figures.read, figures.imported, figures.merged) = (read, read - known, known);
        if known > 0 {
            figures.reasons.insert("unchanged".to_owned(), known);
        }
        if in_target > known {
            self.found.foreign.push((T::TABLE, in_target - known));
        }
        Ok(())
    }
}

impl Preflight<'_, '_, '_> {
    fn refuse<T: Copied>(&mut self, key: &Key, column: Option<&str>, why: &str) {
        self.found.refused += 1;
        self.progress.say(&match column {
            Some(column) => format!("{} {}: {column} {why}.", T::TABLE, name_of(key)),
            None => format!("{} {}: {why}.", T::TABLE, name_of(key)),
        });
    }

    /// Reports the values of a row that the target cannot store.
    fn check_values<T: Copied>(&mut self, row: &T) {
        for (column, value) in T::COLUMNS.iter().zip(row.values()) {
            match problem(self.copy.target_server, column, value) {
                Some(Problem::Refused(why)) => self.refuse::<T>(&row.key(), Some(column.name), &why),
                Some(Problem::Rounded) => self.progress.say(&format!(
                    "Warning: {} {}: {} has a number with more digits than a double, and MySQL rounds it.",
                    T::TABLE,
                    name_of(&row.key()),
                    column.name
                )),
                None => {}
            }
        }
    }

    /// Counts the rows that the target already has, and reports those that differ.
    fn count_existing<T: Copied>(&mut self, rows: &[T]) -> Result<u64> {
        let keys: Vec<Key> = rows.iter().map(T::key).collect();
        let there = with_keys::<T>(self.target, &keys).map_err(target_failed)?;
        let there: HashMap<Key, &T> = there.iter().map(|row| (row.key(), row)).collect();
        for row in rows {
            let Some(other) = there.get(&row.key()) else { continue };
            if digest(row, self.copy.numbers) != digest(*other, self.copy.numbers) {
                self.found.different += 1;
                let name = name_of(&row.key());
                self.progress.say(&format!("{} {name}: the target has another row with this id.", T::TABLE));
            }
        }
        Ok(there.len() as u64)
    }

    /// Reports rows with a unique key that another row of the target has.
    fn check_unique_keys<T: Copied>(&mut self, rows: &[T]) -> Result<()> {
        let names = rows.iter().filter_map(|row| row.name().map(str::to_owned)).collect();
        let others = twins::<T>(self.target, names).map_err(target_failed)?;
        let folds = self.copy.target_server.backend == Backend::Mysql;
        let owners: Blanks = others
            .iter()
            .flat_map(|row| {
                row.unique().into_iter().map(|(name, key)| ((name, folded(key, folds)), row.key()))
            })
            .collect();
        for row in rows {
            for (name, unique) in row.unique() {
                if let Some(owner) = owners.get(&(name, folded(unique, folds)))
                    && *owner != row.key()
                {
                    let why = format!("collides with {} of the target ({name})", name_of(owner));
                    self.refuse::<T>(&row.key(), None, &why);
                }
            }
        }
        Ok(())
    }

    /// Reports rows of the source with unique keys that differ only by blanks at the end, which MySQL ignores.
    fn check_blanks<T: Copied>(&mut self, rows: &[T], blanks: &mut Blanks) -> Result<()> {
        let mut names = Vec::new();
        for row in rows {
            for (name, unique) in row.unique() {
                let bare = folded(unique.clone(), true);
                if bare == unique {
                    continue;
                }
                names.extend(row.name().map(|name| name.trim_end_matches(' ').to_owned()));
                if let Some(other) = blanks.insert((name, bare), row.key()) {
                    self.collide::<T>(&row.key(), &other, name);
                }
            }
        }
        for other in twins::<T>(self.source, names).map_err(source_failed)? {
            for (name, unique) in other.unique() {
                // Rows with blanks were compared with each other above.
                if folded(unique.clone(), true) == unique
                    && let Some(row) = blanks.get(&(name, unique)).cloned()
                {
                    self.collide::<T>(&row, &other.key(), name);
                }
            }
        }
        Ok(())
    }

    fn collide<T: Copied>(&mut self, row: &Key, other: &Key, name: &str) {
        let other = name_of(other);
        let why = format!("collides with {other}, because MySQL ignores blanks at the end of a key ({name})");
        self.refuse::<T>(row, None, &why);
    }
}

/// A key as MySQL compares it, without blanks at the end.
fn folded(key: Key, folds: bool) -> Key {
    if !folds {
        return key;
    }
    key.into_iter().map(|part| part.trim_end_matches(' ').to_owned()).collect()
}
