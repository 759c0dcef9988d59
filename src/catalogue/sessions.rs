//! What a start, an end, a join and a leave change in a session and in its jobs.

use super::Refusal;
use crate::lifecycle::{self, SessionPolicy, Start};
use crate::store::job_attachments::AttachmentChange;
use crate::store::jobs::RunColumns;
use crate::store::sessions::{Part, PartChange, RunPlan, RunRows, Session, SessionChange};
use crate::store::types::time::Time;

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
