//! The quotas of the project in the path.

use front::error::Result;

use super::Request;
use crate::app::App;
use crate::store::counts::{self, Resource};

impl Request<'_> {
    /// Prepares for a transaction that may create up to `wanted` rows: counts the project's rows, unless the number is
    /// known. The count runs outside of the transaction to keep that short.
    ///
    /// # Errors
    /// 503 while the database is unavailable.
    pub(super) fn prepare_quota(&self, app: &App, resource: Resource, wanted: usize) -> Result<()> {
        if wanted == 0 {
            return Ok(());
        }
        let count = || app.store.read_statement(|tx| counts::count(tx, resource, self.project()));
        let prepared = app.quotas.prepare(self.project(), resource, rows(wanted), count)?;
        prepared.into_iter().for_each(|prepared| self.reservations.add(prepared));
        Ok(())
    }

    /// Reserves quota for `wanted` rows, once their number is known. A second call replaces the first.
    ///
    /// # Errors
    /// 403 if the project would exceed its quota.
    pub(super) fn reserve(&self, resource: Resource, wanted: usize) -> Result<()> {
        self.reservations.set(resource, rows(wanted))
    }
}

fn rows(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX / 2)
}
