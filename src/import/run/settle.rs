//! Settles the outcome of a unit by the target's verdict.

use serde_json::Value;

use super::batch::Written;
use crate::import::Result;
use crate::import::unit::{Note, Outcome, Remainder, Unit, Verdict};

/// The reason of a row that the target already has: counted, but not in the report.
pub(super) const UNCHANGED: &str = "unchanged";
/// The reason of a row that was updated from the source.
const UPDATED: &str = "updated";
/// The reason of a row that the target has with other content.
const EXISTS: &str = "exists";
/// The reason of a row that the target's database refuses.
const REFUSED: &str = "refused";
/// The reason of a client that the target has under another id.
const NAMESAKE: &str = "duplicate-client";
/// The reason of a row that the source has deleted and the target still has.
const STILL_THERE: &str = "deleted-still-there";
/// The reason of a row that was deleted because the source has deleted it.
const DELETED_HERE: &str = "deleted-here";

/// Settles the outcome of a unit and of the entries in it; `original` gives the row of the source for the side file.
pub(super) fn settle(
    unit: &mut Unit,
    written: &Written,
    original: impl FnOnce(&Unit) -> Result<Value>,
) -> Result<()> {
    match &written.verdict {
        None | Some(Verdict::Written) => {}
        Some(Verdict::Deleted) => {
            let detail = "it is deleted in the source, and with --delete-missing in the target, too";
            unit.notes.push(note(unit, unit.outcome, DELETED_HERE, None, detail.to_owned()));
        }
        Some(Verdict::Unchanged) => becomes(unit, Outcome::Merged),
        Some(Verdict::Updated) => {
            let detail = "it was brought to what the source says";
            unit.notes.push(note(unit, Outcome::Imported, UPDATED, None, detail.to_owned()));
        }
        Some(Verdict::Named { id }) => {
            becomes(unit, Outcome::Merged);
            let detail = "the target has a client of that name under another id";
            unit.notes.push(note(unit, Outcome::Merged, NAMESAKE, Some(id.clone()), detail.to_owned()));
        }
        Some(Verdict::Exists { detail, .. }) if unit.rows.is_empty() => {
            unit.notes.push(note(unit, unit.outcome, STILL_THERE, None, detail.clone()));
        }
        Some(Verdict::Exists { detail, .. }) => {
            becomes(unit, Outcome::Quarantined);
            let reason = if written.is_refused { REFUSED } else { EXISTS };
            unit.notes.push(note(unit, Outcome::Quarantined, reason, None, detail.clone()));
            if !unit.is_made_up() {
                let row = original(unit)?;
                unit.remainders.push(Remainder {
                    table: unit.table.name(),
                    id: unit.id.clone(),
                    reason,
                    row,
                });
            }
        }
    }
    Ok(())
}

/// Gives the unit, and what was to be imported with it, another outcome.
fn becomes(unit: &mut Unit, outcome: Outcome) {
    unit.outcome = outcome;
    let entries = unit.entries.iter_mut().map(|(_, entry)| entry);
    for its in entries.chain(unit.notes.iter_mut().map(|note| &mut note.outcome)) {
        if *its == Outcome::Imported {
            *its = outcome;
        }
    }
}

fn note(unit: &Unit, outcome: Outcome, reason: &'static str, into: Option<String>, detail: String) -> Note {
    let project_id = unit.notes.first().and_then(|note| note.project_id.clone()).or_else(|| unit.project());
    Note { table: unit.table.name(), id: unit.id.clone(), project_id, outcome, reason, into, detail }
}
