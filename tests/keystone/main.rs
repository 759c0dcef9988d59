//! Authentication by Keystone, with a fake Keystone that answers, refuses, hangs, hangs up or comes back as a test wants.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod access;
mod client;
mod crowds;
mod fake;
mod house;
mod hung;
mod identity;
mod logs;
mod memory;
mod outcomes;
mod services;
mod tls;
mod wire;
