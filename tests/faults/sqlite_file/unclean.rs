//! A start after a kill, with the files that operators may have put in the place of the database.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use super::{Service, files};

/// A service that was killed in the middle of its work, and an older copy of its database with 300 backups.
fn killed() -> Service {
    let mut service = Service::start();
    let first = service.fill(300);
    let (status, said) = service.daemon.run(&["db", "backup", &service.name("copy")]);
    assert_eq!(status, Some(0), "{said}");
    service.fill(300);
    for id in first.iter().step_by(3) {
        service.delete(id).expect(204);
    }
    service.daemon.kill();
    service
}

#[test]
fn a_killed_service_starts_again_with_all_that_it_had() {
    let mut service = killed();
    assert!(files(service.directory.path()).contains(&"f.sqlite-wal".to_owned()));
    let (status, said) = service.daemon.run(&["db", "check"]);
    assert_eq!((status, said.contains("was not closed; it is checked")), (Some(0), true), "{said}");
    service.restart();
    assert_eq!(service.count(), 500);
}

#[test]
fn a_service_that_is_stopped_leaves_no_log_behind() {
    let mut service = Service::start();
    service.fill(3);
    service.daemon.stop();
    assert_eq!(files(service.directory.path()), ["f.sqlite", "f.sqlite.lock"]);
}

#[test]
fn a_copy_beside_the_log_of_the_old_file_is_neither_served_nor_harmed() {
    for by_copying in [true, false] {
        let mut service = killed();
        let copy = fs::read(service.path("copy")).unwrap();
        if by_copying {
            fs::copy(service.path("copy"), service.path("f.sqlite")).unwrap();
        } else {
            fs::rename(service.path("copy"), service.path("f.sqlite")).unwrap();
        }
        let said = service.daemon.lasting_refusal();
        assert!(said.contains("f.sqlite-wal"), "{said}");
        for command in [
            &["db", "check"][..],
            &["db", "version"],
            &["db", "sync"],
            &["user", "list"],
            &["db", "backup", "b"],
        ] {
            let (status, said) = service.daemon.run(command);
            assert_eq!(status, Some(1), "{command:?}: {said}");
            assert!(said.contains("f.sqlite-wal"), "{command:?}: {said}");
        }
        assert!(fs::read(service.path("f.sqlite")).unwrap() == copy, "the copy has changed");
        // The steps that the error text gives.
        for name in ["f.sqlite-wal", "f.sqlite-shm"] {
            let _ = fs::remove_file(service.path(name));
        }
        service.restart();
        assert_eq!(service.count(), 300);
    }
}

#[test]
fn a_log_without_its_database_is_not_deleted() {
    let service = killed();
    fs::rename(service.path("f.sqlite"), service.path("away")).unwrap();
    for said in [service.daemon.refusal(), service.daemon.run(&["db", "sync"]).1] {
        assert!(said.contains("its log") && said.contains("f.sqlite-wal"), "{said}");
    }
    fs::rename(service.path("away"), service.path("f.sqlite")).unwrap();
    let mut service = service;
    service.restart();
    assert_eq!(service.count(), 500);
}

#[test]
fn a_check_finds_a_damaged_file() {
    let mut service = Service::start();
    service.fill(300);
    service.daemon.stop();
    let file = File::options().write(true).open(service.path("f.sqlite")).unwrap();
    let middle = file.metadata().unwrap().len() / 8192 * 4096;
    file.write_all_at(&[0x5a; 3 * 4096], middle).unwrap();
    let (status, said) = service.daemon.run(&["db", "check"]);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("is damaged") && said.lines().count() == 1, "{said}");
}
