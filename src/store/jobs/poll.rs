//! What is asked for most: a scheduler's poll, which is the jobs of a client that have not some status, the first few of
//! them; and pages of all jobs, one after the other.
//!
//! In place of a transaction there are two or three statements of their own: which clients, which jobs if that is not all
//! of theirs, and these with all that belongs to them ([`super::view`]). Only the last one is shown. So each document is of
//! one moment and is what was asked for. When a job has gone meanwhile, or is wanted no more, there is no answer here:
//! [`super::list`] finds out on one snapshot what the page is.

use std::sync::Arc;

use diesel::prelude::*;

use super::JobView;
use super::list::{JobListing, PolledClient, matching, of_client, other_statuses, searched_clients};
use super::view::{MOST_CLIENTS, documents, views_on};
use crate::error::{Error, Result};
use crate::store::clients::stamp_seen;
use crate::store::coalescer::Coalescer;
use crate::store::dialect::in_list;
use crate::store::listing::{Budget, CREATED_AT, FEW_ROWS, Listing, Query, Rows, ordered, with_lookahead};
use crate::store::page::Page;
use crate::store::schema::{clients, job_attachments};
use crate::store::search::Search;
use crate::store::types::time::Time;
use crate::store::{Outcome, Store, Tx};

/// Where polls meet.
pub struct Polls {
    /// Who asks for the clients of a name that a project sees.
    names: Coalescer<(String, String), Vec<PolledClient>>,
    /// Who asks for the jobs on a client (a row) that are not completed.
    jobs: Coalescer<String, Option<Vec<JobView>>>,
    /// Who has to note that clients (rows) have polled.
    stamps: Coalescer<String, ()>,
}

impl Polls {
    /// With so many at work at the same time.
    pub fn new(max_in_flight: usize) -> Arc<Self> {
        let jobs = Coalescer::with_max_keys(MOST_CLIENTS, max_in_flight);
        Arc::new(Self { names: Coalescer::new(max_in_flight), jobs, stamps: Coalescer::new(max_in_flight) })
    }
}

/// A poll's jobs. `None`, if what is asked for is no poll, or for the reasons above.
///
/// # Errors
/// As [`Store::read`].
pub fn poll(
    store: &Store,
    project: Option<&str>,
    asked: (&Query, &Search),
    page: Page,
) -> Result<Option<JobListing>> {
    let Some((client, unwanted)) = asked_in_a_poll(asked, page) else { return Ok(None) };
    let polled = match project {
        Some(project) => named(store, project, client)?,
        None => store.read_statement(|tx| searched_clients(tx, project, asked.1))?.1,
    };
    // The jobs of such clients are in their project, so that an index has all that is asked.
    let is_simple = polled.iter().all(|client| !client.is_central && Some(&*client.project_id) == project);
    let listing = |rows, polled| {
        let Rows { rows, is_cut } = Budget::default().trim(rows);
        Some(JobListing { page: Listing { rows, has_more: is_cut, count: None }, polled })
    };
    if polled.is_empty() {
        return Ok(listing(Vec::new(), polled));
    }
    if let ([client], true) = (polled.as_slice(), is_simple)
        && let Some(mut views) = jobs_on(store, &client.id, unwanted)?
    {
        // One that was central a moment ago may still have others.
        views.retain(|view| Some(&*view.head.attachment.project_id) == project);
        views.sort_by(|a, b| place_in_list(a).cmp(&place_in_list(b)));
        views.truncate(usize::try_from(page.limit).unwrap_or(usize::MAX));
        return Ok(listing(views, polled));
    }
    if page.limit > FEW_ROWS {
        return Ok(None);
    }
    let on_clients = of_client(&polled);
    let ids: Vec<String> = store.read_statement(|tx| {
        Ok(matching(project.filter(|_| !is_simple), asked, &on_clients)?
            .order((job_attachments::created_at, job_attachments::id))
            .select(job_attachments::id)
            .limit(page.limit)
            .load(tx.connection)?)
    })?;
    let Some(views) = documents(store, &ids)? else { return Ok(None) };
    let is_wanted = views.iter().map(|view| &view.head.attachment).all(|attachment| {
        Some(&*attachment.status) != unwanted
            && polled.iter().any(|client| client.id == attachment.client_id)
            // One that was central a moment ago may still have others.
            && project.is_none_or(|project| attachment.project_id == project)
    });
    Ok(if is_wanted { listing(views, polled) } else { None })
}

/// All jobs on a client (a row) but those that have the unwanted status; `None` if they are too many to be read at once.
fn jobs_on(store: &Store, client: &str, unwanted: Option<&str>) -> Result<Option<Vec<JobView>>> {
    let statuses = other_statuses(unwanted);
    let ask = |clients: &[String]| views_on(store, clients, &statuses);
    let client = [client.to_owned()];
    // What every scheduler asks, and hardly anybody else anything else.
    let found = match unwanted {
        Some("completed") => store.polls.jobs.submit(&client, ask)?,
        _ => None,
    };
    let found = match found {
        Some(found) => found,
        None => ask(&client)?,
    };
    Ok(found.into_iter().next().flatten())
}

/// Where a job is in the order of creation.
fn place_in_list(view: &JobView) -> (Time, &str) {
    (view.head.attachment.created_at, &view.head.attachment.id)
}

/// The client and the status that is not wanted; `None` if this is more than a poll asks for.
fn asked_in_a_poll<'s>(
    (query, search): (&Query, &'s Search),
    page: Page,
) -> Option<(&'s str, Option<&'s str>)> {
    let [client] = search.wanted.as_slice() else { return None };
    let is_plain = *query == Query::default() && search.words.is_empty() && search.unwanted_words.is_empty();
    if !is_plain || page.offset != 0 || page.limit <= 0 || client.key != "client_id" {
        return None;
    }
    match search.unwanted.as_slice() {
        [] => Some((client.word()?, None)),
        [status] if status.key == "status" => Some((client.word()?, Some(status.word()?))),
        _ => None,
    }
}

/// The clients of that name that a project sees.
fn named(store: &Store, project: &str, name: &str) -> Result<Vec<PolledClient>> {
    type Key = (String, String);
    let ask = |keys: &[Key]| {
        let rows = store.read_statement(|tx| named_rows(tx, keys))?;
        let of = |(project, name): &Key| {
            let seen = rows.iter().filter(|(client, its_name)| {
                its_name == name && (client.project_id == *project || client.is_central)
            });
            seen.map(|(client, _)| client.clone()).collect::<Vec<_>>()
        };
        Ok::<_, Error>(keys.iter().map(of).collect::<Vec<_>>())
    };
    let keys = [(project.to_owned(), name.to_owned())];
    let found = match store.polls.names.submit(&keys, ask)? {
        Some(found) => found,
        None => ask(&keys)?,
    };
    Ok(found.into_iter().flatten().collect())
}

/// All clients of these names that one of these projects sees.
fn named_rows(tx: &mut Tx<'_>, keys: &[(String, String)]) -> Outcome<Vec<(PolledClient, String)>> {
    let projects: Vec<String> = keys.iter().map(|(project, _)| project.clone()).collect();
    let names: Vec<String> = keys.iter().map(|(_, name)| name.clone()).collect();
    Ok(clients::table
        .filter(in_list(clients::project_id, projects).or(clients::is_central.eq(true)))
        .filter(in_list(clients::client_id, names))
        .select((
            (clients::id, clients::project_id, clients::is_central, clients::last_seen_at),
            clients::client_id,
        ))
        .load(tx.connection)?)
}

/// Notes that these clients (rows) have polled; of several requests at the same time, one for all.
///
/// # Errors
/// As [`Store::write`].
pub fn note_seen(store: &Store, ids: &[String]) -> Result<()> {
    let note = |ids: &[String]| {
        let mut ids = ids.to_vec();
        // In one order, so that of two who note the same clients none has what the other waits for.
        ids.sort();
        let noted = vec![(); ids.len()];
        ids.dedup();
        store.write_statement(|tx| stamp_seen(tx, &ids)).map(|()| noted)
    };
    match store.polls.stamps.submit(ids, note)? {
        Some(_) => Ok(()),
        None => note(ids).map(drop),
    }
}

/// A short page of all jobs, or of a project's, in the order of their creation. With each of a job's actions comes the rest
/// of its row once more: of more jobs than that it costs less to read the actions by themselves. `None`, if more is asked for than that, or
/// for the reasons above.
///
/// # Errors
/// As [`Store::read`].
pub fn plain(
    store: &Store,
    project: Option<&str>,
    query: &Query,
    page: Page,
) -> Result<Option<Listing<JobView>>> {
    let is_plain = query.filters.is_empty()
        && query.order() == CREATED_AT.name
        && !query.with_count
        && query.wants("job_actions");
    if !is_plain || page.limit > FEW_ROWS || store.replica.is_some() {
        return Ok(None);
    }
    let last = match &query.marker {
        None => None,
        Some(marker) => match store.read_statement(|tx| last_of(tx, project, marker))? {
            None => return Ok(None),
            found => found,
        },
    };
    let (page, nothing) = (with_lookahead(page, &Search::default()), Search::default());
    let mut ids: Vec<String> = store.read_statement(|tx| {
        let rows = matching(project, (query, &nothing), &[])?;
        let rows = ordered!(rows, query, job_attachments, &last);
        Ok(rows.select(job_attachments::id).limit(page.limit).offset(page.offset).load(tx.connection)?)
    })?;
    let has_more = ids.len() as i64 == page.limit;
    ids.truncate(usize::try_from(page.limit - 1).unwrap_or_default());
    Ok(documents(store, &ids)?.map(|rows| {
        let Rows { rows, is_cut } = Budget::default().trim(rows);
        Listing { rows, has_more: has_more || is_cut, count: None }
    }))
}

/// The last job of the page before, as far as the order of creation goes.
struct Last {
    created_at: Time,
    id: String,
}

fn last_of(tx: &mut Tx<'_>, project: Option<&str>, id: &str) -> Outcome<Option<Last>> {
    let mut row = job_attachments::table.filter(job_attachments::id.eq(id.to_owned())).into_boxed();
    if let Some(project) = project {
        row = row.filter(job_attachments::project_id.eq(project.to_owned()));
    }
    let created_at: Option<Time> = row.select(job_attachments::created_at).first(tx.connection).optional()?;
    Ok(created_at.map(|created_at| Last { created_at, id: id.to_owned() }))
}
