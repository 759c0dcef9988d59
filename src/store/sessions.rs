//! Sessions. The members of a session are the attachments with its id. The session's row is their lock: every change of its
//! run or its members increments its version.

mod list;
mod run;

pub use list::{KEYS, KNOWN, RESULTS, STATUSES, list};
pub use run::{Part, PartChange, Parts, RunPlan, RunRows, apply_run, load_run};

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use serde_json::{Map, Value};

use super::job_attachments::AttachmentChange;
use super::listing::Weight;
use super::schema::{clients, job_attachments as attachments, sessions};
use super::types::json::Json;
use super::types::time::Time;
use super::versioned::{bump, bump_all, change, lookups, remove};
use super::{Outcome, Tx, expect_one_row};
use crate::lifecycle::{self, SessionPolicy};

/// A row of `sessions`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = sessions, treat_none_as_default_value = false, treat_none_as_null = true)]
#[allow(missing_docs)] // the columns; docs/DATABASE.md says what they are
pub struct Session {
    pub id: String,
    pub project_id: String,
    pub user_id: String,
    pub scheduling: Json,
    pub policy: String,
    pub description: Option<String>,
    pub hold_off: i32,
    pub session_tag: i32,
    pub status: String,
    pub result: String,
    pub time_start: Option<i64>,
    pub time_end: Option<i64>,
    pub time_started: Option<i64>,
    pub time_ended: Option<i64>,
    pub metadata: Json,
    pub created_at: Time,
    pub updated_at: Time,
    pub version: i32,
}

change! {
    /// A change of a session; `None` keeps a column.
    pub struct SessionChange of sessions: Session {
        scheduling: Json,
        policy: String,
        description: Option<String>,
        hold_off: i32,
        session_tag: i32,
        status: String,
        result: String,
        time_start: Option<i64>,
        time_end: Option<i64>,
        time_started: Option<i64>,
        time_ended: Option<i64>,
        metadata: Json,
    }
}

lookups!(sessions: Session { find, exists_in_other_project });

/// The columns of a job in a session that the session's document shows.
#[derive(Debug, Clone, Queryable)]
pub struct Member {
    /// The session.
    pub session_id: Option<String>,
    /// When the job was attached; the order of the members.
    pub created_at: Time,
    /// The attachment's id.
    pub id: String,
    /// The name of its client.
    pub client_name: String,
    /// The status of the job's part in the latest run.
    pub status: String,
    /// The result of that part.
    pub result: String,
    /// When the job joined the run, in epoch seconds.
    pub time_started: Option<i64>,
    /// When its part ended, in epoch seconds.
    pub time_ended: Option<i64>,
}

/// A session with the jobs in it.
#[derive(Debug, Clone)]
pub struct SessionView {
    /// The row.
    pub session: Session,
    /// The jobs, oldest first.
    pub members: Vec<Member>,
}

impl Weight for Session {
    fn row_id(&self) -> &str {
        &self.id
    }

    fn weight(&self) -> usize {
        let description = self.description.as_ref().map_or(0, String::len);
        self.metadata.text().len() + self.scheduling.text().len() + description
    }
}

impl Weight for SessionView {
    fn row_id(&self) -> &str {
        &self.session.id
    }

    fn weight(&self) -> usize {
        self.session.weight() + self.members.len() * MEMBER_BYTES
    }
}

/// Approximate size of a job in a session's document, in bytes of JSON.
const MEMBER_BYTES: usize = 200;

/// Writes a new session.
pub fn insert(tx: &mut Tx<'_>, session: &Session) -> Outcome<()> {
    diesel::insert_into(sessions::table).values(session).execute(tx.connection)?;
    Ok(())
}

/// Sessions per statement that reads members. From 200 on (`eq_range_index_dive_limit`) MySQL no longer counts the rows in
/// the index. It then expects many, because most jobs are in no session, and reads all jobs.
const SESSIONS_AT_A_TIME: usize = 100;

/// Adds the members to sessions.
pub fn complete(tx: &mut Tx<'_>, found: Vec<Session>) -> Outcome<Vec<SessionView>> {
    let mut members: HashMap<String, Vec<Member>> = HashMap::new();
    for some in found.chunks(SESSIONS_AT_A_TIME) {
        let ids: Vec<String> = some.iter().map(|session| session.id.clone()).collect();
        // The index begins with the project; usually there is one.
        let mut projects: Vec<String> = some.iter().map(|session| session.project_id.clone()).collect();
        projects.sort();
        projects.dedup();
        // Sorted here: with ORDER BY, SQLite and MySQL may walk the project's whole list in its index instead of reading
        // the few rows of these sessions.
        let found: Vec<Member> = attachments::table
            .inner_join(clients::table)
            .filter(attachments::project_id.eq_any(projects))
            .filter(attachments::session_id.eq_any(ids))
            .select((
                attachments::session_id,
                attachments::created_at,
                attachments::id,
                clients::client_id,
                attachments::session_status,
                attachments::session_result,
                attachments::session_time_started,
                attachments::session_time_ended,
            ))
            .load(tx.connection)?;
        for member in found {
            members.entry(member.session_id.clone().unwrap_or_default()).or_default().push(member);
        }
    }
    for some in members.values_mut() {
        some.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    }
    let mut of = |session: &Session| members.remove(&session.id).unwrap_or_default();
    Ok(found.into_iter().map(|session| SessionView { members: of(&session), session }).collect())
}

/// Upper bound on a session's members in its document, in bytes of JSON.
pub fn max_member_bytes(tx: &mut Tx<'_>, session: &Session) -> Outcome<i64> {
    const MAX_BYTES_PER_MEMBER: i64 = 600;
    let members: i64 = attachments::table
        .filter(attachments::project_id.eq(&session.project_id))
        .filter(attachments::session_id.eq(&session.id))
        .count()
        .get_result(tx.connection)?;
    Ok(members.saturating_mul(MAX_BYTES_PER_MEMBER))
}

/// The ids of the definitions of a session's jobs.
pub fn jobs_in(tx: &mut Tx<'_>, session: &Session) -> Outcome<Vec<String>> {
    Ok(attachments::table
        .filter(attachments::project_id.eq(&session.project_id))
        .filter(attachments::session_id.eq(&session.id))
        .select(attachments::job_id)
        .distinct()
        .load(tx.connection)?)
}

/// Changes a session with a compare-and-set of its version, and returns the new version. An empty change writes nothing.
pub fn update(tx: &mut Tx<'_>, session: &Session, change: &SessionChange) -> Outcome<i32> {
    if change.is_empty() {
        return Ok(session.version);
    }
    let SessionChange {
        scheduling: None,
        policy: None,
        description: None,
        hold_off: None,
        metadata: None,
        ..
    } = change
    else {
        return bump!(tx, sessions, session, change);
    };
    // A change of a run writes all of its columns, so that it is always the same statement.
    let run = change.applied_to(session, tx.now);
    let columns = (
        sessions::session_tag.eq(run.session_tag),
        sessions::status.eq(run.status),
        sessions::result.eq(run.result),
        sessions::time_start.eq(run.time_start),
        sessions::time_end.eq(run.time_end),
        sessions::time_started.eq(run.time_started),
        sessions::time_ended.eq(run.time_ended),
    );
    bump!(cached tx, sessions, session, columns)
}

/// Increments a session's version with a compare-and-set and changes nothing else. Every change of its members begins with
/// this: of two concurrent transactions one waits here, finds another version, and is retried.
pub fn touch(tx: &mut Tx<'_>, session: &Session) -> Outcome<Session> {
    let version = bump!(cached tx, sessions, session)?;
    Ok(Session { version, ..session.clone() })
}

/// Locks a session, as it was read, until the transaction ends. This is no change of it, so the version stays.
pub fn lock(tx: &mut Tx<'_>, session: &Session) -> Outcome<()> {
    let as_read = sessions::id.eq(&session.id).and(sessions::version.eq(session.version));
    let rows = sessions::table.filter(as_read);
    expect_one_row(diesel::update(rows).set(sessions::updated_at.eq(tx.now)).execute(tx.connection)?)
}

/// Increments a session's version because a member moves to another client, whose name the session's document shows.
pub fn member_moved(tx: &mut Tx<'_>, id: &str) -> Outcome<()> {
    bump_all!(tx, sessions, sessions::id.eq(id))?;
    Ok(())
}

/// Increments a session's version because a member has left, and ends its run if all remaining members have ended.
pub fn member_left(tx: &mut Tx<'_>, project: &str, id: &str) -> Outcome<()> {
    members_left(tx, project, vec![id.to_owned()])
}

/// As [`member_left`], for several sessions.
pub fn members_left(tx: &mut Tx<'_>, project: &str, ids: Vec<String>) -> Outcome<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let these = |ids: Vec<String>| sessions::project_id.eq(project.to_owned()).and(sessions::id.eq_any(ids));
    bump_all!(tx, sessions, these(ids.clone()))?;
    // Read after the update, which locks them: neither they nor their members change until the transaction ends.
    let running: Vec<(String, String)> = sessions::table
        .filter(these(ids))
        .filter(sessions::status.eq("running"))
        .select((sessions::id, sessions::policy))
        .load(tx.connection)?;
    if running.is_empty() {
        return Ok(());
    }
    let running_ids: Vec<String> = running.iter().map(|(id, _)| id.clone()).collect();
    let parts: Vec<(Option<String>, String, String)> = attachments::table
        .filter(attachments::project_id.eq(project))
        .filter(attachments::session_id.eq_any(running_ids))
        .select((attachments::session_id, attachments::session_status, attachments::session_result))
        .load(tx.connection)?;
    let mut over: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (id, policy) in &running {
        let parts = parts.iter().filter(|(session, ..)| session.as_ref() == Some(id));
        let parts = parts.map(|(_, status, result)| (status.as_str(), result.as_str()));
        if let Some(result) = lifecycle::overall(SessionPolicy::parse(policy), parts) {
            over.entry(result).or_default().push(id.clone());
        }
    }
    // One statement per result, of which there are two.
    for (result, ids) in over {
        let change = SessionChange {
            status: Some("completed".to_owned()),
            result: Some(result.to_owned()),
            time_end: Some(Some(tx.now.and_utc().timestamp())),
            ..SessionChange::default()
        };
        bump_all!(tx, sessions, these(ids), change)?;
    }
    Ok(())
}

/// Deletes a session. Its jobs leave it first, as if each had been removed.
pub fn delete(tx: &mut Tx<'_>, session: &Session) -> Outcome<()> {
    let session = touch(tx, session)?;
    let members =
        attachments::project_id.eq(&session.project_id).and(attachments::session_id.eq(&session.id));
    bump_all!(tx, attachments, members, AttachmentChange::leaving_session())?;
    remove!(tx, sessions, session)
}

/// A session's unknown keys, which are kept as they came, with `more` added.
pub fn with_metadata(session: &Session, more: Map<String, Value>) -> Map<String, Value> {
    let mut metadata = session.metadata.object();
    metadata.extend(more);
    metadata
}
