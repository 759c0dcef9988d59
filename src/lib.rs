//! freezer-api: the backup-catalogue service of OpenStack Freezer on a relational database.
//!
//! Data flows one way, and each concern has one module:

/// Version 1 of the API, over the handlers of version 2.
pub mod api_v1;
/// The state that all handlers share.
pub mod app;
/// Authentication: from a token to a [`context::Caller`].
pub mod auth;
/// What a change comes to: pure decisions over rows.
pub mod catalogue;
/// The commands.
pub mod cli;
/// The configuration, parsed once at the start.
pub mod config;
/// Copies the whole database into another one, of any backend.
pub mod copy;
/// The JSON of the API to domain values and back; validation; no SQL, no HTTP.
pub mod document;
/// Exports the documents that were created or changed, one per line.
pub mod export;
/// The handlers, one file per noun: read the call, check, run one transaction, render.
pub mod handlers;
/// The built-in identity: a small Keystone v3, for a service without a Keystone.
pub mod identity;
/// Imports what the Python service stored, from its database or from Elasticsearch.
pub mod import;
/// Pure rules: job events, session tags, how results fold.
pub mod lifecycle;
/// The names of loggers that differ from the paths of their modules.
pub mod loggers;
/// The description of the API: an OpenAPI document and an HTML page.
pub mod openapi;
mod progress;
/// Quotas: how many rows of a kind one project may have.
pub mod quotas;
/// The table of routes: method, path, policy rule and handler; also 404, and 405 with `Allow`.
pub mod routes;
/// The policy rules that hold unless a file overrides them.
pub mod rules;
/// What the `schedule_*` keys mean to the scheduler; no I/O.
pub mod schedule;
/// Which rows a caller of version 1 sees.
pub mod scope;
/// Transactions, rows and queries.
pub mod store;
/// Keystone trusts, by which a central scheduler runs a job in its owner's name.
pub mod trusts;
