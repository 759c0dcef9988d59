//! Reads one page of a list in phases.

use front::error::Error;

use super::budget::{Budget, Rows, Weight};
use super::keys::{ListKeys, Part, Phase};
use super::{CREATED_AT, Query};
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

/// The phases of a page after a row with a value of the sort key, after one without, or from the beginning.
fn phases(query: &Query, last_has_value: Option<bool>) -> &'static [Phase] {
    use Phase::{Further, Nulls, Same, Values, Whole};
    let is_nullable = query.sort.is_some_and(|key| key.is_nullable);
    match (last_has_value, is_nullable, query.is_descending) {
        (None, false, _) => &[Whole],
        (None, true, false) => &[Nulls, Values],
        (None, true, true) => &[Values, Nulls],
        // In the order of creation, `Same` covers all later rows.
        (Some(_), ..) if query.sort.is_none_or(|key| *key == CREATED_AT) => &[Same],
        (Some(true), true, true) => &[Same, Further, Nulls],
        (Some(true), ..) => &[Same, Further],
        (Some(false), _, false) => &[Same, Values],
        (Some(false), _, true) => &[Same],
    }
}

/// Reads one page of rows after `last`, which is the marker's row or the last row of the previous chunk. The page also ends
/// where the budget does.
///
/// `fetch` reads the rows of a part of the page, with a limit and an offset, as far as the budget allows.
///
/// # Errors
/// 400 for an offset into a nullable order; the error of `fetch`.
pub fn collect<T: diesel::Table + 'static, R: Weight>(
    keys: &ListKeys<T, R>,
    query: &Query,
    page: Page,
    last: Option<&R>,
    mut fetch: impl FnMut(Part<'_, T, R>, (i64, i64), &mut Budget) -> Outcome<Rows<R>>,
) -> Outcome<Rows<R>> {
    let phases = phases(query, last.map(|row| keys.has_value(query, row)));
    if page.offset > 0 && phases.len() > 1 {
        let refusal = "This order has no offset; go on with the marker of the last item.";
        return Err(Error::invalid_parameter(refusal).into());
    }
    let (mut rows, mut budget): (Vec<R>, _) = (Vec::new(), Budget::default());
    for phase in phases {
        let left = page.limit - i64::try_from(rows.len()).unwrap_or(i64::MAX);
        if left > 0 {
            let part = Part { keys, query, phase: *phase, last };
            let found = fetch(part, (left, page.offset), &mut budget)?;
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
