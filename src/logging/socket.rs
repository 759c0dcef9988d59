//! Datagrams to a local service that may be away, restart, or not keep up.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::Duration;

/// How long a record waits for a service that does not keep up.
const PATIENCE: Duration = Duration::from_millis(50);

/// The most bytes of text in one datagram; the socket's buffer, 208 KiB as Linux comes, limits the whole.
const LONGEST: usize = 48 << 10;

/// A socket to send datagrams from. It is connected to nobody, so that a service which restarts is found again.
#[derive(Debug)]
pub struct Socket {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Socket {
    /// A socket for sending to `path`; nobody needs to be there yet.
    ///
    /// # Errors
    /// The system gives no socket.
    pub fn new(path: impl Into<PathBuf>) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { socket, path: path.into() })
    }

    /// Sends one datagram.
    ///
    /// # Errors
    /// Nobody is there, or did not take it in time ([`io::ErrorKind::WouldBlock`]).
    pub fn send(&self, datagram: &[u8]) -> io::Result<()> {
        self.socket.send_to(datagram, &self.path).map(drop)
    }
}

/// The text, cut off where it is too long for a datagram.
pub fn shortened(text: &str) -> &str {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_does_not_keep_up_holds_nobody_up() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let _deaf = UnixDatagram::bind(&path).unwrap();
        let socket = Socket::new(&path).unwrap();
        let refused = (0..100_000).find_map(|_| socket.send(&[b'x'; 1000]).err()).unwrap();
        assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn a_service_that_comes_back_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let socket = Socket::new(&path).unwrap();
        socket.send(b"lost").unwrap_err();
        for _ in 0..2 {
            let service = UnixDatagram::bind(&path).unwrap();
            socket.send(b"found").unwrap();
            let mut buffer = [0; 16];
            assert_eq!(service.recv(&mut buffer).unwrap(), 5);
            drop(service);
            socket.send(b"lost").unwrap_err();
            std::fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(shortened("short"), "short");
        let long = "é".repeat(LONGEST);
        assert_eq!(shortened(&long).len(), LONGEST);
        let odd = format!("x{long}");
        assert_eq!(shortened(&odd).len(), LONGEST - 1);
    }
}
