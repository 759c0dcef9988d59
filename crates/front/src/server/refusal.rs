//! The refusal of bytes that are not a valid request.

use std::borrow::Cow;
use std::io::{self, ErrorKind};

use crate::error::Error;

/// Why a request is malformed. The client gets a 400 with this text, and the connection is closed: where the next
/// request would begin is unknown.
#[derive(Debug)]
pub struct Refusal(Cow<'static, str>);

impl Refusal {
    /// A refusal with a sentence for the client.
    pub const fn bad(description: &'static str) -> Self {
        Self(Cow::Borrowed(description))
    }

    /// The connection ended within this part of the request.
    pub fn cut_off(part: &str) -> Self {
        Self(format!("The connection ended within the {part} of the request.").into())
    }

    /// This part of the request could not be read.
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
