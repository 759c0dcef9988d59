//! The fixtures: what the real services stored, and what they answered.

use std::path::{Path, PathBuf};

use freezer_api::import::legacy::Row;
use freezer_api::import::sql::SqlSource;
use freezer_api::import::{Source, elasticsearch};
use freezer_api::store::engine::url::DatabaseUrl;
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

impl Copy {
    pub fn open(&self) -> Box<dyn Source> {
        Box::new(SqlSource::open(&self.url, false).unwrap())
    }
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

/// The documents of a fixture, out of a file.
pub fn documents(fixture: &str, file: &str) -> Box<dyn Source> {
    let from = vec![path(fixture, file).to_str().unwrap().to_owned()];
    elasticsearch::open(&elasticsearch::Options { from, ..elasticsearch::Options::default() }).unwrap()
}

/// A new, empty database on the server that a variable names. Those that an earlier run left behind go with that of the
/// suite, whose names they share.
#[cfg(any(feature = "mysql", feature = "postgres"))]
pub fn on_server(variable: &str) -> DatabaseUrl {
    use diesel::connection::SimpleConnection;

    let server = std::env::var(variable).unwrap_or_else(|_| panic!("run scripts/test, or set {variable}"));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let name = format!("freezer_suite_{now}_{}", &uuid::Uuid::new_v4().simple().to_string()[..8]);
    let mut admin =
        freezer_api::store::engine::manager::establish(&DatabaseUrl::parse(&server).unwrap()).unwrap();
    admin.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
    let mut own = url::Url::parse(&server).unwrap();
    own.set_path(&name);
    DatabaseUrl::parse(own.as_str()).unwrap()
}

/// A MariaDB database with a fixture's dump.
#[cfg(feature = "mysql")]
pub fn mariadb(fixture: &str) -> DatabaseUrl {
    use diesel::connection::SimpleConnection;

    let url = on_server("FREEZER_TEST_MYSQL_URL");
    let dump = std::fs::read_to_string(path(fixture, "dump.sql")).unwrap();
    freezer_api::store::engine::manager::establish(&url).unwrap().batch_execute(&dump).unwrap();
    url
}
