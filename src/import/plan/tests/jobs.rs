//! Jobs, sessions, trusts and backups.

use super::*;

#[test]
fn a_schedule_is_kept_without_what_the_api_does_not_know() {
    let scheduled =
        |id: &str, schedule: Value| with_job(job(id, None), |job| job.schedule = object(schedule));
    let plan = plan(&[
        client("c1", "web1"),
        scheduled(
            "j1",
            json!({"schedule_cron": "0 3 * * *", "schedule_interval": "1  days", "interval_uint": 1}),
        ),
        scheduled(
            "j2",
            json!({"schedule_interval": "every day", "event": "", "status": "paused", "result": "maybe"}),
        ),
        scheduled(
            "j3",
            json!({"status": "läuft", "job_event": "stop", "current_pid": 12,
                               "time_created": 1_500_000_000, "time_started": -1, "time_ended": 7}),
        ),
    ]);
    let scheduling = |id: &str| match plan.unit(Table::Jobs, id).rows.first() {
        Some(TargetRow::Job(job)) => job.scheduling.value(),
        other => panic!("{other:?}"),
    };
    assert_eq!(plan.fate(Table::Jobs, "j1"), (Imported, vec!["schedule-unknown-key"]));
    assert_eq!(scheduling("j1"), json!({"schedule_interval": "1 days"}));
    assert_eq!(
        plan.fate(Table::Jobs, "j2"),
        (Imported, vec!["bad-schedule", "unknown-value", "unknown-value"])
    );
    assert_eq!(scheduling("j2"), json!({"schedule_interval": "every day"}));
    assert_eq!(plan.attachment("j2").status, "paused");
    assert_eq!(plan.fate(Table::Jobs, "j3"), (Imported, vec!["not-ascii"]));
    let attachment = plan.attachment("j3");
    assert_eq!((attachment.event.as_str(), attachment.status.as_str()), ("stop", ""));
    assert!(!attachment.event_delivered);
    assert_eq!(
        (attachment.current_pid, attachment.time_started, attachment.time_ended),
        (Some(12), None, Some(7))
    );
    assert_eq!(attachment.created_at.0, at("2017-07-14T02:40:00"));
    assert_eq!(plan.attachment("j1").created_at.0, at("2020-01-02T03:04:05"));
}

#[test]
fn a_job_is_in_the_session_that_it_names_itself_if_that_is_there() {
    let known = json!({"client_id": "web1", "status": "completed", "result": "success", "time_started": 5, "time_ended": ""});
    let mut differing = in_session("j3", "s1");
    if let Body::Job(job) = &mut differing.body {
        job.schedule = object(json!({"schedule_interval": "2 days"}));
        job.session_tag = Some(4);
    }
    let plan = plan(&[
        client("c1", "web1"),
        in_project(client("c2", "web1"), Some(B)),
        session("s1", json!({"j1": known, "j2": {}, "j4": {}, "ghost": {}, "j5": {}, "j6": {}})),
        deleted(session("s2", json!({}))),
        in_session("j1", "s1"),
        in_session("j2", "s2"),
        differing,
        job("j4", None),
        deleted(in_session("j5", "s1")),
        in_project(in_session("j6", "s1"), Some(B)),
        in_session("j7", "never"),
    ]);
    let attachment = plan.attachment("j1");
    assert_eq!(attachment.session_id.as_deref(), Some("s1"));
    assert_eq!(
        (attachment.session_status.as_str(), attachment.session_result.as_str()),
        ("completed", "success")
    );
    assert_eq!((attachment.session_time_started, attachment.session_time_ended), (Some(5), None));
    assert_eq!(
        plan.ids("membership-conflict"),
        ["sessions.job:s1/j2", "sessions.job:s1/j4", "sessions.job:s1/j6"]
    );
    assert_eq!(plan.ids("session-job-missing"), ["sessions.job:s1/ghost", "sessions.job:s1/j5"]);
    assert_eq!(plan.ids("session-missing"), ["jobs:j2", "jobs:j6", "jobs:j7"]);
    assert_eq!(plan.ids("membership-gap"), ["sessions.job:s1/j3"]);
    assert_eq!(plan.ids("schedule-differs"), ["jobs:j3"]);
    assert_eq!(plan.attachment("j3").session_tag, 4);
    assert_eq!((plan.attachment("j2").session_id.as_deref(), plan.attachment("j2").session_tag), (None, 0));
    let entries = &plan.unit(Table::Sessions, "s1").entries;
    assert_eq!(entries.iter().filter(|(_, outcome)| *outcome == Imported).count(), 1);
    assert_eq!(entries.len(), 6);
}

#[test]
fn a_sessions_keys_without_a_column_are_its_metadata() {
    let mut other = session("s1", json!({}));
    if let Body::Session(session) = &mut other.body {
        session.other = object(json!({"extra_key": [1], "last_start": "", "jobs": {}, "session_id": "x"}));
        (session.hold_off, session.status) = (None, Some("active".to_owned()));
        session.description = Some("ü".repeat(40_000));
    }
    let plan = plan(&[other]);
    let unit = plan.unit(Table::Sessions, "s1");
    let [TargetRow::Session(session)] = &unit.rows[..] else { panic!("{unit:?}") };
    assert_eq!(session.metadata.value(), json!({"extra_key": [1]}));
    assert_eq!((session.hold_off, session.session_tag, session.status.as_str()), (30, 3, "active"));
    assert_eq!((session.time_start, session.time_started, session.policy.as_str()), (None, Some(7), "all"));
    assert_eq!(session.description.as_ref().map(String::len), Some(65_534));
    assert_eq!(plan.fate(Table::Sessions, "s1"), (Imported, vec!["defaulted", "too-long"]));
}

#[test]
fn a_job_keeps_its_newest_trust() {
    let mut newest = trust("t2", "j1", "two");
    newest.updated = Some(at("2022-01-01T00:00:00"));
    let long = "x".repeat(65);
    let plan = plan(&[
        client("c1", "web1"),
        job("j1", None),
        job("j2", None),
        trust("t1", "j1", "one"),
        newest,
        trust("t3", "never", "three"),
        deleted(trust("t4", "never", "four")),
        trust("t5", "j2", &long),
        trust("t6", "j2", "a"),
        trust("t7", "j2", "b"),
    ]);
    for (id, fate) in [
        ("t1", (Quarantined, vec!["trust-extra"])),
        ("t2", (Imported, vec![])),
        ("t3", (Quarantined, vec!["trust-orphan"])),
        ("t4", (Skipped, vec!["deleted"])),
        ("t5", (Quarantined, vec!["too-long"])),
        ("t6", (Imported, vec![])),
        ("t7", (Quarantined, vec!["trust-extra"])),
    ] {
        assert_eq!(plan.fate(Table::UserCredentials, id), fate, "{id}");
    }
    let has_trust = |id: &str| match plan.unit(Table::Jobs, id).rows.first() {
        Some(TargetRow::Job(job)) => job.has_trust,
        other => panic!("{other:?}"),
    };
    assert!(has_trust("j1"));
}

#[test]
fn a_backup_keeps_its_metadata_and_has_columns_of_what_fits() {
    let good =
        json!({"hostname": "h", "container": "c", "backup_name": "b", "time_stamp": 7, "job_id": "j1"});
    let mut named = backup("b1", good.clone());
    let mut broken = backup("b5", json!({}));
    broken.problems = vec![Problem {
        reason: "bad-json".to_owned(),
        detail: "backup_metadata is no JSON".to_owned(),
        value: Some(json!("{\"a")),
    }];
    if let Body::Backup(backup) = &mut named.body {
        (backup.user_name, backup.legacy_id) = (Some("alice".to_owned()), Some("c_h_b_7_0".to_owned()));
    }
    let mut vanished =
        backup("b4", json!({"hostname": "h", "container": "c", "backup_name": "b", "time_stamp": 7}));
    if let Body::Backup(backup) = &mut vanished.body {
        (backup.status, backup.job_id) = (Some("vanished".to_owned()), Some("not/an id".to_owned()));
    }
    let plan = plan(&[
        client("c1", "web1"),
        job("j1", None),
        named,
        backup("b2", json!({"time_stamp": "soon", "hostname": "h", "container": [1]})),
        backup(
            "b3",
            json!({"hostname": "h", "container": "c", "backup_name": "b", "time_stamp": 7, "n": 1e22}),
        ),
        vanished,
        broken,
    ]);
    let named = plan.backup("b1");
    assert_eq!(named.status, "available");
    assert_eq!((named.promoted.job_id.as_deref(), named.promoted.time_stamp), (Some("j1"), Some(7)));
    assert_eq!(named.metadata.object()["user_name"], "alice");
    assert_eq!(named.metadata.object()["legacy_backup_id"], "c_h_b_7_0");
    assert_eq!(plan.fate(Table::Backups, "b1"), (Imported, vec![]));
    assert_eq!(plan.fate(Table::Backups, "b2"), (Imported, vec!["backup-odd"]));
    assert_eq!(plan.fate(Table::Backups, "b3"), (Imported, vec!["number-precision"]));
    assert_eq!(plan.fate(Table::Backups, "b4"), (Imported, vec!["backup-job-missing", "unknown-value"]));
    let vanished = plan.backup("b4");
    assert_eq!((vanished.status.as_str(), vanished.promoted.job_id.as_deref()), ("vanished", None));
    assert_eq!(vanished.metadata.object()["job_id"], "not/an id");
    assert_eq!(plan.fate(Table::Backups, "b5"), (Quarantined, vec!["bad-json"]));
}
