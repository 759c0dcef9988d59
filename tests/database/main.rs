//! Database connections: SQLAlchemy's URLs, the settings of a session, the pool, and the answers while the database is
//! away. The servers are those of `scripts/test`.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod outage;
mod pool;
#[allow(dead_code, reason = "tests/faults uses the rest")]
mod proxy;
mod server;
mod sessions;
mod start;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod urls;

use freezer_api::store::engine::url::DatabaseUrl;

/// The URLs of the servers whose backends are built in, as `scripts/test` gives them.
pub fn servers() -> Vec<String> {
    let ask = |variable: &str| {
        std::env::var(variable).unwrap_or_else(|_| panic!("run scripts/test, or set {variable}"))
    };
    let mut servers = Vec::new();
    if cfg!(feature = "mysql") {
        servers.push(ask("FREEZER_TEST_MYSQL_URL"));
    }
    if cfg!(feature = "postgres") {
        servers.push(ask("FREEZER_TEST_POSTGRES_URL"));
    }
    servers
}

/// An SQLite file in this directory.
pub fn sqlite(directory: &tempfile::TempDir) -> DatabaseUrl {
    DatabaseUrl::parse(directory.path().join("f.sqlite").to_str().unwrap()).unwrap()
}
