//! The behaviour of the service over HTTP, on every backend that is built in.
//!
//! A test is a function that gets a server. It creates its own project, sends requests, and checks the
//! answers. `on_every_backend!` runs it once per backend. `http::Answer::checked` also checks every answer, whatever
//! the test is about: it is never a 5xx, has a request id, reports errors in one form, and keeps to the published
//! description of the API (`published`).
//!
//! SQLite needs nothing. MySQL and PostgreSQL are the servers that FREEZER_TEST_MYSQL_URL and
//! FREEZER_TEST_POSTGRES_URL name; `scripts/test` starts throwaway ones. On a server of your own the databases are
//! called `freezer_suite_<epoch>_<random>`, and each run drops those that are older than an hour.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

/// Makes each named function a test on every backend: `name::sqlite`, `name::mysql`, `name::postgres`.
macro_rules! on_every_backend {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            #[test]
            fn sqlite() {
                super::$name($crate::api::sqlite());
            }

            #[cfg(feature = "mysql")]
            #[test]
            fn mysql() {
                super::$name($crate::api::mysql());
            }

            #[cfg(feature = "postgres")]
            #[test]
            fn postgres() {
                super::$name($crate::api::postgres());
            }
        }
    )+};
}

mod api;
mod database;
mod documents;
mod http;
mod published;
mod rows;

mod actions;
mod addresses;
mod attachments;
mod backups;
mod bad_input;
mod bounds;
mod caching;
mod clients;
mod fleets;
mod front;
mod health;
mod history;
mod jobs;
mod lists;
mod liveness;
mod lost;
mod preconditions;
mod quotas;
mod races;
mod reference;
mod replica;
mod reports;
mod routes;
mod schedules;
mod sessions;
mod tempest;
mod times;
mod trusts;
mod users;
mod v1;
mod versions;
mod words;
