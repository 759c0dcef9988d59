//! A service that answers http checks.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The service, and the requests that it got.
pub struct Judge {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Judge {
    /// Answers every request with this; with `None` not at all.
    pub fn new(answer: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let heard = Arc::clone(&asked);
        std::thread::spawn(move || {
            let mut held = Vec::new();
            for mut stream in listener.incoming().flatten() {
                heard.lock().unwrap().push(request(&mut stream));
                match answer {
                    Some(answer) => {
                        let head = format!(
                            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}",
                            answer.len()
                        );
                        let _ = write!(stream, "{head}\r\n\r\n{answer}");
                    }
                    None => held.push(stream),
                }
            }
        });
        Self { address, asked }
    }

    /// `//host:port`, as it stands behind `http:`.
    pub fn place(&self) -> String {
        format!("//{}", self.address)
    }

    /// The requests so far, with head and body.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// A request with its body.
fn request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let length = text
            .to_ascii_lowercase()
            .split("content-length: ")
            .nth(1)
            .and_then(|rest| rest.split("\r\n").next().and_then(|number| number.parse::<usize>().ok()));
        let body = text.split_once("\r\n\r\n").map(|(_, body)| body.len());
        if length.is_some() && body >= length {
            return text;
        }
        match stream.read(&mut part) {
            Ok(count) if count > 0 => bytes.extend_from_slice(&part[..count]),
            _ => return text,
        }
    }
}
