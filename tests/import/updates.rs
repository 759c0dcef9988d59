//! A second run imports changes of the source, and leaves changes of the target alone.

use diesel::connection::{Connection, SimpleConnection};
use serde_json::json;

use crate::daemon::Daemon;
use crate::databases::Database;
use crate::http::Line;
use crate::on_every_backend;
use crate::program::{Directory, Source, fixture, sync};

on_every_backend! {
    an_update_brings_only_what_has_changed
    what_has_changed_in_the_target_stays
}

const PROJECT: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// A copy of the fixture that can be changed.
fn copy(directory: &Directory) -> Source {
    let file = directory.path("source.sqlite");
    std::fs::copy(fixture("sql-19.0.0-sqlite", "freezer.sqlite"), &file).unwrap();
    let mut source = Source::sqlite();
    source.words = ["sql", "--from", &file].map(str::to_owned).to_vec();
    source
}

fn change(directory: &Directory, sql: &str) {
    let mut source = diesel::SqliteConnection::establish(&directory.path("source.sqlite")).unwrap();
    source.batch_execute(sql).unwrap();
}

fn an_update_brings_only_what_has_changed(new: fn() -> Database) {
    let (directory, target) = (Directory::new(), new());
    sync(&target);
    let source = copy(&directory);
    directory.import(&target, &source, &[]);
    change(
        &directory,
        "UPDATE jobs SET description = 'changed', updated_at = '2026-11-28 12:00:00' \
         WHERE id = 'd1000000000000000000000000000001'; \
         UPDATE backups SET deleted = 1 WHERE id = (SELECT min(id) FROM backups WHERE deleted = 0); \
         UPDATE job_actions SET position = 7 - position \
         WHERE job_id = (SELECT job_id FROM job_actions WHERE deleted = 0 GROUP BY job_id HAVING count(*) > 1 LIMIT 1)",
    );
    let unchanged = directory.import(&target, &source, &[]);
    assert_eq!(unchanged.status, 3, "{}", unchanged.stderr);
    let tables = unchanged.tables();
    assert_eq!(
        (&tables["jobs"]["quarantined"], &tables["jobs"]["reasons"]["exists"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(tables["backups"]["reasons"]["deleted-still-there"], 1);
    let side = directory.lines("quarantine");
    let row = side.iter().find(|line| line["reason"] == "exists" && line["table"] == "jobs").unwrap();
    assert_eq!(row["row"]["description"], "changed");

    let tables = directory.import(&target, &source, &["--update", "--delete-missing"]).tables();
    assert_eq!((&tables["jobs"]["imported"], &tables["jobs"]["reasons"]["updated"]), (&json!(1), &json!(1)));
    assert_eq!(tables["backups"]["reasons"]["deleted-here"], 1);
    assert!(tables["job_actions"]["reasons"]["updated"].as_u64().unwrap() >= 2, "{}", tables["job_actions"]);
    // Everything is up to date, and a third run has nothing to do.
    let tables = directory.import(&target, &source, &["--update", "--delete-missing"]).tables();
    for table in ["clients", "actions", "jobs", "job_actions", "sessions", "backups"] {
        assert_eq!(tables[table]["imported"], 0, "{table} {}", tables[table]);
        assert_eq!(tables[table]["quarantined"], 0, "{table} {}", tables[table]);
    }
}

fn what_has_changed_in_the_target_stays(new: fn() -> Database) {
    let (directory, target) = (Directory::new(), new());
    sync(&target);
    let source = copy(&directory);
    directory.import(&target, &source, &[]);
    let daemon = Daemon::start(&target.url);
    let mut line = Line::new(daemon.port, PROJECT);
    let job = "/jobs/d1000000000000000000000000000001";
    line.send("PATCH", job, Some(&json!({"description": "ours"}))).expect(200);
    change(
        &directory,
        "UPDATE jobs SET description = 'theirs' WHERE id = 'd1000000000000000000000000000001'",
    );
    let said = directory.import(&target, &source, &["--update"]);
    assert_eq!(said.tables()["jobs"]["reasons"]["exists"], 1, "{}", said.stderr);
    assert_eq!(line.send("GET", job, None).expect(200)["description"], "ours");
}
