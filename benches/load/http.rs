//! A client that costs as little as one can: the loader shares the machine with what it loads.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::Result;
use crate::world::{PROJECT, USER};

/// Longer than anything the service waits for itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request as it goes over the wire.
pub struct Request {
    bytes: Vec<u8>,
}

impl Request {
    pub fn get(path: &str) -> Self {
        Self::with_body("GET", path, "")
    }

    /// A request with a body, if it is not empty.
    pub fn with_body(method: &str, path: &str, body: &str) -> Self {
        // What a client of OpenStack sends, with the identity where the strategy `noauth` looks for it, and the Python service
        // behind what asks Keystone.
        let mut text = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: freezer-bench\r\nAccept: application/json\r\n\
             X-Identity-Status: Confirmed\r\nX-User-Id: {USER}\r\nX-Project-Id: {PROJECT}\r\nX-Roles: member,reader\r\n"
        );
        if !body.is_empty() {
            text.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
        }
        text.push_str("\r\n");
        text.push_str(body);
        Self { bytes: text.into_bytes() }
    }

    /// The same without a wire.
    pub fn rouille(&self) -> Result<rouille::Request> {
        let mut headers = [httparse::EMPTY_HEADER; 16];
        let mut head = httparse::Request::new(&mut headers);
        let httparse::Status::Complete(begin) = head.parse(&self.bytes)? else {
            return Err("no request".into());
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let headers: Vec<(String, String)> =
            head.headers.iter().map(|header| (header.name.to_owned(), text(header.value))).collect();
        let (method, path) = (head.method.unwrap_or_default(), head.path.unwrap_or_default());
        Ok(rouille::Request::fake_http(method, path, headers, self.bytes[begin..].to_vec()))
    }
}

/// An answer, as long as the client is not asked again.
pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a [u8],
}

impl Answer<'_> {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// What it says, as JSON.
    pub fn json(&self) -> Result<serde_json::Value> {
        Ok(serde_json::from_slice(self.body)?)
    }

    /// What it says, for a message.
    pub fn text(&self) -> String {
        let body = String::from_utf8_lossy(self.body);
        format!("{} {}", self.status, body.chars().take(500).collect::<String>())
    }
}

/// A connection that is kept.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, buffer: vec![0; 256 * 1024] })
    }

    /// Sends a request and reads the answer.
    pub fn send(&mut self, request: &Request) -> Result<Answer<'_>> {
        self.stream.write_all(&request.bytes)?;
        let mut filled = 0;
        let (status, begin, length) = loop {
            filled += self.more(filled)?;
            if let Some(head) = head(&self.buffer[..filled])? {
                break head;
            }
        };
        let end = match length {
            Some(length) => begin + length,
            None => {
                // Chunks are not taken apart: whatever is in them, this is how they end.
                while !self.buffer[begin..filled].ends_with(b"0\r\n\r\n") {
                    filled += self.more(filled)?;
                }
                filled
            }
        };
        while filled < end {
            filled += self.more(filled)?;
        }
        if filled > end {
            return Err("more than one answer".into());
        }
        Ok(Answer { status, body: &self.buffer[begin..end] })
    }

    /// Reads on behind what there is; how much there was.
    fn more(&mut self, filled: usize) -> Result<usize> {
        if filled == self.buffer.len() {
            self.buffer.resize(2 * filled, 0);
        }
        match self.stream.read(&mut self.buffer[filled..])? {
            0 => Err("the connection was closed".into()),
            read => Ok(read),
        }
    }
}

/// The status, where the body begins and its length, which chunks do not tell; nothing as long as the head is not whole.
fn head(bytes: &[u8]) -> Result<Option<(u16, usize, Option<usize>)>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(begin) = response.parse(bytes)? else { return Ok(None) };
    let value = |name: &str| {
        let header = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        header.map(|header| std::str::from_utf8(header.value)).transpose()
    };
    let status = response.code.ok_or("no status")?;
    match (status, value("content-length")?, value("transfer-encoding")?) {
        (204 | 304, ..) => Ok(Some((status, begin, Some(0)))),
        (_, Some(length), None) => Ok(Some((status, begin, Some(length.trim().parse()?)))),
        (_, None, Some("chunked")) => Ok(Some((status, begin, None))),
        _ => Err("an answer whose end cannot be known".into()),
    }
}
