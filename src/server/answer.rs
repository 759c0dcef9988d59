//! Writing an answer.

use std::io::{self, Read, Write};

use rouille::Response;

/// Writes a response in one piece, with its length, and says whether the connection stays open.
pub fn write(out: &mut impl Write, response: Response, keep_alive: bool) -> io::Result<()> {
    let status = response.status_code;
    let mut head = format!("HTTP/1.1 {status} {}\r\n", reason(status));
    for (name, value) in &response.headers {
        // The edge has seen to it that no value holds a line break.
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let (mut data, length) = response.data.into_reader_and_size();
    let mut body = Vec::new();
    data.read_to_end(&mut body)?;
    // The answer to HEAD has the length of a body that is not there.
    let length = length.unwrap_or(body.len());
    // A 304's would be that of the body that it is about (RFC 9110, 8.6).
    if !matches!(status, 100..=199 | 204 | 304) {
        head.push_str(&format!("Content-Length: {length}\r\n"));
    }
    let date = chrono::Utc::now().format("%a, %d %b %Y %H:%M:%S GMT");
    let connection = if keep_alive { "keep-alive" } else { "close" };
    head.push_str(&format!("Date: {date}\r\nServer: freezer-api\r\nConnection: {connection}\r\n\r\n"));
    let mut message = head.into_bytes();
    message.append(&mut body);
    out.write_all(&message)
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
        // The phrase may be empty, its blank may not (RFC 9112, 4).
        _ => "",
    }
}
