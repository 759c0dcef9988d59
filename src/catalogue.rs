//! What a request changes, decided by pure functions over rows that have been read: no transaction, no database.
//!
//! The three steps of a change: the store loads the rows, a function here makes a plan of them or refuses, and the store
//! applies the plan.

pub mod jobs;
mod refusal;
pub mod sessions;

pub use refusal::Refusal;
