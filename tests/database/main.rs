//! The way to the database: what a URL of SQLAlchemy's comes to, what a session is set to, what a pool keeps, and
//! what requests are told while the database is away. The servers are those of `scripts/test`.
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

use freezer_api::store::url::DatabaseUrl;

/// The URLs of the servers that are built in, as `scripts/test` gives them.
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

/// An SQLite file that goes with the directory.
pub fn sqlite(directory: &tempfile::TempDir) -> DatabaseUrl {
    DatabaseUrl::parse(directory.path().join("f.sqlite").to_str().unwrap()).unwrap()
}
