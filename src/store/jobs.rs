//! Job documents: an attachment with its definition (a row of `jobs`), its client, its session's schedule, its
//! actions in order, and its trust.

mod apply;
mod definition;
mod list;
mod lock;
mod poll;
mod readers;
mod rows;
mod view;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use diesel::prelude::*;

use super::actions::ActionSpec;
use super::engine::dialect::{in_list, octets, on_each, sum_of};
use super::job_attachments::JobAttachment;
use super::job_trusts::JobTrust;
use super::listing::Weight;
use super::schema::{
    action_attachments, actions as actions_table, clients, job_attachments, job_trusts, jobs, sessions,
};
use super::types::json::Json;
use super::types::time::Time;
use super::{Outcome, Tx};

pub use apply::{
    Applied, Bounds, Membership, NewAction, NewJob, Plan, RunColumns, apply, bounds, create, join, leave,
};
pub use definition::{DefinitionChange, NewId, PlaceSpec, definition, insert, touch};
pub use list::{JobListing, KEYS, PolledClient, list};
pub use lock::{lock, lock_document};
pub use poll::{plain, poll, record_polls};
pub use readers::Readers;
pub use rows::{JobRows, Mentions, References, load, load_around, load_references};
pub use view::view;

/// Every status a job can have; the API takes no other.
pub const STATUSES: &[&str] = &["", "completed", "stop", "scheduled", "running", "aborting", "removed"];
/// The events that a client can send to a scheduler.
pub const EVENTS: &[&str] = &["", "stop", "start", "abort", "remove"];
/// The results of a run.
pub const RESULTS: &[&str] = &["", "success", "fail", "aborted"];

/// A row of `jobs`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = jobs, treat_none_as_default_value = false, treat_none_as_null = true)]
#[allow(missing_docs)] // the columns; docs/DATABASE.md says what they are
pub struct Job {
    pub id: String,
    pub project_id: String,
    pub user_id: String,
    pub scheduling: Json,
    pub description: Option<String>,
    pub created_at: Time,
    pub updated_at: Time,
    pub version: i32,
    /// Whether there may be a [`JobTrust`] for it.
    pub has_trust: bool,
}

/// A job document's rows without its actions: the attachment and the rows that belong to it one to one.
#[derive(Debug, Clone)]
pub struct JobHead {
    /// The job on the client.
    pub attachment: JobAttachment,
    /// The definition.
    pub job: Job,
    /// The client's name.
    pub client_name: String,
    /// The client's project; another one for a central client.
    pub client_project: String,
    /// The schedule of the session it is in.
    pub session_scheduling: Option<Json>,
    /// The trust, if a central scheduler runs it.
    pub trust: Option<JobTrust>,
}

impl JobHead {
    /// Approximate size of the document's JSON without its actions, in bytes: that of its large columns.
    fn weight(&self) -> usize {
        self.scheduling().text().len() + self.job.description.as_ref().map_or(0, String::len)
    }

    /// The document's version: the sum of both rows' versions, which only rise.
    pub fn version(&self) -> i32 {
        self.job.version + self.attachment.version
    }

    /// Whether the job is on the client of that name or uuid.
    pub fn is_on(&self, client: &str) -> bool {
        self.client_name == client || self.attachment.client_id == client
    }

    /// The schedule that the job runs by: its session's, else its own.
    pub fn scheduling(&self) -> &Json {
        self.session_scheduling.as_ref().unwrap_or(&self.job.scheduling)
    }
}

/// A complete job document's rows.
#[derive(Debug, Clone)]
pub struct JobView {
    /// Everything but the actions.
    pub head: JobHead,
    /// The actions with their places, in order. Places that name the same action share one value.
    pub actions: Vec<(Place, Arc<PlacedAction>)>,
}

impl Weight for JobView {
    fn row_id(&self) -> &str {
        &self.head.attachment.id
    }

    fn weight(&self) -> usize {
        let actions: usize = self.actions.iter().map(|(_, action)| action.spec.weight() + PLACE_BYTES).sum();
        actions + self.head.weight()
    }
}

/// Approximate size of an action's JSON in a job's document without its large columns, in bytes.
const PLACE_BYTES: usize = 400;

/// The columns of an action's place in the job that a document shows.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = action_attachments)]
#[allow(missing_docs)] // the columns; docs/DATABASE.md says what they are
pub struct Place {
    pub priority: i32,
    pub retries: i32,
    pub retry_interval: i32,
    pub mandatory: bool,
}

/// The columns of an action that a job's document shows.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = actions_table)]
#[allow(missing_docs)] // the columns; docs/DATABASE.md says what they are
pub struct PlacedAction {
    pub id: String,
    pub project_id: String,
    pub user_id: String,
    #[diesel(embed)]
    pub spec: ActionSpec,
}

/// The columns of a [`HeadRow`]. A macro, because their type differs per backend.
macro_rules! head_columns {
    () => {
        (
            JobAttachment::as_select(),
            Job::as_select(),
            clients::client_id,
            clients::project_id,
            sessions::scheduling.nullable(),
        )
    };
}

/// The tables of a [`HeadRow`]. A macro for the same reason. The join with sessions costs a job without one nothing.
macro_rules! head_rows {
    () => {
        job_attachments::table.inner_join(jobs::table).inner_join(clients::table).left_join(sessions::table)
    };
}
use head_rows;

/// The row of a [`JobHead`] without its trust.
type HeadRow = (JobAttachment, Job, String, String, Option<Json>);

/// The job document of that id without its actions, in `project`, or in any project when `None`.
pub fn find(tx: &mut Tx<'_>, project: Option<&str>, id: &str) -> Outcome<Option<JobHead>> {
    let row: Option<HeadRow> = on_each!(tx.connection, c => {
        let rows = head_rows!().filter(job_attachments::id.eq(id)).select(head_columns!());
        match project {
            Some(project) => rows.filter(job_attachments::project_id.eq(project)).first(c),
            None => rows.first(c),
        }
    })
    .optional()?;
    Ok(heads(tx, row.into_iter().collect())?.pop())
}

fn head((attachment, job, client_name, client_project, session_scheduling): HeadRow) -> JobHead {
    JobHead { attachment, job, client_name, client_project, session_scheduling, trust: None }
}

/// Adds the trusts, which few jobs have: no statement if none of these has one, else one.
fn heads(tx: &mut Tx<'_>, rows: Vec<HeadRow>) -> Outcome<Vec<JobHead>> {
    let trusted: BTreeSet<&String> = rows.iter().filter(|row| row.1.has_trust).map(|row| &row.1.id).collect();
    let trusted: Vec<String> = trusted.into_iter().cloned().collect();
    let mut heads: Vec<JobHead> = rows.into_iter().map(head).collect();
    if !trusted.is_empty() {
        let trusts: Vec<JobTrust> = job_trusts::table
            .filter(in_list(job_trusts::job_id, trusted))
            .select(JobTrust::as_select())
            .load(tx.connection)?;
        for head in &mut heads {
            head.trust = trusts.iter().find(|trust| trust.job_id == head.job.id).cloned();
        }
    }
    Ok(heads)
}

/// The job documents of these ids without their actions, in the same order; unknown ids are left out.
pub fn find_all(tx: &mut Tx<'_>, ids: Vec<String>) -> Outcome<Vec<JobHead>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows: Vec<HeadRow> = on_each!(tx.connection, c => head_rows!()
        .filter(in_list(job_attachments::id, ids.clone()))
        .select(head_columns!())
        .load(c))?;
    let places: HashMap<&str, usize> = ids.iter().enumerate().map(|(place, id)| (&**id, place)).collect();
    rows.sort_by_key(|row| places.get(&*row.0.id).copied());
    heads(tx, rows)
}

/// Adds the actions to heads: one statement for the places and one for each [`ACTIONS_AT_A_TIME`] distinct actions.
pub fn complete(tx: &mut Tx<'_>, heads: Vec<JobHead>) -> Outcome<Vec<JobView>> {
    complete_with(tx, heads, &mut HashMap::new())
}

/// As [`complete`], reusing the actions in `known` and adding those that it reads.
fn complete_with(
    tx: &mut Tx<'_>,
    heads: Vec<JobHead>,
    known: &mut HashMap<String, Arc<PlacedAction>>,
) -> Outcome<Vec<JobView>> {
    if heads.is_empty() {
        return Ok(Vec::new());
    }
    let ids: BTreeSet<&String> = heads.iter().map(|head| &head.job.id).collect();
    let ids: Vec<String> = ids.into_iter().cloned().collect();
    let places: Vec<(String, String, Place)> = on_each!(tx.connection, c => action_attachments::table
        .filter(in_list(action_attachments::job_id, ids.clone()))
        .order((action_attachments::job_id, action_attachments::priority))
        .select((action_attachments::job_id, action_attachments::action_id, Place::as_select()))
        .load(c))?;
    let new: BTreeSet<&String> =
        places.iter().map(|(_, action, _)| action).filter(|id| !known.contains_key(*id)).collect();
    let new: Vec<String> = new.into_iter().cloned().collect();
    for some in new.chunks(ACTIONS_AT_A_TIME) {
        let actions: Vec<PlacedAction> = on_each!(tx.connection, c => actions_table::table
            .filter(in_list(actions_table::id, some.to_vec()))
            .select(PlacedAction::as_select())
            .load(c))?;
        known.extend(actions.into_iter().map(|action| (action.id.clone(), Arc::new(action))));
    }
    let mut places_of: HashMap<String, Vec<(Place, Arc<PlacedAction>)>> = HashMap::new();
    for (job_id, action_id, place) in places {
        if let Some(action) = known.get(&action_id) {
            places_of.entry(job_id).or_default().push((place, Arc::clone(action)));
        }
    }
    // In a fleet several documents show the same job.
    let is_shared = heads.len() > ids.len();
    let mut of = |id: &str| match is_shared {
        true => places_of.get(id).cloned(),
        false => places_of.remove(id),
    };
    let view = |head: JobHead| JobView { actions: of(&head.job.id).unwrap_or_default(), head };
    Ok(heads.into_iter().map(view).collect())
}

/// Actions per statement.
const ACTIONS_AT_A_TIME: usize = 200;

/// The columns beside the metadata that can make an action's document large.
const LARGE_TEXTS: &[&str] =
    &["actions.src_file", "actions.container", "actions.restore_abs_path", "actions.log_file"];

/// Upper bound on the JSON of an entry of `job_actions` without its large columns, in bytes: ids, names and words.
const MAX_PLACE_BYTES: usize = 4000;

/// Upper bound on the bytes of JSON for one byte of text: `\u0000`.
const MAX_ESCAPED_BYTES: usize = 6;

/// Approximate sizes of the JSON of these jobs' actions, in bytes. Jobs without actions are left out.
fn estimated_action_bytes(tx: &mut Tx<'_>, job_ids: Vec<String>) -> Outcome<Vec<(String, i64)>> {
    sum_action_bytes(tx, job_ids, (1, PLACE_BYTES))
}

/// Upper bounds on the JSON of these jobs' actions, in bytes. Jobs without actions are left out. Only a job whose bound
/// exceeds the limit on documents has to be measured.
pub fn max_action_bytes(tx: &mut Tx<'_>, job_ids: Vec<String>) -> Outcome<Vec<(String, i64)>> {
    sum_action_bytes(tx, job_ids, (MAX_ESCAPED_BYTES, MAX_PLACE_BYTES))
}

fn sum_action_bytes(
    tx: &mut Tx<'_>,
    job_ids: Vec<String>,
    (per_byte, per_place): (usize, usize),
) -> Outcome<Vec<(String, i64)>> {
    let metadata = octets(tx.connection, &["actions.metadata"]);
    let texts = octets(tx.connection, LARGE_TEXTS);
    let sum = sum_of(tx.connection, &format!("{metadata} + {per_byte} * {texts} + {per_place}"));
    Ok(action_attachments::table
        .inner_join(actions_table::table)
        .filter(in_list(action_attachments::job_id, job_ids))
        .group_by(action_attachments::job_id)
        .select((action_attachments::job_id, sum))
        .load(tx.connection)?)
}

/// The ids of a job's attachments.
pub fn attachments(tx: &mut Tx<'_>, job_id: &str) -> Outcome<Vec<String>> {
    Ok(job_attachments::table
        .filter(job_attachments::job_id.eq(job_id))
        .select(job_attachments::id)
        .load(tx.connection)?)
}
