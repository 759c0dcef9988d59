//! Lists of job attachments. None of them is a poll, unlike a search for a client's jobs.

use diesel::prelude::*;

use super::{JobAttachment, find};
use crate::store::clients;
use crate::store::engine::connection::MultiBackend;
use crate::store::jobs::{EVENTS, RESULTS, STATUSES};
use crate::store::listing::{self, Listing, Operand, Query, Weight, listing, sort_by_ids};
use crate::store::page::Page;
use crate::store::schema::{clients as clients_table, job_attachments};
use crate::store::search::Search;
use crate::store::{Outcome, Tx};

/// The columns of an attachment's client that a document shows.
#[derive(Debug, Clone, Default, Queryable)]
pub struct AttachedClient {
    /// The client's name.
    pub name: String,
    /// The project in which the client is registered; for a central client it may differ from the attachment's.
    pub project_id: String,
}

/// An attachment with its client.
type Attached = (JobAttachment, AttachedClient);

listing! {
    /// The keys of the list of job attachments.
    KEYS: job_attachments, Attached, |(attachment, _)| attachment.created_at;
    id: Id = id, "The attachment's id.";
    job_id: Id = job_id, "The job (its definition).";
    client_id: Text = client_id, "The client's name, or its uuid.";
    session_id: Id = session_id, "The session it is in.", nullable();
    status: Word(STATUSES) = status, "Where it stands.", sorting(|(attachment, _)| attachment.status.operand());
    event: Word(EVENTS) = event, "What is asked of the client's scheduler.",
        sorting(|(attachment, _)| attachment.event.operand());
    result: Word(RESULTS) = result, "How the last run ended.",
        sorting(|(attachment, _)| attachment.result.operand());
}

impl Weight for Attached {
    fn row_id(&self) -> &str {
        &self.0.id
    }

    fn weight(&self) -> usize {
        0
    }
}

/// A page of a project's attachments, each with its client.
///
/// # Errors
/// 400 if the marker is not in the list.
pub fn list(tx: &mut Tx<'_>, project: &str, query: &Query, page: Page) -> Outcome<Listing<Attached>> {
    let query = &resolve_clients(tx, project, query)?;
    let last = match &query.marker {
        Some(marker) => {
            let attachment = find(tx, project, marker)?.ok_or_else(|| listing::no_marker(marker))?;
            // Only its position matters.
            Some((attachment, AttachedClient::default()))
        }
        None => None,
    };
    let nothing = Search::default();
    let matching = || {
        KEYS.matching(job_attachments::table.into_boxed::<MultiBackend>(), Some(project), (query, &nothing))
    };
    let rows = listing::collect(
        &KEYS,
        query,
        listing::with_lookahead(page, &nothing),
        last.as_ref(),
        |part, (limit, offset), budget| {
            // First the ids, which an index covers. For whole rows PostgreSQL would rather read those of all projects in
            // the order of creation than fetch each row of the project by itself.
            let ids = part.of(matching()?).select(job_attachments::id);
            let ids = ids.limit(limit).offset(offset).load(tx.connection)?;
            Ok(budget.trim(with_clients(tx, ids)?))
        },
    )?;
    listing::count_with(query, page, rows, false, || Ok(matching()?.count().get_result(tx.connection)?))
}

/// Replaces names and uuids in filters by client with the clients' rows.
fn resolve_clients(tx: &mut Tx<'_>, project: &str, query: &Query) -> Outcome<Query> {
    let mut query = query.clone();
    for filter in query.filters.iter_mut().filter(|filter| filter.key == "client_id") {
        let rows = clients::rows_called(tx, project, filter.texts())?;
        filter.values = rows.into_iter().map(Operand::Text).collect();
    }
    Ok(query)
}

/// The attachments of these ids, each with its client, in the same order.
fn with_clients(tx: &mut Tx<'_>, ids: Vec<String>) -> Outcome<Vec<Attached>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows: Vec<Attached> = job_attachments::table
        .inner_join(clients_table::table)
        .filter(job_attachments::id.eq_any(ids.clone()))
        .select((JobAttachment::as_select(), (clients_table::client_id, clients_table::project_id)))
        .load(tx.connection)?;
    sort_by_ids(&mut rows, &ids);
    Ok(rows)
}
