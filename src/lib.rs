//! freezer-api: the backup-catalogue service of OpenStack Freezer on a relational database.
pub mod error;
/// Request to [`http::Call`], [`http::Reply`] to response; knows nothing of backups.
pub mod http;
