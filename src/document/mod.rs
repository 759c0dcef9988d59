//! The JSON of the API: what it must look like (shapes), what it means (domain values), how rows look in it.
//!
//! Each shape is defined once, as a JSON schema; what validates a body is what can be published.

pub mod action_attachments;
pub mod action_reports;
pub mod actions;
pub mod backups;
pub mod clients;
pub mod errors;
pub mod job_attachments;
pub mod jobs;
pub mod schedule;
pub mod search;
pub mod service;
pub mod sessions;
pub mod shape;
pub mod time;

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::store::moment_type::Time;

/// The longest free text that is taken: in four-byte characters it still fits a MySQL TEXT column.
pub const MAX_TEXT: usize = 10_000;

/// The most that the keys without a column may come to in one document, in bytes of JSON. Whatever a single request
/// can bring fits; many updates must not add up to more than a database takes in one packet.
pub const MAX_METADATA: usize = 524_288;

pub use crate::store::is_id;

/// Sees to it that so many copies of something are within [`MAX_METADATA`].
///
/// # Errors
/// 400 when they are not.
pub fn bounded(metadata: &impl serde::Serialize, copies: usize) -> Result<()> {
    match serde_json::to_vec(metadata) {
        Ok(json) if json.len().saturating_mul(copies) <= MAX_METADATA => Ok(()),
        _ => Err(Error::bad_request(format!("The document would exceed {MAX_METADATA} bytes."))),
    }
}

/// Seconds since the epoch, as every time in the documents is given.
pub fn epoch(time: Time) -> i64 {
    time.and_utc().timestamp()
}

/// A time that is null in the database and -1 ("never") in the documents.
pub fn time_or_never(time: Option<i64>) -> Value {
    Value::from(time.unwrap_or(-1))
}

/// A time from a document: negative means never, which is null in the database.
fn time_from(value: Option<&Value>) -> Option<i64> {
    value.and_then(Value::as_i64).filter(|time| *time >= 0)
}

/// The text of a key, if it is there and is text.
fn text<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str)
}

/// An integer that fits the database's, if it is there and is one.
fn int(object: &Map<String, Value>, key: &str) -> Option<i32> {
    object.get(key).and_then(Value::as_i64).and_then(|n| i32::try_from(n).ok())
}
