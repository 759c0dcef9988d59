//! The differences that each reason of the plan explains.

/// The members of a document, by reason, in which the target may differ from the source. `*` is any one step; a path
/// stands for everything below it, too. That a row as a whole is not in the target is explained by any note that says
/// so, and is not in this table.
const EXPLAINED: &[(&str, &[&str])] = &[
    ("action-diverged", &["/job_actions/*/action_id", "/job_actions/*/user_id", "/job_actions/*/project_id"]),
    ("action-foreign-project", &["/job_actions/*"]),
    ("action-deleted", &["/job_actions/*"]),
    ("action-inlined", &["/job_actions/*/action_id", "/job_actions/*/user_id", "/job_actions/*/project_id"]),
    ("action-restored", &["/job_actions/*/action_id", "/job_actions/*/user_id", "/job_actions/*/project_id"]),
    (
        "bad-json",
        &[
            "/job_schedule",
            "/schedule",
            "/jobs",
            "/job_actions",
            "/freezer_action",
            "/client/supported_actions",
            "/client/supported_modes",
            "/client/supported_storages",
            "/client/supported_engines",
        ],
    ),
    ("central-and-private", MERGED_CLIENT),
    ("central-duplicate", MERGED_CLIENT),
    (
        "defaulted",
        &[
            "/max_retries",
            "/max_retries_interval",
            "/mandatory",
            "/hold_off",
            "/session_tag",
            "/job_actions/*",
        ],
    ),
    ("duplicate-client", MERGED_CLIENT),
    ("id-unusable", IDS),
    ("job-action-dangling", &["/job_actions/*"]),
    ("job-action-skipped", &["/job_actions/*"]),
    ("legacy-backup-id", &["/backup_id", "/backup_uuid", "/backup_metadata/legacy_backup_id"]),
    ("membership-conflict", &["/jobs/*"]),
    ("membership-gap", &["/jobs/*"]),
    ("no-id", IDS),
    // Release 19 shows no actions of a job without a project.
    ("no-project", &["/project_id", "/job_actions/*"]),
    ("not-ascii", WORDS),
    ("number-precision", &["/backup_metadata", "/freezer_action", "/job_actions/*/freezer_action"]),
    ("other-key", &["/"]),
    ("schedule-differs", &["/job_schedule"]),
    ("schedule-unknown-key", &["/job_schedule", "/schedule"]),
    ("session-job-missing", &["/jobs/*"]),
    ("session-missing", &["/session_id", "/session_tag"]),
    (
        "too-long",
        &[
            "/client/description",
            "/client/hostname",
            "/description",
            "/freezer_action",
            "/job_actions/*/freezer_action",
        ],
    ),
    ("trust-extra", &["/user_credentials"]),
    ("trust-orphan", &["/user_credentials"]),
    ("unknown-value", WORDS),
    ("uuid-differs", &["/client/uuid"]),
];

/// A client that stands for others of its name has what they say of it.
const MERGED_CLIENT: &[&str] = &[
    "/client/description",
    "/client/hostname",
    "/client/supported_actions",
    "/client/supported_modes",
    "/client/supported_storages",
    "/client/supported_engines",
];

/// Where ids are.
const IDS: &[&str] = &[
    "/client/uuid",
    "/action_id",
    "/session_id",
    "/job_id",
    "/backup_id",
    "/job_actions/*/action_id",
    "/jobs/*",
    "/backup_metadata/job_id",
];

/// Words of a closed list.
const WORDS: &[&str] = &[
    "/status",
    "/result",
    "/job_schedule/status",
    "/job_schedule/event",
    "/job_schedule/result",
    "/jobs/*/status",
    "/jobs/*/result",
];

/// Whether a reason explains a difference at this path.
pub fn explains(reason: &str, path: &str) -> bool {
    EXPLAINED
        .iter()
        .filter(|(known, _)| *known == reason)
        .flat_map(|(_, patterns)| patterns.iter())
        .any(|pattern| covers(pattern, path))
}

fn covers(pattern: &str, path: &str) -> bool {
    let mut steps = path.split('/').skip(1);
    pattern.split('/').skip(1).filter(|step| !step.is_empty()).all(|wanted| match steps.next() {
        Some(step) => wanted == "*" || wanted == step,
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_explains_the_members_that_it_is_about_and_no_others() {
        for (reason, path, is_explained) in [
            ("duplicate-client", "/client/hostname", true),
            ("duplicate-client", "/client/client_id", false),
            ("action-diverged", "/job_actions/0/action_id", true),
            ("action-diverged", "/job_actions/0/freezer_action/mode", false),
            ("session-job-missing", "/jobs/ghost", true),
            ("session-job-missing", "/jobs", false),
            ("schedule-differs", "/job_schedule/schedule_interval", true),
            ("other-key", "/client/colour", true),
            ("deleted", "/status", false),
        ] {
            assert_eq!(explains(reason, path), is_explained, "{reason} {path}");
        }
    }
}
