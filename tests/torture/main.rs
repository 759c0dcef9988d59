//! Longer tests: no acknowledged write is lost when the daemon or its database is killed, or the disk is full, in the
//! middle of a write load. `scripts/torture` runs them. They start their own database servers.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

#[allow(dead_code, reason = "tests/faults uses the rest")]
#[path = "../faults/daemon.rs"]
mod daemon;
#[path = "../faults/http.rs"]
mod http;
mod jobs;
mod known;
mod load;
#[path = "../faults/process.rs"]
mod process;
mod servers;
mod soundness;
mod writer;

mod daemon_killed;
mod database_killed;
mod outages;

/// A line of the summary.
fn say(line: std::fmt::Arguments<'_>) {
    println!("torture: {line}");
}
