//! The account: for each table of the source, the number of rows that were read, and their outcomes.

use std::collections::BTreeMap;

use serde::Serialize;

use super::unit::{Outcome, Unit};

/// The figures of one table, or of the entries inside the rows of one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Rows read.
    pub read: u64,
    /// Rows that this import wrote into the target.
    pub imported: u64,
    /// Rows that are merged into another row, including `unchanged` ones.
    pub merged: u64,
    /// Rows that are skipped on purpose.
    pub skipped: u64,
    /// Rows that are in the side file.
    pub quarantined: u64,
    /// The count of each reason. A row may have several, also if it is imported.
    pub reasons: BTreeMap<String, u64>,
}

impl Figures {
    /// Whether the four outcomes add up to the rows read.
    pub fn adds_up(&self) -> bool {
        self.read == self.imported + self.merged + self.skipped + self.quarantined
    }

    fn count(&mut self, outcome: Outcome) {
        *match outcome {
            Outcome::Imported => &mut self.imported,
            Outcome::Merged => &mut self.merged,
            Outcome::Skipped => &mut self.skipped,
            Outcome::Quarantined => &mut self.quarantined,
        } += 1;
    }
}

/// The figures of every table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Account {
    /// By the name of the table, as the old database has it; `jobs.job_actions` and `sessions.job` for entries.
    pub tables: BTreeMap<String, Figures>,
}

impl Account {
    /// The account of units with settled outcomes. Each unit and each entry counts as one row read.
    pub fn from_units(units: &[Unit]) -> Self {
        let mut account = Self::default();
        for unit in units {
            if !unit.is_made_up() {
                account.read(unit.table.name(), 1);
                account.figures(unit.table.name()).count(unit.outcome);
            }
            for (table, outcome) in &unit.entries {
                account.read(table, 1);
                account.figures(table).count(*outcome);
            }
            for note in &unit.notes {
                *account.figures(note.table).reasons.entry(note.reason.to_owned()).or_default() += 1;
            }
        }
        account
    }

    /// Counts rows that were read.
    pub fn read(&mut self, table: &str, rows: u64) {
        self.figures(table).read += rows;
    }

    /// Counts a row that is skipped on purpose.
    pub fn skip(&mut self, table: &str, reason: &str) {
        self.figures(table).skipped += 1;
        self.give_reason(table, reason);
    }

    /// Counts a reason.
    pub fn give_reason(&mut self, table: &str, reason: &str) {
        *self.figures(table).reasons.entry(reason.to_owned()).or_default() += 1;
    }

    /// Adds another account to this one.
    pub fn add(&mut self, other: &Self) {
        for (table, figures) in &other.tables {
            let sum = self.figures(table);
            sum.read += figures.read;
            sum.imported += figures.imported;
            sum.merged += figures.merged;
            sum.skipped += figures.skipped;
            sum.quarantined += figures.quarantined;
            for (reason, count) in &figures.reasons {
                *sum.reasons.entry(reason.clone()).or_default() += count;
            }
        }
    }

    /// Whether anything is in the side file instead of the target.
    pub fn has_quarantined(&self) -> bool {
        self.tables.values().any(|figures| figures.quarantined > 0)
    }

    /// Errors for tables with rows that are not accounted for, or that the source counts differently.
    pub fn errors(&self, counted: &BTreeMap<String, u64>) -> Vec<String> {
        let mut errors = Vec::new();
        for (table, figures) in &self.tables {
            if !figures.adds_up() {
                errors.push(format!("{table}: {figures:?}"));
            }
        }
        for (table, count) in counted {
            let read = self.tables.get(table).map_or(0, |figures| figures.read);
            if read != *count {
                errors.push(format!("{table}: {read} rows were read, and the source has {count}"));
            }
        }
        errors
    }

    fn figures(&mut self, table: &str) -> &mut Figures {
        self.tables.entry(table.to_owned()).or_default()
    }
}
