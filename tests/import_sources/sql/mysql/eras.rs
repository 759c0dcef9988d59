//! The columns tell the release, whatever the version rows say.

use freezer_api::import::{Description, Source};

use super::super::documents::expect_truth;
use super::super::{find, fixture, open, read, reasons};
use super::database::Database;
use freezer_api::import::legacy::Body;

fn describe(database: &Database) -> Description {
    open(&database.url).describe().unwrap()
}

fn expect_era(database: &Database, era: &str, warnings: usize) -> Description {
    let description = describe(database);
    assert!(description.lines[1].ends_with(era), "{:?}", description.lines);
    assert_eq!(description.warnings.len(), warnings, "{:?}", description.warnings);
    description
}

#[test]
fn the_release_of_each_fixture_is_told_by_its_columns() {
    expect_era(&Database::of("sql-15.0.0-mariadb"), "8.0 to 15.0 (M3)", 0);
    expect_era(&Database::of("sql-18.0.0-mariadb"), "16.0 to 18.0 (A1)", 0);
    let database = Database::of("sql-19.0.0-mariadb");
    let description = expect_era(&database, "19.0 (A3)", 0);
    assert!(description.lines[0].contains(&database.server()), "{:?}", description.lines);
    assert!(
        description
            .lines
            .iter()
            .any(|line| line == "clients: 65 rows: 62 live, 3 deleted, 0 neither (deleted is NULL)")
    );
    let description = expect_era(&Database::of("sql-15-upgraded-to-19-mariadb"), "8.0 to 15.0 (M3)", 1);
    let warning = &description.warnings[0];
    assert!(warning.contains("half-upgraded"), "{warning}");
    assert!(warning.contains("alembic_version 1333cef214d9, migrate_version 3"), "{warning}");
}

#[test]
fn releases_7_are_read_by_the_names_that_their_columns_had() {
    let database = Database::of("sql-15.0.0-mariadb");
    let truth = fixture::json("sql-15.0.0-mariadb", "truth.json");
    database.run(
        "ALTER TABLE actions CHANGE path_to_backup src_file varchar(255); UPDATE migrate_version SET version = 2; \
         UPDATE actions SET backup_metadata = REPLACE(backup_metadata, '\"path_to_backup\"', '\"src_file\"')",
    );
    expect_era(&database, "7.1 and 7.2 (M2)", 0);
    expect_truth(&truth, &read(&mut open(&database.url)));
    database.run(
        "ALTER TABLE actions CHANGE actionmode mode varchar(255); UPDATE migrate_version SET version = 1",
    );
    expect_era(&database, "7.0 (M1), or 7.1 and 7.2 on SQLite", 0);
    expect_truth(&truth, &read(&mut open(&database.url)));
}

#[test]
fn columns_of_both_names_complete_each_other() {
    let database = Database::of("sql-15.0.0-mariadb");
    database.run(
        "ALTER TABLE actions ADD src_file varchar(255), ADD mode varchar(255); \
         UPDATE actions SET src_file = path_to_backup, path_to_backup = NULL, mode = IF(actionmode IS NULL, NULL, 'other')",
    );
    let rows = read(&mut open(&database.url));
    expect_truth(&fixture::json("sql-15.0.0-mariadb", "truth.json"), &rows);
}

#[test]
fn states_between_18_and_19_are_read() {
    let database = Database::of("sql-19.0.0-mariadb");
    database.run(
        "SET sql_mode = ''; ALTER TABLE jobs MODIFY user_id varchar(36); ALTER TABLE sessions MODIFY user_id varchar(36); \
         UPDATE alembic_version SET version_num = '5c9d21e87f34'",
    );
    expect_era(&database, "a state of git between 18.0 and 19.0 (A2)", 0);
    database.run("ALTER TABLE backups DROP COLUMN status; DROP TABLE user_credentials");
    expect_era(&database, "a state of git between 18.0 and 19.0 (A2), in part", 0);
    let rows = read(&mut open(&database.url));
    assert!(rows.iter().all(|row| !matches!(&row.body, Body::Backup(backup) if backup.status.is_some())));
}

#[test]
fn an_upgrade_that_stopped_while_it_moved_the_actions_loses_none() {
    let database = Database::of("sql-19.0.0-mariadb");
    let moved = "d1000000000000000000000000000002";
    let left = "d1000000000000000000000000000003";
    database.run(&format!(
        "ALTER TABLE jobs ADD job_actions text; DELETE FROM job_actions WHERE job_id = '{left}'; \
         UPDATE jobs SET job_actions = '[{{\"freezer_action\": {{\"action\": \"backup\"}}}}]' WHERE id IN ('{moved}', '{left}')"
    ));
    let mut source = open(&database.url);
    let warnings = source.describe().unwrap().warnings;
    assert!(
        warnings.iter().any(|warning| warning.contains("an upgrade stopped between them")),
        "{warnings:?}"
    );
    let rows = read(&mut source);
    let entries = |id: &str| match &find(&rows, "jobs", id).body {
        Body::Job(job) => job.entries.as_ref().map(Vec::len),
        other => panic!("{other:?}"),
    };
    assert_eq!((entries(moved), entries(left)), (None, Some(1)));
    assert_eq!(reasons(find(&rows, "jobs", moved)), ["other-key"]);
}
