//! The fixtures: databases that the real services made.

use std::path::{Path, PathBuf};

use freezer_api::store::engine::url::DatabaseUrl;
use serde_json::Value;

use super::Counts;

pub fn path(fixture: &str, file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(fixture).join(file)
}

pub fn json(fixture: &str, file: &str) -> Value {
    serde_json::from_slice(&std::fs::read(path(fixture, file)).unwrap()).unwrap()
}

/// `counts.json` without the version rows, and without tables that have no rows.
pub fn counts(fixture: &str) -> Counts {
    let Value::Object(tables) = json(fixture, "counts.json") else { panic!("{fixture}") };
    let states =
        tables.into_iter().filter(|(_, states)| states.as_object().is_some_and(|states| !states.is_empty()));
    states.map(|(table, states)| (table, serde_json::from_value(states).unwrap())).collect()
}

/// A copy of an SQLite fixture, alone in a directory.
pub struct SqliteCopy {
    pub directory: tempfile::TempDir,
    pub file: PathBuf,
}

impl SqliteCopy {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a name with # % and ü.sqlite");
        std::fs::copy(path("sql-19.0.0-sqlite", "freezer.sqlite"), &file).unwrap();
        Self { directory, file }
    }

    pub fn url(&self) -> DatabaseUrl {
        url(&self.file)
    }

    /// Changes the copy, as another program would; it stays in the mode in which it was.
    pub fn run(&self, sql: &str) {
        use diesel::connection::{Connection, SimpleConnection};
        let mut connection = diesel::SqliteConnection::establish(self.file.to_str().unwrap()).unwrap();
        connection.batch_execute(sql).unwrap();
    }

    /// The names and contents of everything in the directory, but for the index of the log, which is shared memory.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        files(self.directory.path())
    }
}

pub fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<_> = entries
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            let content =
                if name.ends_with("-shm") { Vec::new() } else { std::fs::read(entry.path()).unwrap() };
            (name, content)
        })
        .collect();
    files.sort();
    files
}

/// The URL of a file whose name has characters that mean something in URLs.
pub fn url(file: &Path) -> DatabaseUrl {
    let path = file.to_str().unwrap();
    let path = path.replace('%', "%25").replace('#', "%23");
    DatabaseUrl::parse(&format!("sqlite:///{path}")).unwrap()
}
