//! `db backup` and `db restore`.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use diesel::connection::SimpleConnection;
use freezer_api::store::engine::manager::establish;
use freezer_api::store::engine::url::DatabaseUrl;

use super::{Service, files, id, post};
use crate::http::Line;

/// Makes a backup, and fails if that does.
fn backup(service: &Service, name: &str) {
    let (status, said) = service.daemon.run(&["db", "backup", &service.name(name)]);
    assert_eq!(status, Some(0), "{said}");
}

fn restore(service: &Service, name: &str) -> (Option<i32>, String) {
    service.daemon.run(&["db", "restore", &service.name(name)])
}

fn execute(path: &Path, sql: &str) {
    establish(&DatabaseUrl::parse(path.to_str().unwrap()).unwrap()).unwrap().batch_execute(sql).unwrap();
}

#[test]
fn a_backup_made_during_writes_is_consistent() {
    let mut service = Service::start();
    let port = service.daemon.port;
    let stop = AtomicBool::new(false);
    let before = std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut line = Line::new(port, "p");
                while !stop.load(Ordering::SeqCst) {
                    post(&mut line, 500).expect(201);
                }
            });
        }
        let mut line = Line::new(port, "p");
        let mut before = Vec::new();
        for name in ["one", "two", "three"] {
            before.push(id(&post(&mut line, 500).expect(201)));
            backup(&service, name);
        }
        stop.store(true, Ordering::SeqCst);
        before
    });
    let mode = service.path("three").metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    service.daemon.stop();
    let (status, said) = restore(&service, "three");
    assert_eq!(status, Some(0), "{said}");
    service.restart();
    for id in before {
        service.line.send("GET", &format!("/backups/{id}"), None).expect(200);
    }
    service.post().expect(201);
    assert_eq!(service.daemon.run(&["db", "check"]).0, Some(0));
}

#[test]
fn a_backup_overwrites_nothing_and_leaves_nothing_when_it_fails() {
    let mut service = Service::start();
    service.fill(1);
    fs::write(service.path("there"), "precious").unwrap();
    symlink(service.path("there"), service.path("link")).unwrap();
    let before = files(service.directory.path());
    for name in ["there", "link", "f.sqlite", "no/such/directory", "f.sqlite.lock", ""] {
        let (status, said) = service.daemon.run(&["db", "backup", &service.name(name)]);
        assert_eq!((status, said.lines().count()), (Some(1), 1), "{name}: {said}");
    }
    assert_eq!(fs::read(service.path("there")).unwrap(), b"precious");
    assert_eq!(files(service.directory.path()), before);
    // A name without a directory is in the working directory.
    assert_eq!(service.daemon.run(&["db", "backup", "file:x"]).0, Some(0));
    assert!(service.daemon.directory().join("file:x").exists());
    let other = Service::new();
    let (status, said) = other.daemon.run(&["db", "backup", &other.name("b")]);
    assert_eq!((status, said.contains("There is no database")), (Some(1), true), "{said}");
    assert!(files(other.directory.path()).is_empty());
}

#[test]
fn after_a_kill_a_restore_gives_what_the_backup_had_and_keeps_what_was_there() {
    let mut service = Service::start();
    let first = service.fill(300);
    backup(&service, "copy");
    service.fill(300);
    for id in first.iter().step_by(3) {
        service.delete(id).expect(204);
    }
    service.daemon.kill();
    let (status, said) = restore(&service, "copy");
    assert_eq!(status, Some(0), "{said}");
    service.restart();
    assert_eq!(service.count(), 300);
    service.daemon.stop();
    // The replaced database, with its log, is a valid database, too.
    let kept = files(service.directory.path());
    let kept = kept.iter().find(|name| name.starts_with("f.sqlite.2") && name.ends_with('Z')).unwrap();
    assert!(said.contains(kept), "{said}");
    assert!(service.path(&format!("{kept}-wal")).exists());
    backup(&service, "again");
    assert_eq!(
        service.daemon.run(&["db", "restore", &service.name(kept)]).0,
        Some(1),
        "its log is beside it"
    );
    fs::rename(service.path(kept), service.path("f.sqlite")).unwrap();
    fs::rename(service.path(&format!("{kept}-wal")), service.path("f.sqlite-wal")).unwrap();
    let said = service.daemon.lasting_refusal();
    assert!(said.contains("f.sqlite.lock"), "{said}");
    fs::remove_file(service.path("f.sqlite.lock")).unwrap();
    service.restart();
    assert_eq!(service.count(), 500);
}

#[test]
fn a_restore_refuses_while_the_database_is_served() {
    let mut service = Service::start();
    service.fill(3);
    backup(&service, "copy");
    let before = files(service.directory.path());
    let (status, said) = restore(&service, "copy");
    assert_eq!((status, said.contains("is in use")), (Some(1), true), "{said}");
    assert_eq!(files(service.directory.path()), before);
    service.post().expect(201);
    assert_eq!(service.count(), 4);
}

#[test]
fn a_file_that_is_no_backup_of_this_service_is_not_restored() {
    let mut service = Service::start();
    service.fill(300);
    backup(&service, "good");
    service.daemon.stop();
    let derived = |name: &str, sql: &str| {
        fs::copy(service.path("good"), service.path(name)).unwrap();
        execute(&service.path(name), sql);
    };
    derived("newer", "INSERT INTO __diesel_schema_migrations (version) VALUES ('20990101000000')");
    execute(&service.path("other"), "CREATE TABLE t (a)");
    execute(&service.path("python"), "CREATE TABLE alembic_version (version_num)");
    fs::write(service.path("empty"), "").unwrap();
    fs::write(service.path("text"), "not a database, and longer than a header of one".repeat(100)).unwrap();
    let mut damaged = fs::read(service.path("good")).unwrap();
    let middle = damaged.len() / 8192 * 4096;
    damaged[middle..middle + 3 * 4096].fill(0x5a);
    fs::write(service.path("damaged"), &damaged).unwrap();
    fs::write(service.path("short"), &damaged[..middle]).unwrap();
    fs::copy(service.path("good"), service.path("open")).unwrap();
    fs::write(service.path("open-wal"), "x").unwrap();
    symlink(service.path("f.sqlite"), service.path("itself")).unwrap();
    let before = (files(service.directory.path()), fs::read(service.path("f.sqlite")).unwrap());
    for (name, why) in [
        ("newer", "newer than this release (20990101000000)"),
        ("other", "no database of this service"),
        ("python", "Python"),
        ("empty", "no database of this service"),
        ("text", "not a database"),
        ("damaged", "is not restored"),
        ("short", "malformed"),
        ("open", "open-wal"),
        ("itself", "the database itself"),
        ("missing", "No such file"),
        ("", "not a regular file"),
    ] {
        let (status, said) = restore(&service, name);
        assert_eq!((status, said.lines().count()), (Some(1), 1), "{name}: {said}");
        assert!(said.contains(why) && !said.contains(".restoring"), "{name}: {said}");
        assert!(
            before == (files(service.directory.path()), fs::read(service.path("f.sqlite")).unwrap()),
            "{name}"
        );
    }
    service.restart();
    assert_eq!(service.count(), 300);
}

#[test]
fn a_restore_where_there_is_no_database_makes_one() {
    let mut service = Service::start();
    service.fill(5);
    backup(&service, "copy");
    let mut other = Service::new();
    let (status, said) = other.daemon.run(&["db", "restore", &service.name("copy")]);
    assert_eq!(status, Some(0), "{said}");
    assert_eq!(files(other.directory.path()), ["f.sqlite", "f.sqlite.lock"]);
    other.restart();
    assert_eq!(other.count(), 5);
}

#[test]
fn a_restored_file_belongs_to_the_owner_of_the_database() {
    let mut service = Service::start();
    service.fill(1);
    backup(&service, "copy");
    service.daemon.stop();
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if is_root {
        for path in
            [service.directory.path().to_owned(), service.path("f.sqlite"), service.path("f.sqlite.lock")]
        {
            chown(path, Some(65534), Some(65534)).unwrap();
        }
    }
    let (status, said) = restore(&service, "copy");
    assert_eq!(status, Some(0), "{said}");
    let restored = service.path("f.sqlite").metadata().unwrap();
    assert_eq!(restored.permissions().mode() & 0o777, 0o600);
    assert_eq!(restored.uid(), service.directory.path().metadata().unwrap().uid());
}

#[test]
fn an_interrupted_restore_is_reported_and_can_be_repeated() {
    let mut service = Service::start();
    service.fill(5);
    backup(&service, "copy");
    service.daemon.stop();
    // The state after the first file was moved away.
    fs::rename(service.path("f.sqlite"), service.path("f.sqlite.20260101T000000.000Z")).unwrap();
    fs::write(service.path("f.sqlite.lock"), "restoring").unwrap();
    let said = service.daemon.lasting_refusal();
    assert!(said.contains("was not finished"), "{said}");
    assert!(!service.path("f.sqlite").exists());
    let (status, said) = restore(&service, "copy");
    assert_eq!(status, Some(0), "{said}");
    service.restart();
    assert_eq!(service.count(), 5);
}

#[test]
fn an_older_schema_is_brought_up_to_date_by_the_next_start() {
    let mut service = Service::start();
    service.fill(2);
    backup(&service, "copy");
    service.daemon.stop();
    let migrations = fs::read_dir("migrations/sqlite").unwrap();
    let last = migrations.map(|entry| entry.unwrap().path()).max().unwrap();
    let version = last.file_name().unwrap().to_str().unwrap().split('_').next().unwrap().replace('-', "");
    execute(&service.path("copy"), &fs::read_to_string(last.join("down.sql")).unwrap());
    let forget = format!("DELETE FROM __diesel_schema_migrations WHERE version = '{version}'");
    execute(&service.path("copy"), &forget);
    let (status, said) = restore(&service, "copy");
    assert_eq!((status, said.contains("older release")), (Some(0), true), "{said}");
    service.restart();
    service.post().expect(201);
}

#[test]
fn the_copy_of_another_tool_can_be_restored() {
    let mut service = Service::start();
    service.fill(5);
    let copy = service.name("copy");
    let copied =
        Command::new("sqlite3").args([&service.name("f.sqlite"), &format!(".backup '{copy}'")]).status();
    if copied.is_err() {
        eprintln!("skipped: there is no sqlite3");
        return;
    }
    service.daemon.stop();
    let (status, said) = restore(&service, "copy");
    assert_eq!(status, Some(0), "{said}");
    service.restart();
    assert_eq!(service.count(), 5);
}

#[cfg(feature = "mysql")]
#[test]
fn for_mysql_its_own_tools_are_named() {
    names_the_tools(&crate::databases::Database::mysql(), "mysqldump");
}

#[cfg(feature = "postgres")]
#[test]
fn for_postgresql_its_own_tools_are_named() {
    names_the_tools(&crate::databases::Database::postgres(), "pg_dump");
}

#[cfg(any(feature = "mysql", feature = "postgres"))]
fn names_the_tools(database: &crate::databases::Database, tool: &str) {
    let daemon = crate::daemon::Daemon::new(&database.url);
    for command in ["backup", "restore"] {
        let (status, said) = daemon.run(&["db", command, "file"]);
        assert_eq!((status, said.lines().count()), (Some(1), 1), "{said}");
        assert!(said.contains(tool), "{said}");
    }
    assert!(!daemon.directory().join("file").exists());
}
