//! MySQL and MariaDB: releases 15 to 19, a half-upgraded one, and states that were made from these.

mod database;
mod eras;

use freezer_api::import::legacy::{Body, Row};
use freezer_api::import::{Error, Source};
use serde_json::json;

use super::documents::expect_truth;
use super::{expect_every_row, find, fixture, is_broken, open, read, reasons, refusal};
use database::Database;

#[test]
fn every_row_of_each_release_is_read_and_nothing_is_changed() {
    for fixture in [
        "sql-15.0.0-mariadb",
        "sql-15.0.0-v1-mariadb",
        "sql-15-upgraded-to-19-mariadb",
        "sql-18.0.0-mariadb",
        "sql-19.0.0-mariadb",
        "sql-19.0.0-damaged",
    ] {
        let database = Database::of(fixture);
        let before = database.checksums();
        assert!(before.len() >= 7, "{before:?}");
        let mut source = open(&database.url);
        expect_every_row(fixture, &mut source);
        drop(source);
        assert_eq!(database.checksums(), before, "{fixture}");
    }
}

#[test]
fn the_rows_say_what_the_old_service_answered() {
    for fixture in ["sql-15.0.0-mariadb", "sql-15.0.0-v1-mariadb", "sql-18.0.0-mariadb", "sql-19.0.0-mariadb"]
    {
        let rows = read(&mut open(&Database::of(fixture).url));
        expect_truth(&fixture::json(fixture, "truth.json"), &rows);
    }
}

#[test]
fn damaged_values_are_empty_and_named() {
    let database = Database::of("sql-19.0.0-damaged");
    let why = refusal(&database.url).why;
    assert!(why.contains("deadbeefcafe") && why.contains("--force"), "{why}");
    let rows = read(&mut open(&database.url));
    let job = |id: &str| find(&rows, "jobs", id);
    let schedule = |id: &str| match &job(id).body {
        Body::Job(job) => json!(job.schedule),
        other => panic!("{other:?}"),
    };

    for id in ["d1000000000000000000000000000009", "d100000000000000000000000000000c"] {
        assert_eq!((schedule(id), reasons(job(id))), (json!({}), vec!["bad-json"]), "{id}");
    }
    let text = Some(json!("{\"schedule_interval\": \"24 hou"));
    assert_eq!(job("d1000000000000000000000000000009").problems[0].value, text);
    for id in ["d100000000000000000000000000000a", "d100000000000000000000000000000b"] {
        assert_eq!((schedule(id), reasons(job(id))), (json!({}), vec![]), "{id}");
    }
    assert_eq!(schedule("d1000000000000000000000000000012")["status"], "läuft");
    for id in ["d1000000000000000000000000000002", "d1000000000000000000000000000003"] {
        assert_eq!(job(id).project, None);
    }

    let action = find(&rows, "actions", "a1000000000000000000000000000001");
    let Body::Action(from_columns) = &action.body else { panic!() };
    assert_eq!(
        (from_columns.definition["path_to_backup"].as_str(), reasons(action)),
        (Some("/srv/data/1"), vec!["bad-json"])
    );
    assert_eq!(reasons(find(&rows, "actions", "a1000000000000000000000000000002")), Vec::<&str>::new());

    let broken: Vec<&Row> = rows.iter().filter(|row| is_broken(row)).collect();
    assert_eq!(broken.len(), 1);
    assert_eq!(
        (broken[0].table.name(), broken[0].id.as_str()),
        ("backups", "0e75db1c33e644a7a313695aceeaccbf")
    );
    assert_eq!(reasons(broken[0]), ["bad-json"]);

    let odd = find(&rows, "clients", "bad id/ü");
    assert!(matches!(&odd.body, Body::Client(client) if client.uuid.is_none()), "{odd:?}");
    let is_other =
        |row: &&Row| matches!(&row.body, Body::Client(client) if client.uuid == Some("7".repeat(32)));
    assert_eq!(rows.iter().filter(is_other).count(), 1);
    let bad_lists = rows.iter().filter(|row| row.table.name() == "clients" && reasons(row) == ["bad-json"]);
    assert_eq!(bad_lists.count(), 1);

    let session =
        rows.iter().find(|row| row.table.name() == "sessions" && reasons(row) == ["bad-json"]).unwrap();
    assert!(matches!(&session.body, Body::Session(session) if session.jobs.is_empty()));
    let Body::Report(report) = &find(&rows, "action_reports", "a1000000000000000000000000000006").body else {
        panic!()
    };
    assert_eq!(report.log.as_deref(), Some(&b"tar: Read error"[..]));
    assert_eq!((report.result.as_deref(), report.time_elapsed.as_deref()), (Some("fail"), Some("1h")));
    let Body::JobAction(place) = &find(&rows, "job_actions", &"d".repeat(32)).body else { panic!() };
    assert_eq!((place.action_id.as_str(), place.position), ("never-was", None));
}

#[test]
fn pages_lose_no_row_whatever_the_ids_are_and_later_changes_are_not_seen() {
    for (change, count) in [
        ("", 4500),
        ("SET sql_mode = ''; ALTER TABLE clients CONVERT TO CHARACTER SET latin1", 4500),
        ("ALTER TABLE clients CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", 4500),
        (
            "ALTER TABLE clients DROP PRIMARY KEY; UPDATE clients SET id = 'the same' WHERE client_id LIKE 'page-%'",
            4500,
        ),
    ] {
        let database = Database::of("sql-15.0.0-mariadb");
        database.run(&format!(
            "INSERT INTO clients (id, client_id, uuid, user_id, hostname, description, deleted) \
             SELECT CONCAT(ELT(seq % 5 + 1, 'a', 'B', 'ä', '', '%_\\\\'), '-', LEFT(SHA2(seq, 256), 32), IF(seq % 2, ' ', '.')), \
             CONCAT('page-', seq), '', 'u', 'höst', REPEAT('ü', seq % 200), 0 FROM {}; {change}",
            numbers(count)
        ));
        let mut source = open(&database.url);
        database.run("DELETE FROM clients WHERE client_id LIKE 'page-1%'");
        let rows = read(&mut source);
        let mut names: Vec<&str> = rows.iter().filter_map(page_name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "{change}");
        let is_right = |row: &Row| {
            matches!(&row.body, Body::Client(client) if client.hostname.as_deref() == Some("höst"))
                && row.problems.is_empty()
        };
        assert!(rows.iter().filter(|row| page_name(row).is_some()).all(is_right), "{change}");
        assert_eq!(
            rows.iter().filter(|row| row.table.name() == "clients").count() as u64,
            source.counts().unwrap()["clients"]
        );
        let warnings = source.describe().unwrap().warnings;
        assert_eq!(
            warnings.iter().any(|warning| warning.contains("latin1")),
            change.contains("latin1"),
            "{warnings:?}"
        );
    }
}

/// A table of the numbers from one on, in words of MySQL and MariaDB.
fn numbers(count: usize) -> String {
    let places = vec!["0"; count].join(",");
    format!("JSON_TABLE('[{places}]', '$[*]' COLUMNS (seq FOR ORDINALITY)) AS numbers")
}

fn page_name(row: &Row) -> Option<&str> {
    match &row.body {
        Body::Client(client) => Some(client.name.as_str()).filter(|name| name.starts_with("page-")),
        _ => None,
    }
}

#[test]
fn zero_dates_and_large_values_are_read() {
    let database = Database::of("sql-19.0.0-mariadb");
    database.run(&format!(
        "SET sql_mode = ''; ALTER TABLE backups MODIFY backup_metadata LONGTEXT; \
         UPDATE clients SET created_at = '0000-00-00 00:00:00' WHERE id = 'c1000000000000000000000000000001'; \
         INSERT INTO backups (id, user_id, backup_metadata, status, deleted) \
         SELECT CONCAT('large', seq), 'u', CONCAT('{{\"a\": \"', REPEAT('x', 6000000), '\"}}'), 'error', 0 FROM {}",
        numbers(6)
    ));
    let rows = read(&mut open(&database.url));
    let client = find(&rows, "clients", "c1000000000000000000000000000001");
    assert_eq!((client.created, reasons(client)), (None, vec!["bad-value"]));
    let is_large = |row: &&Row| matches!(&row.body, Body::Backup(b) if b.metadata["a"].as_str().unwrap().len() == 6_000_000);
    assert_eq!(rows.iter().filter(|row| row.id.starts_with("large")).filter(is_large).count(), 6);
}

#[test]
fn a_connection_that_is_lost_midway_gets_a_sentence() {
    let database = Database::of("sql-15.0.0-mariadb");
    let mut source = open(&database.url);
    let mut rows = 0;
    let error: Error = source
        .read(&mut |_| {
            rows += 1;
            if rows == 1 {
                database.kill_others();
            }
            Ok(())
        })
        .unwrap_err();
    assert!(error.why.contains("was lost while table actions was read"), "{error}");
    assert_eq!(error.status, 1);
}

#[test]
fn what_the_sink_fails_with_ends_the_reading() {
    let database = Database::of("sql-15.0.0-mariadb");
    let error = open(&database.url).read(&mut |_| Err(Error { why: "full".into(), status: 7 })).unwrap_err();
    assert_eq!((error.why.as_str(), error.status), ("full", 7));
}
