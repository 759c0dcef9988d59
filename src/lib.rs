//! freezer-api: the backup-catalogue service of OpenStack Freezer on a relational database.
//!
//! Data flows one way, and every concern has one room; in the order of the flow:

/// Version 1 of the API, over the handlers of version 2.
pub mod api_v1;
/// Token to [`auth::Caller`].
pub mod auth;
/// What a change comes to: pure decisions over rows.
pub mod catalogue;
/// The commands.
pub mod cli;
/// What was configured, parsed once and passed down.
pub mod config;
/// Copies of the whole database into another one, of any backend.
pub mod copy;
/// Cross-origin requests: preflights and headers.
pub mod cors;
/// The JSON of the API to domain values and back; validation; no SQL, no HTTP.
pub mod document;
/// One error type; the store says what failed, this room says which status.
pub mod error;
/// Documents that were created or changed, one a line.
pub mod export;
/// One file per noun: read the call, check, one transaction, render.
pub mod handlers;
mod hex;
/// Request to [`http::Call`], [`http::Reply`] to response; knows nothing of backups.
pub mod http;
/// The built-in identity: a small Keystone v3, for a service without a Keystone.
pub mod identity;
/// The way in: what the Python service stored, out of its database or out of Elasticsearch.
pub mod import;
/// Keystone: whose token it is.
pub mod keystone;
/// Pure rules: job events, session tags, how results fold.
pub mod lifecycle;
/// Log lines in oslo.log's form.
pub mod logging;
/// The API, described by itself: an OpenAPI document, and a page to read.
pub mod openapi;
/// Calls to other services of the cloud.
pub mod outbound;
/// Rule, caller and project to allowed or not.
pub mod policy;
mod progress;
/// How many rows of a kind one project may have.
pub mod quotas;
/// THE TABLE: method, path, policy rule, handler; 404, 405 with Allow.
pub mod routes;
/// The meaning of the `schedule_*` keys to the scheduler; pure.
pub mod schedule;
/// Listens, works off requests on a fixed pool, drains on SIGTERM.
pub mod server;
/// Transactions, rows and queries.
pub mod store;
/// What systemd is told, and the socket that it hands over.
pub mod supervisor;
/// Keystone trusts, by which a central scheduler runs a job in its owner's name.
pub mod trusts;
/// How many requests are served at once.
pub mod workers;
