//! freezer-api: the backup-catalogue service of OpenStack Freezer on a relational database.
//!
//! Data flows one way, and every concern has one room; in the order of the flow:

/// The commands.
pub mod cli;
/// One error type; the store says what failed, this room says which status.
pub mod error;
/// Request to [`http::Call`], [`http::Reply`] to response; knows nothing of backups.
pub mod http;
/// The built-in identity: a small Keystone v3, for a service without a Keystone.
pub mod identity;
/// The JSON of the API to domain values and back; validation; no SQL, no HTTP.
pub mod document;
/// Pure rules: job events, session tags, how results fold.
pub mod lifecycle;
/// Transactions, rows and queries.
pub mod store;
