//! A client of ourselves, which wakes up connections that the library left waiting.
//!
//! tiny_http hands a new connection to an idle thread if its count of idle threads says there is one. The count is
//! stale when many connections arrive at once, so that some wait, accepted and unread, until any thread of the
//! connection layer becomes free. A connection that comes and goes frees one.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// The path the probe asks for. It is answered before anything else, and without a log line.
pub const PATH: &str = "/.probe";

/// Between two probes: what a stranded connection waits at most, for each one that is stranded.
const INTERVAL: Duration = Duration::from_millis(100);

/// How long a probe waits for its answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Probes the listener until `done`.
pub fn run(listening: SocketAddr, done: &AtomicBool) {
    while !done.load(Ordering::Relaxed) {
        // A probe that fails is no news for anybody: it is the next one that matters.
        let _ = knock(reachable(listening));
        thread::sleep(INTERVAL);
    }
}

fn knock(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream
        .write_all(format!("GET {PATH} HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n").as_bytes())?;
    stream.read_to_end(&mut Vec::new()).map(drop)
}

/// An address of this machine at which a listener on `listening` can be reached.
fn reachable(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listening.port())
}
