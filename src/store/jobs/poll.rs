//! A scheduler's poll: the jobs of a client that have not some status, the first few of them. Every scheduler of a cloud
//! asks for that once a minute, so that it is to cost little.
//!
//! In place of a transaction there are up to three statements of their own: which clients, which jobs, and these with all
//! that belongs to them. Only the last one is shown, and it asks once more for what is wanted. So each document is of one
//! moment and is what was asked for; a job that has come to be wanted, or is not any more, is as if it had done so a
//! moment later, or earlier.

use diesel::prelude::*;

use super::list::{JobListing, matching, other_statuses, searched_clients};
use super::{HeadRow, JobView, MOST_VIEWED, head, head_rows};
use crate::error::Result;
use crate::store::action_attachments::ActionAttachment;
use crate::store::actions::Action;
use crate::store::dialect::{on_each, one_of};
use crate::store::job_attachments::JobAttachment;
use crate::store::jobs::Job;
use crate::store::listing::{Listing, Query};
use crate::store::page::Page;
use crate::store::schema::{action_attachments, actions, clients, job_attachments, job_trusts, jobs};
use crate::store::search::Search;
use crate::store::{Outcome, Store, Tx};

/// A poll's jobs. `None`, if what is asked for is no poll, or if some job of it has what few jobs have (see
/// [`super::view`]): [`super::list`] answers everything.
///
/// # Errors
/// As [`Store::read`].
pub fn poll(
    store: &Store,
    project: Option<&str>,
    asked: (&Query, &Search),
    page: Page,
) -> Result<Option<JobListing>> {
    let Some(unwanted) = unwanted_status(asked, page) else { return Ok(None) };
    let (on_clients, polled) = store.read_one(|tx| searched_clients(tx, project, asked.1))?;
    let is_nobodys = polled.is_empty();
    let listing = |rows| JobListing { page: Listing { rows, has_more: false, count: None }, polled };
    if is_nobodys {
        return Ok(Some(listing(Vec::new())));
    }
    let ids: Vec<String> = store.read_one(|tx| {
        Ok(matching(project, asked, &on_clients)?
            .order((job_attachments::created_at, job_attachments::id))
            .select(job_attachments::id)
            .limit(page.limit)
            .load(tx.connection)?)
    })?;
    if ids.is_empty() {
        return Ok(Some(listing(Vec::new())));
    }
    let rows = store.read_one(|tx| rows(tx, &ids, unwanted))?;
    Ok(views(rows, ids.len()).map(listing))
}

/// The status that is not wanted, `Some(None)` if each is; `None` if this is more than a poll asks for.
fn unwanted_status<'s>((query, search): (&Query, &'s Search), page: Page) -> Option<Option<&'s str>> {
    let rest = Search { wanted: Vec::new(), unwanted: Vec::new(), ..search.clone() };
    let [client] = search.wanted.as_slice() else { return None };
    let is_plain = *query == Query::default() && rest.is_empty() && page.offset == 0 && page.limit > 0;
    if !is_plain || client.key != "client_id" || client.word().is_none() {
        return None;
    }
    match search.unwanted.as_slice() {
        [] => Some(None),
        [status] if status.key == "status" => status.word().map(Some),
        _ => None,
    }
}

type Row = (JobAttachment, Job, String, String, Option<String>, Option<(ActionAttachment, Action)>);

fn rows(tx: &mut Tx<'_>, ids: &[String], unwanted: Option<&str>) -> Outcome<Vec<Row>> {
    let statuses = other_statuses(unwanted.unwrap_or("no status at all"));
    Ok(on_each!(tx.connection, c => head_rows!()
        .left_join(
            action_attachments::table
                .inner_join(actions::table)
                .on(action_attachments::job_id.eq(job_attachments::job_id)),
        )
        .filter(one_of(job_attachments::id, ids.to_vec()))
        .filter(one_of(job_attachments::status, statuses))
        .select((
            JobAttachment::as_select(),
            Job::as_select(),
            clients::client_id,
            clients::project_id,
            job_trusts::trust_id.nullable(),
            Option::<(ActionAttachment, Action)>::as_select(),
        ))
        .limit(most_rows(ids.len()) as i64 + 1)
        .load(c))?)
}

/// How many rows so many jobs may have, so that not much comes several times.
fn most_rows(jobs: usize) -> usize {
    jobs.saturating_add(MOST_VIEWED)
}

fn views(rows: Vec<Row>, jobs: usize) -> Option<Vec<JobView>> {
    if rows.len() > most_rows(jobs) || rows.iter().any(|row| row.4.is_some() || row.0.session_id.is_some()) {
        return None;
    }
    let mut views: Vec<JobView> = Vec::new();
    for (attachment, job, client_name, client_project, trust, action) in rows {
        let known = views.iter_mut().find(|view| view.head.attachment.id == attachment.id);
        match known {
            Some(view) => view.actions.extend(action),
            None => {
                let row: HeadRow = (attachment, job, client_name, client_project, trust);
                views.push(JobView { head: head(row), actions: action.into_iter().collect() });
            }
        }
    }
    views.sort_by(|a, b| {
        let place = |view: &JobView| (view.head.attachment.created_at, view.head.attachment.id.clone());
        place(a).cmp(&place(b))
    });
    for view in &mut views {
        view.actions.sort_by_key(|(place, _)| place.priority);
    }
    Some(views)
}
