//! `freezer-api import verify` and `freezer-api export`, against databases and dumps that the old services wrote
//! (`tests/fixtures`), with what those answered.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod documents;
mod export;
mod fixture;
mod imports;
mod service;
