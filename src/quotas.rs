//! Quotas: how many rows of a kind one project may have (`[quotas]`).
//!
//! A counter row in the database would be locked by every create of a project. Instead, each process counts the rows in an
//! index, caches the number, and adds the rows that it creates itself. Near the quota it counts again after [`FRESH`] at the
//! latest: a project may exceed its quota by the rows that other processes create in that time.

mod count;
mod reservation;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use front::error::{Error, Result};

use crate::store::counts::Resource;
use count::Count;
use reservation::Reservation;
pub use reservation::Reservations;

/// The greatest age of a count near the quota.
const FRESH: Duration = Duration::from_secs(60);

/// The most counts in the cache. Above it, the counts that no request uses are dropped, and made again when needed.
const MAX_COUNTS: usize = 10_000;

/// The quotas of every project; -1 is no quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the options of `[quotas]`
pub struct Limits {
    pub clients: i64,
    pub actions: i64,
    pub jobs: i64,
    pub sessions: i64,
    pub backups: i64,
    pub reports: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            clients: 10_000,
            actions: 50_000,
            jobs: 50_000,
            sessions: 10_000,
            backups: 5_000_000,
            reports: 20_000_000,
        }
    }
}

impl Limits {
    /// The quota for a resource, if it has one.
    fn limit_for(&self, resource: Resource) -> Option<i64> {
        let limit = match resource {
            Resource::Clients => self.clients,
            Resource::Actions => self.actions,
            Resource::Jobs => self.jobs,
            Resource::Sessions => self.sessions,
            Resource::Backups => self.backups,
            Resource::Reports => self.reports,
        };
        (limit >= 0).then_some(limit)
    }
}

/// The quotas and the cached counts.
#[derive(Default)]
pub struct Quotas {
    limits: Limits,
    counts: Mutex<HashMap<(String, Resource), Arc<Count>>>,
}

impl Quotas {
    /// Quotas without counts.
    pub fn new(limits: Limits) -> Self {
        Self { limits, counts: Mutex::default() }
    }

    /// Prepares a reservation of up to `wanted` rows. Calls `count` to count the project's rows, if that is due. `None`: the
    /// resource has no quota.
    ///
    /// # Errors
    /// The error of `count`.
    pub fn prepare(
        &self,
        project: &str,
        resource: Resource,
        wanted: i64,
        count: impl FnOnce() -> Result<i64>,
    ) -> Result<Option<Reservation>> {
        let Some(limit) = self.limits.limit_for(resource) else { return Ok(None) };
        let known = self.count_of(project, resource);
        known.refresh(limit, wanted, count)?;
        Ok(Some(Reservation::new(known, resource, limit)))
    }

    fn count_of(&self, project: &str, resource: Resource) -> Arc<Count> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (project.to_owned(), resource);
        if !counts.contains_key(&key) && counts.len() >= MAX_COUNTS {
            counts.retain(|_, count| Arc::strong_count(count) > 1);
        }
        Arc::clone(counts.entry(key).or_default())
    }
}

/// 403: the rows would exceed the quota.
fn exceeded(resource: Resource, used: i64, limit: i64, wanted: i64) -> Error {
    let noun = match resource {
        Resource::Clients => "clients",
        Resource::Actions => "actions",
        Resource::Jobs => "jobs",
        Resource::Sessions => "sessions",
        Resource::Backups => "backups",
        Resource::Reports => "reports",
    };
    Error::quota_exceeded(format!(
        "Quota exceeded for {noun}: this project may have {limit} and has {used}, and {wanted} more would be made. Delete \
         {noun}, or ask the operator for a larger quota."
    ))
}
