//! A job document with all that belongs to it, in one statement; of several requests at the same time, in one for all.

use diesel::prelude::*;

use super::{HeadRow, JobView, head, head_rows};
use crate::error::{Error, Result};
use crate::store::action_attachments::ActionAttachment;
use crate::store::actions::Action;
use crate::store::dialect::{on_each, one_of};
use crate::store::job_attachments::JobAttachment;
use crate::store::jobs::Job;
use crate::store::schema::{action_attachments, actions, clients, job_attachments, jobs};
use crate::store::{Outcome, Store, Tx};

/// How many actions the documents of one statement have together: so many for each, and some more. With each action comes
/// all the rest of its job once more.
const USUAL_ACTIONS: usize = 3;
const MORE_ACTIONS: usize = 8;

/// The whole job document of that id, in `project`, or in any when `None`, if it can be had in one statement: a job that
/// has some actions and not very many, is in no session, and has no trust. To join what a job does not have costs the
/// database as much again. `None` says nothing about any other job: [`super::find`] and [`super::complete`] do.
///
/// # Errors
/// As [`Store::read`].
pub fn view(store: &Store, project: Option<&str>, id: &str) -> Result<Option<JobView>> {
    let found = store.views.put(&id.to_owned(), |ids| {
        let rows = store.read_one(|tx| rows(tx, ids, None))?;
        let views = views(rows, ids.len()).unwrap_or_default();
        let view = |id: &String| views.iter().find(|view| view.head.attachment.id == *id).cloned();
        Ok::<_, Error>(ids.iter().map(view).collect())
    })?;
    let is_whole = |view: &JobView| is_whole(view) && !view.actions.is_empty();
    let is_asked_for =
        |view: &JobView| project.is_none_or(|project| view.head.attachment.project_id == project);
    Ok(found.filter(|view| is_asked_for(view) && is_whole(view)))
}

/// Whether [`views`] has everything of it: it has nothing that few jobs have.
pub(super) fn is_whole(view: &JobView) -> bool {
    !view.head.job.has_trust && view.head.attachment.session_id.is_none()
}

/// An attachment's rows: one for each action, or one without.
pub(super) type Row = (JobAttachment, Job, String, String, Option<(ActionAttachment, Action)>);

/// The rows of these attachments that have one of these statuses.
pub(super) fn rows(tx: &mut Tx<'_>, ids: &[String], statuses: Option<Vec<String>>) -> Outcome<Vec<Row>> {
    Ok(on_each!(tx.connection, c => {
        let rows = head_rows!()
            .left_join(
                action_attachments::table
                    .inner_join(actions::table)
                    .on(action_attachments::job_id.eq(job_attachments::job_id)),
            )
            .filter(one_of(job_attachments::id, ids.to_vec()))
            .select((
                JobAttachment::as_select(),
                Job::as_select(),
                clients::client_id,
                clients::project_id,
                Option::<(ActionAttachment, Action)>::as_select(),
            ))
            .limit(most_rows(ids.len()) as i64 + 1);
        match statuses {
            Some(statuses) => rows.filter(one_of(job_attachments::status, statuses)).load(c),
            None => rows.load(c),
        }
    })?)
}

/// How many rows so many jobs may have, so that not much comes several times.
fn most_rows(jobs: usize) -> usize {
    jobs.saturating_mul(USUAL_ACTIONS).saturating_add(MORE_ACTIONS)
}

/// The documents of those rows, in no order, and perhaps not whole; `None` if some may be missing.
pub(super) fn views(rows: Vec<Row>, jobs: usize) -> Option<Vec<JobView>> {
    if rows.len() > most_rows(jobs) {
        return None;
    }
    let mut views: Vec<JobView> = Vec::new();
    for (attachment, job, client_name, client_project, action) in rows {
        let known = views.iter_mut().find(|view| view.head.attachment.id == attachment.id);
        match known {
            Some(view) => view.actions.extend(action),
            None => {
                let row: HeadRow = (attachment, job, client_name, client_project);
                views.push(JobView { head: head(row), actions: action.into_iter().collect() });
            }
        }
    }
    for view in &mut views {
        view.actions.sort_by_key(|(place, _)| place.priority);
    }
    Some(views)
}
