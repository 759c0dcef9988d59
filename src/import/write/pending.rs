//! Rows that are going to be written, many in one statement.

use super::compare::{Compared, Standing};
use super::stored::{ById, Stored, stands_in_the_way};
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
    pub(super) clients: ById<Client>,
    pub(super) actions: ById<Action>,
    pub(super) sessions: ById<Session>,
    pub(super) jobs: ById<Job>,
    pub(super) attachments: ById<JobAttachment>,
    pub(super) places: ById<ActionAttachment>,
    pub(super) trusts: ById<JobTrust>,
    pub(super) reports: ById<LoggedReport>,
    pub(super) backups: ById<Backup>,
    /// A new trust's id, with its job's project and user.
    new_trusts: Vec<(String, (String, String), JobTrust)>,
    changed: Vec<Change>,
    /// Places that go: the project and their ids.
    gone: Vec<(String, Vec<String>)>,
    /// Places that change their order in a job.
    moved: Vec<String>,
}

/// A row that overwrites the one of its id.
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
    /// The id of another new client that stands in the way of a new one.
    pub(super) fn namesake(&self, client: &Client) -> Option<String> {
        if self.clients.contains_key(&client.id) {
            return None;
        }
        self.clients.values().find(|other| stands_in_the_way(client, other)).map(|other| other.id.clone())
    }

    /// Adds the rows of a unit that are not there.
    pub(super) fn add_absent(&mut self, unit: &Unit, standings: &[Standing], stored: &Stored) {
        for (row, _) in unit.rows.iter().zip(standings).filter(|(_, standing)| **standing == Standing::Absent)
        {
            self.add(row, unit, stored);
        }
    }

    /// Brings the rows of a unit to what they are to be.
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
        let none = Self::default();
        macro_rules! over {
            ($change:ident, $row:expr, $there:expr) => {{
                let there = $there?;
                Change::$change($row.over(there, is_time_made_up))
            }};
        }
        Some(match row {
            TargetRow::Client(row) => over!(Client, row, stored.client(&row.id, &none)),
            TargetRow::Action(row) => over!(Action, row, stored.action(&row.id, &none)),
            TargetRow::Session(row) => over!(Session, row, stored.session(&row.id, &none)),
            TargetRow::Job(row) => over!(Job, row, stored.job(&row.id, &none)),
            TargetRow::Attachment(row) => over!(Attachment, row, stored.attachment(&row.id, &none)),
            TargetRow::Backup(row) => over!(Backup, row, stored.backup(&row.id, &none)),
            TargetRow::Report(row, log) => {
                let row = LoggedReport { report: (**row).clone(), log: log.clone() };
                over!(Report, row, stored.report(&row.report.id, &none))
            }
            TargetRow::Place(row) => {
                let there = stored.place(&row.id, &none)?;
                if there.priority != row.priority {
                    self.moved.push(row.id.clone());
                }
                Change::Place(row.over(there, is_time_made_up))
            }
            TargetRow::Trust(trust) => Change::Trust((**trust).clone()),
        })
    }

    /// Writes everything, parents first; places that go make room for those that come.
    pub(super) fn write(&self, tx: &mut Tx<'_>) -> Outcome<()> {
        fn insert<T: Imported>(tx: &mut Tx<'_>, rows: &ById<T>) -> Outcome<()> {
            let mut rows: Vec<&T> = rows.values().collect();
            // The order of the primary key: fewer pages are written, and two imports take their locks in one order.
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
