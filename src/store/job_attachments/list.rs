//! Lists of job attachments. None of them is a poll, unlike a search for a client's jobs.

use diesel::prelude::*;

use super::{JobAttachment, find};
use crate::store::clients;
use crate::store::engine::connection::MultiBackend;
use crate::store::listing::{
    self, Condition, Filter, Listing, Operand, Query, Weight, by_text, by_time, compared, ordered,
    sort_by_ids,
};
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

impl Weight for (JobAttachment, AttachedClient) {
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
pub fn list(
    tx: &mut Tx<'_>,
    project: &str,
    query: &Query,
    page: Page,
) -> Outcome<Listing<(JobAttachment, AttachedClient)>> {
    let query = &resolve_clients(tx, project, query)?;
    let last = match &query.marker {
        Some(marker) => {
            let attachment = find(tx, project, marker)?.ok_or_else(|| listing::no_marker(marker))?;
            // Only its position matters.
            Some((attachment, AttachedClient::default()))
        }
        None => None,
    };
    let rows = listing::collect(
        query,
        listing::with_lookahead(page, &Search::default()),
        last.as_ref(),
        |_| true,
        |phase, last, (limit, offset), budget| {
            // First the ids, which an index covers. For whole rows PostgreSQL would rather read those of all projects in
            // the order of creation than fetch each row of the project by itself.
            let rows = matching(project, query)?;
            let last = last.map(|(attachment, _)| attachment);
            let value = |of: fn(&JobAttachment) -> &String| last.map(|attachment| of(attachment).clone());
            let rows = match query.order() {
                "status" => {
                    let status = value(|attachment| &attachment.status);
                    ordered!(rows, query, phase, job_attachments.status, status, last)
                }
                "event" => {
                    let event = value(|attachment| &attachment.event);
                    ordered!(rows, query, phase, job_attachments.event, event, last)
                }
                "result" => {
                    let result = value(|attachment| &attachment.result);
                    ordered!(rows, query, phase, job_attachments.result, result, last)
                }
                _ => ordered!(rows, query, job_attachments, last),
            };
            let ids = rows.select(job_attachments::id).limit(limit).offset(offset).load(tx.connection)?;
            Ok(budget.trim(with_clients(tx, ids)?))
        },
    )?;
    listing::count_with(query, page, rows, false, || {
        Ok(matching(project, query)?.count().get_result(tx.connection)?)
    })
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
fn with_clients(tx: &mut Tx<'_>, ids: Vec<String>) -> Outcome<Vec<(JobAttachment, AttachedClient)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows: Vec<(JobAttachment, AttachedClient)> = job_attachments::table
        .inner_join(clients_table::table)
        .filter(job_attachments::id.eq_any(ids.clone()))
        .select((JobAttachment::as_select(), (clients_table::client_id, clients_table::project_id)))
        .load(tx.connection)?;
    sort_by_ids(&mut rows, &ids);
    Ok(rows)
}

fn matching(project: &str, query: &Query) -> Outcome<job_attachments::BoxedQuery<'static, MultiBackend>> {
    let mut rows =
        job_attachments::table.filter(job_attachments::project_id.eq(project.to_owned())).into_boxed();
    if !query.filters.is_empty() {
        rows = rows.filter(Search::uncached());
    }
    for filter in &query.filters {
        rows = rows.filter(condition(filter)?);
    }
    Ok(rows)
}

fn condition(filter: &Filter) -> Outcome<Condition<job_attachments::table>> {
    Ok(match filter.key {
        "id" => by_text!(job_attachments::id, filter),
        "job_id" => by_text!(job_attachments::job_id, filter),
        "client_id" => by_text!(job_attachments::client_id, filter),
        "session_id" => by_text!(job_attachments::session_id, filter),
        // The empty word is a value like any other; the column is never null.
        "status" => compared!(job_attachments::status, filter, filter.texts(), false),
        "event" => compared!(job_attachments::event, filter, filter.texts(), false),
        "result" => compared!(job_attachments::result, filter, filter.texts(), false),
        "created_at" => by_time!(job_attachments::created_at, filter),
        other => return Err(listing::no_column(other)),
    })
}
