//! The database's ceiling: the statements of a request, as the service itself sends them, without the service.
//!
//! They are not written down anywhere: the service's own handlers are asked, in this process and before anything is
//! measured, and Diesel says what they send. What is replayed is therefore what the code does today.

mod capture;
mod replay;
mod value;

pub use capture::Service;
pub use replay::measure;

use value::Value;

/// Something that is sent to the database.
#[derive(Debug, Clone)]
pub enum Statement {
    /// As it is, as `BEGIN`.
    Plain(String),
    /// With values.
    Prepared {
        /// The text between the values.
        parts: Vec<String>,
        values: Vec<Value>,
        /// Whether Diesel keeps it prepared.
        is_kept: bool,
        /// Whether it has rows for an answer.
        is_query: bool,
    },
}

/// The statements of one request, or of several that follow each other.
pub type Requests = Vec<Vec<Statement>>;
