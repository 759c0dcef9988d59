//! Jobs as the API sees them: an attachment with its job, its client, its session's schedule, its actions in
//! order, and its trust.

mod definition;
mod hold;
mod list;
mod poll;
mod view;

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;

use super::actions::ActionSpec;
use super::dialect::{on_each, one_of};
use super::document_type::Json;
use super::job_attachments::JobAttachment;
use super::job_trusts::JobTrust;
use super::moment_type::Time;
use super::schema::{
    action_attachments, actions as actions_table, clients, job_attachments, job_trusts, jobs, sessions,
};
use super::{Outcome, Tx};

pub use definition::{NewId, PlaceSpec, definition, insert, redefine, touch};
pub use hold::hold;
pub use list::{JobListing, PolledClient, beyond_columns, list};
pub use poll::{Polls, note_seen, plain, poll};
pub use view::view;

/// Every status a job can have; the API takes no other.
pub const STATUSES: &[&str] = &["", "completed", "stop", "scheduled", "running", "aborting", "removed"];

/// A row of `jobs`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = jobs, treat_none_as_default_value = false)]
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

/// An attachment and what belongs to it one to one.
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
    /// The revision of the document: both parts only rise, so the sum does too.
    pub fn version(&self) -> i32 {
        self.job.version + self.attachment.version
    }

    /// The schedule it runs by: its session's, else its own.
    pub fn scheduling(&self) -> &Json {
        self.session_scheduling.as_ref().unwrap_or(&self.job.scheduling)
    }
}

/// A whole job document's rows.
#[derive(Debug, Clone)]
pub struct JobView {
    /// The attachment and what belongs to it one to one.
    pub head: JobHead,
    /// The actions with their places, in order.
    pub actions: Vec<(Place, PlacedAction)>,
}

/// What a document shows of an action's place in the job; the other columns of the row are not read for it.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = action_attachments)]
#[allow(missing_docs)] // the columns; docs/DATABASE.md says what they are
pub struct Place {
    pub priority: i32,
    pub retries: i32,
    pub retry_interval: i32,
    pub mandatory: bool,
}

/// What a document shows of an action in the job; the other columns of the row are not read for it.
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

/// The columns of a [`HeadRow`]; a macro, because they have another type for each backend.
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

/// The rows of heads; a macro for the same reason. A job that is in no session costs its join nothing.
macro_rules! head_rows {
    () => {
        job_attachments::table.inner_join(jobs::table).inner_join(clients::table).left_join(sessions::table)
    };
}
use head_rows;

/// A head that lacks its trust.
type HeadRow = (JobAttachment, Job, String, String, Option<Json>);

/// The job document of that id, without its actions; in `project`, or in any when `None`.
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

/// Adds what few jobs have, their trusts, with one statement if there are any.
fn heads(tx: &mut Tx<'_>, rows: Vec<HeadRow>) -> Outcome<Vec<JobHead>> {
    let trusted: BTreeSet<&String> = rows.iter().filter(|row| row.1.has_trust).map(|row| &row.1.id).collect();
    let trusted: Vec<String> = trusted.into_iter().cloned().collect();
    let mut heads: Vec<JobHead> = rows.into_iter().map(head).collect();
    if !trusted.is_empty() {
        let trusts: Vec<JobTrust> = job_trusts::table
            .filter(one_of(job_trusts::job_id, trusted))
            .select(JobTrust::as_select())
            .load(tx.connection)?;
        for head in &mut heads {
            head.trust = trusts.iter().find(|trust| trust.job_id == head.job.id).cloned();
        }
    }
    Ok(heads)
}

/// The job documents of these ids, without their actions, in the same order.
fn find_all(tx: &mut Tx<'_>, ids: Vec<String>) -> Outcome<Vec<JobHead>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows: Vec<HeadRow> = on_each!(tx.connection, c => head_rows!()
        .filter(one_of(job_attachments::id, ids.clone()))
        .select(head_columns!())
        .load(c))?;
    let places: HashMap<&str, usize> = ids.iter().enumerate().map(|(place, id)| (&**id, place)).collect();
    rows.sort_by_key(|row| places.get(&*row.0.id).copied());
    heads(tx, rows)
}

/// Adds the actions to some heads, in one statement however many they are.
pub fn complete(tx: &mut Tx<'_>, heads: Vec<JobHead>) -> Outcome<Vec<JobView>> {
    if heads.is_empty() {
        return Ok(Vec::new());
    }
    let mut ids: Vec<String> = heads.iter().map(|head| head.job.id.clone()).collect();
    ids.sort();
    ids.dedup();
    let jobs = ids.len();
    let places: Vec<(String, Place, PlacedAction)> = on_each!(tx.connection, c => action_attachments::table
        .inner_join(actions_table::table)
        .filter(one_of(action_attachments::job_id, ids))
        .order((action_attachments::job_id, action_attachments::priority))
        .select((action_attachments::job_id, Place::as_select(), PlacedAction::as_select()))
        .load(c))?;
    let mut places_of: HashMap<String, Vec<(Place, PlacedAction)>> = HashMap::new();
    for (job_id, place, action) in places {
        places_of.entry(job_id).or_default().push((place, action));
    }
    // In a fleet several documents show one job.
    let is_shared = heads.len() > jobs;
    let mut of = |id: &str| match is_shared {
        true => places_of.get(id).cloned(),
        false => places_of.remove(id),
    };
    let view = |head: JobHead| JobView { actions: of(&head.job.id).unwrap_or_default(), head };
    Ok(heads.into_iter().map(view).collect())
}
