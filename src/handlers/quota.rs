//! The quotas of the project in the path.

use super::Request;
use crate::error::Result;
use crate::routes::App;
use crate::store::counts::{self, Resource};

impl Request<'_> {
    /// Before a transaction that may create up to `wanted` rows: sees to it that the number of rows that the project has is
    /// known. It may have to be counted, which is not to happen inside the transaction.
    ///
    /// # Errors
    /// 503 while the database is away.
    pub(super) fn prepare_quota(&self, app: &App, resource: Resource, wanted: usize) -> Result<()> {
        if wanted == 0 {
            return Ok(());
        }
        let count = || app.store.read_statement(|tx| counts::count(tx, resource, self.project()));
        let prepared = app.quotas.prepare(self.project(), resource, rows(wanted), count)?;
        prepared.into_iter().for_each(|prepared| self.reservations.add(prepared));
        Ok(())
    }

    /// Reserves room for so many rows, once their number is known. A second call replaces the first.
    ///
    /// # Errors
    /// 403 when the project may not have so many more.
    pub(super) fn reserve(&self, resource: Resource, wanted: usize) -> Result<()> {
        self.reservations.set(resource, rows(wanted))
    }
}

fn rows(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX / 2)
}
