//! The reasons that reports give; docs/MIGRATING.md says what each means.

/// The reason of a line of a side file with a part of a row.
pub const NOT_A_ROW: &str = "not-a-row";

/// All of them.
const ALL: &[&str] = &[
    "action-deleted",
    "action-diverged",
    "action-foreign-project",
    "action-inlined",
    "action-restored",
    "action-twice",
    "backup-job-missing",
    "backup-odd",
    "bad-client-id",
    "bad-json",
    "bad-line",
    "bad-schedule",
    "central-and-private",
    "central-duplicate",
    "client-missing",
    "client-undeleted",
    "defaulted",
    "deleted",
    "deleted-null",
    "duplicate-client",
    "duplicate-id",
    "empty-report",
    "exists",
    "id-unusable",
    "job-action-dangling",
    "job-action-skipped",
    "legacy-backup-id",
    "many-users",
    "membership-conflict",
    "membership-gap",
    "no-id",
    "no-project",
    NOT_A_ROW,
    "not-ascii",
    "number-precision",
    "other-key",
    "report-orphan",
    "same",
    "schedule-differs",
    "schedule-unknown-key",
    "session-job-missing",
    "session-missing",
    "too-large",
    "too-long",
    "trust-extra",
    "trust-orphan",
    "unknown-kind",
    "unknown-value",
    "uuid-differs",
    "zero-byte",
];

/// The reason of that name. A reader's own name for a value without a place is `other-key`.
pub fn known(name: &str) -> &'static str {
    ALL.iter().copied().find(|reason| *reason == name).unwrap_or("other-key")
}
