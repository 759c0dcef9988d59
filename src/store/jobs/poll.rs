//! A scheduler's poll: the jobs of a client that have not some status, the first few of them. Every scheduler of a cloud
//! asks for that once a minute, so that it is to cost little.
//!
//! In place of a transaction there are up to three statements of their own: which clients, which jobs, and these with all
//! that belongs to them. Only the last one is shown, and it asks once more for what is wanted. So each document is of one
//! moment and is what was asked for; a job that has come to be wanted, or is not any more, is as if it had done so a
//! moment later, or earlier.

use diesel::prelude::*;

use super::JobView;
use super::list::{JobListing, matching, other_statuses, searched_clients};
use super::view::{is_whole, rows, views};
use crate::error::Result;
use crate::store::Store;
use crate::store::listing::{Listing, Query};
use crate::store::page::Page;
use crate::store::schema::job_attachments;
use crate::store::search::Search;

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
    // The jobs of such clients are all in their project, and an index has all else that is asked.
    let is_simple = polled.iter().all(|client| !client.is_central && Some(&*client.project_id) == project);
    let is_nobodys = polled.is_empty();
    let listing = |rows| JobListing { page: Listing { rows, has_more: false, count: None }, polled };
    if is_nobodys {
        return Ok(Some(listing(Vec::new())));
    }
    let ids: Vec<String> = store.read_one(|tx| {
        Ok(matching(project.filter(|_| !is_simple), asked, &on_clients)?
            .order((job_attachments::created_at, job_attachments::id))
            .select(job_attachments::id)
            .limit(page.limit)
            .load(tx.connection)?)
    })?;
    if ids.is_empty() {
        return Ok(Some(listing(Vec::new())));
    }
    let statuses = other_statuses(unwanted.unwrap_or("no status at all"));
    let rows = store.read_one(|tx| rows(tx, &ids, Some(statuses.clone())))?;
    // One that was central a moment ago may still have others.
    let is_asked_for =
        |view: &JobView| project.is_none_or(|project| view.head.attachment.project_id == project);
    let whole =
        views(rows, ids.len()).filter(|views| views.iter().all(|view| is_asked_for(view) && is_whole(view)));
    let Some(mut views) = whole else { return Ok(None) };
    views.sort_by(|a, b| {
        let (a, b) = (&a.head.attachment, &b.head.attachment);
        (a.created_at, &a.id).cmp(&(b.created_at, &b.id))
    });
    Ok(Some(listing(views)))
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
