//! The database's disk fills up.

use std::fs;
use std::process::Command;

use serde_json::json;

use super::{count, id, post};
use crate::daemon::Daemon;
use crate::http::Line;

/// A service on a file system of its own, which only it sees, and which is gone with it.
struct Disk {
    daemon: Daemon,
    line: Line,
    place: tempfile::TempDir,
}

impl Disk {
    /// `None` if this user may not mount.
    fn of(mebibytes: usize) -> Option<Self> {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().to_str().unwrap();
        let mount = format!("mount -t tmpfs -o size={mebibytes}m tmpfs {directory} && exec \"$0\" \"$@\"");
        let candidates: [&[&str]; 2] =
            [&["unshare", "--mount"], &["unshare", "--user", "--map-root-user", "--mount"]];
        let can_mount = |by: &&&[&str]| {
            let tried = Command::new(by[0]).args(&by[1..]).args(["sh", "-c", &mount, "true"]).output();
            tried.is_ok_and(|output| output.status.success())
        };
        let Some(unshare) = candidates.iter().find(can_mount) else {
            eprintln!("skipped: nothing can be mounted here");
            return None;
        };
        let by: Vec<&str> = unshare.iter().chain(&["sh", "-c", &mount]).copied().collect();
        let mut daemon = Daemon::new(&format!("{directory}/f.sqlite")).by(&by);
        daemon.restart();
        Some(Self { line: Line::new(daemon.port, "p"), daemon, place })
    }

    /// A path on the file system, from outside.
    fn path(&self, name: &str) -> String {
        format!("/proc/{}/root{}/{name}", self.daemon.id(), self.place.path().display())
    }
}

#[test]
fn a_disk_that_is_filled_by_the_api_can_be_emptied_by_the_api() {
    for (mebibytes, writers, size) in [(12, 1, 8_000), (12, 6, 8_000), (24, 6, 60_000)] {
        let Some(mut disk) = Disk::of(mebibytes) else { return };
        let port = disk.daemon.port;
        let fill = || {
            let mut line = Line::new(port, "p");
            let mut ids = Vec::new();
            loop {
                let answer = post(&mut line, size);
                match answer.status {
                    Some(201) => ids.push(id(&answer.body)),
                    _ => return (ids, answer),
                }
            }
        };
        let filled: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..writers).map(|_| scope.spawn(fill)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let mut acknowledged = Vec::new();
        for (ids, refused) in filled {
            assert_eq!((refused.status, refused.retry_after.is_some()), (Some(503), true), "{refused:?}");
            let said = refused.body["description"].as_str().unwrap();
            assert!(said.contains("nearly full"), "{said}");
            acknowledged.extend(ids);
        }
        assert_eq!(count(&mut disk.line), acknowledged.len());
        let said = disk.daemon.output();
        assert_eq!(said.matches("nothing new is created").count(), 1, "{said}");
        // Changes and deletions still work, until everything is deleted.
        let (changed, deleted) = acknowledged.split_at(acknowledged.len() / 4);
        for id in changed {
            let change = json!({"hostname": "another"});
            disk.line.send("PATCH", &format!("/backups/{id}"), Some(&change)).expect(200);
        }
        for id in deleted {
            disk.line.send("DELETE", &format!("/backups/{id}"), None).expect(204);
        }
        assert_eq!(count(&mut disk.line), changed.len());
        post(&mut disk.line, size).expect(201);
    }
}

#[test]
fn on_a_disk_that_others_have_filled_changes_and_deletions_go_on() {
    let Some(mut disk) = Disk::of(96) else { return };
    let line = &mut disk.line;
    let action = json!({"freezer_action": {"action": "exec", "command": "true"}});
    line.send("POST", "/clients", Some(&json!({"client_id": "web"}))).expect(201);
    line.send("POST", "/actions/a", Some(&action)).expect(201);
    line.send("POST", "/jobs/j", Some(&json!({"client_id": "web", "job_actions": [action]}))).expect(201);
    line.send("POST", "/sessions/s", Some(&json!({"schedule": {}, "session_tag": 0}))).expect(201);
    let ids: Vec<_> = (0..50).map(|_| id(&post(line, 20_000).expect(201))).collect();
    let filler = format!("/proc/{}/root{}/filler", disk.daemon.id(), disk.place.path().display());
    // Fill the disk.
    let _ = fs::write(&filler, vec![0; 128 << 20]);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    for (path, body) in [
        ("/clients", json!({"client_id": "late"})),
        ("/actions", action.clone()),
        ("/actions/late", action.clone()),
        ("/jobs", json!({"client_id": "web", "job_actions": [action]})),
        ("/jobs/late", json!({"client_id": "web", "job_actions": [action]})),
        ("/sessions", json!({"schedule": {}, "session_tag": 0})),
        ("/sessions/late", json!({"schedule": {}, "session_tag": 0})),
        ("/backups", json!({"backup_name": "n", "hostname": "h", "container": "c", "time_stamp": 1})),
        ("/job-attachments", json!({"job_id": "j", "client_id": "web"})),
        ("/action-attachments", json!({"job_id": "j", "action_id": "a"})),
        ("/action-reports", json!({"result": "success", "time_elapsed": 1})),
    ] {
        let refused = line.send("POST", path, Some(&body));
        assert_eq!((refused.status, refused.retry_after.is_some()), (Some(503), true), "{path}: {refused:?}");
        assert!(refused.body["description"].as_str().unwrap().contains("nearly full"), "{path}: {refused:?}");
    }
    // These create no row: a repeated registration, an event and a replacement.
    line.send("POST", "/clients", Some(&json!({"client_id": "web"}))).expect(201);
    line.send("POST", "/jobs/j/event", Some(&json!({"start": null}))).expect(202);
    line.send("POST", "/actions/a", Some(&action)).expect(201);
    line.send("POST", "/sessions/s", Some(&json!({"schedule": {}, "session_tag": 0, "description": "e"})))
        .expect(201);
    line.send("PATCH", "/jobs/j", Some(&json!({"description": "e"}))).expect(200);
    for id in &ids[..10] {
        let change = json!({"hostname": "another"});
        line.send("PATCH", &format!("/backups/{id}"), Some(&change)).expect(200);
    }
    // Large changes use the reserve, which is not for creates.
    for id in &ids[..6] {
        let change = json!({"note": "n".repeat(500_000)});
        line.send("PATCH", &format!("/backups/{id}"), Some(&change)).expect(200);
    }
    let refused = line.send("POST", "/clients", Some(&json!({"client_id": "late"})));
    assert_eq!((refused.status, refused.retry_after.is_some()), (Some(503), true), "{refused:?}");
    assert!(disk.daemon.output().contains("the reserve is given up"));
    for id in &ids {
        line.send("DELETE", &format!("/backups/{id}"), None).expect(204);
    }
    line.raw("GET", "/healthcheck", None).expect(200);
    fs::remove_file(&filler).unwrap();
    line.send("POST", "/clients", Some(&json!({"client_id": "late"}))).expect(201);
    assert!(disk.daemon.output().contains("has room again"));
    assert!(fs::metadata(disk.path("f.sqlite")).is_ok());
}
