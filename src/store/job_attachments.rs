//! Job attachments: a job on a client, alone or in a session. Each is a job document of the API.

mod list;

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::Integer;

use super::clients::Client;
use super::engine::dialect::{cached_update, case_by_id, on_each};
use super::schema::{action_attachments, action_reports, clients, job_attachments, jobs};
use super::types::time::Time;
use super::{
    Failure, Outcome, Owner, Tx, action_attachments as places, expect_one_row, job_trusts, sessions,
};

pub use list::{AttachedClient, list};

/// A row of `job_attachments`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = job_attachments, treat_none_as_default_value = false, treat_none_as_null = true)]
#[allow(missing_docs)] // the columns; docs/DATABASE.md says what they are
pub struct JobAttachment {
    pub id: String,
    pub project_id: String,
    pub user_id: String,
    pub client_id: String,
    pub job_id: String,
    pub session_id: Option<String>,
    pub event: String,
    pub status: String,
    pub current_pid: Option<i32>,
    pub result: String,
    pub time_started: Option<i64>,
    pub time_ended: Option<i64>,
    pub session_tag: i32,
    pub session_status: String,
    pub session_result: String,
    pub session_time_started: Option<i64>,
    pub session_time_ended: Option<i64>,
    pub event_delivered: bool,
    pub created_at: Time,
    pub updated_at: Time,
    pub version: i32,
}

impl JobAttachment {
    /// A job on a client, in no session, that has not run yet.
    pub fn new(id: &str, owner: Owner<'_>, job_id: &str, client_id: &str, now: Time) -> Self {
        Self {
            id: id.to_owned(),
            project_id: owner.project.to_owned(),
            user_id: owner.user.to_owned(),
            client_id: client_id.to_owned(),
            job_id: job_id.to_owned(),
            session_id: None,
            event: String::new(),
            status: String::new(),
            current_pid: None,
            result: String::new(),
            time_started: None,
            time_ended: None,
            session_tag: 0,
            session_status: String::new(),
            session_result: String::new(),
            session_time_started: None,
            session_time_ended: None,
            event_delivered: false,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }

    /// The attachment after a change at `now`.
    #[must_use]
    pub fn changed(&self, change: &AttachmentChange, now: Time) -> Self {
        fn changed<T: Clone>(change: &Option<T>, stored: &T) -> T {
            change.as_ref().unwrap_or(stored).clone()
        }
        if *change == AttachmentChange::default() {
            return self.clone();
        }
        Self {
            client_id: changed(&change.client_id, &self.client_id),
            session_id: changed(&change.session_id, &self.session_id),
            event: changed(&change.event, &self.event),
            event_delivered: changed(&change.event_delivered, &self.event_delivered),
            status: changed(&change.status, &self.status),
            current_pid: changed(&change.current_pid, &self.current_pid),
            result: changed(&change.result, &self.result),
            time_started: changed(&change.time_started, &self.time_started),
            time_ended: changed(&change.time_ended, &self.time_ended),
            session_tag: changed(&change.session_tag, &self.session_tag),
            session_status: changed(&change.session_status, &self.session_status),
            session_result: changed(&change.session_result, &self.session_result),
            session_time_started: changed(&change.session_time_started, &self.session_time_started),
            session_time_ended: changed(&change.session_time_ended, &self.session_time_ended),
            updated_at: now,
            version: self.version + 1,
            ..self.clone()
        }
    }
}

/// A change of an attachment; `None` keeps a column.
#[derive(Debug, Clone, Default, PartialEq, AsChangeset)]
#[diesel(table_name = job_attachments)]
#[allow(missing_docs)] // the columns
pub struct AttachmentChange {
    pub client_id: Option<String>,
    pub session_id: Option<Option<String>>,
    pub event: Option<String>,
    pub event_delivered: Option<bool>,
    pub status: Option<String>,
    pub current_pid: Option<Option<i32>>,
    pub result: Option<String>,
    pub time_started: Option<Option<i64>>,
    pub time_ended: Option<Option<i64>>,
    pub session_tag: Option<i32>,
    pub session_status: Option<String>,
    pub session_result: Option<String>,
    pub session_time_started: Option<Option<i64>>,
    pub session_time_ended: Option<Option<i64>>,
}

impl AttachmentChange {
    /// Requests an event: it is pending until the client's scheduler has read it.
    pub fn request_event(&mut self, event: &str) {
        self.event = Some(event.to_owned());
        self.event_delivered = Some(false);
    }

    /// The change of an attachment that leaves its session: its scheduler is told to stop.
    pub fn leaving_session() -> Self {
        let mut change = Self {
            session_id: Some(None),
            session_tag: Some(0),
            session_status: Some(String::new()),
            session_result: Some(String::new()),
            session_time_started: Some(None),
            session_time_ended: Some(None),
            ..Self::default()
        };
        change.request_event("stop");
        change
    }
}

/// All columns of an attachment's run. A change of a run writes all of them, so that it is always the same statement. The
/// event is not among them: its delivery is recorded without a new version, and this must not overwrite that.
#[derive(AsChangeset)]
#[diesel(table_name = job_attachments, treat_none_as_null = true)]
struct AttachmentRun<'c> {
    status: &'c str,
    current_pid: Option<i32>,
    result: &'c str,
    time_started: Option<i64>,
    time_ended: Option<i64>,
    session_tag: i32,
    session_status: &'c str,
    session_result: &'c str,
    session_time_started: Option<i64>,
    session_time_ended: Option<i64>,
}

impl<'c> AttachmentRun<'c> {
    /// The run after a change.
    fn new(stored: &'c JobAttachment, change: &'c AttachmentChange) -> Self {
        Self {
            status: change.status.as_ref().unwrap_or(&stored.status),
            current_pid: change.current_pid.unwrap_or(stored.current_pid),
            result: change.result.as_ref().unwrap_or(&stored.result),
            time_started: change.time_started.unwrap_or(stored.time_started),
            time_ended: change.time_ended.unwrap_or(stored.time_ended),
            session_tag: change.session_tag.unwrap_or(stored.session_tag),
            session_status: change.session_status.as_ref().unwrap_or(&stored.session_status),
            session_result: change.session_result.as_ref().unwrap_or(&stored.session_result),
            session_time_started: change.session_time_started.unwrap_or(stored.session_time_started),
            session_time_ended: change.session_time_ended.unwrap_or(stored.session_time_ended),
        }
    }
}

/// Writes a new attachment.
pub fn insert(tx: &mut Tx<'_>, attachment: &JobAttachment) -> Outcome<()> {
    let insert = diesel::insert_into(job_attachments::table).values(attachment);
    on_each!(tx.connection, c => insert.execute(c))?;
    Ok(())
}

/// The attachment of that id in the project. A text that cannot be an id finds nothing.
pub fn find(tx: &mut Tx<'_>, project: &str, id: &str) -> Outcome<Option<JobAttachment>> {
    if !super::is_id(id) {
        return Ok(None);
    }
    Ok(job_attachments::table
        .filter(job_attachments::id.eq(id))
        .filter(job_attachments::project_id.eq(project))
        .select(JobAttachment::as_select())
        .first(tx.connection)
        .optional()?)
}

/// Whether an attachment of another project has the id.
pub fn exists_in_other_project(tx: &mut Tx<'_>, project: &str, id: &str) -> Outcome<bool> {
    let in_others = job_attachments::table
        .filter(job_attachments::id.eq(id))
        .filter(job_attachments::project_id.ne(project));
    Ok(diesel::select(diesel::dsl::exists(in_others)).get_result(tx.connection)?)
}

/// Whether an attachment of any project has the id.
pub fn is_taken(tx: &mut Tx<'_>, id: &str) -> Outcome<bool> {
    let with_id = job_attachments::table.filter(job_attachments::id.eq(id));
    Ok(diesel::select(diesel::dsl::exists(with_id)).get_result(tx.connection)?)
}

/// The job's attachment on that client (a row), if there is one.
pub fn on_client(tx: &mut Tx<'_>, job_id: &str, client: &str) -> Outcome<Option<String>> {
    Ok(job_attachments::table
        .filter(job_attachments::job_id.eq(job_id))
        .filter(job_attachments::client_id.eq(client))
        .select(job_attachments::id)
        .first(tx.connection)
        .optional()?)
}

/// The clients that a job is on.
pub fn clients_of(tx: &mut Tx<'_>, job_id: &str) -> Outcome<Vec<Client>> {
    Ok(job_attachments::table
        .inner_join(clients::table)
        .filter(job_attachments::job_id.eq(job_id))
        .order((job_attachments::created_at, job_attachments::id))
        .select(Client::as_select())
        .load(tx.connection)?)
}

/// Changes an attachment with a compare-and-set of its version, and returns the new version. An empty change writes nothing.
pub fn update(tx: &mut Tx<'_>, attachment: &JobAttachment, change: &AttachmentChange) -> Outcome<i32> {
    if *change == AttachmentChange::default() {
        return Ok(attachment.version);
    }
    let version = attachment.version + 1;
    let as_read = job_attachments::id.eq(&attachment.id).and(job_attachments::version.eq(attachment.version));
    let stamp = (job_attachments::updated_at.eq(tx.now), job_attachments::version.eq(version));
    let rows = match change {
        AttachmentChange {
            client_id: None, session_id: None, event: None, event_delivered: None, ..
        } => {
            let run = AttachmentRun::new(attachment, change);
            on_each!(tx.connection, c => cached_update(job_attachments::table, (run, stamp), as_read).execute(c))
        }
        change => {
            diesel::update(job_attachments::table.filter(as_read)).set((change, stamp)).execute(tx.connection)
        }
    };
    expect_one_row(rows?)?;
    Ok(version)
}

/// Records that the attachments' clients have read `event` in a poll. This is no change of the resource, so the version
/// stays. Another event that was requested since stays pending.
pub fn mark_delivered(tx: &mut Tx<'_>, ids: Vec<String>, event: &str) -> Outcome<()> {
    diesel::update(
        job_attachments::table
            .filter(job_attachments::id.eq_any(ids))
            .filter(job_attachments::event.eq(event))
            .filter(job_attachments::event_delivered.eq(false)),
    )
    .set(job_attachments::event_delivered.eq(true))
    .execute(tx.connection)?;
    Ok(())
}

/// Deletes an attachment, which also leaves its session. With a job's last attachment, the definition, its actions' places
/// and its trust are deleted too. Actions, reports and backups stay. Returns the trusts of deleted jobs.
pub fn delete(tx: &mut Tx<'_>, attachment: &JobAttachment) -> Outcome<Vec<String>> {
    delete_all(tx, &attachment.project_id, std::slice::from_ref(attachment))
}

/// Attachments per statement; few enough that no planner switches to a scan of the table.
const AT_A_TIME: usize = 100;

/// As [`delete`], for several attachments of one project.
pub fn delete_all(tx: &mut Tx<'_>, project: &str, attachments: &[JobAttachment]) -> Outcome<Vec<String>> {
    let mut trusts = Vec::new();
    for some in attachments.chunks(AT_A_TIME) {
        trusts.extend(delete_some(tx, project, some)?);
    }
    Ok(trusts)
}

fn delete_some(tx: &mut Tx<'_>, project: &str, attachments: &[JobAttachment]) -> Outcome<Vec<String>> {
    let ids: Vec<String> = attachments.iter().map(|attachment| attachment.id.clone()).collect();
    let job_ids: BTreeSet<&String> = attachments.iter().map(|attachment| &attachment.job_id).collect();
    let job_ids: Vec<String> = job_ids.into_iter().cloned().collect();
    // The definitions first: of two concurrent deletes of a job's last two attachments, the second one waits here and then
    // finds that its attachment is the last.
    diesel::update(jobs::table.filter(jobs::id.eq_any(job_ids.clone())))
        .set((jobs::version.eq(jobs::version + 1), jobs::updated_at.eq(tx.now)))
        .execute(tx.connection)?;
    diesel::update(
        action_reports::table
            .filter(action_reports::project_id.eq(project))
            .filter(action_reports::job_attachment_id.eq_any(ids.clone())),
    )
    .set(action_reports::job_attachment_id.eq(None::<String>))
    .execute(tx.connection)?;
    let versions = attachments.iter().map(|attachment| (attachment.id.clone(), attachment.version)).collect();
    let as_read = case_by_id::<Integer, _, _>(job_attachments::id, versions);
    let rows = diesel::delete(
        job_attachments::table
            .filter(job_attachments::id.eq_any(ids))
            .filter(job_attachments::version.eq(as_read)),
    )
    .execute(tx.connection)?;
    if rows != attachments.len() {
        return Err(Failure::Stale);
    }
    let sessions: BTreeSet<&String> =
        attachments.iter().filter_map(|gone| gone.session_id.as_ref()).collect();
    sessions::members_left(tx, project, sessions.into_iter().cloned().collect())?;
    let still: Vec<String> = job_attachments::table
        .filter(job_attachments::job_id.eq_any(job_ids.clone()))
        .select(job_attachments::job_id)
        .load(tx.connection)?;
    let gone: Vec<String> = job_ids.into_iter().filter(|id| !still.contains(id)).collect();
    if gone.is_empty() {
        return Ok(Vec::new());
    }
    let trusts = job_trusts::delete(tx, gone.clone())?;
    let places: Vec<String> = action_attachments::table
        .filter(action_attachments::job_id.eq_any(gone.clone()))
        .select(action_attachments::id)
        .load(tx.connection)?;
    places::delete(tx, project, places)?;
    diesel::delete(jobs::table.filter(jobs::id.eq_any(gone))).execute(tx.connection)?;
    Ok(trusts)
}
