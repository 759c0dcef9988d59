//! Writing a response.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};

use crate::http::Stream;

/// The maximum size in bytes of a body that is sent together with the head, in one packet. A larger one is not copied.
const SMALL: usize = 16 * 1024;

/// The size in bytes of the buffer for a streamed body.
const PIECE: usize = 64 * 1024;

/// A response that is ready to be sent.
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers, without line breaks.
    pub headers: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    /// The length of the body in bytes; for HEAD, the length that it would have.
    pub length: usize,
    /// The body.
    pub body: Body,
}

/// The body of a response.
pub enum Body {
    /// No body.
    None,
    /// A body in memory.
    Bytes(Vec<u8>),
    /// A body that is written while it is sent.
    Stream(Stream),
}

/// Writes a response, with the headers `Content-Length` and `Connection`.
pub fn write(out: &mut impl Write, answer: Answer, keep_alive: bool) -> io::Result<()> {
    let status = answer.status;
    let mut head = format!("HTTP/1.1 {status} {}\r\n", reason(status));
    for (name, value) in &answer.headers {
        // `edge` has replaced line breaks in values.
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    // A 304 would need the length of the body that it stands for (RFC 9110, 8.6).
    if !matches!(status, 100..=199 | 204 | 304) {
        head.push_str(&format!("Content-Length: {}\r\n", answer.length));
    }
    let date = chrono::Utc::now().format("%a, %d %b %Y %H:%M:%S GMT");
    let connection = if keep_alive { "keep-alive" } else { "close" };
    head.push_str(&format!("Date: {date}\r\nServer: freezer-api\r\nConnection: {connection}\r\n\r\n"));
    let mut message = head.into_bytes();
    match answer.body {
        Body::None => out.write_all(&message),
        Body::Bytes(body) if body.len() <= SMALL => {
            message.extend_from_slice(&body);
            out.write_all(&message)
        }
        Body::Bytes(body) => {
            out.write_all(&message)?;
            out.write_all(&body)
        }
        Body::Stream(stream) => {
            let mut out = BufWriter::with_capacity(PIECE, out);
            out.write_all(&message)?;
            stream.write(&mut out)?;
            out.flush()
        }
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        300 => "Multiple Choices",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        409 => "Conflict",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        // The phrase may be empty, but the blank before it must be there (RFC 9112, 4).
        _ => "",
    }
}
