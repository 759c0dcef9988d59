//! The service in a cloud: the built binary with the Python service's configuration file and a real Keystone, beside the
//! Python service itself.
//!
//! `scripts/test` starts the Keystone, and FREEZER_TEST_KEYSTONE is the path of the file that describes it.
//! `keystone/seed.py` makes its users. Tests share the server, its users and their tokens: a test that revokes a
//! user's tokens makes a user of its own, and one that stops Keystone starts another on the same users and tokens.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod callers;
mod http;
mod keystone;
mod process;
mod service;

mod drop_in;
mod outages;
mod tokens;
mod trusts;
