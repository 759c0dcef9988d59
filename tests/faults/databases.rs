//! Databases of our own, on the servers of `scripts/test`.

use diesel::connection::SimpleConnection;
use freezer_api::store::engine::connection::AnyConnection;
use freezer_api::store::engine::manager::establish;
use freezer_api::store::engine::url::DatabaseUrl;

/// A database that is dropped when the test ends.
pub struct Database {
    pub url: String,
    /// The server's URL, and the statement that drops the database.
    server: Option<(String, String)>,
    _directory: Option<tempfile::TempDir>,
}

impl Database {
    pub fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = directory.path().join("f.sqlite").to_str().unwrap().to_owned();
        Self { url, server: None, _directory: Some(directory) }
    }

    #[cfg(feature = "mysql")]
    pub fn mysql() -> Self {
        Self::on("FREEZER_TEST_MYSQL_URL", "")
    }

    #[cfg(feature = "postgres")]
    pub fn postgres() -> Self {
        Self::on("FREEZER_TEST_POSTGRES_URL", " WITH (FORCE)")
    }

    #[cfg(any(feature = "mysql", feature = "postgres"))]
    fn on(variable: &str, by_force: &str) -> Self {
        let server =
            std::env::var(variable).unwrap_or_else(|_| panic!("run scripts/test, or set {variable}"));
        let name = format!("freezer_faults_{}", uuid::Uuid::new_v4().simple());
        execute(&server, &format!("CREATE DATABASE {name}"));
        let mut url = url::Url::parse(&server).unwrap();
        url.set_path(&name);
        Self {
            url: url.to_string(),
            server: Some((server, format!("DROP DATABASE {name}{by_force}"))),
            _directory: None,
        }
    }

    /// Another connection to it.
    pub fn connect(&self) -> AnyConnection {
        establish(&DatabaseUrl::parse(&self.url).unwrap()).unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some((server, drop)) = &self.server {
            execute(server, drop);
        }
    }
}

/// Runs a statement on a server.
fn execute(url: &str, sql: &str) {
    establish(&DatabaseUrl::parse(url).unwrap()).unwrap().batch_execute(sql).unwrap();
}
