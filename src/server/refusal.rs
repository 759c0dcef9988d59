//! What becomes of bytes that are no request.

use std::borrow::Cow;
use std::io::{self, ErrorKind};

use crate::error::Error;

/// Why what a client sends cannot be understood. It gets a 400 that says so, and the connection ends, as nobody knows
/// where the next request would begin.
#[derive(Debug)]
pub struct Refusal(Cow<'static, str>);

impl Refusal {
    /// A sentence for the client.
    pub const fn bad(description: &'static str) -> Self {
        Self(Cow::Borrowed(description))
    }

    /// The stream ended within the `part`.
    pub fn cut_off(part: &str) -> Self {
        Self(format!("The connection ended within the {part} of the request.").into())
    }

    /// The `part` could not be read.
    pub fn unread(part: &str, error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::TimedOut => Self(format!("The {part} of the request did not arrive in time.").into()),
            ErrorKind::UnexpectedEof => Self::cut_off(part),
            _ => Self(format!("The {part} of the request could not be read.").into()),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::bad_request(refusal.0)
    }
}
