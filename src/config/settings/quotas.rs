//! `[quotas]`.

use oslo_config::Effective;

use crate::quotas::Limits;

/// How many rows of each kind a project may have.
pub fn limits(effective: &Effective) -> Limits {
    let section = effective.section("quotas");
    let defaults = Limits::default();
    let limit = |name, default| section.int(name).unwrap_or(default);
    Limits {
        clients: limit("clients", defaults.clients),
        actions: limit("actions", defaults.actions),
        jobs: limit("jobs", defaults.jobs),
        sessions: limit("sessions", defaults.sessions),
        backups: limit("backups", defaults.backups),
        reports: limit("reports", defaults.reports),
    }
}
