//! Jobs as the API sees them: an attachment with its job, its client, its session's schedule, its actions in
//! order, and its trust.

mod definition;
mod hold;
mod list;

use std::collections::HashMap;

use diesel::prelude::*;

use super::action_attachments::ActionAttachment;
use super::actions::Action;
use super::dialect::{on_each, one_of};
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
    pub actions: Vec<(ActionAttachment, Action)>,
}

/// The columns of a [`JobHead`]; a macro, because they have another type for each backend.
macro_rules! head_columns {
    () => {
        (
            JobAttachment::as_select(),
            Job::as_select(),
            clients::client_id,
            clients::project_id,
            sessions::scheduling.nullable(),
            Option::<JobTrust>::as_select(),
        )
    };
}

/// The rows of a [`JobHead`]; a macro for the same reason.
macro_rules! heads {
    () => {
        job_attachments::table
            .inner_join(jobs::table)
            .inner_join(clients::table)
            .left_join(sessions::table)
            .left_join(job_trusts::table.on(job_trusts::job_id.eq(job_attachments::job_id)))
    };
}

/// The job document of that id, without its actions; in `project`, or in any when `None`.
pub fn find(tx: &mut Tx<'_>, project: Option<&str>, id: &str) -> Outcome<Option<JobHead>> {
    Ok(on_each!(tx.connection, c => {
        let rows = heads!().filter(job_attachments::id.eq(id)).select(head_columns!());
        match project {
            Some(project) => rows.filter(job_attachments::project_id.eq(project)).first(c),
            None => rows.first(c),
        }
    })
    .optional()?)
}

/// The most actions of a job that [`view`] takes up. With each of them comes all the rest of the job once more.
const MOST_VIEWED: usize = 8;

/// The whole job document of that id, in one statement: for [`super::Store::read_one`]. A job of more actions than a job
/// usually has is left to [`find`] and [`complete`].
///
/// # Errors
/// What the database fails with.
pub fn view(tx: &mut Tx<'_>, project: Option<&str>, id: &str) -> Outcome<Viewed> {
    let rows: Vec<ViewRow> = on_each!(tx.connection, c => {
        let rows = heads!()
            .left_join(
                action_attachments::table
                    .inner_join(actions_table::table)
                    .on(action_attachments::job_id.eq(job_attachments::job_id)),
            )
            .filter(job_attachments::id.eq(id))
            .select((
                JobAttachment::as_select(),
                Job::as_select(),
                clients::client_id,
                clients::project_id,
                sessions::scheduling.nullable(),
                Option::<JobTrust>::as_select(),
                Option::<(ActionAttachment, Action)>::as_select(),
            ))
            .limit(MOST_VIEWED as i64 + 1);
        match project {
            Some(project) => rows.filter(job_attachments::project_id.eq(project)).load(c),
            None => rows.load(c),
        }
    })?;
    if rows.len() > MOST_VIEWED {
        return Ok(Viewed::TooWide);
    }
    let (mut found, mut actions) = (None, Vec::with_capacity(rows.len()));
    for (attachment, job, client_name, client_project, session_scheduling, trust, action) in rows {
        actions.extend(action);
        let head = JobHead { attachment, job, client_name, client_project, session_scheduling, trust };
        found.get_or_insert(head);
    }
    // Once more with each trust, too.
    actions.sort_by_key(|(place, _)| place.priority);
    actions.dedup_by(|(a, _), (b, _)| a.id == b.id);
    Ok(found.map_or(Viewed::None, |head| Viewed::Job(Box::new(JobView { head, actions }))))
}

/// A head, a trust and an action.
type ViewRow =
    (JobAttachment, Job, String, String, Option<Json>, Option<JobTrust>, Option<(ActionAttachment, Action)>);

/// What [`view`] finds.
pub enum Viewed {
    /// No such job.
    None,
    /// The job.
    Job(Box<JobView>),
    /// There is one, with more actions than are read in this way.
    TooWide,
}

/// The job documents of these ids, without their actions, in the same order.
fn find_all(tx: &mut Tx<'_>, ids: Vec<String>) -> Outcome<Vec<JobHead>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut heads: Vec<JobHead> = on_each!(tx.connection, c => heads!()
        .filter(one_of(job_attachments::id, ids.clone()))
        .select(head_columns!())
        .load(c))?;
    let places: HashMap<&str, usize> = ids.iter().enumerate().map(|(place, id)| (&**id, place)).collect();
    heads.sort_by_key(|head| places.get(&*head.attachment.id).copied());
    // Once more with each trust, if a job has several.
    heads.dedup_by(|a, b| a.attachment.id == b.attachment.id);
    Ok(heads)
}

/// Adds the actions to some heads, in one statement however many they are.
pub fn complete(tx: &mut Tx<'_>, heads: Vec<JobHead>) -> Outcome<Vec<JobView>> {
    if heads.is_empty() {
        return Ok(Vec::new());
    }
    let mut ids: Vec<String> = heads.iter().map(|head| head.job.id.clone()).collect();
    ids.sort();
    ids.dedup();
    let places: Vec<(ActionAttachment, Action)> = on_each!(tx.connection, c => action_attachments::table
        .inner_join(actions_table::table)
        .filter(one_of(action_attachments::job_id, ids))
        .order((action_attachments::job_id, action_attachments::priority))
        .select((ActionAttachment::as_select(), Action::as_select()))
        .load(c))?;
    let mut places_of: HashMap<String, Vec<(ActionAttachment, Action)>> = HashMap::new();
    for (place, action) in places {
        places_of.entry(place.job_id.clone()).or_default().push((place, action));
    }
    Ok(heads
        .into_iter()
        .map(|head| JobView {
            // Cloned: in a fleet several documents show one job.
            actions: places_of.get(&head.job.id).cloned().unwrap_or_default(),
            head,
        })
        .collect())
}
