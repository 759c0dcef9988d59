//! Room for the rows that a request creates.

use std::cell::RefCell;
use std::sync::Arc;

use front::error::Result;

use super::count::Count;
use super::exceeded;
use crate::store::counts::Resource;

/// Room for rows of one kind. It is given back when this is dropped, unless the rows are [kept](Reservation::keep).
pub struct Reservation {
    count: Arc<Count>,
    resource: Resource,
    limit: i64,
    rows: i64,
}

impl Reservation {
    pub(super) fn new(count: Arc<Count>, resource: Resource, limit: i64) -> Self {
        Self { count, resource, limit, rows: 0 }
    }

    /// Sets the number of reserved rows. It replaces the previous number, because a retried transaction reserves again.
    ///
    /// # Errors
    /// 403 when the rows would exceed the quota.
    fn set(&mut self, rows: i64) -> Result<()> {
        let mut state = self.count.state();
        state.reserved -= std::mem::take(&mut self.rows);
        let used = state.used();
        if rows > 0 && used + rows > self.limit {
            return Err(exceeded(self.resource, used, self.limit, rows));
        }
        state.reserved += rows;
        self.rows = rows;
        Ok(())
    }

    /// Counts the reserved rows as created.
    fn keep(&mut self) {
        let mut state = self.count.state();
        let rows = std::mem::take(&mut self.rows);
        state.reserved -= rows;
        state.created += rows;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.count.state().reserved -= self.rows;
    }
}

/// The reservations of one request, one for each resource that it may create.
#[derive(Default)]
pub struct Reservations(RefCell<Vec<Reservation>>);

impl Reservations {
    /// Adds a prepared reservation.
    pub fn add(&self, prepared: Reservation) {
        self.0.borrow_mut().push(prepared);
    }

    /// Reserves room for `rows` of a resource; a resource without a quota always has room.
    ///
    /// # Errors
    /// 403 when the rows would exceed the quota.
    pub fn set(&self, resource: Resource, rows: i64) -> Result<()> {
        let mut all = self.0.borrow_mut();
        all.iter_mut().find(|one| one.resource == resource).map_or(Ok(()), |one| one.set(rows))
    }

    /// Counts the reserved rows as created, after the request has succeeded.
    pub fn keep(&self) {
        self.0.borrow_mut().iter_mut().for_each(Reservation::keep);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quotas::{Limits, Quotas};

    fn quotas() -> Quotas {
        Quotas::new(Limits { backups: 3, clients: -1, ..Limits::default() })
    }

    /// A request's reservation, with a project that has so many backups.
    fn request(quotas: &Quotas, rows: i64) -> Reservations {
        let reservations = Reservations::default();
        let prepared = quotas.prepare("p", Resource::Backups, 1, || Ok(rows)).unwrap();
        reservations.add(prepared.unwrap());
        reservations
    }

    #[test]
    fn a_transaction_that_runs_again_reserves_once() {
        let quotas = quotas();
        let request = request(&quotas, 2);
        for _ in 0..5 {
            request.set(Resource::Backups, 1).unwrap();
        }
        request.keep();
        let error = request.set(Resource::Backups, 1).unwrap_err();
        assert_eq!(error.status(), 403);
        assert!(
            error.description.starts_with("Quota exceeded for backups: this project may have 3 and has 3")
        );
    }

    #[test]
    fn a_request_that_fails_gives_its_room_back() {
        let quotas = quotas();
        let failing = request(&quotas, 2);
        failing.set(Resource::Backups, 1).unwrap();
        let other = request(&quotas, 2);
        assert!(other.set(Resource::Backups, 1).is_err());
        drop(failing);
        other.set(Resource::Backups, 1).unwrap();
    }

    #[test]
    fn a_resource_without_a_quota_is_not_counted() {
        let quotas = quotas();
        let prepared = quotas.prepare("p", Resource::Clients, 1, || panic!("counted"));
        assert!(prepared.unwrap().is_none());
        Reservations::default().set(Resource::Clients, i64::MAX).unwrap();
    }

    #[test]
    fn a_project_over_its_quota_may_change_what_it_has() {
        request(&quotas(), 7).set(Resource::Backups, 0).unwrap();
    }
}
