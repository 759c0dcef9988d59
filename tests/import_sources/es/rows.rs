use std::collections::BTreeMap;

use freezer_api::import::elasticsearch::Options;
use freezer_api::import::legacy::{Body, Row, State, Table};
use serde_json::{Value, json};

use super::{fixture, from, read, reasons, text};

/// The rows of documents; each is a hit with a type, an id and a source.
fn rows_of(documents: &[(&str, &str, Value)], options: &Options) -> Vec<Row> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dump.ndjson");
    let line = |(kind, id, source): &(&str, &str, Value)| {
        json!({"_index": "freezer", "_type": kind, "_id": id, "_source": source}).to_string()
    };
    std::fs::write(&path, documents.iter().map(line).collect::<Vec<_>>().join("\n")).unwrap();
    let rows = read(&Options { from: vec![path.display().to_string()], ..options.clone() }).unwrap();
    assert!(rows.iter().all(|row| row.state == State::Live && row.updated.is_none()));
    rows
}

fn row_of(kind: &str, id: &str, source: Value) -> Row {
    rows_of(&[(kind, id, source)], &Options::default()).remove(0)
}

fn oldest() -> Vec<Row> {
    read(&from(&fixture("es-3.0.0/elasticdump.data.ndjson"))).unwrap()
}

fn created(row: &Row) -> Option<i64> {
    row.created.map(|time| time.and_utc().timestamp())
}

#[test]
fn a_client_has_its_uuid_for_an_id_wherever_it_is() {
    let rows = oldest();
    assert_eq!(rows[0].id, "1d6ee9769b154b208437f57253a88465");
    let Body::Client(client) = &rows[0].body else { panic!() };
    assert_eq!((client.name.as_str(), client.config_id.as_deref()), ("old1", Some("cfg1")));
    assert_eq!((&client.supported, client.is_central, &client.uuid), (&[const { None }; 4], false, &None));
    assert!(rows[0].problems.is_empty());

    let inner = row_of("clients", "-x", json!({"client": {"client_id": "n", "uuid": "C1"}, "uuid": "C2"}));
    assert_eq!(inner.id, "C1");
    assert_eq!(inner.problems[0].value, Some(json!({"uuid": "C2"})));
    let of_id = row_of("clients", "-x_5", json!({"client": {"client_id": "n"}}));
    assert_eq!(of_id.id, row_of("clients", "-x_5", json!({"client": {"client_id": "other"}})).id);
    assert_eq!(of_id.id.len(), 32);
    assert_eq!(&of_id.id[12..13], "5", "made by UUIDv5");
}

#[test]
fn what_a_client_posted_beside_the_known_keys_is_kept_for_the_side_file() {
    let source = json!({
        "client": {"client_id": "p_n", "hostname": 5, "is_central": true, "supported_modes": ["fs"],
                   "supported_engines": [], "rack": {"row": 3}},
        "user_id": "u", "project_id": "p", "extra": [1], "_version": 7,
    });
    let row = row_of("clients", "x", source);
    let Body::Client(client) = &row.body else { panic!() };
    assert_eq!(client.hostname.as_deref(), Some("5"));
    assert!(client.is_central);
    assert_eq!(client.supported, [None, Some(vec!["fs".to_owned()]), None, None]);
    assert_eq!((row.user.as_str(), row.project.as_deref()), ("u", Some("p")));
    let kept: Vec<_> = row.problems.iter().map(|problem| (problem.reason.as_str(), &problem.value)).collect();
    let (extra, rack) = (Some(json!({"extra": [1]})), Some(json!({"client.rack": {"row": 3}})));
    assert_eq!(kept, [("other-key", &rack), ("other-key", &extra)]);
}

#[test]
fn a_backup_with_a_text_for_an_id_gets_its_uuid_or_a_made_one() {
    let rows = oldest();
    let row = rows.iter().find(|row| row.table == Table::Backups).unwrap();
    let Body::Backup(backup) = &row.body else { panic!() };
    assert_eq!(row.id, "ea632b125d99467d8bdbf46384bdcbd9");
    assert_eq!(backup.legacy_id.as_deref(), Some("freezer/backups_old1_my data_1450000000_0"));
    assert_eq!(backup.user_name.as_deref(), Some("alice"));
    assert_eq!(reasons(row), ["legacy-backup-id"]);
    assert_eq!(created(row), Some(1_450_000_000));
    // A time as text is one.
    assert!(rows.iter().filter(|row| row.table == Table::Backups).all(|row| row.created.is_some()));

    for text in ["c_host_name_1450000000_0", "freezer/backups_old1_x_1_0"] {
        let row = row_of("backups", "random", json!({"backup_id": text, "backup_metadata": {}}));
        let Body::Backup(backup) = &row.body else { panic!() };
        assert_eq!((row.id.len(), backup.legacy_id.as_deref()), (32, Some(text)));
        assert_eq!(row.id, row_of("backups", "other", json!({"backup_id": text, "backup_metadata": {}})).id);
    }
    let plain =
        row_of("backups", "my-own", json!({"backup_id": "my-own", "backup_metadata": {"time_stamp": null}}));
    assert_eq!((plain.id.as_str(), plain.created), ("my-own", None));
    assert!(plain.problems.is_empty());
}

#[test]
fn an_action_gives_its_outcome_and_old_names_away() {
    let rows = read(&from(&fixture("es-15.0.0-v1/elasticdump-8.15.0.data.ndjson"))).unwrap();
    let row = rows.iter().find(|row| row.id == "a1000000000000000000000000000021").unwrap();
    let Body::Action(action) = &row.body else { panic!() };
    let report = action.report.as_ref().unwrap();
    assert_eq!((report.result.as_deref(), report.time_elapsed.as_deref()), (Some("success"), Some("12")));
    assert_eq!(report.report_date.unwrap().to_string(), "2026-05-06 07:08:09");
    assert_eq!(report.action_id, row.id);
    assert!(
        !["result", "time_elapsed", "report_date"].iter().any(|key| action.definition.contains_key(*key))
    );

    let rows = oldest();
    let row = rows.iter().find(|row| row.table == Table::Actions).unwrap();
    let Body::Action(action) = &row.body else { panic!() };
    assert_eq!(action.definition["path_to_backup"], "/etc");
    assert_eq!(action.definition["remove_older_than"], 30);
    assert!(
        !action.definition.contains_key("src_file") && !action.definition.contains_key("remove_older_then")
    );
    assert_eq!(
        (action.max_retries, action.max_retries_interval, action.mandatory),
        (Some(3), Some(60), Some(true))
    );
    assert!(action.report.is_none());

    // The definition inside of a job has the same names: the two are compared.
    let job = rows.iter().find_map(|row| match &row.body {
        Body::Job(job) if row.id == "e9ccc79780ad42108c54bd15c3d5ea4c" => Some(job),
        _ => None,
    });
    let entry = &job.unwrap().entries.as_ref().unwrap()[0];
    assert_eq!(entry["freezer_action"], Value::Object(action.definition.clone()));

    let both =
        json!({"action_id": "a", "freezer_action": {"src_file": "/a", "path_to_backup": "/b"}, "note": "x"});
    let row = row_of("actions", "a", both);
    let Body::Action(action) = &row.body else { panic!() };
    assert_eq!(
        (&action.definition["path_to_backup"], &action.definition["src_file"]),
        (&json!("/b"), &json!("/a"))
    );
    assert_eq!(row.problems[0].value, Some(json!({"note": "x"})));
}

#[test]
fn a_job_keeps_its_schedule_and_its_entries() {
    let rows = oldest();
    let jobs: Vec<&Row> = rows.iter().filter(|row| row.table == Table::Jobs).collect();
    assert!(jobs.iter().all(|row| created(row) == Some(1_795_860_443)));
    let Body::Job(first) = &jobs[0].body else { panic!() };
    assert_eq!((first.client.as_str(), first.schedule["event"].as_str()), ("old1", Some("start")));
    assert_eq!(first.session_id.as_deref(), Some("01cd015f8e0b4356ab4e5634885bb401"));
    let Body::Job(second) = &jobs[1].body else { panic!() };
    assert_eq!((&second.session_id, second.session_tag), (&None, Some(0)));
    assert_eq!(second.entries.as_ref().unwrap()[0]["exit_status"], "success");

    let source = json!({
        "job_id": "j", "client_id": "n", "session_tag": "", "job_schedule": {"job_event": "stop", "time_created": -1},
        "job_actions": "none", "session_name": "s",
    });
    let row = row_of("jobs", "j", source);
    let Body::Job(job) = &row.body else { panic!() };
    assert_eq!((job.schedule["event"].as_str(), job.session_tag, row.created), (Some("stop"), None, None));
    assert_eq!(job.entries, Some(vec![]));
    let kept: Vec<_> =
        row.problems.iter().map(|it| (it.reason.as_str(), it.value.clone().unwrap())).collect();
    assert_eq!(
        kept,
        [("bad-json", json!({"job_actions": "none"})), ("other-key", json!({"session_name": "s"}))]
    );
}

#[test]
fn a_session_keeps_every_key() {
    let source = json!({
        "session_id": "s", "user_id": "u", "session_tag": "3", "status": "active", "last_start": "", "jobs": [],
        "time_start": -1, "time_end": "", "time_started": 1_500_000_000, "extra_key": "kept", "schedule": {"a": 1},
    });
    let row = row_of("sessions", "s", source);
    let Body::Session(session) = &row.body else { panic!() };
    assert_eq!(session.session_tag, Some(3));
    assert_eq!(session.times, [None, None, Some(1_500_000_000), None]);
    assert_eq!(Value::Object(session.other.clone()), json!({"extra_key": "kept"}));
    assert_eq!((created(&row), session.hold_off), (Some(1_500_000_000), None));
    assert!(session.jobs.is_empty() && row.problems.is_empty());
    let jobs = json!({"a": {"time_started": 1_600_000_000}, "b": {"time_started": ""}});
    let row =
        row_of("sessions", "s", json!({"session_id": "s", "schedule": {}, "jobs": jobs, "last_start": "x"}));
    let Body::Session(session) = &row.body else { panic!() };
    assert_eq!((session.jobs.len(), created(&row)), (2, Some(1_600_000_000)));
    assert_eq!(session.other["last_start"], "x");
}

#[test]
fn a_document_without_an_id_takes_elasticsearchs_or_is_quarantined() {
    let row = row_of("jobs", "AVx-_1", json!({"client_id": "n", "job_schedule": {}}));
    assert_eq!((row.id.as_str(), reasons(&row)), ("AVx-_1", vec!["no-id"]));
    assert!(matches!(row.body, Body::Job(_)));
    let row = row_of("actions", "no/id", json!({"freezer_action": {"action": "backup"}}));
    assert_eq!((row.table, reasons(&row)), (Table::Actions, vec!["no-id"]));
    assert!(matches!(row.body, Body::Broken));
    let row = row_of("clients", "x", json!({"client": {"hostname": "n"}}));
    assert!(matches!(row.body, Body::Broken));
    assert_eq!(reasons(&row), ["no-id"]);
}

#[test]
fn the_kind_is_told_by_type_by_index_or_by_shape() {
    let kinds = [
        ("_doc", json!({"backup_metadata": {}, "backup_id": "x"}), "backups"),
        ("_doc", json!({"client": {"client_id": "x"}}), "clients"),
        ("_doc", json!({"job_id": "x", "client_id": "n", "job_actions": [], "session_id": "s"}), "jobs"),
        ("_doc", json!({"session_id": "x", "schedule": {}}), "sessions"),
        ("_doc", json!({"session_id": "x", "session_tag": 1}), "sessions"),
        ("_doc", json!({"action_id": "x", "freezer_action": {}}), "actions"),
        ("_doc", json!({"id": "x", "trust_id": "t", "job_id": "j"}), "user_credentials"),
        ("actions", json!({"action_id": "x", "freezer_action": {}, "job_actions": []}), "actions"),
        ("config", json!({"buildNum": 7}), "unknown"),
    ];
    for (doc_type, source, kind) in kinds {
        let row = row_of(doc_type, "x", source.clone());
        assert_eq!(row.table.name(), kind, "{source}");
    }
    let options = Options { indices: vec!["sessions=freezer".to_owned()], ..Options::default() };
    let rows = rows_of(&[("_doc", "x", json!({"session_id": "x"}))], &options);
    assert_eq!(rows[0].table, Table::Sessions);
    let wrong = Options { indices: vec!["sesions=freezer".to_owned()], ..from("-") };
    assert!(
        super::refusal(&wrong).contains("sesions is no kind of document; there are clients, actions, jobs")
    );
}

#[test]
fn a_document_of_other_software_is_quarantined_or_skipped() {
    let documents =
        [("config", "4.6", json!({"buildNum": 7})), ("actions", "a", json!({"freezer_action": {}}))];
    let rows = rows_of(&documents, &Options::default());
    assert_eq!((rows[0].id.as_str(), reasons(&rows[0])), ("4.6", vec!["unknown-kind"]));
    assert!(matches!(rows[0].body, Body::Broken));
    assert_eq!(rows[0].raw["_source"], json!({"buildNum": 7}));
    // What was expected counts both.
    let rows = rows_of(&documents, &Options { skip_unknown: true, expect: Some(2), ..Options::default() });
    assert!(rows[0].problems[0].detail.starts_with("skipped: "), "{:?}", rows[0].problems);
}

#[test]
fn every_document_of_the_fixtures_is_readable_and_kept_as_it_was() {
    let rows = read(&from(&fixture("es-15.0.0-v1/elasticdump-2.4.6.data.ndjson"))).unwrap();
    let all = text("es-15.0.0-v1/elasticdump-2.4.6.data.ndjson");
    for (row, line) in rows.iter().zip(all.lines()) {
        assert_eq!(row.raw, serde_json::from_str::<Value>(line).unwrap());
        assert!(!matches!(row.body, Body::Broken), "{row:?}");
    }
    let problems: BTreeMap<&str, usize> =
        rows.iter().flat_map(reasons).fold(BTreeMap::new(), |mut counts, reason| {
            *counts.entry(reason).or_default() += 1;
            counts
        });
    assert!(problems.is_empty(), "{problems:?}");
}
