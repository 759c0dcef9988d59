//! Accepting connections, each of which gets a thread of its own.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::{Front, connection};

/// How long to wait for the system.
const PAUSE: Duration = Duration::from_millis(10);

/// How often to try to start a thread for a connection, with a pause between.
const MOST_TRIES: u32 = 100;

/// How long connections that have been begun may take to be made when the port is about to be closed.
const LAST_CALL: Duration = Duration::from_millis(50);

/// How often to complain that the system has no means for a connection.
const COMPLAINT: Duration = Duration::from_secs(60);

/// Accepts connections until the front is stopping and somebody [`wake`]s us, then all that have been made by then.
pub fn run(front: &Arc<Front>, listener: TcpListener) {
    let mut complained: Option<Instant> = None;
    while !front.stopping() {
        match listener.accept() {
            Ok((stream, remote)) => {
                // Only now: as long as nobody else comes, the others may take their time.
                while !front.registry.has_room(front.settings.max_connections) && !front.stopping() {}
                attend(front, stream, remote);
            }
            // The client has gone again.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::Interrupted) => {}
            Err(error) => {
                if complained.is_none_or(|when| when.elapsed() > COMPLAINT) {
                    log::error!("cannot accept connections, ending others: {error}");
                    complained = Some(Instant::now());
                }
                // Most likely the files have run out: someone has to make room.
                front.registry.make_room();
            }
        }
    }
    if front.keeps_port {
        // The successor has the same socket, and accepts what has not been accepted here.
        return;
    }
    // A connection that the system has made and we have not accepted is reset when the port is closed, and its request
    // lost. So no more of them are begun, those whose making is under way come to their end, and all are accepted.
    if let Err(error) = turn_away(&listener) {
        log::debug!("connections that come while the port is being closed may be lost: {error}");
    }
    let until = Instant::now() + LAST_CALL;
    if listener.set_nonblocking(true).is_ok() {
        loop {
            let over = Instant::now() > until;
            while let Ok((stream, remote)) = listener.accept() {
                if stream.set_nonblocking(false).is_ok() {
                    attend(front, stream, remote);
                }
            }
            if over {
                return;
            }
            thread::sleep(PAUSE);
        }
    }
}

fn attend(front: &Arc<Front>, stream: TcpStream, remote: SocketAddr) {
    // A listener on :: sees IPv4 clients as ::ffff:a.b.c.d.
    let remote = SocketAddr::new(remote.ip().to_canonical(), remote.port());
    let entry = Arc::new(front.registry.enter(stream));
    for tries in 0.. {
        let (front, entry) = (Arc::clone(front), Arc::clone(&entry));
        let registry = Arc::clone(&front.registry);
        let spawned = thread::Builder::new()
            .name("connection".to_owned())
            .spawn(move || connection::serve(&front, &entry, remote));
        match spawned {
            Ok(_) => return,
            Err(error) if tries == MOST_TRIES => {
                log::error!("cannot serve a connection: {error}");
                return;
            }
            // Most likely the system allows no more threads: someone has to make room.
            Err(_) => registry.make_room(),
        }
    }
}

/// Has the system ignore whoever wants to begin a connection, while those that were begun are still made. Whoever is
/// ignored tries again after a second, and is then told that the port is closed.
#[cfg(target_os = "linux")]
fn turn_away(listener: &TcpListener) -> io::Result<()> {
    use socket2::SockFilter;
    // The filter of a socket sees each packet from its TCP header on, whose flags are byte 13: of SYN (2) and ACK (16)
    // only the first packet of a connection has the one without the other.
    socket2::SockRef::from(listener).attach_filter(&[
        SockFilter::new(0x30, 0, 0, 13),       // load that byte
        SockFilter::new(0x54, 0, 0, 0x12),     // and it with both flags
        SockFilter::new(0x15, 0, 1, 0x02),     // unless that is SYN, skip one
        SockFilter::new(0x06, 0, 0, 0),        // drop the packet
        SockFilter::new(0x06, 0, 0, u32::MAX), // take all of it
    ])
}

#[cfg(not(target_os = "linux"))]
fn turn_away(_: &TcpListener) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// Makes a connection to the listener on this address, so that it looks up from waiting for one.
pub fn wake(listening: SocketAddr) -> io::Result<()> {
    TcpStream::connect_timeout(&reachable(listening), PAUSE).map(drop)
}

/// The address as a client on this machine can use it.
pub fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
