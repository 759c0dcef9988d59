//! Lists of sessions.

use diesel::prelude::*;

use super::{Session, SessionView, complete, find};
use crate::store::connection::MultiBackend;
use crate::store::listing::{self, Condition, Filter, Listing, Query, by_text, by_time, compared, ordered};
use crate::store::page::Page;
use crate::store::schema::sessions;
use crate::store::search::{Condition as Searched, Search};
use crate::store::{Outcome, Tx};

/// A page of a project's sessions.
///
/// As the next chunk of a scan, the page begins after the row `after` instead of the marker.
///
/// # Errors
/// 400 for a marker that is none of them.
pub fn list(
    tx: &mut Tx<'_>,
    project: &str,
    asked: (&Query, &Search),
    page: Page,
    after: Option<&SessionView>,
) -> Outcome<Listing<SessionView>> {
    let (query, search) = asked;
    let marked = match &query.marker {
        Some(marker) if after.is_none() => {
            let session = find(tx, project, marker)?.ok_or_else(|| listing::no_marker(marker))?;
            // Only its place is asked for.
            Some(SessionView { session, members: Vec::new() })
        }
        _ => None,
    };
    let views = listing::collect(
        query,
        listing::one_more(page, search),
        after.or(marked.as_ref()),
        |_| true,
        |phase, last, limit, offset| {
            let rows = matching(project, query, search)?;
            let last = last.map(|view| &view.session);
            let rows = match query.order() {
                "status" => {
                    ordered!(rows, query, phase, sessions.status, last.map(|last| last.status.clone()), last)
                }
                "result" => {
                    ordered!(rows, query, phase, sessions.result, last.map(|last| last.result.clone()), last)
                }
                _ => ordered!(rows, query, sessions, last),
            };
            let found = rows.select(Session::as_select()).limit(limit).offset(offset).load(tx.connection)?;
            complete(tx, project, found)
        },
    )?;
    listing::count_with(query, page, views, !beyond_columns(search).is_empty(), || {
        Ok(matching(project, query, search)?.count().get_result(tx.connection)?)
    })
}

/// The sessions that a list is asked for, as far as the database can tell.
fn matching(
    project: &str,
    query: &Query,
    search: &Search,
) -> Outcome<sessions::BoxedQuery<'static, MultiBackend>> {
    let mut rows = sessions::table.filter(sessions::project_id.eq(project.to_owned())).into_boxed();
    if !search.is_empty() || !query.filters.is_empty() {
        rows = rows.filter(Search::never_kept());
    }
    for filter in &query.filters {
        rows = rows.filter(condition(filter)?);
    }
    for (condition, wanted) in search.conditions() {
        let (Some(column), Some(word)) = (column(&condition.key), condition.word()) else { continue };
        let word = word.to_owned();
        rows = match (column, wanted) {
            (Column::Id, true) => rows.filter(sessions::id.eq(word)),
            (Column::Id, false) => rows.filter(sessions::id.ne(word)),
            (Column::Status, true) => rows.filter(sessions::status.eq(word)),
            (Column::Status, false) => rows.filter(sessions::status.ne(word)),
            (Column::Result, true) => rows.filter(sessions::result.eq(word)),
            (Column::Result, false) => rows.filter(sessions::result.ne(word)),
        };
    }
    Ok(rows)
}

fn condition(filter: &Filter) -> Outcome<Condition<sessions::table>> {
    Ok(match filter.key {
        "session_id" => by_text!(sessions::id, filter),
        // Nothing at all is a word here.
        "status" => compared!(sessions::status, filter, filter.texts(), false),
        "result" => compared!(sessions::result, filter, filter.texts(), false),
        "created_at" => by_time!(sessions::created_at, filter),
        other => return Err(listing::no_column(other)),
    })
}

/// The columns that a search can use.
enum Column {
    Id,
    Status,
    Result,
}

fn column(key: &str) -> Option<Column> {
    match key {
        "session_id" => Some(Column::Id),
        "status" => Some(Column::Status),
        "result" => Some(Column::Result),
        _ => None,
    }
}

/// What of a search no column answers.
pub fn beyond_columns(search: &Search) -> Search {
    search.without(pushed)
}

/// Whether the database takes the whole of a condition over.
fn pushed(condition: &Searched) -> bool {
    column(&condition.key).is_some() && condition.word().is_some()
}
