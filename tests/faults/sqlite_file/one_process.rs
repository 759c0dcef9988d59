//! Only one process serves a file.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::Service;
use crate::daemon::Daemon;

#[test]
fn a_second_service_on_the_same_file_ends_with_a_sentence() {
    let mut service = Service::start();
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("link.sqlite");
    symlink(service.path("f.sqlite"), &link).unwrap();
    let directory = elsewhere.path().join("directory");
    symlink(service.directory.path(), &directory).unwrap();
    for url in [
        service.name("f.sqlite"),
        link.to_str().unwrap().to_owned(),
        format!("sqlite:///{}", link.display()),
        format!("file:{}", link.display()),
        format!("{}/f.sqlite", directory.display()),
    ] {
        let said = Daemon::new(&url).refusal();
        assert!(said.contains("is in use") && said.contains("f.sqlite.lock"), "{url}: {said}");
    }
    service.post().expect(201);
    // The lock belongs to the process, so it ends with it, although the lock file stays.
    service.daemon.kill();
    service.restart();
    assert_eq!(service.count(), 1);
    service.daemon.stop();
    Daemon::new(link.to_str().unwrap()).restart();
}

#[test]
fn only_the_owner_may_read_the_files_of_the_database() {
    let service = Service::start();
    for name in super::files(service.directory.path()) {
        let mode = service.path(&name).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name}");
    }
}

#[test]
fn the_other_commands_work_beside_the_service() {
    let mut service = Service::start();
    service.post().expect(201);
    for command in [["db", "sync"], ["db", "version"], ["db", "check"], ["user", "list"]] {
        let (status, said) = service.daemon.run(&command);
        assert_eq!(status, Some(0), "{command:?}: {said}");
    }
    service.post().expect(201);
    assert_eq!(service.count(), 2);
}

#[test]
fn a_file_with_several_hard_links_is_not_served() {
    let service = Service::new();
    service.daemon.sync();
    fs::hard_link(service.path("f.sqlite"), service.path("g.sqlite")).unwrap();
    for name in ["f.sqlite", "g.sqlite"] {
        let said = Daemon::new(&service.name(name)).lasting_refusal();
        assert!(said.contains(name) && said.contains("2 hard links"), "{said}");
    }
    fs::remove_file(service.path("g.sqlite")).unwrap();
    Daemon::new(&service.name("f.sqlite")).restart();
}

#[test]
fn a_dangling_link_or_a_directory_is_not_served() {
    let service = Service::new();
    symlink(service.path("nothing"), service.path("f.sqlite")).unwrap();
    let said = service.daemon.lasting_refusal();
    assert!(said.contains("a symbolic link to a file that does not exist"), "{said}");
    let said = Daemon::new(service.directory.path().to_str().unwrap()).lasting_refusal();
    assert!(said.contains("is not a regular file"), "{said}");
    assert_eq!(super::files(service.directory.path()), ["f.sqlite"]);
}

#[test]
fn a_start_that_makes_a_new_database_says_where() {
    let mut daemon = Daemon::new("sqlite:///freezer.sqlite");
    daemon.restart();
    let path = daemon.directory().canonicalize().unwrap().join("freezer.sqlite");
    let said = daemon.output();
    assert!(said.contains(&format!("a new one is {}", path.display())), "{said}");
    assert!(said.contains(&format!("there was no database {}", path.display())), "{said}");
    daemon.stop();
    fs::remove_file(daemon.directory().join("log")).unwrap();
    daemon.restart();
    let said = daemon.output();
    assert!(!said.contains("a new") && said.contains("freezer.sqlite"), "{said}");
}
