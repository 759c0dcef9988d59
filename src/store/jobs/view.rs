//! Whole job documents in one statement; of several requests at the same time, in one for all.

use std::collections::HashMap;

use diesel::prelude::*;

use super::{HeadRow, JobView, Place, PlacedAction, head, head_rows};
use crate::error::{Error, Result};
use crate::store::dialect::{on_each, one_of};
use crate::store::document_type::Json;
use crate::store::job_attachments::JobAttachment;
use crate::store::jobs::Job;
use crate::store::schema::{action_attachments, actions, clients, job_attachments, jobs, sessions};
use crate::store::{Outcome, Store, Tx};

/// How many actions the documents of one statement have together: so many for each, and some more. With each action comes
/// all the rest of its job once more.
const USUAL_ACTIONS: usize = 3;
const MORE_ACTIONS: usize = 8;

/// Who asks for more documents than that does so alone. One reads the rows of all, and with many rows that is more to wait
/// for than a statement of one's own.
const MOST_SHARED: usize = 3;

/// The job document of that id, in `project`, or in any when `None`, if it can be had in one statement. `None` says
/// nothing about any other job: [`super::find`] and [`super::complete`] do.
///
/// # Errors
/// As [`Store::read`].
pub fn view(store: &Store, project: Option<&str>, id: &str) -> Result<Option<JobView>> {
    let found = views(store, &[id.to_owned()])?.and_then(|mut found| found.pop());
    Ok(found.filter(|view| project.is_none_or(|project| view.head.attachment.project_id == project)))
}

/// The job documents of these ids, in any project and in that order, each as it was at one moment. `None` if there is
/// one that cannot be had in one statement, because it is not there, has a trust (to join what few jobs have costs the
/// database a good deal for all), or they have very many actions.
///
/// # Errors
/// As [`Store::read`].
pub(super) fn views(store: &Store, ids: &[String]) -> Result<Option<Vec<JobView>>> {
    let ask = |ids: &[String]| Ok::<_, Error>(in_order(store.read_one(|tx| rows(tx, ids))?, ids));
    let found = match ids.len() {
        0 => return Ok(Some(Vec::new())),
        1..=MOST_SHARED => store.views.put(ids, ask)?,
        _ => Some(ask(ids)?),
    };
    Ok(found.and_then(|found| found.into_iter().collect()))
}

/// An attachment's rows: one for each action, or one without.
type Row = (JobAttachment, Job, String, String, Option<Json>, Option<(Place, PlacedAction)>);

/// The rows of these attachments.
fn rows(tx: &mut Tx<'_>, ids: &[String]) -> Outcome<Vec<Row>> {
    Ok(on_each!(tx.connection, c => head_rows!()
        // One after the other: the two of them joined first, SQLite reads as a table of its own, and all of it.
        .left_join(action_attachments::table.on(action_attachments::job_id.eq(job_attachments::job_id)))
        .left_join(actions::table.on(actions::id.eq(action_attachments::action_id)))
        .filter(one_of(job_attachments::id, ids.to_vec()))
        .select((
            JobAttachment::as_select(),
            Job::as_select(),
            clients::client_id,
            clients::project_id,
            sessions::scheduling.nullable(),
            Option::<(Place, PlacedAction)>::as_select(),
        ))
        .limit(most_rows(ids.len()) as i64 + 1)
        .load(c))?)
}

/// How many rows so many jobs may have, so that not much comes several times.
fn most_rows(jobs: usize) -> usize {
    jobs.saturating_mul(USUAL_ACTIONS).saturating_add(MORE_ACTIONS)
}

/// The documents of those ids, as far as these rows are all that there is of them.
fn in_order(rows: Vec<Row>, ids: &[String]) -> Vec<Option<JobView>> {
    if rows.len() > most_rows(ids.len()) {
        return vec![None; ids.len()];
    }
    let mut views: HashMap<String, JobView> = HashMap::with_capacity(ids.len());
    for (attachment, job, client_name, client_project, session_scheduling, action) in rows {
        match views.get_mut(&attachment.id) {
            Some(view) => view.actions.extend(action),
            None => {
                let id = attachment.id.clone();
                let row: HeadRow = (attachment, job, client_name, client_project, session_scheduling);
                views.insert(id, JobView { head: head(row), actions: action.into_iter().collect() });
            }
        }
    }
    views.retain(|_, view| !view.head.job.has_trust);
    for view in views.values_mut() {
        view.actions.sort_by_key(|(place, _)| place.priority);
    }
    // Several may have asked for the same.
    let mut wanted: HashMap<&str, usize> = HashMap::with_capacity(ids.len());
    for id in ids {
        *wanted.entry(id).or_default() += 1;
    }
    let mut take = |id: &String| match wanted.get_mut(&**id) {
        Some(times) if *times > 1 => {
            *times -= 1;
            views.get(id).cloned()
        }
        _ => views.remove(id),
    };
    ids.iter().map(&mut take).collect()
}
