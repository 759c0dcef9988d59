//! Lists of clients: a project's own, and the central ones of every other.
//!
//! No index has both in order, so that a page is read from each and merged. The merge has the order of the statements:
//! every backend compares text by its bytes.

use std::cmp::Ordering;

use diesel::prelude::*;

use super::Client;
use crate::store::engine::connection::MultiBackend;
use crate::store::listing::{self, Condition, Filter, Listing, Op, Query, listing};
use crate::store::page::Page;
use crate::store::schema::clients;
use crate::store::search::{Search, is_word};
use crate::store::types::time::Time;
use crate::store::{Outcome, Tx};

/// The states of a client.
pub const STATES: &[&str] = &["up", "down"];

listing! {
    /// The keys of the list of clients. The marker is the `uuid`: a list can have a name twice, once for a client of the
    /// project and once for a central client. The `uuid` is the same as the row's id, which has the unique index.
    KEYS: clients, Client, |client| client.created_at;
    client_id: Text = client_id, "The name that the scheduler gives itself.", at("/client/client_id"),
        searched(is_word), sorting(|client| client.client_id.operand());
    uuid: Id = id, "The id of the row.", at("/client/uuid"), searched(is_word);
    hostname: Text = hostname, "The host it runs on.", nullable(), at("/client/hostname");
    is_central: Flag = is_central, "Whether it serves every project.", at("/client/is_central");
    last_seen_at: Time = last_seen_at, "When it polled last.", nullable(),
        sorting(|client| client.last_seen_at.operand());
    state: Word(STATES) = _, "Whether it has polled lately.";
}

/// A range of time, from the first to the second.
type Between = (Time, Time);

/// Which clients a statement reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// The project's own.
    Own,
    /// Other projects' central ones.
    Central,
    /// Both; no index has their order.
    Both,
}

/// A page of the clients that the project sees: its own and every central one. A client is up if it has polled within
/// `up`.
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
    up: Between,
    after: Option<&Client>,
) -> Outcome<Listing<Client>> {
    let (query, search) = asked;
    let marked = match &query.marker {
        Some(marker) if after.is_none() => {
            Some(marked(tx, project, marker)?.ok_or_else(|| listing::no_marker(marker))?)
        }
        _ => None,
    };
    let rows = listing::collect(
        &KEYS,
        query,
        listing::with_lookahead(page, search),
        after.or(marked.as_ref()),
        |part, (limit, offset), budget| {
            let mut read = |source| -> Outcome<Vec<Client>> {
                let rows = part.of(matching(project, source, asked, up)?);
                // A name is unique in a project, so that the index has no further columns.
                let rows = match (query.order(), source, query.is_descending) {
                    ("client_id", Source::Own, false) => rows.order(clients::client_id.asc()),
                    ("client_id", Source::Own, true) => rows.order(clients::client_id.desc()),
                    _ => rows,
                };
                Ok(rows.select(Client::as_select()).limit(limit).offset(offset).load(tx.connection)?)
            };
            // A list of all projects has the central clients already.
            let Some(_) = project else { return Ok(budget.trim(read(Source::Own)?)) };
            if offset > 0 {
                // How many skipped rows come from each source is known only after the merge, so that one statement reads
                // both sources, and the database skips the rows.
                return Ok(budget.trim(read(Source::Both)?));
            }
            let mut rows = read(Source::Own)?;
            rows.extend(read(Source::Central)?);
            rows.sort_by(|one, other| compare(query, one, other));
            rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            Ok(budget.trim(rows))
        },
    )?;
    listing::count_with(query, page, rows, !KEYS.residual(search).is_empty(), || {
        let mut count = |source| -> Outcome<i64> {
            Ok(matching(project, source, asked, up)?.count().get_result(tx.connection)?)
        };
        let central = if project.is_some() { count(Source::Central)? } else { 0 };
        Ok(count(Source::Own)? + central)
    })
}

/// The client of this uuid, if the project sees it.
fn marked(tx: &mut Tx<'_>, project: Option<&str>, uuid: &str) -> Outcome<Option<Client>> {
    let mut rows = clients::table.filter(clients::uuid.eq(uuid.to_owned())).into_boxed();
    if let Some(project) = project {
        rows = rows.filter(clients::project_id.eq(project.to_owned()).or(clients::is_central.eq(true)));
    }
    Ok(rows.select(Client::as_select()).first(tx.connection).optional()?)
}

/// Compares two clients as the ORDER BY of the statements does.
fn compare(query: &Query, one: &Client, other: &Client) -> Ordering {
    let by_key = match query.order() {
        "client_id" => one.client_id.cmp(&other.client_id),
        "last_seen_at" => one.last_seen_at.cmp(&other.last_seen_at),
        _ => Ordering::Equal,
    };
    let order = by_key.then(one.created_at.cmp(&other.created_at)).then_with(|| one.id.cmp(&other.id));
    if query.is_descending { order.reverse() } else { order }
}

/// The clients that a list is asked for, as far as the database can tell.
fn matching(
    project: Option<&str>,
    source: Source,
    (query, search): (&Query, &Search),
    up: Between,
) -> Outcome<clients::BoxedQuery<'static, MultiBackend>> {
    let rows = clients::table.into_boxed();
    let mut rows = match (project.map(str::to_owned), source) {
        (None, _) => rows,
        (Some(project), Source::Own) => rows.filter(clients::project_id.eq(project)),
        (Some(project), Source::Central) => {
            rows.filter(clients::is_central.eq(true)).filter(clients::project_id.ne(project))
        }
        (Some(project), Source::Both) => {
            rows.filter(clients::project_id.eq(project).or(clients::is_central.eq(true)))
        }
    };
    if !search.is_empty() || !query.filters.is_empty() {
        rows = rows.filter(Search::uncached());
    }
    for filter in &query.filters {
        rows = rows.filter(match filter.key {
            "state" => state(filter, up),
            _ => KEYS.condition(filter)?,
        });
    }
    Ok(KEYS.searched(rows, search))
}

/// A client is up if its last poll is within `up`, and down otherwise. A poll in the future comes from a clock that was
/// ahead, and is ignored.
fn state(filter: &Filter, (since, until): Between) -> Condition<clients::table> {
    let named = filter.texts();
    let wanted = |state: &str| named.iter().any(|name| name == state) == (filter.op == Op::In);
    let seen = clients::last_seen_at;
    match (wanted("up"), wanted("down")) {
        (true, true) => Box::new(seen.is_null().or(seen.is_not_null()).nullable()),
        (true, false) => Box::new(seen.between(since, until)),
        (false, true) => Box::new(seen.lt(since).or(seen.gt(until)).or(seen.is_null().nullable())),
        (false, false) => Box::new(seen.is_null().and(seen.is_not_null()).nullable()),
    }
}
