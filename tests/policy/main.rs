//! The rules: against oslo.policy itself, through a running service, and by the commands.
//!
//! `oslo.py` beside this file asks oslo.policy, with the Python of the run with the real clients (`scripts/test`).
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod house;
mod judge;

mod commands;
mod cross_check;
mod remote;
mod service;
