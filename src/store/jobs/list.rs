//! Lists of job documents, among them the schedulers' polls.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;

use super::{JobHead, JobView, STATUSES, complete, complete_with, estimated_action_bytes, find, find_all};
use crate::store::engine::connection::MultiBackend;
use crate::store::engine::dialect::in_list;
use crate::store::is_id;
use crate::store::listing::{
    self, Condition, FEW_ROWS, Filter, Listing, Op, Query, Rows, by_text, by_time, compared, ordered,
};
use crate::store::page::Page;
use crate::store::schema::{clients, job_attachments};
use crate::store::search::{Condition as Searched, Search};
use crate::store::types::time::Time;
use crate::store::{Outcome, Tx};

/// A page of jobs, and the clients that the search names.
pub struct JobListing {
    /// The page.
    pub page: Listing<JobView>,
    /// The clients that the search names: a search for a client's jobs is that client's poll. A filter is not a poll.
    pub polled: Vec<PolledClient>,
}

/// A client that may be polling.
#[derive(Debug, Clone, Queryable)]
pub struct PolledClient {
    /// The row's id.
    pub id: String,
    /// The project it is registered in.
    pub project_id: String,
    /// Whether it polls for the jobs of every project.
    pub is_central: bool,
    /// When its last recorded poll was; not every poll is recorded.
    pub last_seen_at: Option<Time>,
}

/// A condition on a job's client.
pub(super) struct ClientCondition {
    /// Rows of `clients`.
    ids: Vec<String>,
    /// Whether the client must be one of these, or none of them.
    wanted: bool,
}

/// A page of the job documents of a project, or of all projects when `None`. The next chunk of a scan begins after the
/// row `after` instead of the marker.
///
/// # Errors
/// 400 if the marker is not in the list.
pub fn list(
    tx: &mut Tx<'_>,
    project: Option<&str>,
    asked: (&Query, &Search),
    page: Page,
    after: Option<&JobView>,
) -> Outcome<JobListing> {
    let (query, search) = asked;
    let marked = match &query.marker {
        Some(marker) if after.is_none() => {
            let head = find(tx, project, marker)?.ok_or_else(|| listing::no_marker(marker))?;
            // The page's position depends on the head only.
            Some(JobView { head, actions: Vec::new() })
        }
        _ => None,
    };
    let (mut on_clients, polled) = searched_clients(tx, project, search)?;
    on_clients.extend(filtered_clients(tx, project, query)?);
    if on_clients.iter().any(|on| on.wanted && on.ids.is_empty()) {
        let nothing = Rows { rows: Vec::new(), is_cut: false };
        let page = listing::count_with(query, page, nothing, !residual(search).is_empty(), || Ok(0))?;
        return Ok(JobListing { page, polled });
    }
    let with_actions = !residual(search).is_empty() || query.wants("job_actions");
    let rows = listing::collect(
        query,
        listing::with_lookahead(page, search),
        after.or(marked.as_ref()),
        |_| true,
        |phase, last, (limit, offset), budget| {
            // First the ids, from one table and in its index's order; the joins come after the limit. With both in one
            // statement the planner may start at the joined tables and sort the whole project for a page of ten.
            let rows = matching(project, asked, &on_clients)?;
            let last = last.map(|view| &view.head.attachment);
            let rows = match query.order() {
                "status" => {
                    let status = last.map(|attachment| attachment.status.clone());
                    ordered!(rows, query, phase, job_attachments.status, status, last)
                }
                "event" => {
                    let event = last.map(|attachment| attachment.event.clone());
                    ordered!(rows, query, phase, job_attachments.event, event, last)
                }
                "result" => {
                    let result = last.map(|attachment| attachment.result.clone());
                    ordered!(rows, query, phase, job_attachments.result, result, last)
                }
                _ => ordered!(rows, query, job_attachments, last),
            };
            let ids: Vec<String> =
                rows.select(job_attachments::id).limit(limit).offset(offset).load(tx.connection)?;
            if ids.len() as i64 <= FEW_ROWS {
                let heads = find_all(tx, ids)?;
                return Ok(budget.trim(if with_actions { complete(tx, heads)? } else { bare(heads) }));
            }
            let (mut rows, mut known) = (Vec::new(), HashMap::new());
            for ids in ids.chunks(HEADS_AT_A_TIME) {
                let heads = find_all(tx, ids.to_vec())?;
                if !with_actions {
                    let trimmed = budget.trim(bare(heads));
                    rows.extend(trimmed.rows);
                    if trimmed.is_cut {
                        return Ok(Rows { rows, is_cut: true });
                    }
                    continue;
                }
                let (parts, is_cut) = budget.parts(estimated_sizes(tx, &heads)?);
                let mut heads = heads.into_iter();
                for part in parts {
                    let some = heads.by_ref().take(part.len()).collect();
                    rows.append(&mut complete_with(tx, some, &mut known)?);
                }
                if is_cut {
                    return Ok(Rows { rows, is_cut: true });
                }
            }
            Ok(Rows { rows, is_cut: false })
        },
    )?;
    let page = listing::count_with(query, page, rows, !residual(search).is_empty(), || {
        Ok(matching(project, asked, &on_clients)?.count().get_result(tx.connection)?)
    })?;
    Ok(JobListing { page, polled })
}

/// Heads per statement. They are small: the large part of a document is its actions.
const HEADS_AT_A_TIME: usize = 250;

/// Approximate sizes of the heads' documents, in bytes of JSON.
fn estimated_sizes(tx: &mut Tx<'_>, heads: &[JobHead]) -> Outcome<Vec<(String, i64)>> {
    let job_ids: BTreeSet<&String> = heads.iter().map(|head| &head.job.id).collect();
    let job_ids = job_ids.into_iter().cloned().collect();
    let action_bytes: HashMap<String, i64> = estimated_action_bytes(tx, job_ids)?.into_iter().collect();
    let size = |head: &JobHead| {
        let own = i64::try_from(head.weight()).unwrap_or(i64::MAX);
        own.saturating_add(action_bytes.get(&head.job.id).copied().unwrap_or_default())
    };
    Ok(heads.iter().map(|head| (head.attachment.id.clone(), size(head))).collect())
}

/// The documents of these heads without their actions.
fn bare(heads: Vec<JobHead>) -> Vec<JobView> {
    heads.into_iter().map(|head| JobView { head, actions: Vec::new() }).collect()
}

/// Whether to cache the prepared statement: for a list of all jobs and for a scheduler's poll, which are sent often.
/// Clients can combine other searches and filters without limit, and each cached statement occupies the server.
fn is_cached(query: &Query, search: &Search) -> bool {
    let mut keys: Vec<_> = search.conditions().map(|(condition, _)| column(&condition.key)).collect();
    keys.sort_unstable();
    let is_usual =
        matches!(*keys, [] | [Some(Column::Client)] | [Some(Column::Client), Some(Column::Status)]);
    query.filters.is_empty() && is_usual && search.words.is_empty() && search.unwanted_words.is_empty()
}

/// The attachments that match a list's filters and the part of its search that columns can answer.
pub(super) fn matching(
    project: Option<&str>,
    (query, search): (&Query, &Search),
    on_clients: &[ClientCondition],
) -> Outcome<job_attachments::BoxedQuery<'static, MultiBackend>> {
    let mut rows = job_attachments::table.into_boxed();
    if let Some(project) = project {
        rows = rows.filter(job_attachments::project_id.eq(project.to_owned()));
    }
    if !is_cached(query, search) {
        rows = rows.filter(Search::uncached());
    }
    for ClientCondition { ids, wanted } in on_clients {
        rows = match wanted {
            true => rows.filter(in_list(job_attachments::client_id, ids.clone())),
            false => rows.filter(job_attachments::client_id.ne_all(ids.clone())),
        };
    }
    for filter in query.filters.iter().filter(|filter| filter.key != "client_id") {
        rows = rows.filter(condition(filter)?);
    }
    for (condition, wanted) in search.conditions() {
        let (Some(column), Some(word)) = (column(&condition.key), condition.word()) else { continue };
        let word = word.to_owned();
        rows = match (column, wanted) {
            (Column::Client, _) => rows,
            (Column::Id, true) => rows.filter(job_attachments::id.eq(word)),
            (Column::Id, false) => rows.filter(job_attachments::id.ne(word)),
            (Column::Session, true) if word.is_empty() => rows.filter(job_attachments::session_id.is_null()),
            (Column::Session, false) if word.is_empty() => {
                rows.filter(job_attachments::session_id.is_not_null())
            }
            (Column::Session, true) => rows.filter(job_attachments::session_id.eq(word)),
            (Column::Session, false) => {
                rows.filter(job_attachments::session_id.ne(word).or(job_attachments::session_id.is_null()))
            }
            (Column::Status, true) => rows.filter(job_attachments::status.eq(word)),
            // As a list of the other statuses: an index serves IN, but not "not equal".
            (Column::Status, false) => {
                rows.filter(in_list(job_attachments::status, other_statuses(Some(&word))))
            }
            (Column::Event, true) => rows.filter(job_attachments::event.eq(word)),
            (Column::Event, false) => rows.filter(job_attachments::event.ne(word)),
            (Column::Result, true) => rows.filter(job_attachments::result.eq(word)),
            (Column::Result, false) => rows.filter(job_attachments::result.ne(word)),
        };
    }
    Ok(rows)
}

fn condition(filter: &Filter) -> Outcome<Condition<job_attachments::table>> {
    Ok(match filter.key {
        "job_id" => by_text!(job_attachments::id, filter),
        "session_id" => by_text!(job_attachments::session_id, filter),
        // The empty word is a value like any other; the column is never null.
        "status" => compared!(job_attachments::status, filter, filter.texts(), false),
        "event" => compared!(job_attachments::event, filter, filter.texts(), false),
        "result" => compared!(job_attachments::result, filter, filter.texts(), false),
        "created_at" => by_time!(job_attachments::created_at, filter),
        "user_id" => by_text!(job_attachments::user_id, filter),
        other => return Err(listing::no_column(other)),
    })
}

/// A search's conditions on the client's name, and the clients that it asks for.
pub(super) fn searched_clients(
    tx: &mut Tx<'_>,
    project: Option<&str>,
    search: &Search,
) -> Outcome<(Vec<ClientCondition>, Vec<PolledClient>)> {
    let (mut on_clients, mut polled) = (Vec::new(), Vec::new());
    for (condition, wanted) in search.conditions().filter(|(c, _)| column(&c.key) == Some(Column::Client)) {
        if let Some(name) = condition.word() {
            let named: Vec<PolledClient> = visible_clients(project)
                .filter(clients::client_id.eq(name.to_owned()))
                .select((clients::id, clients::project_id, clients::is_central, clients::last_seen_at))
                .load(tx.connection)?;
            on_clients.push(client_condition(&named, wanted));
            if wanted {
                polled.extend(named);
            }
        }
    }
    Ok((on_clients, polled))
}

fn client_condition(clients: &[PolledClient], wanted: bool) -> ClientCondition {
    ClientCondition { ids: clients.iter().map(|client| client.id.clone()).collect(), wanted }
}

/// The condition that a job is on one of these clients.
pub(super) fn on_one_of(clients: &[PolledClient]) -> Vec<ClientCondition> {
    vec![client_condition(clients, true)]
}

/// The filters' conditions on the client's name or uuid; one statement for all filters.
fn filtered_clients(tx: &mut Tx<'_>, project: Option<&str>, query: &Query) -> Outcome<Vec<ClientCondition>> {
    let filters: Vec<&Filter> = query.filters.iter().filter(|filter| filter.key == "client_id").collect();
    if filters.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<String> = filters.iter().flat_map(|filter| filter.texts()).collect();
    // A text that cannot be an id is not compared with a column of ids: MySQL refuses to.
    let ids: Vec<String> = names.iter().filter(|name| is_id(name)).cloned().collect();
    let found: Vec<(String, String)> = visible_clients(project)
        .filter(clients::client_id.eq_any(names).or(clients::id.eq_any(ids)))
        .filter(Search::uncached())
        .select((clients::id, clients::client_id))
        .load(tx.connection)?;
    let on_clients = filters.into_iter().map(|filter| {
        let texts = filter.texts();
        let named = found.iter().filter(|(id, name)| texts.contains(name) || texts.contains(id));
        ClientCondition { ids: named.map(|(id, _)| id.clone()).collect(), wanted: filter.op == Op::In }
    });
    Ok(on_clients.collect())
}

/// The clients that a project sees: its own and the central ones; every client when `None`.
fn visible_clients(project: Option<&str>) -> clients::BoxedQuery<'static, MultiBackend> {
    let rows = clients::table.into_boxed();
    match project {
        Some(project) => {
            rows.filter(clients::project_id.eq(project.to_owned()).or(clients::is_central.eq(true)))
        }
        None => rows,
    }
}

/// The columns that can answer a search.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Column {
    Id,
    Client,
    Session,
    Status,
    Event,
    Result,
}

fn column(key: &str) -> Option<Column> {
    match key {
        "job_id" => Some(Column::Id),
        "client_id" => Some(Column::Client),
        "session_id" => Some(Column::Session),
        "status" | "job_schedule.status" => Some(Column::Status),
        "event" | "job_schedule.event" => Some(Column::Event),
        "result" | "job_schedule.result" => Some(Column::Result),
        _ => None,
    }
}

/// The part of a search that no column answers.
pub fn residual(search: &Search) -> Search {
    search.without(is_answered)
}

/// Whether a column answers the whole condition.
fn is_answered(condition: &Searched) -> bool {
    column(&condition.key).is_some() && condition.word().is_some()
}

/// Every status that a job can have (contract, api-v2 §4) except `unwanted`.
pub(super) fn other_statuses(unwanted: Option<&str>) -> Vec<String> {
    STATUSES.iter().filter(|other| Some(**other) != unwanted).map(|other| (*other).to_owned()).collect()
}
