//! The HTTP front, over plain sockets.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod client;

mod connections;
mod cors;
mod daemon;
mod ending;
mod failures;
mod haproxy;
mod hostile;
mod hosts;
mod ids;
#[cfg(target_os = "linux")]
mod memory;
mod poisons;
mod proxy;
mod requests;
mod restarts;
mod searches;
mod smuggling;
