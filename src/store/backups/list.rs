//! Lists of backups.

use diesel::prelude::*;

use super::{Backup, Column, PromotedColumns, find};
use crate::store::engine::connection::MultiBackend;
use crate::store::listing::{
    self, Condition, Filter, Listing, Query, by_number, by_text, by_time, empty_document, load_page, ordered,
};
use crate::store::owners::{self, Noun};
use crate::store::page::Page;
use crate::store::schema::backups;
use crate::store::search::{Condition as Searched, Search};
use crate::store::{Outcome, Tx};

/// A page of a project's backups.
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
    after: Option<&Backup>,
) -> Outcome<Listing<Backup>> {
    let (query, search) = asked;
    let is_light = residual(search).is_empty() && !query.wants("backup_metadata");
    let marked = match &query.marker {
        Some(marker) if after.is_none() => {
            let project = owners::project_of_marker(tx, Noun::Backup, marker, project, query)?;
            Some(find(tx, &project, marker)?.ok_or_else(|| listing::no_marker(marker))?)
        }
        _ => None,
    };
    let rows = listing::collect(
        query,
        listing::with_lookahead(page, search),
        after.or(marked.as_ref()),
        |backup| match query.order() {
            "backup_name" => backup.promoted.backup_name.is_some(),
            "hostname" => backup.promoted.hostname.is_some(),
            "time_stamp" => backup.promoted.time_stamp.is_some(),
            _ => true,
        },
        |phase, last, (limit, offset), budget| {
            let rows = matching(project, query, search)?;
            let columns = last.map(|backup| &backup.promoted);
            let rows = match query.order() {
                "status" => {
                    ordered!(rows, query, phase, backups.status, last.map(|last| last.status.clone()), last)
                }
                "backup_name" => {
                    let name = columns.and_then(|columns| columns.backup_name.clone());
                    ordered!(rows, query, phase, backups.backup_name, name, last)
                }
                "hostname" => {
                    let name = columns.and_then(|columns| columns.hostname.clone());
                    ordered!(rows, query, phase, backups.hostname, name, last)
                }
                "time_stamp" => {
                    let time = columns.and_then(|columns| columns.time_stamp);
                    ordered!(rows, query, phase, backups.time_stamp, time, last)
                }
                _ => ordered!(rows, query, backups, last),
            };
            let rows = rows.limit(limit).offset(offset);
            let nothing = empty_document(tx.connection);
            Ok(load_page!(tx, budget, rows, limit, backups[metadata], Backup::as_select(), if is_light => (
                backups::id,
                backups::project_id,
                backups::user_id,
                backups::status,
                PromotedColumns::as_select(),
                nothing,
                backups::created_at,
                backups::updated_at,
                backups::version,
            )))
        },
    )?;
    listing::count_with(query, page, rows, !residual(search).is_empty(), || {
        Ok(matching(project, query, search)?.count().get_result(tx.connection)?)
    })
}

/// Adds a condition on a nullable column; null passes every "is not".
macro_rules! narrow {
    ($rows:expr, $column:expr, $text:expr, $wanted:expr) => {
        match $wanted {
            true => $rows.filter($column.eq($text)),
            false => $rows.filter($column.ne($text).or($column.is_null())),
        }
    };
}

/// The rows that match the query, and the conditions of the search that columns answer.
fn matching(
    project: Option<&str>,
    query: &Query,
    search: &Search,
) -> Outcome<backups::BoxedQuery<'static, MultiBackend>> {
    let mut rows = backups::table.into_boxed();
    if let Some(project) = project {
        rows = rows.filter(backups::project_id.eq(project.to_owned()));
    }
    if !search.is_empty() || !query.filters.is_empty() {
        rows = rows.filter(Search::uncached());
    }
    for filter in &query.filters {
        rows = rows.filter(condition(filter)?);
    }
    if let Some(time) = search.time_after {
        rows = rows.filter(backups::time_stamp.ge(time));
    }
    if let Some(time) = search.time_before {
        rows = rows.filter(backups::time_stamp.le(time));
    }
    for (condition, wanted) in search.conditions() {
        let Some((column, text)) = pushed(condition) else { continue };
        let text = text.to_owned();
        rows = match (column, wanted) {
            (Column::Id, true) => rows.filter(backups::id.eq(text)),
            (Column::Id, false) => rows.filter(backups::id.ne(text)),
            (Column::Status, true) => rows.filter(backups::status.eq(text)),
            (Column::Status, false) => rows.filter(backups::status.ne(text)),
            (Column::Job, _) => narrow!(rows, backups::job_id, text, wanted),
            (Column::Name, _) => narrow!(rows, backups::backup_name, text, wanted),
            (Column::Container, _) => narrow!(rows, backups::container, text, wanted),
            (Column::Hostname, _) => narrow!(rows, backups::hostname, text, wanted),
            (Column::Action, _) => narrow!(rows, backups::action, text, wanted),
            (Column::Mode, _) => narrow!(rows, backups::mode, text, wanted),
        };
    }
    Ok(rows)
}

fn condition(filter: &Filter) -> Outcome<Condition<backups::table>> {
    Ok(match filter.key {
        "backup_id" => by_text!(backups::id, filter),
        "status" => by_text!(backups::status, filter),
        "job_id" => by_text!(backups::job_id, filter),
        "backup_name" => by_text!(backups::backup_name, filter),
        "container" => by_text!(backups::container, filter),
        "hostname" => by_text!(backups::hostname, filter),
        "action" => by_text!(backups::action, filter),
        "mode" => by_text!(backups::mode, filter),
        "time_stamp" => by_number!(backups::time_stamp, filter, integers),
        "curr_backup_level" => by_number!(backups::curr_backup_level, filter, smalls),
        "created_at" => by_time!(backups::created_at, filter),
        "user_id" => by_text!(backups::user_id, filter),
        other => return Err(listing::no_column(other)),
    })
}

/// The conditions of a search that no column answers.
pub fn residual(search: &Search) -> Search {
    search.without(|condition| pushed(condition).is_some())
}

/// The column and the text, if the database can evaluate the condition.
fn pushed(condition: &Searched) -> Option<(Column, &str)> {
    let column = Column::from_key(&condition.key)?;
    let text = condition.text().filter(|text| column.holds(text))?;
    Some((column, text))
}
