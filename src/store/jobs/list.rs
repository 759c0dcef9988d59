//! Lists of job documents, among them the schedulers' polls.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;

use super::{
    EVENTS, JobHead, JobView, RESULTS, STATUSES, complete, complete_with, estimated_action_bytes, find,
    find_all,
};
use crate::store::engine::connection::MultiBackend;
use crate::store::engine::dialect::in_list;
use crate::store::is_id;
use crate::store::listing::{self, FEW_ROWS, Filter, Listing, Op, Query, Rows, listing};
use crate::store::page::Page;
use crate::store::schema::{clients, job_attachments};
use crate::store::search::{Search, is_word};
use crate::store::types::time::Time;
use crate::store::{Outcome, Tx};

listing! {
    /// The keys of the list of jobs.
    KEYS: job_attachments, JobView, |view| view.head.attachment.created_at;
    job_id: Id = id, "The id of the document.", at("/job_id"), searched(is_word);
    client_id: Text = _, "The client's name, or its uuid.", at("/client_id"), searched(is_word);
    session_id: Id = session_id, "The session it is in; empty for none.", nullable(), at("/session_id"),
        searched(is_word);
    status: Word(STATUSES) = status, "Where it stands.", at("/job_schedule/status"), searched(is_word),
        sorting(|view| view.head.attachment.status.operand());
    event: Word(EVENTS) = event, "What is asked of its scheduler.", at("/job_schedule/event"), searched(is_word),
        sorting(|view| view.head.attachment.event.operand());
    result: Word(RESULTS) = result, "How its last run ended.", at("/job_schedule/result"), searched(is_word),
        sorting(|view| view.head.attachment.result.operand());
}

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
        let page = listing::count_with(query, page, nothing, !KEYS.residual(search).is_empty(), || Ok(0))?;
        return Ok(JobListing { page, polled });
    }
    let with_actions = !KEYS.residual(search).is_empty() || query.wants("job_actions");
    let rows = listing::collect(
        &KEYS,
        query,
        listing::with_lookahead(page, search),
        after.or(marked.as_ref()),
        |part, (limit, offset), budget| {
            // First the ids, from one table and in its index's order; the joins come after the limit. With both in one
            // statement the planner may start at the joined tables and sort the whole project for a page of ten.
            let rows = part.of(matching(project, asked, &on_clients)?);
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
    let page = listing::count_with(query, page, rows, !KEYS.residual(search).is_empty(), || {
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
    let called = |name: &str| KEYS.called(name).map(|key| key.name());
    let mut keys: Vec<_> = search.conditions().map(|(condition, _)| called(&condition.key)).collect();
    keys.sort_unstable();
    let is_usual = matches!(*keys, [] | [Some("client_id")] | [Some("client_id"), Some("status")]);
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
        rows = rows.filter(KEYS.condition(filter)?);
    }
    for (condition, wanted) in search.conditions() {
        let Some((key, word)) = KEYS.answering(condition) else { continue };
        rows = match (key.name(), word, wanted) {
            ("session_id", "", true) => rows.filter(job_attachments::session_id.is_null()),
            ("session_id", "", false) => rows.filter(job_attachments::session_id.is_not_null()),
            // As a list of the other statuses: an index serves IN, but not "not equal".
            ("status", word, false) => {
                rows.filter(in_list(job_attachments::status, other_statuses(Some(word))))
            }
            _ => match key.has(word, wanted) {
                Some(condition) => rows.filter(condition),
                // The conditions on clients are in `on_clients`.
                None => rows,
            },
        };
    }
    Ok(rows)
}

/// A search's conditions on the client's name, and the clients that it asks for.
pub(super) fn searched_clients(
    tx: &mut Tx<'_>,
    project: Option<&str>,
    search: &Search,
) -> Outcome<(Vec<ClientCondition>, Vec<PolledClient>)> {
    let (mut on_clients, mut polled) = (Vec::new(), Vec::new());
    for (condition, wanted) in search.conditions() {
        if let Some((key, name)) = KEYS.answering(condition)
            && key.name() == "client_id"
        {
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

/// Every status that a job can have (contract, api-v2 §4) except `unwanted`.
pub(super) fn other_statuses(unwanted: Option<&str>) -> Vec<String> {
    STATUSES.iter().filter(|other| Some(**other) != unwanted).map(|other| (*other).to_owned()).collect()
}
