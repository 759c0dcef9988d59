//! Datagrams to a local service that may be missing, restart, or not keep up.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::Duration;

/// How long a record waits for a service that does not keep up.
const WRITE_TIMEOUT: Duration = Duration::from_millis(50);

/// The most bytes of text in one datagram. A whole datagram is limited by the socket's buffer, on Linux 208 KiB.
const MAX_TEXT: usize = 48 << 10;

/// A socket to send datagrams from. It is not connected, so that it reaches a service that restarted.
#[derive(Debug)]
pub struct Socket {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Socket {
    /// A socket for sending to `path`; no service needs to listen there yet.
    ///
    /// # Errors
    /// A socket cannot be created.
    pub fn new(path: impl Into<PathBuf>) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(WRITE_TIMEOUT))?;
        Ok(Self { socket, path: path.into() })
    }

    /// Sends one datagram.
    ///
    /// # Errors
    /// No service listens, or it did not take the datagram in time ([`io::ErrorKind::WouldBlock`]).
    pub fn send(&self, datagram: &[u8]) -> io::Result<()> {
        self.socket.send_to(datagram, &self.path).map(drop)
    }
}

/// Cuts off a text that is too long for a datagram.
pub fn truncate(text: &str) -> &str {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_does_not_keep_up_delays_no_record_for_long() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let _unread = UnixDatagram::bind(&path).unwrap();
        let socket = Socket::new(&path).unwrap();
        let refused = (0..100_000).find_map(|_| socket.send(&[b'x'; 1000]).err()).unwrap();
        assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn a_service_that_restarted_is_reached() {
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
        assert_eq!(truncate("short"), "short");
        let long = "é".repeat(MAX_TEXT);
        assert_eq!(truncate(&long).len(), MAX_TEXT);
        let odd = format!("x{long}");
        assert_eq!(truncate(&odd).len(), MAX_TEXT - 1);
    }
}
