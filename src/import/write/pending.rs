//! Rows to write, many in one statement.

use super::compare::{Compared, Standing};
use super::stored::{ById, Stored, conflicts};
use crate::import::unit::{TargetRow, Unit};
use crate::store::Owner;
use crate::store::action_attachments::{self, ActionAttachment};
use crate::store::actions::Action;
use crate::store::backups::Backup;
use crate::store::clients::Client;
use crate::store::import::{self, Imported, LoggedReport};
use crate::store::job_attachments::JobAttachment;
use crate::store::job_trusts::{self, JobTrust};
use crate::store::jobs::Job;
use crate::store::sessions::Session;
use crate::store::{Outcome, Tx, is_id};

/// New rows by their ids, and rows that overwrite others.
#[derive(Debug, Default)]
pub(super) struct Pending {
    clients: ById<Client>,
    actions: ById<Action>,
    sessions: ById<Session>,
    jobs: ById<Job>,
    attachments: ById<JobAttachment>,
    places: ById<ActionAttachment>,
    trusts: ById<JobTrust>,
    reports: ById<LoggedReport>,
    backups: ById<Backup>,
    /// A new trust's id, with its job's project and user.
    new_trusts: Vec<(String, (String, String), JobTrust)>,
    changed: Vec<Change>,
    /// Places to delete: the project and their ids.
    gone: Vec<(String, Vec<String>)>,
    /// Places with a new order in their job.
    moved: Vec<String>,
}

/// A row that overwrites the row with its id.
#[derive(Debug)]
enum Change {
    Client(Client),
    Action(Action),
    Session(Session),
    Job(Job),
    Attachment(JobAttachment),
    Place(ActionAttachment),
    Trust(JobTrust),
    Report(LoggedReport),
    Backup(Backup),
}

impl Pending {
    /// The id of another new client that conflicts with a new one.
    pub(super) fn namesake(&self, client: &Client) -> Option<String> {
        if self.clients.contains_key(&client.id) {
            return None;
        }
        self.clients.values().find(|other| conflicts(client, other)).map(|other| other.id.clone())
    }

    /// Adds the rows of a unit that the target does not have.
    pub(super) fn add_absent(&mut self, unit: &Unit, standings: &[Standing], stored: &Stored) {
        for (row, _) in unit.rows.iter().zip(standings).filter(|(_, standing)| **standing == Standing::Absent)
        {
            self.add(row, unit, stored);
        }
    }

    /// Adds the missing rows of a unit, and updates for those that differ.
    pub(super) fn add_update(
        &mut self,
        unit: &Unit,
        standings: &[Standing],
        stored: &Stored,
        gone: Vec<(String, i32)>,
    ) {
        self.add_absent(unit, standings, stored);
        let differs = |(_, standing): &(&TargetRow, &Standing)| matches!(standing, Standing::Differs { .. });
        for (row, _) in unit.rows.iter().zip(standings).filter(differs) {
            if let Some(change) = self.change(row, stored, unit.is_time_made_up) {
                self.changed.push(change);
            }
        }
        let project = unit.rows.iter().find_map(|row| match row {
            TargetRow::Job(job) => Some(job.project_id.clone()),
            _ => None,
        });
        if let Some(project) = project.filter(|_| !gone.is_empty()) {
            self.gone.push((project, gone.into_iter().map(|(id, _)| id).collect()));
        }
    }

    fn add(&mut self, row: &TargetRow, unit: &Unit, stored: &Stored) {
        fn put<T: Imported + Clone>(rows: &mut ById<T>, row: &T) {
            rows.insert(row.id().to_owned(), row.clone());
        }
        match row {
            TargetRow::Client(row) => put(&mut self.clients, row),
            TargetRow::Action(row) => put(&mut self.actions, row),
            TargetRow::Session(row) => put(&mut self.sessions, row),
            TargetRow::Job(row) => put(&mut self.jobs, row),
            TargetRow::Attachment(row) => put(&mut self.attachments, row),
            TargetRow::Place(row) => put(&mut self.places, row),
            TargetRow::Report(row, log) => {
                put(&mut self.reports, &LoggedReport { report: (**row).clone(), log: log.clone() });
            }
            TargetRow::Backup(row) => put(&mut self.backups, row),
            TargetRow::Trust(trust) => {
                let owner = stored.owner_of_job(&trust.job_id).unwrap_or_default();
                let owner = (owner.0.to_owned(), owner.1.to_owned());
                let id = if is_id(&unit.id) { unit.id.clone() } else { trust.job_id.clone() };
                self.new_trusts.push((id, owner, (**trust).clone()));
                self.trusts.insert(trust.job_id.clone(), (**trust).clone());
            }
        }
    }

    fn change(&mut self, row: &TargetRow, stored: &Stored, is_time_made_up: bool) -> Option<Change> {
        macro_rules! over {
            ($change:ident, $row:expr, $there:expr) => {{
                let there = $there?;
                Change::$change($row.over(there, is_time_made_up))
            }};
        }
        Some(match row {
            TargetRow::Client(row) => over!(Client, row, stored.clients.get(&row.id)),
            TargetRow::Action(row) => over!(Action, row, stored.actions.get(&row.id)),
            TargetRow::Session(row) => over!(Session, row, stored.sessions.get(&row.id)),
            TargetRow::Job(row) => over!(Job, row, stored.jobs.get(&row.id)),
            TargetRow::Attachment(row) => over!(Attachment, row, stored.attachments.get(&row.id)),
            TargetRow::Backup(row) => over!(Backup, row, stored.backups.get(&row.id)),
            TargetRow::Report(row, log) => {
                let row = LoggedReport { report: (**row).clone(), log: log.clone() };
                over!(Report, row, stored.reports.get(&row.report.id))
            }
            TargetRow::Place(row) => {
                let there = stored.places.get(&row.id)?;
                if there.priority != row.priority {
                    self.moved.push(row.id.clone());
                }
                Change::Place(row.over(there, is_time_made_up))
            }
            TargetRow::Trust(trust) => Change::Trust((**trust).clone()),
        })
    }

    /// Writes everything, parents first. Deleted places make room for new ones.
    pub(super) fn write(&self, tx: &mut Tx<'_>) -> Outcome<()> {
        fn insert<T: Imported>(tx: &mut Tx<'_>, rows: &ById<T>) -> Outcome<()> {
            let mut rows: Vec<&T> = rows.values().collect();
            // Ordered by primary key, so that fewer pages are written and two imports take their locks in the same order.
            rows.sort_unstable_by(|one, other| one.id().cmp(other.id()));
            T::insert(tx, &rows)
        }
        for (project, places) in &self.gone {
            action_attachments::delete(tx, project, places.clone())?;
        }
        if !self.moved.is_empty() {
            import::make_way(tx, self.moved.clone())?;
        }
        insert(tx, &self.clients)?;
        insert(tx, &self.actions)?;
        insert(tx, &self.sessions)?;
        insert(tx, &self.jobs)?;
        for change in &self.changed {
            change.write(tx)?;
        }
        insert(tx, &self.attachments)?;
        insert(tx, &self.places)?;
        for (id, (project, user), trust) in &self.new_trusts {
            job_trusts::insert_as(tx, id, Owner::new(project, user), trust.clone())?;
        }
        insert(tx, &self.reports)?;
        insert(tx, &self.backups)
    }
}

impl Change {
    fn write(&self, tx: &mut Tx<'_>) -> Outcome<()> {
        match self {
            Self::Client(row) => row.overwrite(tx),
            Self::Action(row) => row.overwrite(tx),
            Self::Session(row) => row.overwrite(tx),
            Self::Job(row) => row.overwrite(tx),
            Self::Attachment(row) => row.overwrite(tx),
            Self::Place(row) => row.overwrite(tx),
            Self::Trust(row) => job_trusts::replace(tx, row),
            Self::Report(row) => row.overwrite(tx),
            Self::Backup(row) => row.overwrite(tx),
        }
    }
}

macro_rules! row_by_id {
    ($($name:ident $map:ident $row:ident)*) => {
        impl Pending {
            $(
                /// The row with this id, in the target or written with this batch.
                pub(super) fn $name<'s>(&'s self, id: &str, stored: &'s Stored) -> Option<&'s $row> {
                    stored.$map.get(id).or_else(|| self.$map.get(id))
                }
            )*
        }
    };
}
row_by_id! {
    client clients Client
    action actions Action
    session sessions Session
    job jobs Job
    attachment attachments JobAttachment
    place places ActionAttachment
    trust trusts JobTrust
    report reports LoggedReport
    backup backups Backup
}
