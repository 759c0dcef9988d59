//! The fixtures: what the real services stored, and what they answered.

use std::path::{Path, PathBuf};

use freezer_api::import::Source;
use freezer_api::import::legacy::Row;
use freezer_api::import::sql::SqlSource;
use freezer_api::store::url::DatabaseUrl;
use serde_json::Value;

pub fn path(fixture: &str, file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(fixture).join(file)
}

pub fn truth(fixture: &str) -> Value {
    serde_json::from_slice(&std::fs::read(path(fixture, "truth.json")).unwrap()).unwrap()
}

/// A copy of the SQLite database of release 19.
pub struct Copy {
    _directory: tempfile::TempDir,
    pub url: DatabaseUrl,
}

pub fn sqlite() -> Copy {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("freezer.sqlite");
    std::fs::copy(path("sql-19.0.0-sqlite", "freezer.sqlite"), &file).unwrap();
    let url = DatabaseUrl::parse(&format!("sqlite:///{}", file.display())).unwrap();
    Copy { _directory: directory, url }
}

/// Everything in a database.
pub fn rows(url: &DatabaseUrl) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut source = SqlSource::open(url, false).unwrap();
    source
        .read(&mut |row| {
            rows.push(row);
            Ok(())
        })
        .unwrap();
    rows
}
