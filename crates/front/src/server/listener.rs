//! Accepting connections, each of which gets its own thread.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::{Front, connection};

/// The pause between two attempts to accept a last connection, and the time-out of [`wake`].
const PAUSE: Duration = Duration::from_millis(10);

/// The maximum number of retries to start a thread for a connection.
const MOST_TRIES: u32 = 100;

/// How long handshakes under way may take to finish before the port is closed.
const LAST_CALL: Duration = Duration::from_millis(50);

/// The interval of log lines about connections that cannot be accepted.
const COMPLAINT: Duration = Duration::from_secs(60);

/// Accepts connections until the server is stopping and [`wake`] is called, and then those whose handshakes are under
/// way.
pub fn run(front: &Arc<Front>, listener: TcpListener) {
    let mut complained: Option<Instant> = None;
    while !front.stopping() {
        match listener.accept() {
            Ok((stream, remote)) => {
                // Make room only after accepting: idle connections are closed only if there is a new one.
                while !front.registry.has_room(front.settings.max_connections) && !front.stopping() {}
                start_connection(front, stream, remote);
            }
            // The client has closed the connection already.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::Interrupted) => {}
            Err(error) => {
                if complained.is_none_or(|when| when.elapsed() > COMPLAINT) {
                    log::error!("cannot accept connections, ending others: {error}");
                    complained = Some(Instant::now());
                }
                // Most likely the process has reached its limit of open files: close another connection.
                front.registry.make_room();
            }
        }
    }
    if front.keeps_port {
        // The next process gets the same socket, and accepts the connections in its queue.
        return;
    }
    // When the port is closed, the system resets connections that are not yet accepted, and their requests are lost.
    // So new handshakes are dropped, those under way may finish, and all connections are accepted before the port is
    // closed.
    if let Err(error) = drop_new_connections(&listener) {
        log::debug!("connections that come while the port is being closed may be lost: {error}");
    }
    let until = Instant::now() + LAST_CALL;
    if listener.set_nonblocking(true).is_ok() {
        loop {
            let over = Instant::now() > until;
            while let Ok((stream, remote)) = listener.accept() {
                if stream.set_nonblocking(false).is_ok() {
                    start_connection(front, stream, remote);
                }
            }
            if over {
                return;
            }
            thread::sleep(PAUSE);
        }
    }
}

fn start_connection(front: &Arc<Front>, stream: TcpStream, remote: SocketAddr) {
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
            // Most likely the process has reached its limit of threads: close another connection.
            Err(_) => registry.make_room(),
        }
    }
}

/// Makes the system drop the first packet of new connections, while handshakes under way still finish. A client whose
/// packet is dropped retries after a second, and then finds the port closed.
#[cfg(target_os = "linux")]
fn drop_new_connections(listener: &TcpListener) -> io::Result<()> {
    use socket2::SockFilter;
    // A socket's filter sees each packet from its TCP header on. Byte 13 holds the flags, and only the first packet
    // of a connection has SYN (2) without ACK (16).
    socket2::SockRef::from(listener).attach_filter(&[
        SockFilter::new(0x30, 0, 0, 13),       // load that byte
        SockFilter::new(0x54, 0, 0, 0x12),     // and it with both flags
        SockFilter::new(0x15, 0, 1, 0x02),     // unless that is SYN, skip one
        SockFilter::new(0x06, 0, 0, 0),        // drop the packet
        SockFilter::new(0x06, 0, 0, u32::MAX), // take all of it
    ])
}

#[cfg(not(target_os = "linux"))]
fn drop_new_connections(_: &TcpListener) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// Connects to the listener on this address, so that its `accept` returns.
pub fn wake(listening: SocketAddr) -> io::Result<()> {
    TcpStream::connect_timeout(&reachable(listening), PAUSE).map(drop)
}

/// The address with which a client on this machine can connect.
pub fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
