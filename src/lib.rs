//! freezer-api: the backup-catalogue service of OpenStack Freezer on a relational database.
pub mod error;
/// Request to [`http::Call`], [`http::Reply`] to response; knows nothing of backups.
pub mod http;
/// Log lines in oslo.log's form.
pub mod logging;
/// Listens, works off requests on a fixed pool, drains on SIGTERM.
pub mod server;
