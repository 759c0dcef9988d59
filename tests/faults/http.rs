//! A client that copes with connections that end without an answer.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;

/// A request without an answer within this time counts as hanging.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection that reconnects when it was ended.
pub struct Line {
    port: u16,
    project: String,
    open: Option<BufReader<TcpStream>>,
}

/// An answer, or its absence.
#[derive(Debug, Clone)]
pub struct Answer {
    /// `None`: the connection ended, or the port has no listener.
    pub status: Option<u16>,
    pub retry_after: Option<u32>,
    pub body: Value,
    pub took: Duration,
}

impl Answer {
    pub fn is_done(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// The body of a successful answer.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, Some(status), "{self:?}");
        self.body
    }
}

impl Line {
    pub fn new(port: u16, project: &str) -> Self {
        Self { port, project: project.to_owned(), open: None }
    }

    /// Sends a request; the path is below the project's.
    pub fn send(&mut self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.raw(method, &format!("/v2/{}{path}", self.project), body)
    }

    /// Sends a request for any path.
    pub fn raw(&mut self, method: &str, target: &str, body: Option<&Value>) -> Answer {
        let begun = Instant::now();
        let outcome = self.exchange(method, target, body);
        let took = begun.elapsed();
        match outcome {
            Ok(answer) => Answer { took, ..answer },
            Err(_) => {
                self.hang_up();
                Answer { status: None, retry_after: None, body: Value::Null, took }
            }
        }
    }

    pub fn hang_up(&mut self) {
        self.open = None;
    }

    fn exchange(&mut self, method: &str, target: &str, body: Option<&Value>) -> io::Result<Answer> {
        let stream = match &mut self.open {
            Some(stream) => stream,
            closed => {
                let stream = TcpStream::connect(("127.0.0.1", self.port))?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_nodelay(true)?;
                closed.insert(BufReader::new(stream))
            }
        };
        let body = body.map(Value::to_string).unwrap_or_default();
        let project = &self.project;
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: localhost\r\nX-User-Id: torture\r\nX-Project-Id: {project}\r\n\
             X-Roles: admin\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.get_mut().write_all(request.as_bytes())?;
        let status = line(stream)?.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status: u16 = status.ok_or(io::ErrorKind::InvalidData)?;
        let (mut length, mut retry_after) = (0, None);
        loop {
            let header = line(stream)?.to_ascii_lowercase();
            match header.split_once(": ") {
                Some(("content-length", value)) => length = value.parse().unwrap(),
                Some(("retry-after", value)) => retry_after = value.parse().ok(),
                Some(_) => {}
                None => break,
            }
        }
        let mut bytes = vec![0; length];
        stream.read_exact(&mut bytes)?;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok(Answer { status: Some(status), retry_after, body, took: Duration::ZERO })
    }
}

fn line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}
