//! A unit under construction.

use chrono::{Datelike, SubsecRound};
use serde_json::{Value, json};

use super::reasons;
use super::text::{self, first, first_bytes};
use crate::import::legacy::{Row, Table};
use crate::import::staging::table::{Head, fate, state};
use crate::import::unit::{Note, Outcome, Remainder, TargetRow, Unit};
use crate::store::types::time::Time;

/// A unit, with the fields that its notes need.
pub struct Draft {
    unit: Unit,
    project: Option<String>,
}

/// The creation and update times of a row.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// `created_at`.
    pub created: Time,
    /// `updated_at`.
    pub updated: Time,
}

impl Draft {
    /// A unit without rows; its outcome is `Imported` until that changes.
    pub fn new(head: &Head, row: &Row) -> Self {
        let unit = Unit {
            table: row.table,
            number: head.number,
            id: row.id.clone(),
            outcome: Outcome::Imported,
            notes: Vec::new(),
            entries: Vec::new(),
            remainders: Vec::new(),
            rows: Vec::new(),
            is_time_made_up: false,
            deleted_id: None,
        };
        let mut draft = Self { unit, project: head.project.clone() };
        if head.state == state::LIVE {
            if head.is_given && row.table != Table::ActionReports {
                let project = head.project.as_deref().unwrap_or_default();
                draft.note("no-project", format!("It had no project, and is in {project} now."));
            }
            if let Some(target) = &head.target
                && head.fate == fate::KEPT
            {
                let (reason, detail) = match head.reason.as_deref() {
                    Some("duplicate-id") => ("duplicate-id", "Another client has the same id; this one is"),
                    _ => ("id-unusable", "The id is not of letters, digits, - and _, up to 64; it is"),
                };
                draft.note(reason, format!("{detail} {target} now."));
                draft.refers_to(target);
            }
        }
        for problem in &row.problems {
            let reason = reasons::known(&problem.reason);
            draft.note(reason, problem.detail.clone());
            if let Some(value) = &problem.value {
                draft.remainder(reason, value.clone());
            }
        }
        draft
    }

    /// The unit.
    pub fn finish(mut self) -> Unit {
        let table = self.unit.table.name();
        for note in self.unit.notes.iter_mut().filter(|note| note.table == table) {
            note.outcome = self.unit.outcome;
        }
        if self.unit.outcome != Outcome::Imported {
            self.unit.rows.clear();
        }
        self.unit
    }

    /// Adds a note on the row.
    pub fn note(&mut self, reason: &'static str, detail: impl Into<String>) {
        let note = Note {
            table: self.unit.table.name(),
            id: self.unit.id.clone(),
            project_id: self.project.clone(),
            outcome: self.unit.outcome,
            reason,
            into: None,
            detail: detail.into(),
        };
        self.unit.notes.push(note);
    }

    /// Sets the target row of the latest note.
    pub fn refers_to(&mut self, id: &str) {
        if let Some(note) = self.unit.notes.last_mut() {
            note.into = Some(id.to_owned());
        }
    }

    /// Removes the notes with a reason.
    pub fn forget(&mut self, reason: &str) {
        self.unit.notes.retain(|note| note.reason != reason);
    }

    /// Removes all notes.
    pub fn forget_notes(&mut self) {
        self.unit.notes.clear();
        self.unit.remainders.clear();
    }

    /// Keeps a value that has no place.
    pub fn remainder(&mut self, reason: &'static str, row: Value) {
        let remainder = Remainder { table: self.unit.table.name(), id: self.unit.id.clone(), reason, row };
        self.unit.remainders.push(remainder);
    }

    /// Quarantines the row. The note comes first, because rows that refer to this one get its reason.
    pub fn quarantine(&mut self, reason: &'static str, detail: impl Into<String>) {
        self.end(Outcome::Quarantined, reason, detail);
    }

    /// Skips the row on purpose.
    pub fn skip(&mut self, reason: &'static str, detail: impl Into<String>) {
        self.end(Outcome::Skipped, reason, detail);
    }

    /// Merges the row into another row of the source.
    pub fn merge(&mut self, reason: &'static str, into: &str, detail: impl Into<String>) {
        self.end(Outcome::Merged, reason, detail);
        if let Some(note) = self.unit.notes.first_mut() {
            note.into = Some(into.to_owned());
        }
    }

    fn end(&mut self, outcome: Outcome, reason: &'static str, detail: impl Into<String>) {
        self.unit.outcome = outcome;
        self.note(reason, detail);
        self.unit.notes.rotate_right(1);
    }

    /// Adds a row to write.
    pub fn push(&mut self, row: TargetRow) {
        self.unit.rows.push(row);
    }

    /// Marks a target row for deletion.
    pub fn deletes(&mut self, id: &str) {
        self.unit.deleted_id = Some(id.to_owned());
    }

    /// Counts an entry inside the row.
    pub fn entry(&mut self, table: &'static str, outcome: Outcome) {
        self.unit.entries.push((table, outcome));
    }

    /// Adds a note on an entry inside the row.
    pub fn entry_note(
        &mut self,
        table: &'static str,
        key: &str,
        outcome: Outcome,
        what: (&'static str, String),
    ) {
        let (reason, detail) = what;
        let note = Note {
            table,
            id: format!("{}/{key}", self.unit.id),
            project_id: self.project.clone(),
            outcome,
            reason,
            into: None,
            detail,
        };
        self.unit.notes.push(note);
    }

    /// Adds a note on another row's entry about this row.
    pub fn note_of(&mut self, table: &'static str, id: String, what: (&'static str, String)) {
        let (reason, detail) = what;
        let outcome = self.unit.outcome;
        let project_id = self.project.clone();
        self.unit.notes.push(Note { table, id, project_id, outcome, reason, into: None, detail });
    }

    /// Keeps an entry that has no place.
    pub fn entry_remainder(&mut self, table: &'static str, key: &str, reason: &'static str, row: Value) {
        let id = format!("{}/{key}", self.unit.id);
        self.unit.remainders.push(Remainder { table, id, reason, row });
    }

    /// A text cut to the length of its column.
    pub fn text(&mut self, key: &str, value: Option<&str>, characters: usize) -> Option<String> {
        let value = value?;
        let cut = first(value, characters);
        if cut.len() < value.len() {
            self.too_long(key, value, &format!("{characters} characters"));
        }
        Some(cut.to_owned())
    }

    /// A text as a column without a length holds it.
    pub fn long_text(&mut self, key: &str, value: Option<&str>) -> Option<String> {
        let value = value?;
        let cut = first_bytes(value, text::MAX_TEXT_BYTES);
        if cut.len() < value.len() {
            self.too_long(key, value, &format!("{} bytes", text::MAX_TEXT_BYTES));
        }
        Some(cut.to_owned())
    }

    fn too_long(&mut self, key: &str, value: &str, most: &str) {
        self.note("too-long", format!("{key} is cut to {most}."));
        self.remainder("too-long", json!({ key: value }));
    }

    /// A word as its column holds it.
    pub fn word(&mut self, key: &str, value: Option<&str>, known: &[&str]) -> String {
        let text::Word { stored, reason } = text::word(value, known);
        if let Some(reason) = reason {
            let value = value.unwrap_or_default();
            self.note(reason, format!("{key} is {:?}, which is no word of the API's.", first(value, 64)));
            if stored != value {
                self.remainder(reason, json!({ key: value }));
            }
        }
        stored
    }

    /// The times of the row. `first`, in seconds, takes precedence over the row's own creation time; `now` is the fallback.
    pub fn times(&mut self, row: &Row, first: Option<i64>, now: Time) -> Times {
        let whole = |time: chrono::NaiveDateTime| Time(time.trunc_subsecs(0));
        let seconds =
            |seconds: i64| chrono::DateTime::from_timestamp(seconds, 0).map(|time| time.naive_utc());
        // MySQL holds no later year, and SQLite compares times as text.
        let held = |time: &chrono::NaiveDateTime| (1000..=9999).contains(&time.year());
        let first = first.filter(|first| *first > 0).and_then(seconds).filter(held);
        let updated = row.updated.filter(held);
        let created = first.or_else(|| row.created.filter(held)).or(updated);
        self.unit.is_time_made_up = created.is_none();
        let created = created.map_or(Time(now.trunc_subsecs(0)), whole);
        Times { created, updated: updated.map_or(created, whole) }
    }
}
