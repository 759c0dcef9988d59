//! What a start, an end, a join and a leave change in a session and in its jobs.

use super::Refusal;
use crate::document::sessions::DEFAULT_HOLD_OFF;
use crate::lifecycle::{self, SessionPolicy, Start};
use crate::store::Owner;
use crate::store::job_attachments::AttachmentChange;
use crate::store::jobs::RunColumns;
use crate::store::sessions::{Part, PartChange, RunPlan, RunRows, Session, SessionChange, with_metadata};
use crate::store::types::json::Json;
use crate::store::types::time::Time;

/// A new session as its document describes it, under this id. What the document leaves out has its default.
pub fn creation(id: &str, owner: Owner<'_>, document: SessionChange, now: Time) -> Session {
    let (project_id, user_id) = (owner.project.to_owned(), owner.user.to_owned());
    Session {
        id: id.to_owned(),
        project_id,
        user_id,
        scheduling: document.scheduling.unwrap_or_else(empty),
        policy: document.policy.unwrap_or_else(|| "all".into()),
        description: document.description.flatten(),
        hold_off: document.hold_off.unwrap_or(DEFAULT_HOLD_OFF),
        session_tag: document.session_tag.unwrap_or(0),
        status: document.status.unwrap_or_else(|| "active".into()),
        result: document.result.unwrap_or_default(),
        time_start: document.time_start.flatten(),
        time_end: document.time_end.flatten(),
        time_started: document.time_started.flatten(),
        time_ended: document.time_ended.flatten(),
        metadata: document.metadata.unwrap_or_else(empty),
        created_at: now,
        updated_at: now,
        version: 1,
    }
}

/// The change by a replacement: what the document leaves out is reset to the default that a new session has.
pub fn replacement(document: SessionChange, now: Time) -> SessionChange {
    let new = creation("", Owner { project: "", user: "" }, document, now);
    SessionChange {
        scheduling: Some(new.scheduling),
        policy: Some(new.policy),
        description: Some(new.description),
        hold_off: Some(new.hold_off),
        session_tag: Some(new.session_tag),
        status: Some(new.status),
        result: Some(new.result),
        time_start: Some(new.time_start),
        time_end: Some(new.time_end),
        time_started: Some(new.time_started),
        time_ended: Some(new.time_ended),
        metadata: Some(new.metadata),
    }
}

/// The change by a PATCH, without what the session has already, so that a repeated request changes nothing. Unknown members
/// are added to those that the session has.
pub fn patch(session: &Session, document: SessionChange) -> SessionChange {
    let metadata = document.metadata.map(|more| Json::from(with_metadata(session, more.object())));
    SessionChange { metadata, ..document }.without_repeats(session)
}

fn empty() -> Json {
    Json::from(serde_json::Map::new())
}

/// The answer to a `start` or an `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The word.
    pub result: &'static str,
    /// The session's tag after it.
    pub tag: i32,
}

/// The change of an attachment that joins a session: the session's tag, and its part in the session's run, which is how
/// its own last run went.
pub fn joining(session: &Session, run: &RunColumns) -> AttachmentChange {
    AttachmentChange {
        session_id: Some(Some(session.id.clone())),
        session_tag: Some(session.session_tag),
        session_status: Some(run.status.clone()),
        session_result: Some(run.result.clone()),
        session_time_started: Some(run.time_started),
        session_time_ended: Some(run.time_ended),
        ..AttachmentChange::default()
    }
}

/// What a `start` of a job with its scheduler's `tag` changes, and its answer.
///
/// # Errors
/// The job is not in the session, or the tag is not one of the session's.
pub fn start(rows: &RunRows, job_id: &str, tag: i64, now: Time) -> Result<(RunPlan, Answer), Refusal> {
    let session = &rows.session;
    let part = member(rows, job_id)?;
    let now = now.and_utc().timestamp();
    let age = session.time_start.map(|started| now.saturating_sub(started));
    let running = PartChange {
        status: "running".into(),
        result: String::new(),
        time_started: Some(now),
        time_ended: None,
    };
    let unchanged = |result| Ok((RunPlan::Nothing, Answer { result, tag: session.session_tag }));
    match lifecycle::start(tag, session.session_tag.into(), age, session.hold_off.into()) {
        Start::TagTooHigh => Err(Refusal::TagTooHigh { session: session.session_tag, requested: tag }),
        Start::HoldOff => unchanged("hold-off"),
        Start::OutOfSync => unchanged("out-of-sync"),
        Start::Join => {
            let plan =
                RunPlan::Part { part: part.clone(), change: running, session: SessionChange::default() };
            Ok((plan, Answer { result: "success", tag: session.session_tag }))
        }
        Start::Begin => {
            let next = session.session_tag.checked_add(1).ok_or(Refusal::TagUsedUp)?;
            let session = SessionChange {
                session_tag: Some(next),
                time_start: Some(Some(now)),
                time_end: Some(None),
                status: Some("running".into()),
                result: Some(String::new()),
                ..SessionChange::default()
            };
            let plan = RunPlan::Begin { part: part.clone(), change: running, session };
            Ok((plan, Answer { result: "success", tag: next }))
        }
    }
}

/// What the `end` of a job's part changes, and its answer. The last end also ends the session's run, with the result that
/// the session's policy makes of the parts.
///
/// # Errors
/// The job is not in the session.
pub fn end(
    rows: &RunRows,
    job_id: &str,
    result: &str,
    tag: Option<i64>,
    now: Time,
) -> Result<(RunPlan, Answer), Refusal> {
    let session = &rows.session;
    let part = member(rows, job_id)?;
    let answer = Answer { result: "success", tag: session.session_tag };
    // The end of an earlier run does not concern the latest run.
    if tag.is_some_and(|tag| tag != i64::from(session.session_tag)) {
        return Ok((RunPlan::Nothing, answer));
    }
    let now = now.and_utc().timestamp();
    let change = PartChange {
        status: "completed".into(),
        result: result.to_owned(),
        time_started: part.time_started,
        time_ended: Some(now),
    };
    let parts = rows.parts.iter().map(|other| match other.id == part.id {
        true => (change.status.as_str(), change.result.as_str()),
        false => (other.status.as_str(), other.result.as_str()),
    });
    let over = match session.status == "completed" {
        true => None,
        false => lifecycle::overall(SessionPolicy::parse(&session.policy), parts),
    };
    let session = over.map_or_else(SessionChange::default, |result| SessionChange {
        status: Some("completed".into()),
        result: Some(result.into()),
        time_end: Some(Some(now)),
        ..SessionChange::default()
    });
    Ok((RunPlan::Part { part: part.clone(), change, session }, answer))
}

fn member<'r>(rows: &'r RunRows, job_id: &str) -> Result<&'r Part, Refusal> {
    rows.parts.iter().find(|part| part.id == job_id).ok_or(Refusal::NotInSession)
}

#[cfg(test)]
mod tests;
