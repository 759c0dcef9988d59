//! The configuration, as an operator sees it: files, the environment and the command line of the real program.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod drop_in;
mod hangup;
mod oslo;
mod precedence;
mod program;
mod refusals;
mod sample;
mod show;
mod starts;
mod supervised;
mod upstream;
