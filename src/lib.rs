//! freezer-api: the backup-catalogue service of OpenStack Freezer on a relational database.
pub mod error;
pub mod store;
