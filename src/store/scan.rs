//! Scans: searches with conditions that no column answers, which look into one document after the other.
//!
//! A scan is bounded in rows and in time, and only a few run at once. It reads each chunk in a transaction of its own, and
//! gives the connection back before it looks at the rows. So a scan does not read one snapshot: a row that changes
//! meanwhile is seen as it was before or after the change. No row is looked at twice: each chunk begins after the last row
//! of the previous one, and the scan remembers the ids of rows that may have moved in the order.

mod permits;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use front::error::{Error, Result};

use super::listing::{Budget, Listing, Rows, Weight};
use super::page::Page;
use super::{Outcome, Store, Tx};
pub use permits::Permits;

/// Bounds on scans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many rows a scan may look into.
    pub rows: usize,
    /// How long a scan may take.
    pub time: Duration,
    /// How many scans of one project run at once.
    pub of_a_project: usize,
    /// How long a further scan waits until it may begin.
    pub wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { rows: 50_000, time: Duration::from_secs(10), of_a_project: 2, wait: Duration::from_secs(2) }
    }
}

/// All scans together may use the pool's connections divided by this.
const POOL_SHARE: usize = 4;

/// The most rows of one chunk.
const CHUNK: usize = 200;

/// The page of a scan, and the project that it runs for.
#[derive(Debug, Clone, Copy)]
pub struct Scan<'s> {
    /// The project whose share of scans it uses.
    pub project: &'s str,
    /// The page of the matching rows.
    pub page: Page,
    /// The keys that have an index, for the error message.
    pub indexed: &'s [&'s str],
}

impl Permits {
    /// The permits for scans of this database.
    pub fn for_store(store: &Store, limits: Limits) -> Self {
        Self::new(limits, store.max_connections() / POOL_SHARE)
    }

    /// The rows of a page for which `is_wanted` holds, as many as fit into one answer.
    ///
    /// `chunk` reads a page of the list after a row, or from its beginning.
    ///
    /// # Errors
    /// 400 when the page is not full after the most rows that a scan may look into; 503 when it takes too long, or too many
    /// scans run already; the error of `chunk`.
    pub fn scan<R: Clone + Weight>(
        &self,
        store: &Store,
        scan: &Scan<'_>,
        mut chunk: impl FnMut(&mut Tx<'_>, Page, Option<&R>) -> Outcome<Listing<R>>,
        mut is_wanted: impl FnMut(&R) -> bool,
    ) -> Result<Rows<R>> {
        let limits = self.limits;
        let _permit = self.enter(scan.project).ok_or_else(|| busy(&limits))?;
        let until = Instant::now() + limits.time;
        let (mut found, mut to_skip, mut looked_at) = (Vec::new(), scan.page.offset, HashSet::new());
        let (mut left, mut last, mut budget) = (limits.rows, None::<R>, Budget::default());
        loop {
            // One row more than the limit shows whether there are further rows.
            let limit = left.saturating_add(1).min(CHUNK);
            let page = Page { limit: limit as i64, offset: 0 };
            let read = |tx: &mut Tx<'_>| chunk(tx, page, last.as_ref());
            let Listing { rows, has_more, .. } = store.read_lagging(read)?;
            let is_last = rows.len() < limit && !has_more;
            last = rows.last().cloned().or(last);
            for row in rows {
                if found.len() as i64 >= scan.page.limit {
                    return Ok(Rows { rows: found, is_cut: false });
                }
                if left == 0 {
                    return Err(too_many(&limits, scan.indexed));
                }
                left -= 1;
                if Instant::now() >= until {
                    return Err(too_long(&limits, scan.indexed));
                }
                if !looked_at.insert(row.row_id().to_owned()) || !is_wanted(&row) {
                    continue;
                }
                if to_skip > 0 {
                    to_skip -= 1;
                    continue;
                }
                if !budget.take(row.weight()) {
                    return Ok(Rows { rows: found, is_cut: true });
                }
                found.push(row);
            }
            if is_last || found.len() as i64 >= scan.page.limit {
                return Ok(Rows { rows: found, is_cut: false });
            }
        }
    }
}

/// The advice to narrow a search.
fn narrow(indexed: &[&str]) -> String {
    format!("Narrow it by query parameters, which have indexes: {}.", indexed.join(", "))
}

fn too_many(limits: &Limits, indexed: &[&str]) -> Error {
    Error::bad_request(format!(
        "A search for what no index has may look into {} documents, and this one would have to look into more. {}",
        limits.rows,
        narrow(indexed)
    ))
}

fn too_long(limits: &Limits, indexed: &[&str]) -> Error {
    Error::unavailable(
        format!("The search has not ended within {} seconds. {}", limits.time.as_secs(), narrow(indexed)),
        "a search inside documents took too long",
    )
}

fn busy(limits: &Limits) -> Error {
    Error::unavailable(
        format!(
            "Too many searches look into documents at the moment: at most {} of one project do so at once. Try again.",
            limits.of_a_project
        ),
        "too many searches inside documents",
    )
}
