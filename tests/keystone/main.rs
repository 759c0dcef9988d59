//! Callers known by Keystone, with a Keystone that does what a test wants: answer, refuse, hang, hang up, come back.

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
