//! Bytes to and from a memcached, none of them later than a moment that is set before.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::address::Address;

/// A connection's two directions.
pub enum Stream {
    /// As they are.
    Plain(Timed),
    /// Encrypted.
    Tls(Box<StreamOwned<ClientConnection, Timed>>),
}

/// A socket that gives up at the deadline. A time-out of the operating system's is for one read only, so that whoever
/// sends a byte now and then would hold us for ever.
pub struct Timed {
    socket: Socket,
    deadline: Instant,
}

enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    /// A new connection.
    ///
    /// # Errors
    /// There is nobody, or not before the deadline; or it is not who it should be.
    pub fn open(address: &Address, tls: Option<&Arc<ClientConfig>>, deadline: Instant) -> io::Result<Self> {
        let (host, port) = match address {
            Address::Unix(path) => {
                let path = path.clone();
                let socket = Socket::Unix(in_time(deadline, move || UnixStream::connect(path))?);
                return Ok(Self::Plain(Timed { socket, deadline }));
            }
            Address::Tcp(host, port) => (host, *port),
        };
        let stream = connect(&resolve(host, port, deadline)?, deadline)?;
        stream.set_nodelay(true)?;
        let timed = Timed { socket: Socket::Tcp(stream), deadline };
        let Some(config) = tls else { return Ok(Self::Plain(timed)) };
        let name = ServerName::try_from(host.clone())
            .map_err(|_| io::Error::new(ErrorKind::InvalidInput, "the host is no name for TLS"))?;
        let connection = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
        Ok(Self::Tls(Box::new(StreamOwned::new(connection, timed))))
    }

    /// From now on nothing takes longer than until then.
    pub fn set_deadline(&mut self, deadline: Instant) {
        match self {
            Self::Plain(timed) => timed.deadline = deadline,
            Self::Tls(stream) => stream.sock.deadline = deadline,
        }
    }
}

/// The addresses of a host.
fn resolve(host: &str, port: u16, deadline: Instant) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let host = host.to_owned();
    in_time(deadline, move || Ok((host.as_str(), port).to_socket_addrs()?.collect()))
}

/// What comes of something that may last longer than we wait, and cannot be told not to: asking the resolver, and
/// connecting to a socket whose queue is full. Another thread waits for that.
fn in_time<T: Send + 'static>(
    deadline: Instant,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new().name("memcached-connect".to_owned()).spawn(move || {
        // Nobody may be waiting any more.
        let _ = sender.send(work());
    })?;
    let late = |_| io::Error::new(ErrorKind::TimedOut, "it was not reached in time");
    receiver.recv_timeout(left(deadline)?).map_err(late)?
}

/// A connection to the first address that answers.
fn connect(addresses: &[SocketAddr], deadline: Instant) -> io::Result<TcpStream> {
    let mut failure = io::Error::new(ErrorKind::AddrNotAvailable, "the host has no address");
    for (tried, address) in addresses.iter().enumerate() {
        // One that is silent leaves time for the others.
        let others = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        match TcpStream::connect_timeout(address, (left(deadline)? / others).max(Duration::from_millis(1))) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// How long it is until the deadline; never nothing, which would mean for ever.
fn left(deadline: Instant) -> io::Result<Duration> {
    match deadline.checked_duration_since(Instant::now()) {
        Some(left) if !left.is_zero() => Ok(left),
        _ => Err(io::Error::new(ErrorKind::TimedOut, "no answer in time")),
    }
}

/// A time-out's own text is about a resource that is temporarily unavailable.
fn plainly<T>(outcome: io::Result<T>) -> io::Result<T> {
    outcome.map_err(|error| match error.kind() {
        ErrorKind::WouldBlock => io::Error::new(ErrorKind::TimedOut, "no answer in time"),
        _ => error,
    })
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = Some(left(self.deadline)?);
        plainly(match &mut self.socket {
            Socket::Tcp(stream) => stream.set_read_timeout(left).and_then(|()| stream.read(buffer)),
            Socket::Unix(stream) => stream.set_read_timeout(left).and_then(|()| stream.read(buffer)),
        })
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = Some(left(self.deadline)?);
        plainly(match &mut self.socket {
            Socket::Tcp(stream) => stream.set_write_timeout(left).and_then(|()| stream.write(bytes)),
            Socket::Unix(stream) => stream.set_write_timeout(left).and_then(|()| stream.write(bytes)),
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(timed) => timed.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(timed) => timed.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(timed) => timed.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
