//! The real program while its database is slow, lost, locked or read-only: every request gets an answer in time that names
//! the cause, a refused request writes nothing, and afterwards everything works as before. The servers are
//! those of `scripts/test`; tests that need servers of their own, or a full disk, are in `scripts/torture`.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[allow(dead_code, reason = "tests/torture uses the rest")]
mod daemon;
mod databases;
#[allow(dead_code, reason = "tests/torture uses the rest")]
mod http;
mod locks;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod lost;
#[allow(dead_code, reason = "tests/torture uses the rest")]
mod process;
#[cfg(any(feature = "mysql", feature = "postgres"))]
#[path = "../database/proxy.rs"]
mod proxy;
mod read_only;
mod sqlite_file;
