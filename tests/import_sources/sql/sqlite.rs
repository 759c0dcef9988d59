//! SQLite files, and what may be in them.

use freezer_api::import::Source;
use freezer_api::import::legacy::Body;
use freezer_api::import::sql::SqlSource;
use freezer_api::store::engine::manager::establish;
use freezer_api::store::engine::migrations;
use freezer_api::store::engine::url::DatabaseUrl;
use serde_json::json;

use super::documents::expect_truth;
use super::fixture::{self, SqliteCopy};
use super::{expect_every_row, find, is_broken, open, read, reasons, refusal};

const FIXTURE: &str = "sql-19.0.0-sqlite";

#[test]
fn every_row_and_document_of_19_is_read_and_the_file_stays_as_it_is() {
    let copy = SqliteCopy::new();
    let before = copy.files();
    let mut source = open(&copy.url());
    let rows = expect_every_row(FIXTURE, &mut source);
    expect_truth(&fixture::json(FIXTURE, "truth.json"), &rows);
    let description = source.describe().unwrap();
    assert!(description.lines.iter().any(|line| line.contains("19.0 (A3)")), "{:?}", description.lines);
    assert_eq!(description.warnings, Vec::<String>::new());
    drop(source);
    assert_eq!(copy.files(), before);
}

#[test]
fn a_number_of_many_digits_is_named_as_it_was_written() {
    let rows = read(&mut open(&SqliteCopy::new().url()));
    let problems = rows.iter().flat_map(|row| &row.problems);
    let found: Vec<_> = problems.filter(|problem| problem.reason == "number-precision").collect();
    assert!(
        found.iter().any(|problem| problem.value.as_ref().unwrap()[0].as_str().unwrap().len() == 23),
        "{found:?}"
    );
}

#[test]
fn odd_values_are_empty_and_named_and_no_row_is_lost() {
    let copy = SqliteCopy::new();
    copy.run(
        "CREATE TABLE loose AS SELECT * FROM clients; DROP TABLE clients; ALTER TABLE loose RENAME TO clients; \
         INSERT INTO clients (id, client_id, uuid, user_id, hostname, description, created_at, updated_at, deleted) VALUES \
           (NULL, 'no id', 'u1', 'u', 'h', x'ff41', '0000-00-00 00:00:00', 'yesterday', 0), \
           (NULL, 'no id either', 'u2', 'u', 'h', '', '2026-01-02T03:04:05.678901', '2026-01-02', NULL), \
           (x'c328', 'odd id', 'u3', x'ff', 'h', NULL, NULL, NULL, 2); \
         INSERT INTO sessions (id, user_id, session_tag, hold_off, time_start, schedule, job, deleted) VALUES \
           ('odd', 'u', 'many', '12', '5.0', x'5b5d', 'null', 0); \
         INSERT INTO backups (id, user_id, backup_metadata, status, deleted) VALUES \
           ('large', 'u', '{\"a\": \"' || replace(hex(zeroblob(3000000)), '0', 'x') || '\"}', '', 0), \
           ('half', 'u', '{\"a\": \"caf\\udce9\"}', 'available', 0), \
           ('cut', 'u', '{\"a\": ', 'available', 0), ('none', 'u', '\"\"', 'available', 0);",
    );
    let rows = read(&mut open(&copy.url()));
    let named = |name: &str| {
        let is = |body: &Body| matches!(body, Body::Client(client) if client.name == name);
        rows.iter().find(|row| is(&row.body)).unwrap()
    };
    let row = named("no id");
    assert_eq!((row.id.as_str(), row.created, row.updated), ("", None, None));
    assert_eq!(reasons(row), ["no-id", "bad-value", "bad-value", "bad-value"]);
    assert_eq!(row.raw["description"], json!({"base64": "/0E="}));
    assert_eq!(row.raw["created_at"], "0000-00-00 00:00:00");
    let row = named("no id either");
    assert_eq!(row.created.unwrap().to_string(), "2026-01-02 03:04:05");
    assert_eq!(reasons(row), ["no-id"]);
    assert_eq!((named("odd id").id.as_str(), named("odd id").user.as_str()), ("\u{fffd}(", ""));

    let Body::Session(session) = &find(&rows, "sessions", "odd").body else { panic!() };
    assert_eq!((session.session_tag, session.hold_off, session.times[0]), (None, Some(12), Some(5)));
    assert_eq!(reasons(find(&rows, "sessions", "odd")), ["bad-json", "bad-value"]);
    assert_eq!(find(&rows, "sessions", "odd").raw["session_tag"], "many");

    let Body::Backup(large) = &find(&rows, "backups", "large").body else { panic!() };
    assert_eq!((large.metadata["a"].as_str().unwrap().len(), &large.status), (6_000_000, &None));
    let Body::Backup(half) = &find(&rows, "backups", "half").body else { panic!() };
    assert_eq!(half.metadata["a"], "caf\u{fffd}");
    assert_eq!(find(&rows, "backups", "half").problems[0].value, Some(json!(r#"{"a": "caf\udce9"}"#)));
    assert!(is_broken(find(&rows, "backups", "cut")));
    assert_eq!(reasons(find(&rows, "backups", "cut")), ["bad-json"]);
    assert_eq!(find(&rows, "backups", "cut").problems[0].value, Some(json!("{\"a\": ")));
    assert!(!is_broken(find(&rows, "backups", "none")));
    assert_eq!(reasons(find(&rows, "backups", "none")), Vec::<&str>::new());
}

#[test]
fn a_log_beside_the_database_is_read_and_no_file_is_made_or_changed() {
    use diesel::connection::SimpleConnection;
    let copy = SqliteCopy::new();
    // What `establish` opens is in WAL mode, and its log is there as long as the connection is.
    let mut service = establish(&copy.url()).unwrap();
    service.batch_execute("DELETE FROM backups; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    service
        .batch_execute(
            "UPDATE clients SET description = 'in the log' WHERE id = 'c1000000000000000000000000000001'",
        )
        .unwrap();
    let in_log = |url: &DatabaseUrl| {
        let rows = read(&mut open(url));
        let Body::Client(client) = &find(&rows, "clients", "c1000000000000000000000000000001").body else {
            panic!()
        };
        client.description.clone().unwrap()
    };

    let before = copy.files();
    assert_eq!(before.len(), 3);
    let mut source = open(&copy.url());
    service.batch_execute("DELETE FROM sessions").unwrap();
    assert!(source.counts().unwrap()["sessions"] > 0, "the snapshot is from before");
    drop(source);
    let before = copy.files();
    assert_eq!(in_log(&copy.url()), "in the log");
    assert_eq!(copy.files(), before, "while the service runs");

    // As a copy of the two files that a backup has.
    let other = tempfile::tempdir().unwrap();
    for (suffix, name) in [("", "other.sqlite"), ("-wal", "other.sqlite-wal")] {
        std::fs::copy(format!("{}{suffix}", copy.file.display()), other.path().join(name)).unwrap();
    }
    let before = fixture::files(other.path());
    assert_eq!(in_log(&fixture::url(&other.path().join("other.sqlite"))), "in the log");
    assert_eq!(fixture::files(other.path()), before, "of a copy");

    drop(service);
    let before = copy.files();
    assert_eq!(before.len(), 1);
    assert_eq!(in_log(&copy.url()), "in the log");
    assert_eq!(copy.files(), before, "after the service has ended");
}

#[test]
fn a_journal_of_a_service_that_was_killed_is_rolled_back_in_a_copy() {
    use diesel::connection::{Connection, SimpleConnection};
    let copy = SqliteCopy::new();
    let mut service = diesel::SqliteConnection::establish(copy.file.to_str().unwrap()).unwrap();
    // So small a cache writes into the file before the transaction ends.
    let change = "PRAGMA cache_size = 1; BEGIN IMMEDIATE; UPDATE backups SET user_id = 'killed'; \
                  UPDATE clients SET user_id = 'killed'; UPDATE actions SET user_id = 'killed'";
    service.batch_execute(change).unwrap();
    let killed = tempfile::tempdir().unwrap();
    for (suffix, name) in [("", "killed.sqlite"), ("-journal", "killed.sqlite-journal")] {
        std::fs::copy(format!("{}{suffix}", copy.file.display()), killed.path().join(name)).unwrap();
    }
    let before = fixture::files(killed.path());
    let is_changed = |file: &[u8]| file.windows(6).any(|part| part == b"killed");
    assert!(before.iter().any(|(_, content)| is_changed(content)), "the file has what was not committed");
    let rows = read(&mut open(&fixture::url(&killed.path().join("killed.sqlite"))));
    assert!(rows.iter().all(|row| row.user != "killed"));
    assert_eq!(fixture::files(killed.path()), before);
}

#[test]
fn a_file_that_changes_while_it_cannot_be_locked_is_noticed() {
    let copy = SqliteCopy::new();
    drop(establish(&copy.url()).unwrap());
    let mut source = open(&copy.url());
    copy.run("DELETE FROM backups");
    let error = source.read(&mut |_| Ok(())).unwrap_err();
    assert!(error.why.contains("was changed while it was read"), "{error}");
}

#[test]
fn what_is_no_database_of_the_python_service_gets_a_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        fixture::url(&path)
    };
    let missing = fixture::url(&directory.path().join("missing"));
    let ours = fixture::url(&directory.path().join("ours.sqlite"));
    migrations::sync(&ours).unwrap();
    let changed = |sql: &str| {
        let copy = SqliteCopy::new();
        copy.run(sql);
        let url = copy.url();
        let why = refusal(&url).why;
        drop(copy);
        why
    };
    for (why, expected) in [
        (refusal(&missing).why, "There is no file"),
        (refusal(&fixture::url(directory.path())).why, "is not a file"),
        (refusal(&file("empty", b"")).why, "is empty"),
        (
            refusal(&file("dump.sql", b"CREATE TABLE clients (id int);")).why,
            "has to be loaded into a database first",
        ),
        (refusal(&ours).why, "`freezer-api copy`"),
        (changed("DROP TABLE sessions"), "has no table sessions"),
        (
            changed("ALTER TABLE actions DROP COLUMN actionmode"),
            "neither a column actionmode nor a column mode",
        ),
        (changed("ALTER TABLE actions DROP COLUMN path_to_backup"), "neither a column path_to_backup"),
        (changed("DROP TABLE job_actions"), "neither a column jobs.job_actions nor a table"),
        (changed("ALTER TABLE jobs DROP COLUMN schedule"), "its table jobs has no column schedule"),
        (changed("UPDATE alembic_version SET version_num = 'deadbeefcafe'"), "--force"),
    ] {
        assert!(why.contains(expected), "{why}");
    }
    assert!(!directory.path().join("missing").exists());
}

#[test]
fn a_file_that_is_damaged_in_its_middle_gets_a_sentence() {
    use std::os::unix::fs::FileExt;
    let copy = SqliteCopy::new();
    let file = std::fs::File::options().write(true).open(&copy.file).unwrap();
    let length = file.metadata().unwrap().len();
    for page in 40..length / 4096 {
        file.write_all_at(&[0xff; 4096], page * 4096).unwrap();
    }
    let error =
        SqlSource::open(&copy.url(), false).and_then(|mut source| source.read(&mut |_| Ok(()))).unwrap_err();
    assert!(error.why.contains("cannot be read") && error.why.contains("malformed"), "{error}");
    assert_eq!(error.status, 1);
}

#[cfg(feature = "postgres")]
#[test]
fn postgresql_is_refused_with_a_sentence_and_without_a_connection() {
    let url = DatabaseUrl::parse("postgresql://freezer:secret@host.invalid/freezer").unwrap();
    let why = refusal(&url).why;
    assert!(why.contains("never ran on") && !why.contains("secret"), "{why}");
}
