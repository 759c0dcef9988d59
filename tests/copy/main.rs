//! `freezer-api copy`: between all backends that are built in, killed and run again, and refused before the first row.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod daemon;
mod database;
mod fill;
mod killed;
mod program;
mod refusals;
mod round;
mod targets;
