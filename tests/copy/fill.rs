//! A database with rows in every table, and with values that backends represent differently.

use std::io::Write;
use std::process::Stdio;

use crate::database::{Backend, Database};
use crate::program::{program, run};

pub const PASSWORD: &str = "correct horse battery staple";

/// The number of rows that [`filled`] makes of a kind that fills several pages.
pub const BACKUPS: i64 = 1200;

/// An SQLite database with the user `admin` on the project `demo`, and a catalogue.
pub fn filled() -> Database {
    let database = Database::new(Backend::Sqlite);
    let url = ["--database-connection", &database.url];
    run(&[&["user", "project-create", "demo"], &url[..]].concat()).succeeded();
    let create = ["user", "create", "admin", "--project", "demo", "--role", "admin", "--password-stdin"];
    let mut child =
        program(&[&create, &url[..]].concat()).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    let project = database.project();
    let user = database.texts("SELECT id AS value FROM identity_users").remove(0);
    database.run(&catalogue(&project, &user));
    database
}

fn catalogue(project: &str, user: &str) -> String {
    let owner = format!("'{project}', '{user}'");
    let early = "'1970-01-01 00:00:00.000001'";
    let late = "'2199-12-31 23:59:59.999999'";
    let metadata = r#"{"z": 1, "digits": 12345678901234567890123, "float": 1.50, "é": ["日本", "\u0041", null, true], "a": {}, "quote": "it''s"}"#;
    format!(
        "PRAGMA foreign_keys = ON;
        INSERT INTO identity_known_addresses VALUES ('{user}', '192.0.2.1', {early}), ('{user}', '2001:db8::', {late});
        INSERT INTO identity_tokens VALUES
            ('{token}', '{user}', '{project}', 'password', 'audit', {early}, {late}, NULL),
            ('unscoped', '{user}', NULL, 'token', 'audit', {early}, {late}, {early});
        INSERT INTO clients (id, project_id, user_id, client_id, config_id, description, uuid, hostname,
            supported_actions, supported_modes, supported_storages, supported_engines, is_central, last_seen_at,
            created_at, updated_at, version) VALUES
            ('c1', {owner}, 'web1', NULL, 'Jörg''s \"host\" 日本', 'u', '', '[\"backup\", \"é\"]', '[]', '[]', '[]', TRUE,
             {late}, {early}, {late}, 2147483647),
            ('c2', {owner}, 'web1 x', 'c', '', 'u', NULL, '[]', '[]', '[]', '[]', FALSE, NULL, {late}, {late}, 0);
        INSERT INTO actions (id, project_id, user_id, action, mode, src_file, backup_name, container, restore_abs_path,
            priority, max_retries, max_retries_interval, mandatory, timeout, log_file, metadata, created_at, updated_at,
            version) VALUES
            ('a1', {owner}, 'backup', 'fs', '/é ', 'b', 'c ', NULL, -2147483648, 5, 6, TRUE, 0, '', '{metadata}',
             {early}, {late}, 1);
        INSERT INTO jobs (id, project_id, user_id, scheduling, description, created_at, updated_at, version, has_trust)
            VALUES ('j1', {owner}, '{metadata}', 'line\r\nline\t ', {early}, {late}, 3, TRUE);
        INSERT INTO sessions (id, project_id, user_id, scheduling, policy, description, hold_off, session_tag, status,
            result, time_start, time_end, time_started, time_ended, metadata, created_at, updated_at, version) VALUES
            ('s1', {owner}, '{{}}', 'any', NULL, 30, 7, 'running', '', 9223372036854775807, -9223372036854775808, 0,
             NULL, '{metadata}', {early}, {late}, 1);
        INSERT INTO action_attachments (id, project_id, user_id, action_id, job_id, priority, retries, retry_interval,
            mandatory, created_at, updated_at, version) VALUES
            ('p1', {owner}, 'a1', 'j1', 0, 5, 6, FALSE, {early}, {late}, 1),
            ('p2', {owner}, 'a1', 'j1', 1, 5, 6, TRUE, {early}, {late}, 1);
        INSERT INTO job_attachments (id, project_id, user_id, client_id, job_id, session_id, event, status, current_pid,
            result, time_started, time_ended, session_tag, session_status, session_result, session_time_started,
            session_time_ended, event_delivered, created_at, updated_at, version) VALUES
            ('k1', {owner}, 'c1', 'j1', 's1', 'start', 'running', 4711, '', 1, NULL, 7, 'running', '', 1, NULL, TRUE,
             {early}, {late}, 1),
            ('k2', {owner}, 'c2', 'j1', NULL, '', '', NULL, '', NULL, NULL, 0, '', '', NULL, NULL, FALSE, {early},
             {late}, 1);
        INSERT INTO action_reports (id, project_id, user_id, action_id, action_attachment_id, job_attachment_id, result,
            time_elapsed, metadata, job_id, client_id, report_date, log, created_at, updated_at, version) VALUES
            ('r1', {owner}, 'a1', 'p1', 'k1', 'fail', 9223372036854775807, '{{}}', 'j1', 'web1', {early},
             X'00FF0D0A5C27C3A9', {early}, {late}, 1),
            ('r2', {owner}, NULL, NULL, NULL, 'fail', 0, '{metadata}', NULL, NULL, {late}, X'', {early}, {late}, 1),
            ('r3', {owner}, NULL, NULL, NULL, 'success', 0, '{{}}', NULL, NULL, {late}, NULL, {early}, {late}, 1);
        INSERT INTO job_trusts VALUES ('t1', {owner}, 'j1', 'trust', 'LDAP user é', {early}, {late});
        INSERT INTO backups (id, project_id, user_id, status, job_id, backup_name, container, hostname, action, mode,
            time_stamp, curr_backup_level, metadata, created_at, updated_at, version)
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {BACKUPS})
            SELECT printf('b-%05d', i), {owner}, 'available', 'gone', 'name', '/backups', 'host', 'backup', NULL, i, i % 7,
            '{{\"n\": ' || i || '}}', '2026-01-02 03:04:05.' || printf('%06d', 2 * i + 1), {late}, 1 FROM n;",
        token = "0".repeat(64),
    )
}
