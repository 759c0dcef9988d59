//! Rows of one table, with the rows that they refer to looked up for a whole batch.

use std::collections::{BTreeSet, HashMap};

use super::draft::Draft;
use super::{Planner, actions, backups, clients, jobs, places, reasons, refusal, reports, sessions, trusts};
use crate::import::Result;
use crate::import::legacy::{Body, Row, Table};
use crate::import::staging::table::{Head, fate, state};
use crate::import::staging::{Body as Staged, Member};

impl Planner {
    /// Plans rows of one table that are not deleted.
    pub(super) fn plan(&mut self, table: Table, rows: &[Staged]) -> Result<Vec<Draft>> {
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
        let members: HashMap<(i64, &str), &Member> =
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

    /// Plans places and trusts.
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

/// Plans the rows of a batch; `plan` is called only for rows that were not refused or merged before.
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

/// A row that the source could not read. It is skipped if the operator asked for that.
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

/// A row that is merged into another one.
pub(super) fn merged(draft: &mut Draft, head: &Head) {
    let into = head.into_id.clone().unwrap_or_default();
    let detail = match head.reason() {
        "same" => "It is there twice, with the same content.".to_owned(),
        "central-and-private" => format!("The project's central client {into} has the same name."),
        "central-duplicate" => format!("Central client {into} has the same name and host."),
        _ => format!("Client {into} has the same name."),
    };
    draft.merge(head.reason(), &into, detail);
}

/// A row that cannot be imported, whatever it refers to.
fn refused(draft: &mut Draft, head: &Head, row: &Row) {
    let detail = match head.reason() {
        "no-project" => {
            "Neither the row nor a rule gives it a project; --project-map or --default-project can."
                .to_owned()
        }
        "duplicate-id" => "Another row has the same id and other content.".to_owned(),
        reason => {
            let text = serde_json::to_string(row).unwrap_or_default();
            refusal::check(row, &text).map_or_else(|| reason.to_owned(), |(_, detail)| detail)
        }
    };
    // Problems that the source noted are not repeated.
    draft.forget(head.reason());
    draft.quarantine(head.reason(), detail);
}
