use serde_json::json;

use super::*;

fn paths(kind: Kind, old: Value, ours: Value) -> Vec<String> {
    compare(kind, old, ours, &Entries::default()).into_iter().map(|found| found.path).collect()
}

fn client(hostname: Value) -> Value {
    json!({
        "project_id": "p",
        "user_id": "u",
        "client": {
            "uuid": "1",
            "hostname": hostname,
            "client_id": "web1",
            "config_id": null,
            "is_central": false,
            "description": "d",
            "supported_actions": ["backup", "restore", "info", "admin", "exec"],
            "supported_modes": ["fs", "mongo", "mysql", "sqlserver", "cinder", "glance", "cindernative", "nova"],
            "supported_storages": ["local", "swift", "ssh", "s3", "ftp", "ftps"],
            "supported_engines": ["tar", "rsync", "rsyncv2", "nova", "osbrick", "glance"],
            "last_seen_at": null,
            "state": "down",
        },
        "_version": 1,
    })
}

#[test]
fn a_client_of_release_15_is_equal_to_ours_with_every_capability() {
    let old = json!({
        "project_id": "p", "user_id": "u",
        "client": {"uuid": "1", "hostname": "web1", "client_id": "web1", "description": "d"},
    });
    assert_eq!(paths(Kind::Client, old.clone(), client(json!("web1"))), [""; 0]);
    assert_eq!(paths(Kind::Client, old, client(json!("web2"))), ["/client/hostname"]);
}

#[test]
fn a_client_of_the_first_releases_has_its_uuid_beside_it_and_no_project() {
    let old = json!({"user_id": "u", "uuid": "1", "client": {"hostname": "web1", "client_id": "web1", "description": "d"}});
    assert_eq!(paths(Kind::Client, old, client(json!("web1"))), [""; 0]);
}

#[test]
fn a_capability_that_only_ours_lacks_is_a_difference() {
    let mut old = client(json!("web1"));
    let mut ours = client(json!("web1"));
    ours["client"]["supported_modes"] = json!(["fs"]);
    old["client"]["supported_modes"] = json!([]);
    assert_eq!(paths(Kind::Client, old, ours), ["/client/supported_modes/0"]);
}

fn job(entries: Value) -> Value {
    json!({
        "job_id": "j", "project_id": "p", "user_id": "u", "client_id": "web1", "description": "",
        "session_id": "", "session_tag": 0, "_version": 2, "job_actions": entries,
        "job_schedule": {
            "event": "", "status": "", "result": "", "time_created": 7, "time_started": -1, "time_ended": -1,
            "schedule_interval": "2 days",
        },
    })
}

fn entry(id: &str, mode: &str) -> Value {
    json!({
        "action_id": id, "project_id": "p", "user_id": "u", "mandatory": false, "max_retries": 5,
        "max_retries_interval": 6,
        "freezer_action": {"action": "backup", "mode": mode, "path_to_backup": null},
    })
}

#[test]
fn a_job_without_a_schedule_or_a_session_is_equal_to_ours_that_shows_them_empty() {
    let old = json!({
        "job_id": "j", "project_id": "p", "user_id": "u", "client_id": "web1", "description": null,
        "session_id": null, "session_tag": null,
        "job_schedule": {"schedule_interval": "2  days"},
        "job_actions": [{"action_id": "a", "freezer_action": {"action": "backup", "mode": "fs"}}],
    });
    assert_eq!(paths(Kind::Job, old, job(json!([entry("a", "fs")]))), [""; 0]);
}

#[test]
fn entries_are_held_against_those_that_stand_for_them() {
    let old = job(json!([entry("a", "fs"), entry("b", "fs"), entry("c", "nova")]));
    let ours = job(json!([entry("a", "fs"), entry("c2", "nova")]));
    let entries = Entries { gone: [1].into(), actions: [(2, "c2".to_owned())].into() };
    let found = compare(Kind::Job, old.clone(), ours.clone(), &entries);
    let found: Vec<&str> = found.iter().map(|found| &*found.path).collect();
    assert_eq!(found, ["/job_actions/1", "/job_actions/2/action_id"]);
    // Without what the plan says, one entry is missing, and another is only in ours.
    assert_eq!(paths(Kind::Job, old, ours), ["/job_actions/+1", "/job_actions/1", "/job_actions/2"]);
}

#[test]
fn a_changed_entry_is_found() {
    let found = compare(
        Kind::Job,
        job(json!([entry("a", "fs")])),
        job(json!([entry("a", "nova")])),
        &Entries::default(),
    );
    assert_eq!(
        found,
        [Difference {
            path: "/job_actions/0/freezer_action/mode".to_owned(),
            old: Some(json!("fs")),
            ours: Some(json!("nova")),
        }]
    );
}

#[test]
fn a_session_that_never_had_a_job_is_equal_to_ours_without_jobs() {
    let ours = json!({
        "session_id": "s", "project_id": "p", "user_id": "u", "description": "d", "session_tag": 0, "hold_off": 30,
        "schedule": {}, "policy": "all", "status": "active", "result": "", "time_start": -1, "time_end": -1,
        "time_started": -1, "time_ended": -1, "jobs": {}, "last_start": "", "_version": 1,
    });
    for jobs in [json!(null), json!([]), json!({})] {
        let old = json!({
            "session_id": "s", "project_id": "p", "user_id": "u", "description": "d", "jobs": jobs, "status": "active",
            "schedule": {}, "time_start": -1, "result": null, "hold_off": 30,
        });
        assert_eq!(paths(Kind::Session, old, ours.clone()), [""; 0]);
    }
    let old = json!({
        "session_id": "s", "project_id": "p", "user_id": "u", "description": "d", "status": "active",
        "jobs": {"ghost": {"client_id": "x", "status": "running", "time_started": ""}},
    });
    assert_eq!(paths(Kind::Session, old, ours), ["/jobs/ghost"]);
}

#[test]
fn the_time_of_a_backup_is_a_number_in_ours() {
    let ours = |time| {
        json!({
            "backup_id": "b", "project_id": "p", "user_id": "u", "status": "available",
            "backup_metadata": {"time_stamp": time, "n": 1.0, "user_name": "alice", "level": null},
        })
    };
    for (old, is_equal) in [
        (json!("1760000000"), true),
        (json!(1_760_000_000), true),
        (json!(null), true),
        (json!("yesterday"), true),
        (json!(1_760_000_001), false),
    ] {
        let old = json!({
            "backup_id": "b", "project_id": "p", "user_id": "u", "user_name": "alice",
            "backup_metadata": {"time_stamp": old, "n": 1, "level": null},
        });
        let found = paths(Kind::Backup, old, ours(1_760_000_000));
        assert_eq!(found.is_empty(), is_equal, "{found:?}");
    }
}

#[test]
fn a_null_inside_of_metadata_is_not_nothing() {
    let backup = |metadata: Value| json!({"backup_id": "b", "project_id": "p", "user_id": "u", "backup_metadata": metadata});
    let found = paths(
        Kind::Backup,
        backup(json!({"level": null, "time_stamp": 1})),
        backup(json!({"time_stamp": 1})),
    );
    assert_eq!(found, ["/backup_metadata/level"]);
}
