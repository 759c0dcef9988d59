//! The response of a handler, before it is serialized.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use super::precondition::{entity_tag, tag, tag_of};
use super::stream::{MeasuredBody, Stream, measure};
use crate::error::{Error, Kind};

/// `Retry-After` of a 503, in seconds.
const RETRY_AFTER: &str = "5";

/// One response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers; the server adds the length, the date and the request id.
    pub headers: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    /// The body. The server drops it for HEAD, and for a status without a body (204).
    pub body: Option<Vec<u8>>,
    /// The body if it is too large to be buffered; `body` is `None` then.
    pub stream: Option<Stream>,
}

impl Reply {
    /// A response of type `application/json`.
    pub fn json(status: u16, value: &impl Serialize) -> Self {
        Self::typed(status, "application/json", bytes(value))
    }

    /// A resource with its `ETag`.
    pub fn document(status: u16, value: &impl Serialize) -> Self {
        let reply = Self::json(status, value);
        let tag = tag_of(reply.body.as_deref().unwrap_or_default());
        reply.with_header("ETag", tag)
    }

    /// A resource with the `ETag` of `tagged`: the document without the members that change although no request
    /// changes the resource.
    pub fn document_tagged(status: u16, value: &Value, tagged: &Value) -> Self {
        Self::json(status, value).with_header("ETag", entity_tag(tagged))
    }

    /// A response of type `application/json` that `write` writes: once now, and if it is too large to be buffered,
    /// again when it is sent.
    pub fn stream_json(
        status: u16,
        write: impl Fn(&mut dyn Write) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::from_measured(status, measure(false, write))
    }

    /// As [`Reply::stream_json`], for a resource with its `ETag`.
    pub fn stream_document(
        status: u16,
        write: impl Fn(&mut dyn Write) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let measured = measure(true, write);
        let tag = match &measured {
            MeasuredBody::Whole(body) => tag_of(body),
            MeasuredBody::Stream(stream) => tag(stream.digest().unwrap_or_default()),
        };
        Self::from_measured(status, measured).with_header("ETag", tag)
    }

    fn from_measured(status: u16, measured: MeasuredBody) -> Self {
        let (body, stream) = match measured {
            MeasuredBody::Whole(body) => (Some(body), None),
            MeasuredBody::Stream(stream) => (None, Some(stream)),
        };
        Self { body, stream, ..Self::empty(status) }.with_header("Content-Type", "application/json")
    }

    /// The length of the body in bytes.
    pub fn length(&self) -> usize {
        match (&self.body, &self.stream) {
            (Some(body), _) => body.len(),
            (None, Some(stream)) => stream.length(),
            (None, None) => 0,
        }
    }

    /// A response without a body and without a content type.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: None, stream: None }
    }

    /// A response of plain text.
    pub fn text(status: u16, text: &str) -> Self {
        Self::typed(status, "text/plain; charset=utf-8", text.as_bytes().to_vec())
    }

    fn typed(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        Self { body: Some(body), ..Self::empty(status) }.with_header("Content-Type", content_type)
    }

    /// Adds a header. A `Content-Type` replaces the previous one.
    pub fn with_header(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) -> Self {
        let name = name.into();
        if name.eq_ignore_ascii_case("content-type") {
            self.headers.retain(|(key, _)| !key.eq_ignore_ascii_case("content-type"));
        }
        self.headers.push((name, value.into()));
        self
    }

    /// Adds a request header to `Vary`.
    #[must_use]
    pub fn varying(mut self, on: &'static str) -> Self {
        match self.headers.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case("vary")) {
            Some((_, vary)) if vary.split(',').any(|name| name.trim().eq_ignore_ascii_case(on)) => {}
            Some((_, vary)) => *vary = format!("{vary},{on}").into(),
            None => return self.with_header("Vary", on),
        }
        self
    }

    /// The first value of a header. Names are case-insensitive.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_ref())
    }

    /// The response to an error, in the contract's form. The operator's text (`error.log`) is not in it.
    ///
    /// `WWW-Authenticate` is added in `routes`, where the URL of the identity service is known.
    pub fn from_error(error: &Error, call_request_id: &str) -> Self {
        let status = error.status();
        let mut body = json!({
            "title": error.title,
            "description": error.description,
            "code": status,
            "request_id": call_request_id,
        });
        let reply = match error.kind {
            Kind::NotAcceptable => Self::empty(status),
            Kind::Unauthorized | Kind::NoIdentity => {
                // keystonemiddleware's form, which OpenStack clients look for first.
                body["error"] = json!({"code": status, "title": error.title, "message": error.description});
                Self::json(status, &body)
            }
            Kind::MethodNotAllowed(ref allow) => {
                Self::json(status, &body).with_header("Allow", allow.clone())
            }
            Kind::UnsupportedCoding => Self::json(status, &body).with_header("Accept-Encoding", "identity"),
            Kind::TooManyRequests(seconds) => {
                Self::json(status, &body).with_header("Retry-After", seconds.to_string())
            }
            Kind::Unavailable => Self::json(status, &body).with_header("Retry-After", RETRY_AFTER),
            Kind::IdentityUnavailable => {
                Self::text(status, &error.description).with_header("Retry-After", RETRY_AFTER)
            }
            _ => Self::json(status, &body),
        };
        reply.with_header("Vary", "Accept")
    }
}

/// A document as JSON.
fn bytes(document: &impl Serialize) -> Vec<u8> {
    // Never fails: documents hold only values that JSON can represent.
    serde_json::to_vec(document).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(reply: &Reply) -> Value {
        serde_json::from_slice(reply.body.as_deref().unwrap()).unwrap()
    }

    #[test]
    fn an_error_hides_the_text_for_the_log() {
        let reply = Reply::from_error(&Error::storage("password is hunter2"), "req-1");
        assert_eq!((reply.status, reply.header("vary")), (500, Some("Accept")));
        assert_eq!(
            body(&reply),
            json!({
                "title": "Internal Storage Error",
                "description": "The database failed. The failure has been logged under this request id.",
                "code": 500,
                "request_id": "req-1",
            })
        );
    }

    #[test]
    fn some_errors_have_headers_or_another_form() {
        let reply = Reply::from_error(&Error::unauthorized(), "req-1");
        assert_eq!(body(&reply)["error"]["code"], 401);
        assert_eq!(body(&reply)["title"], "Unauthorized");
        let reply = Reply::from_error(&Error::method_not_allowed("GET, OPTIONS".to_owned()), "req-1");
        assert_eq!((reply.status, reply.header("Allow")), (405, Some("GET, OPTIONS")));
        let reply = Reply::from_error(&Error::unavailable("Keystone is away.", ""), "req-1");
        assert_eq!((reply.status, reply.header("Retry-After")), (503, Some("5")));
        let reply = Reply::from_error(&Error::identity_unavailable("connection refused"), "req-1");
        assert_eq!((reply.status, reply.header("Retry-After")), (503, Some("5")));
        assert_eq!(reply.header("Content-Type"), Some("text/plain; charset=utf-8"));
        assert_eq!(
            reply.body.as_deref(),
            Some(b"The Keystone service is temporarily unavailable.".as_slice())
        );
        let reply = Reply::from_error(&Error::not_acceptable(), "req-1");
        assert_eq!((reply.status, reply.body.as_ref(), reply.header("Content-Type")), (406, None, None));
    }
}
