//! The rows of the target with the ids of a batch.

use std::collections::{BTreeSet, HashMap};

use front::error::Error;

use super::{LivePlaces, is_deletable};
use crate::import::legacy::Table;
use crate::import::unit::{TargetRow, Unit};
use crate::store::action_attachments::ActionAttachment;
use crate::store::actions::Action;
use crate::store::backups::Backup;
use crate::store::clients::Client;
use crate::store::import::{self, FIRST_VERSION, Imported, LoggedReport};
use crate::store::job_attachments::JobAttachment;
use crate::store::job_trusts::JobTrust;
use crate::store::jobs::Job;
use crate::store::sessions::Session;
use crate::store::{Outcome, Tx, is_id};

/// Rows by their ids.
pub(super) type ById<T> = HashMap<String, T>;

/// The rows of a batch that the target has.
#[derive(Debug, Default)]
pub(super) struct Stored {
    pub(super) clients: ById<Client>,
    namesakes: HashMap<String, Vec<Client>>,
    pub(super) actions: ById<Action>,
    pub(super) sessions: ById<Session>,
    pub(super) jobs: ById<Job>,
    pub(super) attachments: ById<JobAttachment>,
    pub(super) places: ById<ActionAttachment>,
    places_of_jobs: HashMap<String, Vec<String>>,
    /// Places that the source has in units of their own.
    live_places: BTreeSet<String>,
    pub(super) trusts: ById<JobTrust>,
    pub(super) reports: ById<LoggedReport>,
    pub(super) backups: ById<Backup>,
}

/// The ids of a batch.
#[derive(Default)]
struct Ids {
    clients: Vec<String>,
    names: Vec<String>,
    actions: Vec<String>,
    sessions: Vec<String>,
    jobs: Vec<String>,
    attachments: Vec<String>,
    places: Vec<(String, String)>,
    trusts: Vec<String>,
    reports: Vec<String>,
    backups: Vec<String>,
}

impl Ids {
    fn new(units: &[Unit]) -> Self {
        let mut ids = Self::default();
        for row in units.iter().flat_map(|unit| &unit.rows) {
            match row {
                TargetRow::Client(row) => {
                    ids.clients.push(row.id.clone());
                    ids.names.push(row.client_id.clone());
                }
                TargetRow::Action(row) => ids.actions.push(row.id.clone()),
                TargetRow::Session(row) => ids.sessions.push(row.id.clone()),
                TargetRow::Job(row) => ids.jobs.push(row.id.clone()),
                TargetRow::Attachment(row) => ids.attachments.push(row.id.clone()),
                TargetRow::Place(row) => {
                    ids.places.push((row.id.clone(), row.job_id.clone()));
                    if ids.jobs.last() != Some(&row.job_id) {
                        ids.jobs.push(row.job_id.clone());
                    }
                }
                TargetRow::Trust(row) => {
                    ids.trusts.push(row.job_id.clone());
                    ids.jobs.push(row.job_id.clone());
                }
                TargetRow::Report(row, _) => ids.reports.push(row.id.clone()),
                TargetRow::Backup(row) => ids.backups.push(row.id.clone()),
            }
        }
        let deleted = units.iter().filter_map(|unit| Some((unit.table, unit.deleted_id.as_ref()?)));
        for (table, id) in deleted.filter(|(table, id)| is_deletable(*table) && is_id(id)) {
            let list = match table {
                Table::Clients => &mut ids.clients,
                Table::Actions => &mut ids.actions,
                Table::Sessions => &mut ids.sessions,
                Table::Jobs => &mut ids.attachments,
                _ => &mut ids.backups,
            };
            list.push(id.clone());
        }
        ids
    }
}

impl Stored {
    pub(super) fn load(tx: &mut Tx<'_>, units: &[Unit], live_places: &mut LivePlaces<'_>) -> Outcome<Self> {
        fn load<T: Imported>(tx: &mut Tx<'_>, ids: Vec<String>) -> Outcome<ById<T>> {
            let rows = T::by_ids(tx, ids)?;
            Ok(rows.into_iter().map(|row: T| (row.id().to_owned(), row)).collect())
        }
        let ids = Ids::new(units);
        let mut stored = Self {
            clients: load(tx, ids.clients)?,
            actions: load(tx, ids.actions)?,
            sessions: load(tx, ids.sessions)?,
            jobs: load(tx, ids.jobs)?,
            attachments: load(tx, ids.attachments)?,
            reports: load(tx, ids.reports)?,
            backups: load(tx, ids.backups)?,
            ..Self::default()
        };
        for client in import::clients_named(tx, ids.names)? {
            stored.namesakes.entry(client.client_id.clone()).or_default().push(client);
        }
        // A missing job has no places.
        let in_jobs = ids.places.into_iter().filter(|(_, job)| stored.jobs.contains_key(job));
        let wanted: Vec<String> = in_jobs.map(|(place, _)| place).collect();
        let mut places: ById<ActionAttachment> = load(tx, wanted)?;
        let jobs: Vec<String> = stored.jobs.keys().cloned().collect();
        for place in import::places_in(tx, jobs)? {
            stored.places_of_jobs.entry(place.job_id.clone()).or_default().push(place.id.clone());
            places.insert(place.id.clone(), place);
        }
        if !places.is_empty() {
            let ids = places.keys().cloned().collect();
            let live = live_places(ids).map_err(|error| Error::unavailable(error.why, "the staging file"))?;
            stored.live_places = live;
        }
        stored.places = places;
        let trusts = import::trusts_of(tx, ids.trusts)?;
        stored.trusts = trusts.into_iter().map(|trust| (trust.job_id.clone(), trust)).collect();
        Ok(stored)
    }

    /// The id of another client that conflicts with a new one: one with the same name in its project, or, if both are
    /// central, with the same name and host.
    pub(super) fn namesake(&self, client: &Client) -> Option<String> {
        if self.clients.contains_key(&client.id) {
            return None;
        }
        let named = self.namesakes.get(&client.client_id)?;
        named.iter().find(|other| conflicts(client, other)).map(|other| other.id.clone())
    }

    /// The version of the row that the source has deleted.
    pub(super) fn version(&self, table: Table, id: &str) -> Option<i32> {
        match table {
            Table::Clients => self.clients.get(id).map(|row| row.version),
            Table::Actions => self.actions.get(id).map(|row| row.version),
            Table::Sessions => self.sessions.get(id).map(|row| row.version),
            Table::Jobs => self.attachments.get(id).map(|row| row.version),
            Table::Backups => self.backups.get(id).map(|row| row.version),
            _ => None,
        }
    }

    /// The places that a job has.
    pub(super) fn places_in(&self, job: &str) -> impl Iterator<Item = &ActionAttachment> {
        self.places_of_jobs.get(job).into_iter().flatten().filter_map(|id| self.places.get(id))
    }

    /// Whether a place is in a unit of its own, of this batch or another one.
    pub(super) fn is_live_place(&self, id: &str) -> bool {
        self.live_places.contains(id)
    }

    /// The project and the user of a job.
    pub(super) fn owner_of_job(&self, id: &str) -> Option<(&str, &str)> {
        self.jobs.get(id).map(|job| (job.project_id.as_str(), job.user_id.as_str()))
    }

    /// The version of a trust is that of its job.
    pub(super) fn version_of_job(&self, id: &str) -> i32 {
        self.jobs.get(id).map_or(FIRST_VERSION, |job| job.version)
    }
}

/// Whether a unique key forbids two clients to exist together.
pub(super) fn conflicts(client: &Client, other: &Client) -> bool {
    let host = |client: &Client| client.hostname.clone().unwrap_or_default();
    client.client_id == other.client_id
        && (client.project_id == other.project_id
            || (client.is_central && other.is_central && host(client) == host(other)))
}
