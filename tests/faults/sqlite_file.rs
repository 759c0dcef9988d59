//! The file of an SQLite database: only one process serves it, it must not be replaced while it is served, it must be
//! intact, and its disk needs room.

mod copies;
mod one_process;
mod replaced;
mod space;
mod unclean;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::daemon::Daemon;
use crate::http::{Answer, Line};

/// A service over `f.sqlite` in a directory of its own, and a connection to it.
struct Service {
    daemon: Daemon,
    line: Line,
    directory: tempfile::TempDir,
}

impl Service {
    /// A service that is not started yet.
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let daemon = Daemon::new(directory.path().join("f.sqlite").to_str().unwrap());
        Self { line: Line::new(daemon.port, "p"), daemon, directory }
    }

    fn start() -> Self {
        let mut service = Self::new();
        service.daemon.restart();
        service
    }

    /// A path in the directory of the database.
    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The same path as text, for a command line.
    fn name(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn restart(&mut self) {
        self.daemon.restart();
        self.line.hang_up();
    }

    fn post(&mut self) -> Answer {
        post(&mut self.line, 100)
    }

    /// Creates backups, and returns their ids.
    fn fill(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| id(&post(&mut self.line, 2000).expect(201))).collect()
    }

    fn delete(&mut self, id: &str) -> Answer {
        self.line.send("DELETE", &format!("/backups/{id}"), None)
    }

    /// The number of backups.
    fn count(&mut self) -> usize {
        count(&mut self.line)
    }
}

/// Creates a backup with this many bytes of metadata.
fn post(line: &mut Line, size: usize) -> Answer {
    let name = "n".repeat(size.min(100));
    let filler = "x".repeat(size);
    let backup =
        json!({"backup_name": name, "hostname": "h", "container": "c", "time_stamp": 1, "filler": filler});
    line.send("POST", "/backups", Some(&backup))
}

fn id(created: &Value) -> String {
    created["backup_id"].as_str().unwrap().to_owned()
}

fn count(line: &mut Line) -> usize {
    let list = line.send("GET", "/backups?limit=1&with_count=true", None).expect(200);
    list["count"].as_u64().unwrap_or_else(|| panic!("{list}")) as usize
}

/// The files in a directory.
fn files(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
