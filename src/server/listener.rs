//! Accepting connections, each of which gets a thread of its own.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::{Front, connection};

/// How long to pause after the system had no means for another connection.
const PAUSE: Duration = Duration::from_millis(10);

/// How often to complain of that.
const COMPLAINT: Duration = Duration::from_secs(60);

/// Accepts connections until the front is stopping and somebody [`wake`]s us, then all that have been made by then.
pub fn run(front: &Arc<Front>, listener: TcpListener) {
    let mut complained: Option<Instant> = None;
    while !front.stopping() {
        match listener.accept() {
            Ok((stream, remote)) => {
                // Only now: as long as nobody else comes, resting connections may rest.
                while !front.registry.has_room(front.settings.max_connections) && !front.stopping() {}
                attend(front, stream, remote);
            }
            // The client has gone again.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::Interrupted) => {}
            Err(error) => {
                if complained.is_none_or(|when| when.elapsed() > COMPLAINT) {
                    log::error!("cannot accept connections, ending resting ones: {error}");
                    complained = Some(Instant::now());
                }
                // Most likely the files have run out: someone has to make room.
                front.registry.end_longest_rest();
                thread::sleep(PAUSE);
            }
        }
    }
    if listener.set_nonblocking(true).is_ok() {
        while let Ok((stream, remote)) = listener.accept() {
            if stream.set_nonblocking(false).is_ok() {
                attend(front, stream, remote);
            }
        }
    }
}

fn attend(front: &Arc<Front>, stream: TcpStream, remote: SocketAddr) {
    // A listener on :: sees IPv4 clients as ::ffff:a.b.c.d.
    let remote = SocketAddr::new(remote.ip().to_canonical(), remote.port());
    let entry = front.registry.enter(stream);
    let serving = Arc::clone(front);
    let spawned = thread::Builder::new()
        .name("connection".to_owned())
        .spawn(move || connection::serve(&serving, &entry, remote));
    if let Err(error) = spawned {
        log::error!("cannot serve a connection: {error}");
        thread::sleep(PAUSE);
    }
}

/// Makes a connection to the listener on this address, so that it looks up from waiting for one.
pub fn wake(listening: SocketAddr) -> io::Result<()> {
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    TcpStream::connect_timeout(&SocketAddr::new(ip, listening.port()), Duration::from_secs(1)).map(drop)
}
