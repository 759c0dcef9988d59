//! Serving one connection: requests arrive one after the other, and each gets its response.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use rouille::Request;

use super::answer::Answer;
use super::deadline::DeadlineStream;
use super::refusal::Refusal;
use super::registry::{Entry, State};
use super::{Front, answer, body, head};
use crate::error::Error;

/// How long a connection may be idle between two requests.
const IDLE: Duration = Duration::from_secs(75);

/// How long a request may take to arrive, from its first byte to its last.
const ARRIVAL: Duration = Duration::from_secs(60);

/// How long a response may take to be sent, from its first byte to its last.
const DEPARTURE: Duration = Duration::from_secs(60);

/// How long to go on reading unwanted bytes before closing a connection. A connection that is closed with unread
/// bytes is reset, and the client may lose the last response.
const LINGER: Duration = Duration::from_secs(3);

/// The maximum number of such bytes.
const LINGER_BYTES: u64 = 64 * 1024 * 1024;

/// Serves a connection until it ends.
pub fn serve(front: &Front, entry: &Entry, remote: SocketAddr) {
    let stream = entry.stream();
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let mut source = BufReader::with_capacity(8192, DeadlineStream::new(entry, IDLE));
    let mut state = State::New;
    while let Some(exchange) = next(front, entry, state, remote, &mut source) {
        entry.set(State::Writing);
        let keep_alive = exchange.keep_alive && !front.stopping() && !entry.close_signal().is_closed();
        let written =
            answer::write(&mut DeadlineStream::new(entry, DEPARTURE), exchange.response, keep_alive);
        if written.is_err() || !keep_alive {
            linger(stream, &mut source);
            return;
        }
        state = State::Idle;
    }
}

/// A request that has been served.
struct Exchange {
    response: Answer,
    keep_alive: bool,
}

/// Waits for the next request, with the connection in `state`, and serves it. `None` is the end of the connection.
fn next(
    front: &Front,
    entry: &Entry,
    state: State,
    remote: SocketAddr,
    source: &mut BufReader<DeadlineStream>,
) -> Option<Exchange> {
    if source.buffer().is_empty() {
        entry.set(state);
        source.get_mut().begin(IDLE);
        if !source.fill_buf().is_ok_and(|bytes| !bytes.is_empty()) {
            return None;
        }
    }
    entry.set(State::Reading);
    source.get_mut().begin_message(ARRIVAL);
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
    let limit = front.settings.body_limit(&head.method, &head.target);
    let _room = match front.is_large(head.framing, limit) {
        false => None,
        true => match front.large_bodies.enter() {
            Some(room) => Some(room),
            None => {
                let request = Request::fake_http_from(remote, head.method, head.target, head.headers, vec![]);
                let busy = "There are too many large requests at the same time; try again.";
                let response = front.refuse(&request, Error::unavailable(busy, "no room for a large body"));
                return Some(Exchange { response, keep_alive: false });
            }
        },
    };
    if head.expects_continue && front.admits(head.framing, limit) {
        // If this fails, reading the body will.
        let _ = source.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n");
    }
    let request = |bytes| Request::fake_http_from(remote, head.method, head.target, head.headers, bytes);
    match body::read(source, head.framing, limit) {
        Ok(body) => {
            entry.set(State::Working);
            let keep_alive = head.keep_alive && body.whole;
            Some(Exchange { response: front.respond(&request(body.bytes)), keep_alive })
        }
        Err(refusal) => Some(unreadable(&request(vec![]), refusal)),
    }
}

/// Closes the sending side of a connection, and waits for the client to close the other side ([`LINGER`]).
fn linger(stream: &TcpStream, source: &mut BufReader<DeadlineStream>) {
    if stream.shutdown(Shutdown::Write).is_ok() {
        source.get_mut().begin(LINGER);
        let _ = io::copy(&mut source.take(LINGER_BYTES), &mut io::sink());
    }
}
