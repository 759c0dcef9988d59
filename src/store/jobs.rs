//! Jobs as the API sees them: an attachment with its job, its client, its session's schedule, its actions in
//! order, and its trust.

mod definition;
mod hold;
mod list;

use std::collections::HashMap;

use diesel::prelude::*;

use super::action_attachments::ActionAttachment;
use super::actions::Action;
use super::document_type::Json;
use super::job_attachments::JobAttachment;
use super::job_trusts::JobTrust;
use super::moment_type::Time;
use super::schema::{
    action_attachments, actions as actions_table, clients, job_attachments, job_trusts, jobs, sessions,
};
use super::{Outcome, Tx};

pub use definition::{PlaceSpec, definition, insert, redefine, touch};
pub use hold::hold;
pub use list::{JobListing, PolledClient, list};

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
}

/// An attachment and what belongs to it one to one.
#[derive(Debug, Clone, Queryable)]
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
    pub actions: Vec<(ActionAttachment, Action)>,
    /// The trust, if a central scheduler runs it.
    pub trust: Option<JobTrust>,
}

type HeadColumns = (
    diesel::dsl::AsSelect<JobAttachment, super::connection::MultiBackend>,
    diesel::dsl::AsSelect<Job, super::connection::MultiBackend>,
    clients::client_id,
    clients::project_id,
    diesel::dsl::Nullable<sessions::scheduling>,
);

fn head_columns() -> HeadColumns {
    (
        JobAttachment::as_select(),
        Job::as_select(),
        clients::client_id,
        clients::project_id,
        sessions::scheduling.nullable(),
    )
}

/// The job document of that id, without its actions; in `project`, or in any when `None`.
pub fn find(tx: &mut Tx<'_>, project: Option<&str>, id: &str) -> Outcome<Option<JobHead>> {
    let mut query = job_attachments::table
        .inner_join(jobs::table)
        .inner_join(clients::table)
        .left_join(sessions::table)
        .filter(job_attachments::id.eq(id.to_owned()))
        .select(head_columns())
        .into_boxed();
    if let Some(project) = project {
        query = query.filter(job_attachments::project_id.eq(project.to_owned()));
    }
    Ok(query.first(tx.connection).optional()?)
}

/// The job documents of these ids, without their actions, in the same order.
fn find_all(tx: &mut Tx<'_>, ids: Vec<String>) -> Outcome<Vec<JobHead>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut heads: Vec<JobHead> = job_attachments::table
        .inner_join(jobs::table)
        .inner_join(clients::table)
        .left_join(sessions::table)
        .filter(job_attachments::id.eq_any(ids.clone()))
        .select(head_columns())
        .load(tx.connection)?;
    let places: HashMap<&str, usize> = ids.iter().enumerate().map(|(place, id)| (&**id, place)).collect();
    heads.sort_by_key(|head| places.get(&*head.attachment.id).copied());
    Ok(heads)
}

/// Adds the actions and trusts to some heads, in two statements however many they are.
pub fn complete(tx: &mut Tx<'_>, heads: Vec<JobHead>) -> Outcome<Vec<JobView>> {
    if heads.is_empty() {
        return Ok(Vec::new());
    }
    let mut ids: Vec<String> = heads.iter().map(|head| head.job.id.clone()).collect();
    ids.sort();
    ids.dedup();
    let places: Vec<(ActionAttachment, Action)> = action_attachments::table
        .inner_join(actions_table::table)
        .filter(action_attachments::job_id.eq_any(ids.clone()))
        .order((action_attachments::job_id, action_attachments::priority))
        .select((ActionAttachment::as_select(), Action::as_select()))
        .load(tx.connection)?;
    let trusts: Vec<JobTrust> = job_trusts::table
        .filter(job_trusts::job_id.eq_any(ids))
        .select(JobTrust::as_select())
        .load(tx.connection)?;
    let mut places_of: HashMap<String, Vec<(ActionAttachment, Action)>> = HashMap::new();
    for (place, action) in places {
        places_of.entry(place.job_id.clone()).or_default().push((place, action));
    }
    Ok(heads
        .into_iter()
        .map(|head| JobView {
            // Cloned: in a fleet several documents show one job.
            actions: places_of.get(&head.job.id).cloned().unwrap_or_default(),
            trust: trusts.iter().find(|trust| trust.job_id == head.job.id).cloned(),
            head,
        })
        .collect())
}
