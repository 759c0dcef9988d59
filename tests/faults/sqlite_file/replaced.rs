//! The file is replaced while the service runs.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Mutex;
use std::time::Duration;

use super::{Service, id, post};
use crate::daemon::Daemon;
use crate::http::Line;

const DATABASE: [&str; 3] = ["f.sqlite", "f.sqlite-wal", "f.sqlite-shm"];
const REASON: &str = "while it was served";

type Exchange = fn(&Service);

#[test]
fn after_an_exchange_all_requests_are_refused_and_the_log_has_the_reason_once() {
    let exchanges: [(&str, Exchange); 6] = [
        ("all is removed", |service| {
            DATABASE.iter().for_each(|name| fs::remove_file(service.path(name)).unwrap());
        }),
        ("the database is removed", |service| fs::remove_file(service.path("f.sqlite")).unwrap()),
        ("the log is removed", |service| fs::remove_file(service.path("f.sqlite-wal")).unwrap()),
        ("the index is removed", |service| fs::remove_file(service.path("f.sqlite-shm")).unwrap()),
        ("a copy takes its place", |service| {
            fs::copy(service.path("f.sqlite"), service.path("copy")).unwrap();
            fs::rename(service.path("copy"), service.path("f.sqlite")).unwrap();
        }),
        ("a new file of the same name", |service| {
            DATABASE.iter().for_each(|name| fs::remove_file(service.path(name)).unwrap());
            DATABASE.iter().for_each(|name| fs::write(service.path(name), "").unwrap());
        }),
    ];
    for (name, exchange) in exchanges {
        let mut service = Service::start();
        service.fill(3);
        service.line.raw("GET", "/healthcheck", None).expect(200);
        exchange(&service);
        for _ in 0..5 {
            let refused = service.post();
            assert_eq!(
                (refused.status, refused.retry_after.is_some()),
                (Some(503), true),
                "{name}: {refused:?}"
            );
            let said = refused.body["description"].as_str().unwrap();
            assert!(said.contains("replaced or removed") && !said.contains("f.sqlite"), "{name}: {said}");
            assert_eq!(service.line.send("GET", "/backups", None).status, Some(503), "{name}");
            assert_eq!(service.line.raw("GET", "/healthcheck", None).status, Some(503), "{name}");
        }
        service.line.raw("GET", "/v2", None).expect(200);
        let said = service.daemon.output();
        assert_eq!(said.matches(REASON).count(), 1, "{name}: {said}");
        assert!(!said.contains("ERROR freezer_api.server"), "{name}: {said}");
        // The service made no new file in its place.
        assert!(service.path("f.sqlite").metadata().map_or(0, |file| file.len()) != 4096, "{name}");
    }
}

#[test]
fn a_symbolic_link_that_leads_elsewhere_is_an_exchange() {
    let (service, other) = (Service::new(), Service::new());
    other.daemon.sync();
    let link = service.path("link");
    symlink(service.path("f.sqlite"), &link).unwrap();
    service.daemon.sync();
    let mut daemon = Daemon::new(link.to_str().unwrap());
    daemon.restart();
    let mut line = Line::new(daemon.port, "p");
    post(&mut line, 10).expect(201);
    fs::remove_file(&link).unwrap();
    symlink(other.path("f.sqlite"), &link).unwrap();
    assert_eq!(post(&mut line, 10).status, Some(503));
    assert!(daemon.output().contains(REASON));
}

/// Writes acknowledged before the check are in the file that was moved away, with its log. Later ones are refused.
#[test]
fn what_is_acknowledged_while_the_file_is_moved_away_is_in_it_when_it_is_back() {
    let mut service = Service::start();
    let port = service.daemon.port;
    let acknowledged = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut line = Line::new(port, "p");
                loop {
                    let answer = post(&mut line, 500);
                    match answer.status {
                        Some(201) => acknowledged.lock().unwrap().push(id(&answer.body)),
                        status => return assert_eq!(status, Some(503), "{answer:?}"),
                    }
                }
            });
        }
        std::thread::sleep(Duration::from_millis(700));
        fs::rename(service.path("f.sqlite"), service.path("away")).unwrap();
    });
    // When the file is back, only a restart helps: another process may have written to it.
    fs::rename(service.path("away"), service.path("f.sqlite")).unwrap();
    assert_eq!(service.post().status, Some(503));
    service.daemon.stop();
    service.restart();
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!(acknowledged.len() > 10);
    for id in acknowledged {
        service.line.send("GET", &format!("/backups/{id}"), None).expect(200);
    }
    assert_eq!(service.daemon.run(&["db", "check"]).0, Some(0));
}

/// Load balancers use the plain health check, which does not query a database that other nodes may share. No other node
/// shares a file, so here the plain check fails as well.
#[test]
fn the_plain_health_check_reports_an_exchange_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("f.sqlite");
    let mut daemon = Daemon::new(path.to_str().unwrap()).with("HEALTHCHECK__DETAILED", "false");
    daemon.restart();
    let mut line = Line::new(daemon.port, "p");
    line.raw("GET", "/healthcheck", None).expect(200);
    fs::rename(&path, directory.path().join("away")).unwrap();
    assert_eq!(line.raw("GET", "/healthcheck", None).status, Some(503));
}
