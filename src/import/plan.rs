//! The plan: for each row of the source, which rows of ours it becomes. It asks the staging file, and never the target.

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
#[cfg(test)]
mod tests;
pub(in crate::import) mod text;
mod trusts;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::Result;
use super::ids;
use super::legacy::{Body, Row, Table};
use super::staging::table::{Head, fate, state};
use super::staging::{Body as Staged, Key, Staging};
use super::unit::{Note, Outcome, Remainder, Unit, Verdict};
use crate::store::moment_type::Time;
use draft::Draft;

/// What the operator says of rows without a project.
#[derive(Debug, Clone, Default)]
pub struct Mapping {
    /// Projects by user (`--project-map`).
    pub projects: BTreeMap<String, String>,
    /// The project of what no other rule gives one (`--default-project`).
    pub default_project: Option<String>,
}

/// Makes the plan, batch by batch, in the order of the foreign keys.
pub struct Planner {
    staging: Staging,
    now: Time,
    /// Which of [`PHASES`] it is in.
    phase: usize,
    after: Key,
    /// The places of the job that was planned last.
    places: places::Run,
}

/// The tables in the order of the foreign keys, and then what is deleted, children first.
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

    /// What was staged, for a reading apart from this one.
    pub fn into_staging(self) -> Staging {
        self.staging
    }

    /// What is to be said of the source as a whole: projects with rows of several users (`many-users`).
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

    /// Notes what the target said of a unit, so that no later row refers to one that is not there. `None` for a unit that
    /// was not to be written.
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

    /// Which of these ids of ours are of rows of the source, deleted ones too, or were made by an import.
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

    /// Which of these ids of ours are of places that the source has in rows of their own.
    ///
    /// # Errors
    /// As [`Planner::new`].
    pub fn live_places(&mut self, of: &[String]) -> Result<BTreeSet<String>> {
        self.staging.live_places(of)
    }

    /// A row of the source verbatim, for the side file: of a unit that the target did not take.
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

    /// What is inside a row that is not imported goes with it.
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

    /// Rows of one table that are not deleted.
    fn plan(&mut self, table: Table, rows: &[Staged]) -> Result<Vec<Draft>> {
        match table {
            Table::Clients => self.clients(rows),
            Table::Sessions => self.sessions(rows),
            Table::Jobs => self.jobs(rows),
            Table::JobActions | Table::UserCredentials => self.children(table, rows),
            Table::ActionReports => {
                let ids = rows.iter().filter_map(|staged| staged.head.parent.as_deref());
                let actions = self.staging.by_ids(Table::Actions, ids)?;
                let now = self.now;
                Ok(planned(rows, |draft, head, row| {
                    if let Body::Report(report) = &row.body {
                        reports::plan(draft, head, row, report, actions.get(&report.action_id), now);
                    }
                }))
            }
            Table::Backups => {
                let ids = rows.iter().filter_map(|staged| match &staged.row.body {
                    Body::Backup(backup) => backups::job_id(backup),
                    _ => None,
                });
                let jobs = self.staging.by_ids(Table::Jobs, ids)?;
                let now = self.now;
                Ok(planned(rows, |draft, head, row| {
                    if let Body::Backup(backup) = &row.body {
                        let job = backups::job_id(backup).and_then(|id| jobs.get(id));
                        backups::plan(draft, head, row, backup, job, now);
                    }
                }))
            }
            Table::Actions => {
                let now = self.now;
                Ok(planned(rows, |draft, head, row| {
                    if let Body::Action(action) = &row.body {
                        actions::plan(draft, head, row, action, now);
                    }
                }))
            }
            Table::Unknown => Ok(planned(rows, |_, _, _| ())),
        }
    }

    fn clients(&mut self, rows: &[Staged]) -> Result<Vec<Draft>> {
        let numbers: Vec<i64> = rows.iter().map(|staged| staged.head.number).collect();
        let merged = self.staging.merged_into(&numbers)?;
        let others: Vec<i64> = merged.values().flatten().copied().collect();
        let others = if others.is_empty() { HashMap::new() } else { self.staging.rows(&others)? };
        let now = self.now;
        Ok(planned(rows, |draft, head, row| {
            if let Body::Client(client) = &row.body {
                let numbers = merged.get(&head.number).into_iter().flatten();
                let others: Vec<_> = numbers
                    .filter_map(|number| match &others.get(number)?.body {
                        Body::Client(client) => Some(client.clone()),
                        _ => None,
                    })
                    .collect();
                clients::plan(draft, head, row, client, &others, now);
            }
        }))
    }

    fn sessions(&mut self, rows: &[Staged]) -> Result<Vec<Draft>> {
        let numbers: Vec<i64> = rows.iter().map(|staged| staged.head.number).collect();
        let members = self.staging.members(&numbers)?;
        let jobs = self.staging.by_ids(Table::Jobs, members.iter().map(|member| member.job.as_str()))?;
        let sizes = self.staging.jobs_in(rows.iter().map(|staged| staged.head.id.as_str()))?;
        let now = self.now;
        Ok(planned(rows, |draft, head, row| {
            if let Body::Session(session) = &row.body {
                let from = members.partition_point(|member| member.number < head.number);
                let own = members.iter().skip(from).take_while(|member| member.number == head.number);
                let facts = sessions::Facts {
                    members: own.map(|member| (member.job.as_str(), member.part())).collect(),
                    jobs: &jobs,
                    size: sizes.get(&head.id).copied().unwrap_or(0),
                };
                sessions::plan(draft, head, row, session, &facts, now);
            }
        }))
    }

    fn jobs(&mut self, rows: &[Staged]) -> Result<Vec<Draft>> {
        let ids = || rows.iter().map(|staged| staged.head.id.as_str());
        let asked = |head: &Head| Some((head.project.clone()?, head.name.clone()?));
        let names = rows.iter().filter_map(|staged| asked(&staged.head)).collect();
        let clients = self.staging.clients(&names)?;
        let sessions = self
            .staging
            .by_ids(Table::Sessions, rows.iter().filter_map(|staged| staged.head.parent.as_deref()))?;
        let session = |head: &Head| head.parent.as_ref().and_then(|id| sessions.get(id));
        let differing = rows.iter().filter_map(|staged| {
            session(&staged.head)
                .filter(|session| session.core != staged.head.core)
                .map(|session| session.number)
        });
        let differing: BTreeSet<i64> = differing.collect();
        let schedules = self.staging.rows(&differing.into_iter().collect::<Vec<_>>())?;
        let members = self.staging.memberships(ids())?;
        let members: HashMap<(i64, &str), &super::staging::Member> =
            members.iter().map(|member| ((member.number, member.job.as_str()), member)).collect();
        let trusts = self.staging.trusts_of(ids())?;
        let places = self.staging.places_of(ids())?;
        let named: BTreeSet<&str> = rows.iter().flat_map(|staged| action_ids(&staged.row)).collect();
        let actions = self.staging.by_ids(Table::Actions, named.iter().copied())?;
        let before = self.staging.restored(named.iter().copied())?;
        let mut restored = before.clone();
        let now = self.now;
        let drafts = planned(rows, |draft, head, row| {
            if let Body::Job(job) = &row.body {
                let session = session(head);
                let member = session.and_then(|session| members.get(&(session.number, head.id.as_str())));
                let schedule = session.and_then(|session| match &schedules.get(&session.number)?.body {
                    Body::Session(session) => Some(&session.schedule),
                    _ => None,
                });
                let facts = jobs::Facts {
                    client: asked(head).and_then(|asked| clients.get(&asked)),
                    session,
                    session_schedule: schedule,
                    member: member.map(|member| member.part()),
                    has_trust: trusts.contains_key(&head.id),
                    places: places.get(&head.id).copied().unwrap_or_default(),
                    actions: &actions,
                    restored: &mut restored,
                };
                jobs::plan(draft, head, row, job, facts, now);
            }
        });
        self.staging.restore(restored.difference(&before).map(String::as_str))?;
        Ok(drafts)
    }

    /// Places and trusts.
    fn children(&mut self, table: Table, rows: &[Staged]) -> Result<Vec<Draft>> {
        let parents = || rows.iter().filter_map(|staged| staged.head.parent.as_deref());
        let jobs = self.staging.by_ids(Table::Jobs, parents())?;
        let now = self.now;
        if table == Table::UserCredentials {
            let kept = self.staging.trusts_of(parents())?;
            return Ok(planned(rows, |draft, head, row| {
                if let Body::Trust(trust) = &row.body {
                    let kept = kept.get(&trust.job_id).copied();
                    trusts::plan(draft, head, trust, jobs.get(&trust.job_id), kept);
                }
            }));
        }
        let names = rows.iter().filter_map(|staged| staged.head.name.as_deref());
        let actions = self.staging.by_ids(Table::Actions, names)?;
        let run = &mut self.places;
        Ok(planned(rows, |draft, head, row| {
            if let Body::JobAction(place) = &row.body {
                let facts =
                    places::Facts { job: jobs.get(&place.job_id), action: actions.get(&place.action_id) };
                places::plan(draft, head, (row, place), &facts, run, now);
            }
        }))
    }
}

/// Plans the rows of a batch; `plan` is asked only for those that nothing is against so far.
fn planned(rows: &[Staged], mut plan: impl FnMut(&mut Draft, &Head, &Row)) -> Vec<Draft> {
    rows.iter()
        .map(|Staged { head, row }| {
            let mut draft = Draft::new(head, row);
            match (head.state, head.fate) {
                (state::BROKEN, _) => broken(&mut draft, row),
                (_, fate::MERGED) => merged(&mut draft, head),
                (_, fate::QUARANTINED) => refused(&mut draft, head, row),
                _ => plan(&mut draft, head, row),
            }
            draft
        })
        .collect()
}

/// The actions that a job's entries name.
fn action_ids(row: &Row) -> impl Iterator<Item = &str> {
    let entries = match &row.body {
        Body::Job(job) => job.entries.as_deref().unwrap_or_default(),
        _ => &[],
    };
    entries.iter().filter_map(|entry| entry.get("action_id")?.as_str()).filter(|id| !id.is_empty())
}

/// A row that its reader could not read. What the operator wants skipped says so.
fn broken(draft: &mut Draft, row: &Row) {
    const SKIPPED: &str = "skipped:";
    let first = row.problems.first();
    let reason = first.map_or("bad-line", |problem| reasons::known(&problem.reason));
    let detail = first.map(|problem| problem.detail.clone()).unwrap_or_default();
    draft.forget_notes();
    match detail.strip_prefix(SKIPPED) {
        Some(detail) if reason == "unknown-kind" => draft.skip(reason, detail.trim_start()),
        _ => draft.quarantine(reason, detail),
    }
}

/// A row that another one stands for.
fn merged(draft: &mut Draft, head: &Head) {
    let into = head.into_id.clone().unwrap_or_default();
    let detail = match head.reason() {
        "same" => "It is there twice, with the same content.".to_owned(),
        "central-and-private" => format!("The project's central client {into} has the same name."),
        "central-duplicate" => format!("Central client {into} has the same name and host."),
        _ => format!("Client {into} has the same name."),
    };
    draft.merge(head.reason(), &into, detail);
}

/// A row that cannot be imported, whatever its references.
fn refused(draft: &mut Draft, head: &Head, row: &Row) {
    let detail = match head.reason() {
        "no-project" => {
            "Neither the row nor a rule gives it a project; --project-map or --default-project can."
                .to_owned()
        }
        "duplicate-id" => "Another row has the same id and other content.".to_owned(),
        reason => {
            let text = serde_json::to_string(row).unwrap_or_default();
            refusal::of(row, &text).map_or_else(|| reason.to_owned(), |(_, detail)| detail)
        }
    };
    // What a reader has said of it already is not said again.
    draft.forget(head.reason());
    draft.quarantine(head.reason(), detail);
}
