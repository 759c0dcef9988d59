//! A session's run: the rows that a start and an end depend on, and their changes.

use diesel::dsl::case_when;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::{Session, SessionChange, touch, update};
use crate::store::engine::dialect::{cached_update, load_for_update, on_each};
use crate::store::schema::{job_attachments as attachments, sessions};
use crate::store::versioned::bump;
use crate::store::{Outcome, Owner, Tx, is_id};

/// A job's part in a session's run.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Part {
    /// The attachment's id.
    pub id: String,
    /// The attachment's version.
    pub version: i32,
    /// Where the part stands.
    pub status: String,
    /// How it ended.
    pub result: String,
    /// When the job joined the run, in epoch seconds.
    pub time_started: Option<i64>,
}

/// A session and parts of its jobs.
#[derive(Debug, Clone)]
pub struct RunRows {
    /// The session.
    pub session: Session,
    /// The parts.
    pub parts: Vec<Part>,
}

/// The parts to be read.
#[derive(Debug, Clone, Copy)]
pub enum Parts<'a> {
    /// That of one job.
    Of(&'a str),
    /// Those of all jobs.
    All,
}

/// All columns of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartChange {
    /// Where it stands.
    pub status: String,
    /// How it ended.
    pub result: String,
    /// When it started, in epoch seconds.
    pub time_started: Option<i64>,
    /// When it ended, in epoch seconds.
    pub time_ended: Option<i64>,
}

/// A change of a session's run.
#[derive(Debug, Clone, PartialEq)]
pub enum RunPlan {
    /// Nothing changes.
    Nothing,
    /// A part changes, and with it the session; an empty change only increments its version.
    Part {
        /// The part as it was read.
        part: Part,
        /// What it becomes.
        change: PartChange,
        /// The change of the session.
        session: SessionChange,
    },
    /// A new run begins: one job joins, and every other part is reset.
    Begin {
        /// The attachment that joins.
        part: Part,
        /// What its part becomes; it has no result yet.
        change: PartChange,
        /// The change of the session.
        session: SessionChange,
    },
}

/// A session of the project with the parts of its jobs, for a change of its run.
///
/// Many jobs of a session start and end at the same moment. Each transaction waits for the session's row before it reads
/// it, so that on one server its compare-and-set succeeds. As every change of a part or of the members changes the
/// session's row, too, the parts are of the same moment.
pub fn load_run(tx: &mut Tx<'_>, owner: Owner<'_>, id: &str, parts: Parts<'_>) -> Outcome<Option<RunRows>> {
    let mut found: Vec<Session> = load_for_update!(
        tx.connection,
        sessions::table
            .filter(sessions::id.eq(id))
            .filter(sessions::project_id.eq(owner.project))
            .select(Session::as_select())
    )?;
    let Some(session) = found.pop() else { return Ok(None) };
    let columns = (
        attachments::id,
        attachments::version,
        attachments::session_status,
        attachments::session_result,
        attachments::session_time_started,
    );
    let parts = match parts {
        // A text that cannot be an id is not compared with one.
        Parts::Of(job) if !is_id(job) => Vec::new(),
        Parts::Of(job) => attachments::table
            .filter(attachments::id.eq(job))
            .filter(attachments::project_id.eq(&session.project_id))
            .filter(attachments::session_id.eq(&session.id))
            .select(columns)
            .load(tx.connection)?,
        Parts::All => attachments::table
            .filter(attachments::project_id.eq(&session.project_id))
            .filter(attachments::session_id.eq(&session.id))
            .select(columns)
            .load(tx.connection)?,
    };
    Ok(Some(RunRows { session, parts }))
}

/// Writes a change of a session's run. The session's row comes first: its compare-and-set covers all parts.
pub fn apply_run(tx: &mut Tx<'_>, session: &Session, plan: RunPlan) -> Outcome<()> {
    match plan {
        RunPlan::Nothing => Ok(()),
        RunPlan::Part { part, change, session: session_change } => {
            if session_change.is_empty() {
                touch(tx, session)?;
            } else {
                update(tx, session, &session_change)?;
            }
            change_part(tx, &part, &change)
        }
        RunPlan::Begin { part, change, session: session_change } => {
            update(tx, session, &session_change)?;
            begin(tx, session, &part, &change)
        }
    }
}

fn change_part(tx: &mut Tx<'_>, part: &Part, change: &PartChange) -> Outcome<()> {
    let columns = (
        attachments::session_status.eq(&change.status),
        attachments::session_result.eq(&change.result),
        attachments::session_time_started.eq(change.time_started),
        attachments::session_time_ended.eq(change.time_ended),
    );
    bump!(cached tx, attachments, part, columns).map(drop)
}

/// Resets the part of every job of a session except the one that begins the run, in one statement.
fn begin(tx: &mut Tx<'_>, session: &Session, part: &Part, change: &PartChange) -> Outcome<()> {
    let is_part = || attachments::id.eq(&part.id);
    let started = change.time_started.unwrap_or_default();
    let columns = (
        attachments::session_status
            .eq(case_when(is_part(), change.status.as_str().into_sql::<Text>())
                .otherwise("".into_sql::<Text>())),
        attachments::session_result.eq(""),
        attachments::session_time_started.eq(case_when(is_part(), started.into_sql::<BigInt>())),
        attachments::session_time_ended.eq(None::<i64>),
        attachments::updated_at.eq(tx.now),
        attachments::version.eq(attachments::version + 1),
    );
    let members =
        attachments::project_id.eq(&session.project_id).and(attachments::session_id.eq(Some(&session.id)));
    on_each!(tx.connection, c => cached_update(attachments::table, columns, members).execute(c))?;
    Ok(())
}
