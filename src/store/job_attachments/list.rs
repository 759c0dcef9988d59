//! Lists of job attachments. Unlike a list of jobs for a client, none of these is a poll.

use diesel::prelude::*;

use super::{JobAttachment, find};
use crate::store::clients;
use crate::store::connection::MultiBackend;
use crate::store::listing::{
    self, Condition, Filter, Listing, Operand, Query, Weight, by_text, by_time, compared, ordered,
    sort_by_ids,
};
use crate::store::page::Page;
use crate::store::schema::{clients as clients_table, job_attachments};
use crate::store::search::Search;
use crate::store::{Outcome, Tx};

/// The client that an attachment is on, as far as a document shows it.
#[derive(Debug, Clone, Default, Queryable)]
pub struct ItsClient {
    /// Its name.
    pub name: String,
    /// The project it is registered in; another one than the attachment's for a central client.
    pub project_id: String,
}

impl Weight for (JobAttachment, ItsClient) {
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
/// 400 for a marker that is none of them.
pub fn list(
    tx: &mut Tx<'_>,
    project: &str,
    query: &Query,
    page: Page,
) -> Outcome<Listing<(JobAttachment, ItsClient)>> {
    let query = &by_rows(tx, project, query)?;
    let last = match &query.marker {
        Some(marker) => {
            let attachment = find(tx, project, marker)?.ok_or_else(|| listing::no_marker(marker))?;
            // Only its place is asked for.
            Some((attachment, ItsClient::default()))
        }
        None => None,
    };
    let rows = listing::collect(
        query,
        listing::with_lookahead(page, &Search::default()),
        last.as_ref(),
        |_| true,
        |phase, last, (limit, offset), budget| {
            // Which rows, first: that is all in an index. For the rows themselves PostgreSQL would rather read along
            // those of all projects, in the order of creation, than fetch each of a project's by itself.
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

/// The same question, with the clients' rows in place of what they are called.
fn by_rows(tx: &mut Tx<'_>, project: &str, query: &Query) -> Outcome<Query> {
    let mut query = query.clone();
    for filter in query.filters.iter_mut().filter(|filter| filter.key == "client_id") {
        let rows = clients::rows_called(tx, project, filter.texts())?;
        filter.values = rows.into_iter().map(Operand::Text).collect();
    }
    Ok(query)
}

/// The attachments of these ids, each with its client, in the same order.
fn with_clients(tx: &mut Tx<'_>, ids: Vec<String>) -> Outcome<Vec<(JobAttachment, ItsClient)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows: Vec<(JobAttachment, ItsClient)> = job_attachments::table
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
        // "" is a word as any other, and not null.
        "status" => compared!(job_attachments::status, filter, filter.texts(), false),
        "event" => compared!(job_attachments::event, filter, filter.texts(), false),
        "result" => compared!(job_attachments::result, filter, filter.texts(), false),
        "created_at" => by_time!(job_attachments::created_at, filter),
        other => return Err(listing::no_column(other)),
    })
}
