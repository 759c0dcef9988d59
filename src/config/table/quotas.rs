//! `[quotas]`.

use oslo_config::option::Opt;

/// A quota.
const fn quota(name: &'static str, help: &'static str, default: &'static str) -> Opt {
    Opt::int(name, help).within(-1, 1_000_000_000_000).default(default)
}

/// `[quotas]`
pub const OPTIONS: &[Opt] = &[
    quota("clients", "The most clients that one project can have; -1 is no quota.", "10000"),
    quota("actions", "The most actions that one project can have; -1 is no quota.", "50000"),
    quota(
        "jobs",
        "The most jobs that one project can have; -1 is no quota. A job on several clients counts once for each.",
        "50000",
    ),
    quota("sessions", "The most sessions that one project can have; -1 is no quota.", "10000"),
    quota("backups", "The most backups that one project can have; -1 is no quota.", "5000000"),
    quota(
        "reports",
        "The most action reports with which one project can still add one by POST; -1 is no quota. What the end of a run \
         reports is always written, and counts.",
        "20000000",
    ),
];
