//! The built-in identity, spoken to over HTTP and from the command line, on every backend that is built in.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod commands;
mod first_start;
mod house;
mod limits;
mod login;
mod malformed;
mod openrc;
mod passwords;
mod removals;
mod tokens;
mod upkeep;
