//! Pages of a list, in the one order every list has: (created_at, id).

use super::Outcome;
use super::moment_type::Time;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// At most this many rows.
    pub limit: i64,
    /// After skipping this many.
    pub offset: i64,
}

/// A place in a list: what comes after it has a greater (created_at, id).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// `created_at` of the last row seen.
    pub created_at: Time,
    /// `id` of the last row seen.
    pub id: String,
}

/// What to fetch next: after a place, skipping and taking so many.
#[derive(Debug)]
pub struct Window {
    /// Only rows after this place.
    pub after: Option<Place>,
    /// Rows to skip.
    pub offset: i64,
    /// Rows to take.
    pub limit: i64,
}

/// Rows of a chunk when a search has to look into the documents themselves.
const CHUNK: i64 = 200;

/// One page of rows. When the database did all the filtering (`keep` is `None`) this is one fetch; else rows
/// are streamed chunk by chunk through `keep`, and no further than the page's end.
///
/// # Errors
/// What `fetch` fails with.
pub fn collect<R>(
    page: Page,
    keep: Option<&dyn Fn(&R) -> bool>,
    place: impl Fn(&R) -> Place,
    mut fetch: impl FnMut(Window) -> Outcome<Vec<R>>,
) -> Outcome<Vec<R>> {
    let Some(keep) = keep else {
        return fetch(Window { after: None, offset: page.offset, limit: page.limit });
    };
    let mut found = Vec::new();
    let mut to_skip = page.offset;
    let mut after = None;
    loop {
        let chunk = fetch(Window { after: after.take(), offset: 0, limit: CHUNK })?;
        let is_last = (chunk.len() as i64) < CHUNK;
        let next = chunk.last().map(&place);
        for row in chunk {
            if !keep(&row) {
                continue;
            }
            if to_skip > 0 {
                to_skip -= 1;
                continue;
            }
            found.push(row);
            if found.len() as i64 >= page.limit {
                return Ok(found);
            }
        }
        if is_last {
            return Ok(found);
        }
        after = next;
    }
}
