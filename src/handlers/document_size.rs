//! Checks that no write makes a document exceed its limit. A document is built from several rows, so a change of one
//! row can change many documents.

use front::error::Result;

use super::Request;
use crate::app::App;
use crate::document::{
    MAX_DOCUMENT, actions, check_size, jobs as job_document, sessions as session_document,
};
use crate::store::actions::Action;
use crate::store::jobs::{self, Bounds, JobHead, JobView};
use crate::store::sessions::{self, Session};
use crate::store::{Failure, Outcome, Tx, action_attachments};

/// Upper bound on a job's document without its actions, in bytes: the description and the schedule have their own
/// limits.
const BESIDE_ACTIONS: usize = 128 * 1024;

/// How many jobs one statement measures.
const AT_A_TIME: usize = 200;

/// Writes documents that may already exist. `change` gets the size that they may have, and fails with a 413 if one
/// becomes larger. A document from a release without the limit may keep the size that `stored` returns.
///
/// # Errors
/// What `change` and `stored` fail with.
pub fn write<T>(
    app: &App,
    stored: impl FnMut(&mut Tx<'_>) -> Outcome<usize>,
    mut change: impl FnMut(&mut Tx<'_>, usize) -> Outcome<T>,
) -> Result<T> {
    match app.store.write(|tx| change(tx, 0)) {
        Err(error) if error.status() == 413 => match app.store.read(stored)? {
            0..=MAX_DOCUMENT => Err(error),
            stored => app.store.write(|tx| change(tx, stored)),
        },
        outcome => outcome,
    }
}

/// Refuses a job that has become too large, on any of its clients.
pub fn check_job(tx: &mut Tx<'_>, job_id: &str, stored: usize) -> Outcome<()> {
    check_jobs(tx, vec![job_id.to_owned()], stored)
}

/// Refuses a change by which the job, or the session that it joined, has become too large. Only what exceeds its bound is
/// measured.
pub fn check_bounds(
    tx: &mut Tx<'_>,
    (job_id, session): (&str, Option<&Session>),
    bounds: Bounds,
    stored: usize,
) -> Outcome<()> {
    let exceeds = |bound: Option<i64>| {
        bound.is_some_and(|bytes| usize::try_from(bytes).unwrap_or_default() + BESIDE_ACTIONS > MAX_DOCUMENT)
    };
    if exceeds(bounds.actions) {
        measure_job(tx, job_id, stored)?;
    }
    if let Some(session) = session.filter(|_| exceeds(bounds.session)) {
        let session = sessions::find(tx, &session.project_id, &session.id)?.ok_or(Failure::Stale)?;
        let what = format!("session {}", session.id);
        check_size(&what, largest_session(tx, session)?, 0)?;
    }
    Ok(())
}

/// Measures a job under a lock: of two concurrent changes of its actions, one waits here and then measures the result of
/// the other.
fn measure_job(tx: &mut Tx<'_>, job_id: &str, stored: usize) -> Outcome<()> {
    jobs::lock(tx, job_id)?;
    let (id, size) = largest_job(tx, job_id)?;
    Ok(check_size(&format!("job {id}"), size, stored)?)
}

/// As [`check_job`], of several jobs: one statement for many of them, and more only for those that may be too large.
fn check_jobs(tx: &mut Tx<'_>, job_ids: Vec<String>, stored: usize) -> Outcome<()> {
    for some in job_ids.chunks(AT_A_TIME) {
        for (job_id, most) in jobs::max_action_bytes(tx, some.to_vec())? {
            if usize::try_from(most).unwrap_or_default() + BESIDE_ACTIONS <= MAX_DOCUMENT {
                continue;
            }
            measure_job(tx, &job_id, stored)?;
        }
    }
    Ok(())
}

/// The id of a job's largest document over all its clients, and the size of that document.
pub fn largest_job(tx: &mut Tx<'_>, job_id: &str) -> Outcome<(String, usize)> {
    let mut largest = (job_id.to_owned(), 0);
    let mut of_actions = None;
    for ids in jobs::attachments(tx, job_id)?.chunks(AT_A_TIME) {
        let heads = jobs::find_all(tx, ids.to_vec())?;
        let own = match of_actions {
            Some(size) => size,
            None => {
                let view = jobs::complete(tx, heads.first().cloned().into_iter().collect())?.pop();
                let view = view.ok_or(Failure::Stale)?;
                *of_actions.insert(job_document::max_size(&view).saturating_sub(largest_head(&view.head)))
            }
        };
        for head in heads {
            let size = largest_head(&head) + own;
            if size > largest.1 {
                largest = (head.attachment.id, size);
            }
        }
    }
    Ok(largest)
}

fn largest_head(head: &JobHead) -> usize {
    job_document::max_size(&JobView { head: head.clone(), actions: Vec::new() })
}

/// Refuses a change of an action if its document, or the document of a job with the action, becomes too large.
pub fn check_action(tx: &mut Tx<'_>, stored: &Action, changed: &Action) -> Outcome<()> {
    let (before, after) = (actions::max_size(stored), actions::max_size(changed));
    check_size(&format!("action {}", stored.id), after, before)?;
    match after > before {
        true => {
            let job_ids = action_attachments::jobs_with(tx, &stored.id)?;
            check_jobs(tx, job_ids, 0)
        }
        false => Ok(()),
    }
}

/// Refuses a session that has become too large.
pub fn check_session(tx: &mut Tx<'_>, request: &Request<'_>, id: &str, stored: usize) -> Outcome<()> {
    let session = sessions::find(tx, request.project(), id)?.ok_or(Failure::Stale)?;
    let most = sessions::max_member_bytes(tx, &session)?;
    let own = session.metadata.text().len() + BESIDE_ACTIONS;
    if usize::try_from(most).unwrap_or_default() + own <= MAX_DOCUMENT {
        return Ok(());
    }
    let size = largest_session(tx, session)?;
    Ok(check_size(&format!("session {id}"), size, stored)?)
}

/// The size of a session's document.
pub fn largest_session(tx: &mut Tx<'_>, session: Session) -> Outcome<usize> {
    let view = sessions::complete(tx, vec![session])?.pop().ok_or(Failure::Stale)?;
    Ok(session_document::max_size(&view))
}

/// Refuses a change of a session's schedule if the document of a job in it becomes too large.
pub fn check_members(tx: &mut Tx<'_>, session: &Session, schedule: usize) -> Outcome<()> {
    match schedule > session.scheduling.text().len() {
        true => {
            let job_ids = sessions::jobs_in(tx, session)?;
            check_jobs(tx, job_ids, 0)
        }
        false => Ok(()),
    }
}
