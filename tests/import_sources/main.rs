//! The readers of the import: what they make of databases and dumps that the old services wrote (`tests/fixtures`).
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod sql;
