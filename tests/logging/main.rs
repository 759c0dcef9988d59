//! What the program writes while it runs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod lines;
mod process;
mod program;
mod secrets;
