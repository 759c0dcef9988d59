//! The sources of an import: what they read out of databases and documents that the Python service made
//! (`tests/fixtures`).
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod es;
mod fake_es;
mod sql;
