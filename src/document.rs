//! The JSON of the API: shapes (JSON schemas), domain values parsed from bodies, and documents rendered from rows.
//!
//! Each shape is defined once. The schema that validates a body is the one that the OpenAPI document publishes.

pub mod action_attachments;
pub mod action_reports;
pub mod actions;
pub mod backups;
pub mod clients;
pub mod collection;
pub mod errors;
pub mod job_attachments;
pub mod jobs;
pub mod schedule;
pub mod search;
pub mod service;
pub mod sessions;
pub mod shape;
pub mod time;
pub mod v1;
mod validator;

use front::error::{Error, Result};
use serde_json::{Map, Value};

use crate::store::types::time::Time;

/// The maximum length of a free text, in characters. In four-byte characters it still fits a MySQL TEXT column.
pub const MAX_TEXT: usize = 10_000;

/// The maximum size of a stored document, in bytes of compact JSON. A larger document that an older release stored
/// stays, and may only shrink.
pub const MAX_DOCUMENT: usize = 1024 * 1024;

/// A time for size estimates, 20 Nov 2286: no time of a run has more digits.
pub const LONGEST_TIME: i64 = 9_999_999_999;

pub use crate::store::is_id;

/// The size of a document in bytes of compact JSON.
pub fn size(document: &impl serde::Serialize) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Documents hold only values that JSON can represent.
    let _ = serde_json::to_writer(&mut count, document);
    count.0
}

/// Checks that a document of `size` bytes may be stored: it is within [`MAX_DOCUMENT`], or no larger than the `stored`
/// bytes that it has now.
///
/// # Errors
/// 413 if it is too large.
pub fn check_size(what: &str, size: usize, stored: usize) -> Result<()> {
    match size <= MAX_DOCUMENT.max(stored) {
        true => Ok(()),
        false => Err(Error::document_too_large(what, size, MAX_DOCUMENT)),
    }
}

/// The longest of these words.
fn longest(words: &[&'static str]) -> &'static str {
    words.iter().copied().max_by_key(|word| word.len()).unwrap_or_default()
}

/// Seconds since the epoch, the form of every time in the older documents.
pub fn epoch(time: Time) -> i64 {
    time.and_utc().timestamp()
}

/// A time that is null in the database and -1 ("never") in the documents.
pub fn time_or_never(time: Option<i64>) -> Value {
    Value::from(time.unwrap_or(-1))
}

/// A time from a document. A negative one means never, which is null in the database.
fn time_from(value: Option<&Value>) -> Option<i64> {
    value.and_then(Value::as_i64).filter(|time| *time >= 0)
}

/// The value of a key if it is a string.
fn text<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str)
}

/// The value of a key if it is an integer that fits a 32-bit column.
fn int(object: &Map<String, Value>, key: &str) -> Option<i32> {
    object.get(key).and_then(Value::as_i64).and_then(|n| i32::try_from(n).ok())
}
