//! The two most frequent lists: a scheduler's poll (the first jobs of a client that do not have some status) and a page
//! of all jobs.
//!
//! Instead of a transaction they use two or three single statements: the clients, the ids of the jobs unless all jobs of
//! the client are wanted, and the documents ([`super::view`]). Only the last one is shown, so each document is of one
//! moment. If a job has been deleted or no longer matches by then, these functions return `None`, and the caller uses
//! [`super::list`] on one snapshot.

use diesel::prelude::*;
use front::error::{Error, Result};

use super::JobView;
use super::list::{JobListing, KEYS, PolledClient, matching, on_one_of, other_statuses, searched_clients};
use super::readers::Readers;
use super::view::{documents, views_on};
use crate::store::clients::stamp_seen;
use crate::store::engine::dialect::in_list;
use crate::store::listing::{Budget, CREATED_AT, FEW_ROWS, Listing, Query, Rows, with_lookahead};
use crate::store::page::Page;
use crate::store::schema::{clients, job_attachments};
use crate::store::search::Search;
use crate::store::types::time::Time;
use crate::store::{Outcome, Store, Tx};

/// A poll's jobs; `None` if this is not a poll, or if [`super::list`] must answer it.
///
/// # Errors
/// As [`Store::read`].
pub fn poll(
    store: &Store,
    readers: &Readers,
    project: Option<&str>,
    asked: (&Query, &Search),
    page: Page,
) -> Result<Option<JobListing>> {
    let Some((client, unwanted)) = parse_poll(asked, page) else { return Ok(None) };
    let polled = match project {
        Some(project) => clients_named(store, readers, project, client)?,
        None => store.read_statement(|tx| searched_clients(tx, project, asked.1))?.1,
    };
    // The jobs of the project's own clients are in the project, so an index covers every condition.
    let is_simple = polled.iter().all(|client| !client.is_central && Some(&*client.project_id) == project);
    let listing = |rows, polled| {
        let Rows { rows, is_cut } = Budget::default().trim(rows);
        Some(JobListing { page: Listing { rows, has_more: is_cut, count: None }, polled })
    };
    if polled.is_empty() {
        return Ok(listing(Vec::new(), polled));
    }
    if let ([client], true) = (polled.as_slice(), is_simple)
        && let Some(mut views) = jobs_on(store, readers, &client.id, unwanted)?
    {
        // A client that was central a moment ago may still have jobs of other projects.
        views.retain(|view| Some(&*view.head.attachment.project_id) == project);
        views.sort_by(|a, b| creation_order(a).cmp(&creation_order(b)));
        views.truncate(usize::try_from(page.limit).unwrap_or(usize::MAX));
        return Ok(listing(views, polled));
    }
    if page.limit > FEW_ROWS {
        return Ok(None);
    }
    let on_clients = on_one_of(&polled);
    let ids: Vec<String> = store.read_statement(|tx| {
        Ok(matching(project.filter(|_| !is_simple), asked, &on_clients)?
            .order((job_attachments::created_at, job_attachments::id))
            .select(job_attachments::id)
            .limit(page.limit)
            .load(tx.connection)?)
    })?;
    let Some(views) = documents(store, readers, &ids)? else { return Ok(None) };
    let is_wanted = views.iter().map(|view| &view.head.attachment).all(|attachment| {
        Some(&*attachment.status) != unwanted
            && polled.iter().any(|client| client.id == attachment.client_id)
            // A client that was central a moment ago may still have jobs of other projects.
            && project.is_none_or(|project| attachment.project_id == project)
    });
    Ok(if is_wanted { listing(views, polled) } else { None })
}

/// All jobs on a client, by its row, except those with the unwanted status; `None` if they are too many for one statement.
fn jobs_on(
    store: &Store,
    readers: &Readers,
    client: &str,
    unwanted: Option<&str>,
) -> Result<Option<Vec<JobView>>> {
    let statuses = other_statuses(unwanted);
    let ask = |clients: &[String]| views_on(store, clients, &statuses);
    let client = [client.to_owned()];
    // Every scheduler excludes completed jobs; other polls are too rare to coalesce.
    let found = match unwanted {
        Some("completed") => readers.jobs.submit(&client, ask)?,
        _ => None,
    };
    let found = match found {
        Some(found) => found,
        None => ask(&client)?,
    };
    Ok(found.into_iter().next().flatten())
}

/// A job's key in the order of creation.
fn creation_order(view: &JobView) -> (Time, &str) {
    (view.head.attachment.created_at, &view.head.attachment.id)
}

/// The client's name and the unwanted status of a poll; `None` if this is not a poll.
fn parse_poll<'s>((query, search): (&Query, &'s Search), page: Page) -> Option<(&'s str, Option<&'s str>)> {
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
fn clients_named(store: &Store, readers: &Readers, project: &str, name: &str) -> Result<Vec<PolledClient>> {
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
    let found = match readers.names.submit(&keys, ask)? {
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

/// Records that these clients (rows) have polled; one statement for several concurrent requests.
///
/// # Errors
/// As [`Store::write`].
pub fn record_polls(store: &Store, readers: &Readers, ids: &[String]) -> Result<()> {
    let stamp = |ids: &[String]| {
        let mut ids = ids.to_vec();
        // In a fixed order, so that two transactions that stamp the same clients do not deadlock.
        ids.sort();
        let done = vec![(); ids.len()];
        ids.dedup();
        store.write_statement(|tx| stamp_seen(tx, &ids)).map(|()| done)
    };
    match readers.stamps.submit(ids, stamp)? {
        Some(_) => Ok(()),
        None => stamp(ids).map(drop),
    }
}

/// A short page of all jobs, or of a project's, in the order of creation. `None` for any other list, or if [`super::list`]
/// must answer it. The wide join repeats a job's columns for each of its actions, so longer pages cost less with the
/// actions in a statement of their own.
///
/// # Errors
/// As [`Store::read`].
pub fn plain(
    store: &Store,
    readers: &Readers,
    project: Option<&str>,
    query: &Query,
    page: Page,
) -> Result<Option<Listing<JobView>>> {
    let is_plain = query.filters.is_empty()
        && query.order() == CREATED_AT.name
        && !query.with_count
        && query.wants("job_actions");
    if !is_plain || page.limit > FEW_ROWS || store.has_replica() {
        return Ok(None);
    }
    let last = match &query.marker {
        None => None,
        Some(marker) => match store.read_statement(|tx| find_marker(tx, project, marker))? {
            None => return Ok(None),
            found => found,
        },
    };
    let (page, nothing) = (with_lookahead(page, &Search::default()), Search::default());
    let mut ids: Vec<String> = store.read_statement(|tx| {
        let rows = matching(project, (query, &nothing), &[])?;
        let last = last.as_ref().map(|last| (last.created_at, &*last.id));
        let rows = KEYS.in_creation_order(rows, query.is_descending, last);
        Ok(rows.select(job_attachments::id).limit(page.limit).offset(page.offset).load(tx.connection)?)
    })?;
    let has_more = ids.len() as i64 == page.limit;
    ids.truncate(usize::try_from(page.limit - 1).unwrap_or_default());
    Ok(documents(store, readers, &ids)?.map(|rows| {
        let Rows { rows, is_cut } = Budget::default().trim(rows);
        Listing { rows, has_more: has_more || is_cut, count: None }
    }))
}

/// The position of the previous page's last job in the order of creation.
struct Marker {
    created_at: Time,
    id: String,
}

fn find_marker(tx: &mut Tx<'_>, project: Option<&str>, id: &str) -> Outcome<Option<Marker>> {
    let mut row = job_attachments::table.filter(job_attachments::id.eq(id.to_owned())).into_boxed();
    if let Some(project) = project {
        row = row.filter(job_attachments::project_id.eq(project.to_owned()));
    }
    let created_at: Option<Time> = row.select(job_attachments::created_at).first(tx.connection).optional()?;
    Ok(created_at.map(|created_at| Marker { created_at, id: id.to_owned() }))
}
