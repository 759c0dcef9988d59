//! Reads one page of a list in phases.

use super::Query;
use super::budget::{Budget, Rows, Weight};
use crate::error::Error;
use crate::store::page::Page;
use crate::store::search::Search;
use crate::store::{Failure, Outcome};

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Listing<R> {
    /// The rows.
    pub rows: Vec<R>,
    /// Whether more rows follow; false if the page was read without a look-ahead row.
    pub has_more: bool,
    /// The number of rows on all pages, if it was requested.
    pub count: Option<i64>,
}

/// One range of the index that a list is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// All rows.
    Whole,
    /// The rows without a value of the sort key.
    Nulls,
    /// The rows with one.
    Values,
    /// The rows with the same value as the last row (or null, as it has), that come after it.
    Same,
    /// The rows with a value beyond the last row's.
    Further,
}

/// The phases of a page after a row with a value of the sort key, after one without, or from the beginning.
fn phases(query: &Query, last_has_value: Option<bool>) -> &'static [Phase] {
    use Phase::{Further, Nulls, Same, Values, Whole};
    let is_nullable = query.sort.is_some_and(|key| key.is_nullable);
    match (last_has_value, is_nullable, query.is_descending) {
        (None, false, _) => &[Whole],
        (None, true, false) => &[Nulls, Values],
        (None, true, true) => &[Values, Nulls],
        // In the order of creation, `Same` covers all later rows.
        (Some(_), ..) if query.sort.is_none_or(|key| *key == super::CREATED_AT) => &[Same],
        (Some(true), true, true) => &[Same, Further, Nulls],
        (Some(true), ..) => &[Same, Further],
        (Some(false), _, false) => &[Same, Values],
        (Some(false), _, true) => &[Same],
    }
}

/// Reads one page of rows after `last`, which is the marker's row or the last row of the previous chunk. The page also ends
/// where the budget does.
///
/// `fetch` reads the rows of a phase after a row, with a limit and an offset, as far as the budget allows. `has_value` is
/// whether a row has a value of the sort key.
///
/// # Errors
/// 400 for an offset into a nullable order; the error of `fetch`.
pub fn collect<R: Weight>(
    query: &Query,
    page: Page,
    last: Option<&R>,
    has_value: impl Fn(&R) -> bool,
    mut fetch: impl FnMut(Phase, Option<&R>, (i64, i64), &mut Budget) -> Outcome<Rows<R>>,
) -> Outcome<Rows<R>> {
    let phases = phases(query, last.map(has_value));
    if page.offset > 0 && phases.len() > 1 {
        let refusal = "This order has no offset; go on with the marker of the last item.";
        return Err(Error::invalid_parameter(refusal).into());
    }
    let (mut rows, mut budget): (Vec<R>, _) = (Vec::new(), Budget::default());
    for phase in phases {
        let left = page.limit - i64::try_from(rows.len()).unwrap_or(i64::MAX);
        if left > 0 {
            let found = fetch(*phase, last, (left, page.offset), &mut budget)?;
            rows.extend(found.rows);
            if found.is_cut {
                return Ok(Rows { rows, is_cut: true });
            }
        }
    }
    Ok(Rows { rows, is_cut: false })
}

/// The page with one more row, which shows whether more rows follow. A search in the body gets no such row: it pages by
/// offset, and finding one more match may take long.
pub fn with_lookahead(page: Page, search: &Search) -> Page {
    Page { limit: page.limit + i64::from(search.is_empty()), ..page }
}

/// 400: the marker is not in this list.
pub fn no_marker(marker: &str) -> Failure {
    Error::invalid_parameter(format!("marker {marker} is none of these; begin again without it.")).into()
}

/// 500: the store has no column for a key.
pub fn no_column(key: &str) -> Failure {
    Error::internal(format!("no column is filtered by {key}")).into()
}

/// The listing of a page that was read with a look-ahead row.
pub fn without_lookahead<R>(page: Page, found: Rows<R>) -> Listing<R> {
    let Rows { mut rows, is_cut } = found;
    let has_more = is_cut || rows.len() as i64 > page.limit;
    rows.truncate(usize::try_from(page.limit).unwrap_or(usize::MAX));
    Listing { rows, has_more, count: None }
}

/// As [`without_lookahead`], with the count of all rows if the query wants it.
///
/// # Errors
/// The error of `count`; 400 when counting would have to look into every document.
pub fn count_with<R>(
    query: &Query,
    page: Page,
    found: Rows<R>,
    looks_into_documents: bool,
    count: impl FnOnce() -> Outcome<i64>,
) -> Outcome<Listing<R>> {
    let count = match (query.with_count, looks_into_documents) {
        (false, _) => None,
        (true, false) => Some(count()?),
        (true, true) => {
            let refusal = "with_count does not go with a search for keys inside the documents.";
            return Err(Error::invalid_parameter(refusal).into());
        }
    };
    Ok(Listing { count, ..without_lookahead(page, found) })
}

/// Orders a boxed query by a column and (created_at, id), and restricts it to a phase.
///
/// `$last` is the last row, if any, and `$value` the column's value in it.
macro_rules! ordered {
    ($rows:expr, $query:expr, $phase:expr, $table:ident.$column:ident, $value:expr, $last:expr) => {{
        use diesel::prelude::*;
        use $crate::store::engine::dialect::OrderPerBackend;
        use $crate::store::listing::Phase;
        let (phase, is_descending) = ($phase, $query.is_descending);
        let mut rows = $rows;
        let value = $value;
        let has_value = value.is_some();
        match phase {
            Phase::Whole => {}
            Phase::Nulls => rows = rows.filter($table::$column.is_null()),
            Phase::Values => rows = rows.filter($table::$column.is_not_null()),
            Phase::Same if !has_value => rows = rows.filter($table::$column.is_null()),
            Phase::Same => rows = rows.filter($table::$column.nullable().eq(value)),
            Phase::Further if is_descending => rows = rows.filter($table::$column.nullable().lt(value)),
            Phase::Further => rows = rows.filter($table::$column.nullable().gt(value)),
        }
        let (creation_asc, creation_desc) =
            (($table::created_at.asc(), $table::id.asc()), ($table::created_at.desc(), $table::id.desc()));
        let asc = ($table::$column.asc(), $table::created_at.asc(), $table::id.asc());
        let desc = ($table::$column.desc(), $table::created_at.desc(), $table::id.desc());
        rows = match (phase, is_descending) {
            // With one value of the column, the index is in the order of creation.
            (Phase::Same, false) if has_value => rows.order(creation_asc),
            (Phase::Same, true) if has_value => rows.order(creation_desc),
            (Phase::Nulls | Phase::Same, false) => {
                rows.order(OrderPerBackend { postgres: asc, others: creation_asc })
            }
            (Phase::Nulls | Phase::Same, true) => {
                rows.order(OrderPerBackend { postgres: desc, others: creation_desc })
            }
            (_, false) => rows.order(asc),
            (_, true) => rows.order(desc),
        };
        match ($last, phase) {
            (Some(last), Phase::Same) => $crate::store::listing::after!(rows, $table, last, is_descending),
            _ => rows,
        }
    }};
    ($rows:expr, $query:expr, $table:ident, $last:expr) => {{
        use diesel::prelude::*;
        let is_descending = $query.is_descending;
        let rows = match is_descending {
            false => $rows.order(($table::created_at.asc(), $table::id.asc())),
            true => $rows.order(($table::created_at.desc(), $table::id.desc())),
        };
        match $last {
            Some(last) => $crate::store::listing::after!(rows, $table, last, is_descending),
            None => rows,
        }
    }};
}

/// Restricts a boxed query to the rows after a row in the order of creation.
macro_rules! after {
    ($rows:expr, $table:ident, $last:expr, $is_descending:expr) => {{
        let (created_at, id) = ($last.created_at, $last.id.clone());
        // The first condition lets the index scan begin at the row; with the OR alone it would begin at the first row.
        match $is_descending {
            false => $rows
                .filter($table::created_at.ge(created_at))
                .filter($table::created_at.gt(created_at).or($table::id.gt(id))),
            true => $rows
                .filter($table::created_at.le(created_at))
                .filter($table::created_at.lt(created_at).or($table::id.lt(id))),
        }
    }};
}

pub(crate) use {after, ordered};
