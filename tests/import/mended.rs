//! Rows that an operator has mended in the side file are imported by a second run.

use diesel::connection::{Connection, SimpleConnection};
use serde_json::{Value, json};

use crate::daemon::Daemon;
use crate::databases::Database;
use crate::http::Line;
use crate::on_every_backend;
use crate::program::{Directory, Source, fixture, said, sync};

on_every_backend! {
    mended_rows_of_a_database_are_imported_and_the_others_stay_in_quarantine
    mended_documents_are_imported_and_the_others_stay_in_quarantine
    side_files_that_cannot_be_read_or_would_be_lost_are_refused
}

const PROJECT: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const ACTION: &str = "a1000000000000000000000000000002";
const JOB: &str = "d1000000000000000000000000000003";
const BACKUP: &str = "5ac22c1e8b9c40f79078260f84c2c94b";
const OTHER_BACKUP: &str = "07bc8034c5e7406d90bef080781d231c";

/// A copy of the fixture with rows that cannot be imported, and one row that can only be imported in part.
fn damaged(directory: &Directory) -> Source {
    let file = directory.path("source.sqlite");
    std::fs::copy(fixture("sql-19.0.0-sqlite", "freezer.sqlite"), &file).unwrap();
    let long = "backup".repeat(20);
    let mut database = diesel::SqliteConnection::establish(&file).unwrap();
    database
        .batch_execute(&format!(
            "UPDATE backups SET backup_metadata = '{{\"backup_name\": \"data' WHERE id IN ('{BACKUP}', '{OTHER_BACKUP}'); \
             UPDATE actions SET action = '{long}' WHERE id = '{ACTION}'; \
             UPDATE jobs SET project_id = NULL, user_id = 'new', client_id = 'nowhere' WHERE id = '{JOB}'; \
             UPDATE clients SET supported_modes = '[\"fs' WHERE id = (SELECT min(id) FROM clients WHERE deleted = 0)"
        ))
        .unwrap();
    let mut source = Source::sqlite();
    source.words = ["sql", "--from", &file].map(str::to_owned).to_vec();
    source
}

#[track_caller]
fn line<'l>(lines: &'l mut [Value], table: &str, id: &str) -> &'l mut Value {
    lines.iter_mut().find(|line| line["table"] == table && line["id"] == id).unwrap()
}

fn write(directory: &Directory, lines: &[Value]) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(directory.path("edited.ndjson"), text).unwrap();
}

fn mended_rows_of_a_database_are_imported_and_the_others_stay_in_quarantine(new: fn() -> Database) {
    let (directory, target) = (Directory::new(), new());
    sync(&target);
    let source = damaged(&directory);
    let first = directory.import(&target, &source, &[]).tables();
    let mut lines = directory.lines("quarantine");
    let metadata = json!({"backup_name": "mended", "hostname": "node02.example.org", "mode": "fs"});
    line(&mut lines, "backups", BACKUP)["row"]["backup_metadata"] = json!(metadata.to_string());
    line(&mut lines, "actions", ACTION)["row"]["action"] = json!("backup");
    line(&mut lines, "jobs", JOB)["row"]["project_id"] = json!(PROJECT);
    let mut added = line(&mut lines, "backups", BACKUP).clone();
    let only_here = "e".repeat(32);
    (added["id"], added["row"]["id"]) = (json!(only_here), json!(only_here));
    added["row"]["backup_metadata"] = metadata;
    lines.push(added);
    write(&directory, &lines);

    let second = directory.import(&target, &source, &["--from-quarantine", "edited.ndjson"]);
    assert_eq!(second.status, 3, "{}", second.stderr);
    let tables = second.tables();
    assert_eq!(tables["backups"]["imported"], 2, "{}", second.stderr);
    assert_eq!(tables["backups"]["read"], json!(first["backups"]["read"].as_u64().unwrap() + 1));
    assert_eq!((&tables["actions"]["imported"], &tables["jobs"]["imported"]), (&json!(1), &json!(1)));
    assert_eq!(tables["jobs"]["read"], first["jobs"]["read"]);
    // The places of the action and of the job are there now, too.
    assert!(tables["job_actions"]["imported"].as_u64().unwrap() >= 2, "{}", tables["job_actions"]);
    let skipped = tables["side_file"]["reasons"]["not-a-row"].as_u64().unwrap();
    assert!(skipped >= 1 && tables["side_file"]["skipped"] == skipped, "{}", tables["side_file"]);
    let notes = directory.lines("report");
    let note = notes.iter().find(|note| note["reason"] == "not-a-row").unwrap();
    assert_eq!(note["outcome"], "skipped");
    let mut rest = directory.lines("quarantine");
    assert_eq!(line(&mut rest, "backups", OTHER_BACKUP)["reason"], "bad-json");
    for id in [BACKUP, ACTION, JOB] {
        assert!(rest.iter().all(|line| line["id"] != id), "{id}");
    }

    let daemon = Daemon::start(&target.url);
    let mut line = Line::new(daemon.port, PROJECT);
    for id in [BACKUP, &only_here] {
        let backup = line.send("GET", &format!("/backups/{id}"), None).expect(200);
        assert_eq!(backup["backup_metadata"]["backup_name"], "mended");
    }
    let action = line.send("GET", &format!("/actions/{ACTION}"), None).expect(200);
    assert_eq!(action["freezer_action"]["action"], "backup");
    let job = line.send("GET", &format!("/jobs/{JOB}"), None).expect(200);
    assert_eq!(job["client_id"], "nowhere");
    drop(daemon);

    let third = directory.import(&target, &source, &["--from-quarantine", "edited.ndjson"]).tables();
    for table in ["backups", "actions", "jobs", "job_actions", "clients"] {
        assert_eq!(third[table]["imported"], 0, "{table} {}", third[table]);
    }
}

fn mended_documents_are_imported_and_the_others_stay_in_quarantine(new: fn() -> Database) {
    let (directory, target) = (Directory::new(), new());
    sync(&target);
    let mut dump =
        std::fs::read_to_string(fixture("es-15.0.0-v1", "elasticdump-8.15.0.data.ndjson")).unwrap();
    for id in ["mended", "untouched"] {
        let hit = json!({"_index": "freezer", "_id": format!("_{id}"), "_source": {
            "action_id": id, "user_id": "11111111111111111111111111111111",
            "freezer_action": {"action": "backup".repeat(20), "mode": "fs"}}});
        dump += &format!("{hit}\n");
    }
    // It runs a copy of the action until that is mended.
    let hit = json!({"_index": "freezer", "_id": "_waiting", "_source": {
        "job_id": "waiting", "user_id": "11111111111111111111111111111111", "client_id": "node01.example.org",
        "job_schedule": {}, "job_actions": [{"action_id": "mended", "freezer_action": {"action": "backup", "mode": "fs"}}]}});
    dump += &format!("{hit}\n");
    dump += r#"{"_index": "freezer", "_id": "late", "_source": {"client": {"client_id": "late.example.o"#;
    let file = directory.path("dump.ndjson");
    std::fs::write(&file, dump).unwrap();
    let mut source = Source::elasticsearch("es-15.0.0-v1", "elasticdump-8.15.0.data.ndjson");
    source.words =
        ["elasticsearch", "--from", &file, "--default-project", PROJECT].map(str::to_owned).to_vec();

    let first = directory.import(&target, &source, &[]);
    let before = first.tables();
    assert_eq!(before["unknown"]["reasons"]["bad-line"], 1, "{}", first.stderr);
    let mut lines = directory.lines("quarantine");
    line(&mut lines, "actions", "mended")["row"]["_source"]["freezer_action"]["action"] = json!("backup");
    let cut = lines.iter_mut().find(|line| line["reason"] == "bad-line").unwrap();
    cut["row"] = json!({"_index": "freezer", "_id": "late", "_source": {
        "client": {"client_id": "late.example.org", "hostname": "late", "uuid": "c".repeat(32)},
        "user_id": "11111111111111111111111111111111"}});
    write(&directory, &lines);

    let second = directory.import(&target, &source, &["--from-quarantine", "edited.ndjson", "--update"]);
    assert_eq!(second.status, 3, "{}", second.stderr);
    let tables = second.tables();
    assert_eq!((&tables["actions"]["imported"], &tables["clients"]["imported"]), (&json!(1), &json!(1)));
    assert_eq!(tables["clients"]["read"], json!(before["clients"]["read"].as_u64().unwrap() + 1));
    assert_eq!(tables["actions"]["read"], before["actions"]["read"]);
    assert!(!tables.contains_key("unknown"), "{}", second.stderr);
    let mut rest = directory.lines("quarantine");
    assert_eq!(line(&mut rest, "actions", "untouched")["reason"], "too-long");
    assert!(rest.iter().all(|line| line["id"] != "mended" && line["reason"] != "bad-line"));

    let daemon = Daemon::start(&target.url);
    let mut line = Line::new(daemon.port, PROJECT);
    let job = line.send("GET", "/jobs/waiting", None).expect(200);
    assert_eq!(job["job_actions"][0]["action_id"], "mended", "{job}");
}

fn side_files_that_cannot_be_read_or_would_be_lost_are_refused(new: fn() -> Database) {
    let (directory, target) = (Directory::new(), new());
    sync(&target);
    let source = Source::sqlite();
    std::fs::write(directory.path("edited.ndjson"), "\n{\"table\": \"jobs\"}\n").unwrap();
    for (status, says, more) in [
        (1, "edited.ndjson:2", &["--from-quarantine", "edited.ndjson"][..]),
        (1, "missing.ndjson", &["--from-quarantine", "missing.ndjson"]),
        (2, "--quarantine", &["--from-quarantine", "edited.ndjson", "--quarantine", "./edited.ndjson"]),
        (2, "--report", &["--from-quarantine", "edited.ndjson", "--report", "edited.ndjson"]),
    ] {
        let said = said(directory.command(&target, &source.words, more).output().unwrap());
        assert_eq!(said.status, status, "{}", said.stderr);
        assert!(said.stderr.contains(says), "{}", said.stderr);
    }
    assert!(std::fs::read_to_string(directory.path("edited.ndjson")).unwrap().contains("jobs"));
    assert_eq!(directory.import(&target, &source, &[]).tables()["clients"]["imported"], 46);
}
