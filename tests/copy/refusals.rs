//! Copies that are refused before the first row.

use crate::database::{BACKENDS, Backend, Database};
use crate::fill::filled;
use crate::program::{copy, run};

#[test]
fn every_value_that_the_target_cannot_hold_is_named_before_the_first_row() {
    let source = filled();
    let deep = format!(r#"{{"a": {}{}}}"#, "[".repeat(40), "]".repeat(40));
    source.run(&format!(
        "UPDATE jobs SET description = 'a' || char(0) || 'b' WHERE id = 'j1';
         UPDATE sessions SET metadata = '{{\"a\": \"\\u0000\"}}' WHERE id = 's1';
         INSERT INTO clients SELECT 'c3', project_id, user_id, 'web1 ', config_id, description, uuid, hostname,
             supported_actions, supported_modes, supported_storages, supported_engines, FALSE, last_seen_at,
             created_at, updated_at, version FROM clients WHERE id = 'c1';
         UPDATE backups SET project_id = 'jörg' WHERE id = 'b-00001';
         UPDATE actions SET src_file = replace(hex(zeroblob(32768)), '0', 'x') WHERE id = 'a1';
         UPDATE backups SET metadata = '{deep}' WHERE id = 'b-00002';
         UPDATE backups SET hostname = 'x' || char(0) || replace(hex(zeroblob(150)), '0', 'x') WHERE id = 'b-00003';
         UPDATE backups SET created_at = '+10000-01-01 00:00:00' WHERE id = 'b-00004';
         UPDATE backups SET updated_at = 'yesterday' WHERE id = 'b-00005';
         UPDATE backups SET created_at = '2026-01-02 03:04:05.1234567' WHERE id = 'b-00006'"
    ));
    let everywhere = [
        "backups b-00003: hostname has 302 characters, and the column has room for 255.",
        "backups b-00004: created_at is of the year 10000",
        "backups b-00005: cannot be read: ",
        "updated_at",
        "backups b-00006: created_at has parts of a microsecond.",
    ];
    let mysql = [
        "clients c3: collides with c1, because MySQL ignores blanks at the end of a key (uq_clients_client_id).",
        "backups b-00001: project_id is not ASCII",
        "actions a1: src_file has 65536 bytes, and MySQL has room for 65535.",
    ];
    // Oracle's MySQL accepts 100.
    let mariadb = ["backups b-00002: metadata is nested 41 deep, and the server takes 31."];
    let postgres = [
        "jobs j1: description has the character U+0000",
        "sessions s1: metadata has the character U+0000",
        "backups b-00003: hostname has the character U+0000",
    ];
    for to in BACKENDS {
        let target = Database::new(*to);
        let words = match to {
            Backend::Sqlite => everywhere.to_vec(),
            #[cfg(feature = "mysql")]
            Backend::Mysql if target.is_oracles() => [&everywhere[..], &mysql].concat(),
            #[cfg(feature = "mysql")]
            Backend::Mysql => [&everywhere[..], &mysql, &mariadb].concat(),
            #[cfg(feature = "postgres")]
            Backend::Postgres => [&everywhere[1..], &postgres].concat(),
        };
        for options in [&[][..], &["--dry-run"]] {
            let refused = copy(&source, &target, options).refused(3, &words);
            assert!(refused.err.contains("Nothing was written: "), "{}", refused.err);
            let others = [&mysql[..], &mariadb, &postgres].concat();
            for other in others.iter().filter(|other| !words.contains(other)) {
                assert!(!refused.err.contains(other), "{to:?}: {}", refused.err);
            }
        }
        assert!(target.is_empty(), "{to:?}");
    }
}

#[test]
fn another_schema_is_refused() {
    let source = filled();
    for to in BACKENDS {
        let target = Database::empty(*to);
        let words = ["The target ", "The database schema is empty, this release needs ", "db sync"];
        copy(&source, &target, &[]).refused(1, &words);
        let target = Database::new(*to);
        target.run("INSERT INTO __diesel_schema_migrations (version) VALUES ('20990101000000')");
        let words = ["The target ", "The database schema is newer than this release: it has 20990101000000"];
        copy(&source, &target, &[]).refused(78, &words);
        let words = ["The source ", "newer than this release"];
        copy(&target, &source, &["--allow-newer-schema"]).refused(78, &words);
    }
    let other = Database::empty(Backend::Sqlite);
    other.run("CREATE TABLE alembic_version (version_num TEXT)");
    let before = std::fs::read(other.path()).unwrap();
    copy(&other, &source, &[]).refused(78, &["the tables of the Python freezer-api"]);
    assert!(std::fs::read(other.path()).unwrap() == before);
}

#[test]
fn a_database_is_not_copied_into_itself() {
    for backend in BACKENDS {
        let database = Database::new(*backend);
        copy(&database, &database, &[]).refused(1, &["The source and the target are the same database."]);
    }
    let database = Database::new(Backend::Sqlite);
    let link = format!("{}-link", database.path());
    std::os::unix::fs::symlink(database.path(), &link).unwrap();
    let linked = run(&["copy", "--from", &database.url, "--to", &format!("sqlite:///{link}")]);
    linked.refused(1, &["The source and the target are the same database."]);
}

#[test]
fn a_source_that_is_away_is_named_without_its_password() {
    let target = Database::new(Backend::Sqlite);
    let missing = run(&["copy", "--from", "sqlite:////nonexistent/freezer.sqlite", "--to", &target.url]);
    missing.refused(
        1,
        &["There is no database sqlite:////nonexistent/freezer.sqlite, which the source is to be."],
    );
    let away: &[&str] = &[
        #[cfg(feature = "mysql")]
        "mysql://u:hunter2@127.0.0.1:1/freezer",
        #[cfg(feature = "postgres")]
        "postgresql://u:hunter2@127.0.0.1:1/freezer",
    ];
    for url in away {
        let refused = run(&["copy", "--from", url, "--to", &target.url]);
        let refused = refused.refused(1, &["The source ", "127.0.0.1:1/freezer cannot be reached"]);
        assert!(!refused.err.contains("hunter2"), "{}", refused.err);
    }
    assert!(target.is_empty());
}
