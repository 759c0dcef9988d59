//! What the program writes while it runs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod lines;
mod program;
mod secrets;
mod start;
