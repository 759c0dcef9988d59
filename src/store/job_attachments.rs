//! Job attachments: a job on a client, alone or in a session. Each is a job document of the API.

mod list;

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::Integer;

use super::clients::Client;
use super::engine::dialect::{case_by_id, on_each};
use super::schema::{action_attachments, action_reports, clients, job_attachments, jobs};
use super::types::time::Time;
use super::versioned::{bump, bump_all, change, lookups};
use super::{Failure, Outcome, Owner, Tx, action_attachments as places, job_trusts, sessions};

pub use list::{AttachedClient, KEYS, list};

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
}

change! {
    /// A change of an attachment; `None` keeps a column.
    pub struct AttachmentChange of job_attachments: JobAttachment {
        client_id: String,
        session_id: Option<String>,
        event: String,
        event_delivered: bool,
        status: String,
        current_pid: Option<i32>,
        result: String,
        time_started: Option<i64>,
        time_ended: Option<i64>,
        session_tag: i32,
        session_status: String,
        session_result: String,
        session_time_started: Option<i64>,
        session_time_ended: Option<i64>,
    }
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

lookups!(job_attachments: JobAttachment { find, exists_in_other_project, is_taken });

/// Writes a new attachment.
pub fn insert(tx: &mut Tx<'_>, attachment: &JobAttachment) -> Outcome<()> {
    let insert = diesel::insert_into(job_attachments::table).values(attachment);
    on_each!(tx.connection, c => insert.execute(c))?;
    Ok(())
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

/// Changes an attachment with a compare-and-set of its version, and returns it as it is then. An empty change writes
/// nothing.
pub fn update(
    tx: &mut Tx<'_>,
    attachment: &JobAttachment,
    change: &AttachmentChange,
) -> Outcome<JobAttachment> {
    let changed = change.applied_to(attachment, tx.now);
    if change.is_empty() {
        return Ok(changed);
    }
    if !matches!(
        change,
        AttachmentChange { client_id: None, session_id: None, event: None, event_delivered: None, .. }
    ) {
        bump!(tx, job_attachments, attachment, change)?;
        return Ok(changed);
    }
    // A change of a run writes all of its columns, so that it is always the same statement. The event is not among them:
    // its delivery is recorded without a new version, and this must not overwrite that.
    let columns = (
        job_attachments::status.eq(&changed.status),
        job_attachments::current_pid.eq(changed.current_pid),
        job_attachments::result.eq(&changed.result),
        job_attachments::time_started.eq(changed.time_started),
        job_attachments::time_ended.eq(changed.time_ended),
        job_attachments::session_tag.eq(changed.session_tag),
        job_attachments::session_status.eq(&changed.session_status),
        job_attachments::session_result.eq(&changed.session_result),
        job_attachments::session_time_started.eq(changed.session_time_started),
        job_attachments::session_time_ended.eq(changed.session_time_ended),
    );
    bump!(cached tx, job_attachments, attachment, columns)?;
    Ok(changed)
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
    bump_all!(tx, jobs, jobs::id.eq_any(job_ids.clone()))?;
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
