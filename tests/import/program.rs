//! The program, and the sources that it imports.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::databases::Database;

/// The path of a fixture's file.
pub fn fixture(fixture: &str, file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(fixture).join(file)
}

/// A fixture's file of JSON.
pub fn json(name: &str, file: &str) -> Value {
    serde_json::from_slice(&std::fs::read(fixture(name, file)).unwrap()).unwrap()
}

/// A source with the words of the command line that name it.
pub struct Source {
    pub name: &'static str,
    pub words: Vec<String>,
    #[cfg(feature = "mysql")]
    _database: Option<Database>,
}

impl Source {
    fn new(name: &'static str, words: &[&str]) -> Self {
        let words = words.iter().map(|&word| word.to_owned()).collect();
        Self {
            name,
            words,
            #[cfg(feature = "mysql")]
            _database: None,
        }
    }

    pub fn sqlite() -> Self {
        let file = fixture("sql-19.0.0-sqlite", "freezer.sqlite");
        Self::new("sql-19.0.0-sqlite", &["sql", "--from", file.to_str().unwrap()])
    }

    pub fn elasticsearch(name: &'static str, file: &str) -> Self {
        let file = fixture(name, file);
        let project = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
        Self::new(name, &["elasticsearch", "--from", file.to_str().unwrap(), "--default-project", project])
    }

    /// A dump in a database of its own.
    #[cfg(feature = "mysql")]
    pub fn mariadb(name: &'static str) -> Self {
        use diesel::connection::SimpleConnection;

        let database = Database::mysql();
        let dump = std::fs::read_to_string(fixture(name, "dump.sql")).unwrap();
        database.connect().batch_execute(&dump).unwrap();
        let words = [
            "sql",
            "--force",
            "--from",
            &database.url,
            "--default-project",
            "dddddddddddddddddddddddddddddddd",
        ];
        let words = words.iter().map(|&word| word.to_owned()).collect();
        Self { name, words, _database: Some(database) }
    }

    /// One of every fixture.
    pub fn all() -> Vec<Self> {
        vec![
            Self::sqlite(),
            Self::elasticsearch("es-15.0.0-v1", "elasticdump-2.4.6.data.ndjson"),
            Self::elasticsearch("es-3.0.0", "elasticdump.data.ndjson"),
            #[cfg(feature = "mysql")]
            Self::mariadb("sql-15.0.0-mariadb"),
            #[cfg(feature = "mysql")]
            Self::mariadb("sql-15.0.0-v1-mariadb"),
            #[cfg(feature = "mysql")]
            Self::mariadb("sql-15-upgraded-to-19-mariadb"),
            #[cfg(feature = "mysql")]
            Self::mariadb("sql-18.0.0-mariadb"),
            #[cfg(feature = "mysql")]
            Self::mariadb("sql-19.0.0-mariadb"),
            #[cfg(feature = "mysql")]
            Self::mariadb("sql-19.0.0-damaged"),
        ]
    }
}

/// The output of an import.
pub struct Said {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Said {
    /// The account.
    #[track_caller]
    pub fn tables(&self) -> BTreeMap<String, Value> {
        let account: Value = serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("{}", self.stderr));
        serde_json::from_value(account["tables"].clone()).unwrap()
    }
}

/// A directory for the files of imports.
pub struct Directory(pub tempfile::TempDir);

impl Directory {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// The command of an import into `target`.
    pub fn command(&self, target: &Database, words: &[String], more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_freezer-api"));
        command.args(["--database-connection", &target.url, "import"]).args(words).args(more);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("OS_")) {
            command.env_remove(name);
        }
        command.env("HOME", self.0.path()).current_dir(self.0.path());
        command
    }

    /// Imports, with the report `report` and the side file `quarantine`.
    pub fn import(&self, target: &Database, source: &Source, more: &[&str]) -> Said {
        let files = [&["--json", "--report", "report", "--quarantine", "quarantine"], more].concat();
        said(self.command(target, &source.words, &files).output().unwrap())
    }

    /// The lines of a file.
    pub fn lines(&self, name: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path(name)).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

pub fn said(output: Output) -> Said {
    Said {
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs `db sync`.
pub fn sync(target: &Database) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_freezer-api"));
    let output = command.args(["--database-connection", &target.url, "db", "sync"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
