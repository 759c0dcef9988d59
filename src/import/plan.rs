//! The plan: for each row of the source, the rows to write. It reads the staging file, and never the target.

pub(in crate::import) mod actions;
mod backups;
mod clients;
mod draft;
mod entries;
mod jobs;
mod places;
pub(in crate::import) mod reasons;
pub(in crate::import) mod refusal;
mod reports;
pub(in crate::import) mod schedules;
mod sessions;
mod tables;
#[cfg(test)]
mod tests;
pub(in crate::import) mod text;
mod trusts;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::Result;
use super::ids;
use super::legacy::{Body, Table};
use super::staging::table::{fate, state};
use super::staging::{Body as Staged, Key, Staging};
use super::unit::{Note, Outcome, Remainder, Unit, Verdict};
use crate::store::types::time::Time;
use draft::Draft;
use tables::merged;

/// The operator's options for rows without a project.
#[derive(Debug, Clone, Default)]
pub struct Mapping {
    /// Projects by user (`--project-map`).
    pub projects: BTreeMap<String, String>,
    /// The project of rows without any other rule (`--default-project`).
    pub default_project: Option<String>,
}

/// Makes the plan, batch by batch, in the order of the foreign keys.
pub struct Planner {
    staging: Staging,
    now: Time,
    /// The index of the current phase in [`PHASES`].
    phase: usize,
    after: Key,
    /// The places of the job that was planned last.
    places: places::Run,
}

/// The tables in the order of the foreign keys, followed by deleted rows, children first.
const PHASES: [(Table, bool); 18] = [
    (Table::Clients, false),
    (Table::Actions, false),
    (Table::Sessions, false),
    (Table::Jobs, false),
    (Table::JobActions, false),
    (Table::UserCredentials, false),
    (Table::ActionReports, false),
    (Table::Backups, false),
    (Table::Unknown, false),
    (Table::Unknown, true),
    (Table::Backups, true),
    (Table::ActionReports, true),
    (Table::UserCredentials, true),
    (Table::JobActions, true),
    (Table::Jobs, true),
    (Table::Sessions, true),
    (Table::Actions, true),
    (Table::Clients, true),
];

impl Planner {
    /// A plan for what was staged; `now` stands for times that the source does not have.
    ///
    /// # Errors
    /// The staging file cannot be used.
    pub fn new(mut staging: Staging, mapping: Mapping, now: Time) -> Result<Self> {
        staging.seal()?;
        staging.resolve_projects(&mapping)?;
        staging.merge_clients()?;
        staging.merge_ids()?;
        staging.provide_clients()?;
        staging.commit()?;
        Ok(Self { staging, now, phase: 0, after: Key::default(), places: places::Run::default() })
    }

    /// The staging file, for another reading.
    pub fn into_staging(self) -> Staging {
        self.staging
    }

    /// Notes on the source as a whole: projects with rows of several users (`many-users`).
    ///
    /// # Errors
    /// As [`Planner::new`].
    pub fn remarks(&mut self) -> Result<Vec<Note>> {
        self.staging.shared_projects()
    }

    /// Up to 500 units of one table, none twice; `None` at the end. [`Planner::settle`] has to be called for every unit
    /// of a batch before the next one.
    ///
    /// # Errors
    /// As [`Planner::new`].
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator cannot be told of verdicts between its items"
    )]
    pub fn next(&mut self) -> Result<Option<Vec<Unit>>> {
        while let Some((table, is_deleted)) = PHASES.get(self.phase).copied() {
            let rows = self.staging.batch(table, is_deleted, &self.after)?;
            let Some(last) = rows.last() else {
                self.phase += 1;
                self.after = Key::default();
                continue;
            };
            self.after = Key::after(&last.head);
            let drafts = match is_deleted {
                true => self.deleted(table, &rows)?,
                false => self.plan(table, &rows)?,
            };
            return Ok(Some(self.finished(&rows, drafts)?));
        }
        Ok(None)
    }

    /// Records the target's verdict on a unit, so that no later row refers to a missing one. `None` for a unit that was
    /// not written.
    ///
    /// # Errors
    /// As [`Planner::new`].
    pub fn settle(&mut self, unit: &Unit, verdict: Option<&Verdict>) -> Result<()> {
        let quarantined = |reason| (fate::QUARANTINED, Some(reason), None);
        let (fate, reason, target) = match verdict {
            Some(Verdict::Written | Verdict::Unchanged | Verdict::Updated | Verdict::Deleted) => {
                return Ok(());
            }
            Some(Verdict::Exists { is_usable: true, .. }) => return Ok(()),
            Some(Verdict::Exists { is_usable: false, .. }) => quarantined("exists"),
            Some(Verdict::Named { id }) => (fate::KEPT, None, Some(id.as_str())),
            None if unit.outcome == Outcome::Imported => quarantined("exists"),
            None if unit.outcome == Outcome::Quarantined => {
                quarantined(unit.notes.first().map_or("exists", |note| note.reason))
            }
            None => return Ok(()),
        };
        self.staging.settle(unit.number, fate, reason, target)
    }

    /// The ids, of these in the target, that belong to rows of the source (also deleted ones) or were made by an import.
    ///
    /// # Errors
    /// As [`Planner::new`].
    pub fn knows(&mut self, table: Table, of: &[String]) -> Result<BTreeSet<String>> {
        let mut known = self.staging.knows(table, of.iter().map(String::as_str))?;
        known.extend(of.iter().filter(|id| ids::is_made(id)).cloned());
        let unknown: Vec<String> = of.iter().filter(|id| !known.contains(*id)).cloned().collect();
        if table == Table::Actions && !unknown.is_empty() {
            known.extend(self.staging.inline_actions(&unknown)?);
        }
        Ok(known)
    }

    /// The ids, of these in the target, of places that the source has in rows of their own.
    ///
    /// # Errors
    /// As [`Planner::new`].
    pub fn live_places(&mut self, of: &[String]) -> Result<BTreeSet<String>> {
        self.staging.live_places(of)
    }

    /// The source row of a unit that the target refused, verbatim, for the side file.
    ///
    /// # Errors
    /// As [`Planner::new`].
    pub fn raw(&mut self, unit: &Unit) -> Result<Value> {
        Ok(self.staging.raws(&[unit.number])?.remove(&unit.number).unwrap_or_default())
    }

    /// Units, with what belongs to every one that is not imported.
    fn finished(&mut self, rows: &[Staged], drafts: Vec<Draft>) -> Result<Vec<Unit>> {
        let mut units: Vec<Unit> = drafts.into_iter().map(Draft::finish).collect();
        let quarantined = units.iter().filter(|unit| unit.outcome == Outcome::Quarantined);
        let numbers: Vec<i64> = quarantined.map(|unit| unit.number).collect();
        if !numbers.is_empty() {
            let mut raws = self.staging.raws(&numbers)?;
            for unit in &mut units {
                if let Some(row) = raws.remove(&unit.number) {
                    let reason = unit.notes.first().map_or("bad-line", |note| note.reason);
                    let remainder = Remainder { table: unit.table.name(), id: unit.id.clone(), reason, row };
                    unit.remainders.insert(0, remainder);
                }
            }
        }
        self.account_for_entries(rows, &mut units)?;
        Ok(units)
    }

    /// The entries of a row that is not imported get the row's outcome.
    fn account_for_entries(&mut self, rows: &[Staged], units: &mut [Unit]) -> Result<()> {
        let is_session =
            |unit: &&mut Unit| unit.table == Table::Sessions && unit.outcome != Outcome::Imported;
        let numbers: Vec<i64> = units.iter_mut().filter(is_session).map(|unit| unit.number).collect();
        let mut members: HashMap<i64, usize> = HashMap::new();
        if !numbers.is_empty() {
            for member in self.staging.members(&numbers)? {
                *members.entry(member.number).or_default() += 1;
            }
        }
        for (staged, unit) in rows.iter().zip(units.iter_mut()) {
            if unit.outcome == Outcome::Imported {
                continue;
            }
            let (table, count) = match &staged.row.body {
                Body::Job(job) => (entries::ENTRIES, job.entries.as_ref().map_or(0, Vec::len)),
                Body::Session(_) => (sessions::MEMBERS, members.get(&unit.number).copied().unwrap_or(0)),
                _ => continue,
            };
            unit.entries = vec![(table, unit.outcome); count];
        }
        Ok(())
    }

    /// Rows that the old service did not show.
    fn deleted(&mut self, table: Table, rows: &[Staged]) -> Result<Vec<Draft>> {
        let restored = match table {
            Table::Actions => self.staging.restored(rows.iter().map(|staged| staged.row.id.as_str()))?,
            _ => BTreeSet::new(),
        };
        let has_own_id =
            matches!(table, Table::Clients | Table::Actions | Table::Sessions | Table::Jobs | Table::Backups);
        let drafts = rows.iter().map(|Staged { head, row }| {
            let mut draft = Draft::new(head, row);
            match head.fate {
                fate::MERGED => merged(&mut draft, head),
                _ if head.state == state::NULL => {
                    draft.skip("deleted-null", "deleted is NULL, and so the old service did not find it.");
                }
                _ => {
                    draft.skip("deleted", "It is deleted.");
                    if has_own_id && !restored.contains(&row.id) {
                        draft.deletes(head.target());
                    }
                }
            }
            draft
        });
        Ok(drafts.collect())
    }
}
