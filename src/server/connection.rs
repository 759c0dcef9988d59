//! The life of one connection: requests come in one after the other, each gets its answer.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rouille::Request;

use super::refusal::Refusal;
use super::registry::Entry;
use super::{Front, answer, body, head};

/// How long a connection may rest between two requests.
const IDLE: Duration = Duration::from_secs(75);

/// How long a request may take to arrive, from its first byte to its last.
const ARRIVAL: Duration = Duration::from_secs(60);

/// How long the client may leave an answer unread.
const DEPARTURE: Duration = Duration::from_secs(30);

/// How long we go on reading what we do not want, so that the client comes to read our last answer: a connection that
/// is closed with bytes unread is reset, and the answer may be lost.
const LINGER: Duration = Duration::from_secs(3);

/// How many bytes are read for that.
const LINGER_BYTES: u64 = 64 * 1024 * 1024;

/// Serves a connection to its end.
pub fn serve(front: &Front, entry: &Entry, remote: SocketAddr) {
    let stream = entry.stream();
    let prepared = stream.set_nodelay(true).and_then(|()| stream.set_write_timeout(Some(DEPARTURE)));
    if prepared.is_err() {
        return;
    }
    let mut source =
        BufReader::with_capacity(8192, Timed { stream: Arc::clone(stream), until: Instant::now() });
    while let Some(exchange) = next(front, entry, remote, &mut source) {
        let keep_alive = exchange.keep_alive && !front.stopping();
        let written = answer::write(&mut &**stream, exchange.response, keep_alive);
        if written.is_err() || !keep_alive {
            linger(stream, &mut source);
            return;
        }
    }
}

/// A request that has been served.
struct Exchange {
    response: rouille::Response,
    keep_alive: bool,
}

/// Waits for the next request and has it served. `None` is the end of the connection.
fn next(front: &Front, entry: &Entry, remote: SocketAddr, source: &mut BufReader<Timed>) -> Option<Exchange> {
    if source.buffer().is_empty() {
        entry.rest();
        source.get_mut().until = Instant::now() + IDLE;
        let more = source.fill_buf().is_ok_and(|bytes| !bytes.is_empty());
        entry.work();
        if !more {
            return None;
        }
    }
    source.get_mut().until = Instant::now() + ARRIVAL;
    let unreadable = |request: &Request, refusal: Refusal| Exchange {
        response: front.refuse(request, refusal.into()),
        keep_alive: false,
    };
    let head = match head::read(source) {
        Ok(head) => head?,
        Err(refusal) => {
            return Some(unreadable(&Request::fake_http_from(remote, "-", "-", vec![], vec![]), refusal));
        }
    };
    if head.expects_continue && front.admits(head.framing) {
        // If this fails, reading the body will.
        let _ = (&**entry.stream()).write_all(b"HTTP/1.1 100 Continue\r\n\r\n");
    }
    let request = |bytes| Request::fake_http_from(remote, head.method, head.target, head.headers, bytes);
    match body::read(source, head.framing, front.limit()) {
        Ok(body) => {
            let keep_alive = head.keep_alive && body.whole;
            Some(Exchange { response: front.respond(&request(body.bytes)), keep_alive })
        }
        Err(refusal) => Some(unreadable(&request(vec![]), refusal)),
    }
}

/// Ends a connection from our side and waits a moment for the client to end it from its own.
fn linger(stream: &TcpStream, source: &mut BufReader<Timed>) {
    if stream.shutdown(Shutdown::Write).is_ok() {
        source.get_mut().until = Instant::now() + LINGER;
        let _ = io::copy(&mut source.take(LINGER_BYTES), &mut io::sink());
    }
}

/// The reading side of a socket, with a time by which the reading must be over, however slowly bytes trickle in.
struct Timed {
    stream: Arc<TcpStream>,
    until: Instant,
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let left = self.until.saturating_duration_since(Instant::now());
            // A zero time-out is refused by the system.
            self.stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
            match (&*self.stream).read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(ErrorKind::TimedOut.into()),
                // A signal ends a read that has a time-out even if its handler asks to go on.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }
}
