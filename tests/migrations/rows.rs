//! A row in every table, and a statement for each constraint to refuse.

use diesel::result::{DatabaseErrorKind, Error};

use crate::fresh::Fresh;

impl Fresh {
    /// A row in every table for project `p`, a second parent in `p` and one of each parent in project `q`.
    pub fn fill(&mut self) {
        let mut add = |table: &str, id: &str, columns: &str, values: &str| {
            let project = &id[..1];
            let sql = format!(
                "INSERT INTO {table} (id, project_id, user_id, created_at, updated_at, version, {columns})
                 VALUES ('{id}', '{project}', 'u', '2026-01-02 03:04:05.000006', '2026-01-02 03:04:05',
                         1, {values})"
            );
            self.run(&sql).unwrap_or_else(|error| panic!("{}: {sql}: {error}", self.backend));
        };
        let client = "client_id, uuid, supported_actions, supported_modes, supported_storages, \
                      supported_engines, is_central, hostname";
        let action = "action, max_retries, max_retries_interval, mandatory, metadata";
        let step = "action_id, job_id, priority, retries, retry_interval, mandatory";
        let session = "scheduling, policy, hold_off, session_tag, status, result, metadata";
        add("clients", "p-central", client, "'central', 'u1', '[]', '[]', '[]', '[]', TRUE, 'host'");
        add("clients", "p-hostless", client, "'central2', 'u1', '[]', '[]', '[]', '[]', TRUE, NULL");
        add("clients", "q-central", client, "'central', 'u1', '[]', '[]', '[]', '[]', TRUE, 'other host'");
        add("jobs", "p-idle", "scheduling", "'{}'");
        for project in ["p", "q"] {
            let id = |what: &str| format!("{project}-{what}");
            add("clients", &id("client"), client, "'name', 'u1', '[\"fs\"]', '[]', '[]', '[]', FALSE, NULL");
            add("actions", &id("action"), action, "'backup', 5, 6, FALSE, '{\"a\": [1]}'");
            add("jobs", &id("job"), "scheduling", "'{}'");
            add("sessions", &id("session"), session, "'{}', 'all', 30, 0, 'active', '', '{}'");
            for (which, priority) in [("1", 0), ("2", 1)] {
                let at = format!("'{project}-action', '{project}-job', {priority}, 5, 6, TRUE");
                add("action_attachments", &id(&format!("step{which}")), step, &at);
            }
            // The central client of project p serves both.
            for (which, on) in [("1", "p-central"), ("2", &*id("client"))] {
                let at =
                    format!("'{on}', '{project}-job', '{project}-session', '', '', '', 0, '', '', FALSE");
                let columns = "client_id, job_id, session_id, event, status, result, session_tag, \
                               session_status, session_result, event_delivered";
                add("job_attachments", &id(&format!("on{which}")), columns, &at);
            }
        }
        // Parents with children of one kind only.
        add("jobs", "q-placed", "scheduling", "'{}'");
        add("action_attachments", "q-step", step, "'q-action', 'q-placed', 0, 5, 6, TRUE");
        add("jobs", "q-attached", "scheduling", "'{}'");
        let on = "client_id, job_id, event, status, result, session_tag, session_status, session_result, event_delivered";
        add("job_attachments", "q-on", on, "'q-client', 'q-attached', '', '', '', 0, '', '', FALSE");
        add("actions", "p-reported", action, "'backup', 5, 6, FALSE, '{}'");
        let report = "action_id, action_attachment_id, job_attachment_id, result, time_elapsed, metadata, \
                      report_date, log";
        add("action_attachments", "p-step3", step, "'p-action', 'p-job', 7, 5, 6, TRUE");
        add(
            "action_reports",
            "p-failed",
            report,
            "'p-action', 'p-step1', 'p-on1', 'fail', 1, '{}', '2026-01-02 03:04:05', 'x'",
        );
        let of_action = "'p-reported', NULL, NULL, 'fail', 1, '{}', '2026-01-02 03:04:05', NULL";
        add("action_reports", "p-report", report, of_action);
        add(
            "action_reports",
            "p-orphan",
            report,
            "NULL, NULL, NULL, 'success', 1, '{}', '2026-01-02 03:04:05', NULL",
        );
        add("backups", "p-backup", "status, job_id, metadata", "'available', 'deleted long ago', '{}'");
        let now = "'2026-01-02 03:04:05'";
        for sql in [
            &*format!(
                "INSERT INTO job_trusts VALUES ('p-trust', 'p', 'u', 'p-idle', 't', 'u', {now}, {now})"
            ),
            &*format!("INSERT INTO identity_projects VALUES ('p', 'p', TRUE, {now}, {now})"),
            &*format!("INSERT INTO identity_projects VALUES ('q', 'q', TRUE, {now}, {now})"),
            &*format!("INSERT INTO identity_users VALUES ('u', 'u', '$', TRUE, {now}, {now})"),
            &*format!("INSERT INTO identity_users VALUES ('v', 'v', '$', TRUE, {now}, {now})"),
            &*format!("INSERT INTO identity_assignments VALUES ('u', 'p', 'admin', {now})"),
            &*format!(
                "INSERT INTO identity_tokens VALUES ('t', 'v', 'q', 'password', 'a', {now}, {now}, NULL)"
            ),
            &*format!("INSERT INTO identity_users VALUES ('w', 'w', '$', TRUE, {now}, {now})"),
            &*format!("INSERT INTO identity_known_addresses VALUES ('w', '192.0.2.1', {now})"),
        ] {
            self.run(sql).unwrap_or_else(|error| panic!("{}: {sql}: {error}", self.backend));
        }
    }

    /// Checks that the statement violates the constraint of that name. It compares texts, because SQLite does not report
    /// the name of a key, and not every server has a foreign key's error code for the deletion of a parent.
    pub fn refuses(&mut self, constraint: &str, sql: &str) {
        let context = format!("{}: {constraint}: {sql}", self.backend);
        let Err(Error::DatabaseError(kind, message)) = self.run(sql) else {
            panic!("{context}: not refused")
        };
        let message = message.message();
        let named = match (self.backend, &constraint[..3]) {
            ("sqlite", "fk_") => message.contains("FOREIGN KEY"),
            ("sqlite", "uq_") => message.contains("UNIQUE"),
            _ => message.contains(constraint),
        };
        assert!(named, "{context}: {message}");
        if constraint.starts_with("uq_") {
            assert!(matches!(kind, DatabaseErrorKind::UniqueViolation), "{context}: {message}");
        }
    }
}

/// What each constraint refuses.
pub const REFUSED: &[(&str, &str)] = &[
    // Children of a missing parent.
    ("fk_action_attachments_action", "UPDATE action_attachments SET action_id = 'nothing'"),
    ("fk_action_attachments_job", "UPDATE action_attachments SET job_id = 'nothing' WHERE id = 'p-step1'"),
    ("fk_job_attachments_client", "UPDATE job_attachments SET client_id = 'nothing' WHERE id = 'p-on1'"),
    ("fk_job_attachments_job", "UPDATE job_attachments SET job_id = 'nothing' WHERE id = 'p-on1'"),
    ("fk_job_attachments_session", "UPDATE job_attachments SET session_id = 'nothing'"),
    ("fk_action_reports_action", "UPDATE action_reports SET action_id = 'nothing'"),
    ("fk_action_reports_action_attachment", "UPDATE action_reports SET action_attachment_id = 'nothing'"),
    ("fk_action_reports_job_attachment", "UPDATE action_reports SET job_attachment_id = 'nothing'"),
    ("fk_job_trusts_job", "UPDATE job_trusts SET job_id = 'nothing'"),
    ("fk_identity_assignments_user", "UPDATE identity_assignments SET user_id = 'nothing'"),
    ("fk_identity_assignments_project", "UPDATE identity_assignments SET project_id = 'nothing'"),
    ("fk_identity_tokens_user", "UPDATE identity_tokens SET user_id = 'nothing'"),
    ("fk_identity_tokens_project", "UPDATE identity_tokens SET project_id = 'nothing'"),
    ("fk_identity_known_addresses_user", "UPDATE identity_known_addresses SET user_id = 'nothing'"),
    // Children of a parent in another project.
    (
        "fk_action_attachments_action",
        "UPDATE action_attachments SET action_id = 'q-action' WHERE id = 'p-step1'",
    ),
    ("fk_action_attachments_job", "UPDATE action_attachments SET job_id = 'q-job' WHERE id = 'p-step3'"),
    ("fk_job_attachments_job", "UPDATE job_attachments SET job_id = 'q-job' WHERE id = 'p-on2'"),
    ("fk_job_attachments_session", "UPDATE job_attachments SET session_id = 'q-session' WHERE id = 'p-on1'"),
    ("fk_action_reports_action", "UPDATE action_reports SET action_id = 'q-action'"),
    ("fk_action_reports_action_attachment", "UPDATE action_reports SET action_attachment_id = 'q-step1'"),
    ("fk_action_reports_job_attachment", "UPDATE action_reports SET job_attachment_id = 'q-on1'"),
    ("fk_job_trusts_job", "UPDATE job_trusts SET job_id = 'q-job'"),
    // A parent that still has children, deleted or moved.
    ("fk_job_attachments_client", "DELETE FROM clients WHERE id = 'q-client'"),
    ("fk_job_attachments_client", "UPDATE clients SET id = 'moved' WHERE id = 'q-client'"),
    ("fk_action_attachments_action", "DELETE FROM actions WHERE id = 'q-action'"),
    ("fk_job_attachments_session", "DELETE FROM sessions WHERE id = 'q-session'"),
    ("fk_action_reports_job_attachment", "DELETE FROM job_attachments WHERE id = 'p-on1'"),
    ("fk_action_reports_action_attachment", "DELETE FROM action_attachments WHERE id = 'p-step1'"),
    ("fk_job_trusts_job", "DELETE FROM jobs WHERE id = 'p-idle'"),
    ("fk_", "DELETE FROM jobs WHERE id = 'q-job'"),
    ("fk_action_attachments_job", "DELETE FROM jobs WHERE id = 'q-placed'"),
    ("fk_job_attachments_job", "DELETE FROM jobs WHERE id = 'q-attached'"),
    ("fk_action_reports_action", "DELETE FROM actions WHERE id = 'p-reported'"),
    ("fk_identity_assignments_user", "DELETE FROM identity_users WHERE id = 'u'"),
    ("fk_identity_assignments_project", "DELETE FROM identity_projects WHERE id = 'p'"),
    ("fk_identity_tokens_user", "DELETE FROM identity_users WHERE id = 'v'"),
    ("fk_identity_tokens_project", "DELETE FROM identity_projects WHERE id = 'q'"),
    ("fk_identity_known_addresses_user", "DELETE FROM identity_users WHERE id = 'w'"),
    // Duplicates.
    ("uq_clients_client_id", "UPDATE clients SET client_id = 'name' WHERE id = 'p-hostless'"),
    ("uq_clients_central", "UPDATE clients SET hostname = 'host' WHERE id = 'q-central'"),
    (
        "uq_clients_central",
        "UPDATE clients SET hostname = NULL, client_id = 'central2' WHERE id = 'q-central'",
    ),
    ("uq_action_attachments_priority", "UPDATE action_attachments SET priority = 1 WHERE id = 'p-step1'"),
    ("uq_job_attachments_client", "UPDATE job_attachments SET client_id = 'p-central' WHERE id = 'q-on2'"),
    ("uq_identity_projects_name", "UPDATE identity_projects SET name = 'q' WHERE id = 'p'"),
    ("uq_identity_users_name", "UPDATE identity_users SET name = 'v' WHERE id = 'u'"),
    // Invalid values.
    ("ck_action_attachments_priority", "UPDATE action_attachments SET priority = -1 WHERE id = 'p-step1'"),
    ("ck_sessions_policy", "UPDATE sessions SET policy = 'most'"),
    ("ck_action_reports_log", "UPDATE action_reports SET log = 'x'"),
    ("ck_identity_tokens_expires_at", "UPDATE identity_tokens SET expires_at = '2026-01-01 00:00:00'"),
];

/// The JSON columns that hold an object, and those that hold a list.
pub const OBJECTS: &[(&str, &str)] = &[
    ("actions", "metadata"),
    ("jobs", "scheduling"),
    ("sessions", "scheduling"),
    ("sessions", "metadata"),
    ("action_reports", "metadata"),
    ("backups", "metadata"),
];
pub const LISTS: &[&str] =
    &["supported_actions", "supported_modes", "supported_storages", "supported_engines"];
