//! Lists of jobs, among them the schedulers' polls.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;

use super::{JobHead, JobView, STATUSES, complete, complete_with, find, find_all, sizes_of_actions};
use crate::store::connection::MultiBackend;
use crate::store::dialect::in_list;
use crate::store::is_id;
use crate::store::listing::{
    self, Condition, FEW_ROWS, Filter, Listing, Op, Query, Rows, by_text, by_time, compared, ordered,
};
use crate::store::page::Page;
use crate::store::schema::{clients, job_attachments};
use crate::store::search::{Condition as Searched, Search};
use crate::store::types::time::Time;
use crate::store::{Outcome, Tx};

/// A page of jobs, and the clients it was searched for.
pub struct JobListing {
    /// The jobs.
    pub page: Listing<JobView>,
    /// The clients that a search named: a search for a client's jobs is that client's poll. A filter is nobody's.
    pub polled: Vec<PolledClient>,
}

/// A client whose poll this may be.
#[derive(Debug, Clone, Queryable)]
pub struct PolledClient {
    /// The row's id.
    pub id: String,
    /// Whose it is.
    pub project_id: String,
    /// Whether it polls for every project.
    pub is_central: bool,
    /// When it polled last, as far as was noted.
    pub last_seen_at: Option<Time>,
}

/// What must hold of the client that a job is on: one of these rows, or none of them.
pub(super) struct OnClient {
    ids: Vec<String>,
    wanted: bool,
}

/// A page of the job documents of a project, or of all projects when `None`.
///
/// As the next chunk of a scan, the page begins after the row `after` instead of the marker.
///
/// # Errors
/// 400 for a marker that is none of them.
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
            // Where the page begins is all in the head.
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
            // Which rows, first, out of one table and in its index's order; the joins come after the limit. In one
            // statement the planner may begin with the joined tables, and sort the project for a page of ten.
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
                    let found = budget.trim(bare(heads));
                    rows.extend(found.rows);
                    if found.is_cut {
                        return Ok(Rows { rows, is_cut: true });
                    }
                    continue;
                }
                let (parts, is_cut) = budget.parts(sizes(tx, &heads)?);
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

/// How many heads are read at a time. The large part of a document is its actions.
const HEADS_AT_A_TIME: usize = 250;

/// About how many bytes of JSON the documents of some heads are.
fn sizes(tx: &mut Tx<'_>, heads: &[JobHead]) -> Outcome<Vec<(String, i64)>> {
    let job_ids: BTreeSet<&String> = heads.iter().map(|head| &head.job.id).collect();
    let job_ids = job_ids.into_iter().cloned().collect();
    let of_actions: HashMap<String, i64> = sizes_of_actions(tx, job_ids)?.into_iter().collect();
    let size = |head: &JobHead| {
        let own = i64::try_from(head.weight()).unwrap_or(i64::MAX);
        own.saturating_add(of_actions.get(&head.job.id).copied().unwrap_or_default())
    };
    Ok(heads.iter().map(|head| (head.attachment.id.clone(), size(head))).collect())
}

/// The documents of some heads, without their actions.
fn bare(heads: Vec<JobHead>) -> Vec<JobView> {
    heads.into_iter().map(|head| JobView { head, actions: Vec::new() }).collect()
}

/// Whether this is all, or what schedulers ask for once a minute: the jobs of a client that have, or have not, some
/// status. These statements are worth keeping; all the others are as many as clients can think of.
fn is_poll(query: &Query, search: &Search) -> bool {
    let mut keys: Vec<_> = search.conditions().map(|(condition, _)| column(&condition.key)).collect();
    keys.sort_unstable();
    let is_usual =
        matches!(*keys, [] | [Some(Column::Client)] | [Some(Column::Client), Some(Column::Status)]);
    query.filters.is_empty() && is_usual && search.words.is_empty() && search.unwanted_words.is_empty()
}

/// The jobs that a list is asked for, as far as the database can tell.
pub(super) fn matching(
    project: Option<&str>,
    (query, search): (&Query, &Search),
    on_clients: &[OnClient],
) -> Outcome<job_attachments::BoxedQuery<'static, MultiBackend>> {
    let mut rows = job_attachments::table.into_boxed();
    if let Some(project) = project {
        rows = rows.filter(job_attachments::project_id.eq(project.to_owned()));
    }
    if !is_poll(query, search) {
        rows = rows.filter(Search::uncached());
    }
    for OnClient { ids, wanted } in on_clients {
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
            // As a list of what may be: an index serves that, and does not serve "anything but".
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
        // Nothing at all is a word here.
        "status" => compared!(job_attachments::status, filter, filter.texts(), false),
        "event" => compared!(job_attachments::event, filter, filter.texts(), false),
        "result" => compared!(job_attachments::result, filter, filter.texts(), false),
        "created_at" => by_time!(job_attachments::created_at, filter),
        "user_id" => by_text!(job_attachments::user_id, filter),
        other => return Err(listing::no_column(other)),
    })
}

/// What a search says of the jobs' clients, by their names, and the clients that it is for.
pub(super) fn searched_clients(
    tx: &mut Tx<'_>,
    project: Option<&str>,
    search: &Search,
) -> Outcome<(Vec<OnClient>, Vec<PolledClient>)> {
    let (mut on_clients, mut polled) = (Vec::new(), Vec::new());
    for (condition, wanted) in search.conditions().filter(|(c, _)| column(&c.key) == Some(Column::Client)) {
        if let Some(name) = condition.word() {
            let named: Vec<PolledClient> = seen_clients(project)
                .filter(clients::client_id.eq(name.to_owned()))
                .select((clients::id, clients::project_id, clients::is_central, clients::last_seen_at))
                .load(tx.connection)?;
            on_clients.push(on(&named, wanted));
            if wanted {
                polled.extend(named);
            }
        }
    }
    Ok((on_clients, polled))
}

fn on(clients: &[PolledClient], wanted: bool) -> OnClient {
    OnClient { ids: clients.iter().map(|client| client.id.clone()).collect(), wanted }
}

/// That a job must be on one of these clients.
pub(super) fn of_client(clients: &[PolledClient]) -> Vec<OnClient> {
    vec![on(clients, true)]
}

/// What the filters say of the jobs' clients, by their names or uuids; one statement, however many they are.
fn filtered_clients(tx: &mut Tx<'_>, project: Option<&str>, query: &Query) -> Outcome<Vec<OnClient>> {
    let filters: Vec<&Filter> = query.filters.iter().filter(|filter| filter.key == "client_id").collect();
    if filters.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<String> = filters.iter().flat_map(|filter| filter.texts()).collect();
    // What can be no id does not go to a column of ids: MySQL cannot compare it.
    let ids: Vec<String> = names.iter().filter(|name| is_id(name)).cloned().collect();
    let found: Vec<(String, String)> = seen_clients(project)
        .filter(clients::client_id.eq_any(names).or(clients::id.eq_any(ids)))
        .filter(Search::uncached())
        .select((clients::id, clients::client_id))
        .load(tx.connection)?;
    let on_clients = filters.into_iter().map(|filter| {
        let texts = filter.texts();
        let named = found.iter().filter(|(id, name)| texts.contains(name) || texts.contains(id));
        OnClient { ids: named.map(|(id, _)| id.clone()).collect(), wanted: filter.op == Op::In }
    });
    Ok(on_clients.collect())
}

/// The clients that a project, or anybody when `None`, sees.
fn seen_clients(project: Option<&str>) -> clients::BoxedQuery<'static, MultiBackend> {
    let rows = clients::table.into_boxed();
    match project {
        Some(project) => {
            rows.filter(clients::project_id.eq(project.to_owned()).or(clients::is_central.eq(true)))
        }
        None => rows,
    }
}

/// The columns that a search can use.
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

/// What of a search no column answers.
pub fn residual(search: &Search) -> Search {
    search.without(pushed)
}

/// Whether the database takes the whole of a condition over.
fn pushed(condition: &Searched) -> bool {
    column(&condition.key).is_some() && condition.word().is_some()
}

/// Every status a job can have (contract, api-v2 §4) but that one.
pub(super) fn other_statuses(unwanted: Option<&str>) -> Vec<String> {
    STATUSES.iter().filter(|other| Some(**other) != unwanted).map(|other| (*other).to_owned()).collect()
}
