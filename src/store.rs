//! The store: one file of rows and queries per noun, over transactions of the [`engine`].

pub mod action_attachments;
pub mod actions;
pub mod backups;
pub mod clients;
pub mod copy;
pub mod counts;
pub mod engine;
pub mod foreign;
pub mod identity;
pub mod import;
pub mod job_attachments;
pub mod job_trusts;
pub mod jobs;
pub mod listing;
mod owner;
pub mod owners;
pub mod page;
pub mod reports;
pub mod scan;
#[allow(missing_docs)] // the table macro writes a struct per column; docs/DATABASE.md describes them
pub mod schema;
pub mod search;
pub mod sessions;
pub mod sweep;
pub mod types;
mod versioned;

pub use engine::{Failure, Outcome, Settings, Store, Tx, expect_one_row, new_id, now, wait_for};
pub use front::context::is_id;
pub use owner::Owner;
