//! A minimal HTTP client that can send what a usual client would not: a body with GET, bytes that are not UTF-8, a
//! target with a NUL in it. It opens one connection per request, as the real clients do.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::published;

/// Longer than any timeout of the service itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// The answer to a request.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The request, for messages.
    asked: String,
}

/// Sends one request, and reads and checks its answer.
pub fn send(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> Answer {
    exchange(address, method, target, headers, body).checked(method)
}

/// Sends one request, and reads up to the end of the connection without any check.
pub fn exchange(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> Answer {
    let mut head = format!("{method} {target} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "Host") {
        head.push_str(&format!("Host: {address}\r\n"));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(body) = body {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    let sent: String = String::from_utf8_lossy(body.unwrap_or_default()).chars().take(2000).collect();
    let asked = format!("{method} {target} {sent}");

    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let whole = [head.as_bytes(), b"\r\n", body.unwrap_or_default()].concat();
    // A server may stop reading early; only its answer matters.
    let _ = stream.write_all(&whole);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    Answer::parse(&answer, asked)
}

impl Answer {
    fn parse(bytes: &[u8], asked: String) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no answer to {asked}: {:?}", String::from_utf8_lossy(bytes)));
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap().parse().unwrap();
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let body = bytes[end + 4..].to_vec();
        let mut answer = Self { status, headers, body, asked };
        if answer.header("Transfer-Encoding").is_some() {
            answer.body = unchunked(&answer.body);
        }
        answer
    }

    /// Checks what holds for every answer, and the published description of the API.
    fn checked(self, method: &str) -> Self {
        let target = self.asked.split(' ').nth(1).unwrap_or_default();
        if let Err(why) = published::check(method, target, &self) {
            panic!("{why}\n{self}");
        }
        // The health check may answer 503, in its own form.
        if self.asked.split(' ').nth(1).is_some_and(|target| target.contains("/healthcheck")) {
            return self;
        }
        assert!(self.status < 500, "{self}");
        let id = self.header("x-openstack-request-id").unwrap_or_else(|| panic!("no request id: {self}"));
        assert!(id.len() == 40 && id.starts_with("req-"), "{self}");
        if method == "HEAD" || [204, 304, 406].contains(&self.status) {
            assert!(self.body.is_empty(), "{self}");
            assert!(method == "HEAD" || self.header("Content-Type").is_none(), "{self}");
            return self;
        }
        if self.status >= 400 {
            assert_eq!(self.header("Content-Type"), Some("application/json"), "{self}");
            assert!(self.header("Vary").is_some_and(|vary| vary.starts_with("Accept")), "{self}");
            let body = self.json();
            assert!(body["title"].as_str().is_some_and(|title| !title.is_empty()), "{self}");
            assert!(body["description"].as_str().is_some_and(|text| !text.is_empty()), "{self}");
            assert_eq!(body["code"], self.status, "{self}");
            assert_eq!(body["request_id"].as_str(), Some(id), "{self}");
        }
        self
    }

    /// Checks the status and returns the body, which is null unless it is JSON. A failure shows the exchange.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self}");
        let is_json = self.header("Content-Type").is_some_and(|kind| kind.starts_with("application/json"));
        if is_json && !self.body.is_empty() { self.json() } else { Value::Null }
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let name = name.to_ascii_lowercase();
        self.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {self}"))
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body: String = String::from_utf8_lossy(&self.body).chars().take(2000).collect();
        write!(f, "{}\n-> {} {:?}\n{body}", self.asked, self.status, self.headers)
    }
}

fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap().trim(), 16).unwrap();
        if size == 0 {
            break;
        }
        whole.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 2 + size + 2..];
    }
    whole
}
