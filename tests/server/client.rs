//! A server that echoes each request, and a client that sends raw bytes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use front::error::{Error, Result};
use front::http::{Call, Reply};
use front::server::{Server, Settings};
use serde_json::{Value, json};

pub fn echo(call: &Call) -> Result<Reply> {
    match call.segments.first().map(String::as_str) {
        Some("panic") => panic!("the handler's own words"),
        Some("storage") => Err(Error::storage("table gone")),
        Some("gone") => Ok(Reply::empty(204)),
        Some("large") => Ok(Reply::text(200, &"x".repeat(300_000))),
        Some("split") => Ok(Reply::empty(201).with_header("Location", "/a\r\nX-Evil: 1")),
        Some("slow") => {
            thread::sleep(Duration::from_millis(500));
            Ok(Reply::text(200, "slow"))
        }
        _ => Ok(Reply::json(
            200,
            &json!({
                "method": format!("{:?}", call.method),
                "path": call.path,
                "segments": call.segments,
                "query": call.query,
                "base_url": call.base_url,
                "port": call.port,
                "global": call.global_request_id,
                "body": call.json()?,
            }),
        )),
    }
}

pub struct Running {
    pub address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

pub fn settings() -> Settings {
    Settings { bind_host: "127.0.0.1".into(), bind_port: 0, ..Settings::default() }
}

pub fn start() -> Running {
    start_with(settings())
}

pub fn start_with(settings: Settings) -> Running {
    let server = Server::bind(settings, echo).unwrap();
    let address = server.local_addr();
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    Running { address, stop, thread: Some(thread::spawn(move || server.run(flag))) }
}

impl Running {
    pub fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).unwrap();
        // Ends a test whose answer never comes. Generous, since a backtrace alone may take seconds on a busy machine.
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Client(BufReader::new(stream))
    }

    /// Sends one request on a connection of its own.
    pub fn ask(&self, request: impl AsRef<[u8]>) -> Answer {
        self.connect().ask(request)
    }

    pub fn stop(mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.take().unwrap().join().unwrap().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

pub struct Client(pub BufReader<TcpStream>);

impl Client {
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    pub fn answer(&mut self) -> Answer {
        let head: Vec<_> = std::iter::from_fn(|| Some(self.line()).filter(|line| !line.is_empty())).collect();
        let status = head.first().unwrap_or_else(|| panic!("no answer")).clone();
        let mut answer = Answer { status, headers: head[1..].join("\n") + "\n", body: Vec::new() };
        let length = answer.header("Content-Length").map_or(0, |length| length.parse().unwrap());
        if length > 0 && !answer.status.is_empty() {
            answer.body.resize(length, 0);
            self.0.read_exact(&mut answer.body).unwrap();
        }
        answer
    }

    pub fn ask(&mut self, request: impl AsRef<[u8]>) -> Answer {
        self.send(request);
        self.answer()
    }

    /// Whether the server has ended the connection without sending more.
    pub fn at_end(&mut self) -> bool {
        matches!(self.0.read(&mut [0]), Ok(0))
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: String,
    pub headers: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn code(&self) -> u16 {
        self.status.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let fields = self.headers.lines().filter_map(|line| line.split_once(": "));
        fields.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The request id, which every answer has.
    pub fn id(&self) -> &str {
        let id = self.header("x-openstack-request-id").unwrap();
        assert!(id.starts_with("req-") && id.len() == 40, "{id}");
        id
    }
}

/// Tells the threads of a scope to end when it is dropped, so that a failing test does not wait for them for ever.
pub struct Ending<'a>(pub &'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
