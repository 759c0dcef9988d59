//! A proxy before the database that delays what it passes on, as a network would.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;

/// Starts a proxy that delays each direction by this long, and returns the URL of the database behind it.
pub fn before(database: &str, delay: Duration) -> Result<String> {
    let mut url = url::Url::parse(database)?;
    let server = (url.host_str().ok_or("no host")?.to_owned(), url.port().ok_or("no port")?);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    url.set_port(Some(listener.local_addr()?.port())).map_err(|()| "no port can be set")?;
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(&server) else { continue };
            if let (Ok(from), Ok(to)) = (client.try_clone(), server.try_clone()) {
                pass_on(from, to, delay);
                pass_on(server, client, delay);
            }
        }
    });
    Ok(url.to_string())
}

/// Passes bytes on in one direction. One thread reads them, and another writes each when it is due, so that bytes on
/// their way do not delay those behind them.
fn pass_on(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let (due, wait) = channel::<(Instant, Vec<u8>)>();
    let _ = to.set_nodelay(true);
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match from.read(&mut buffer) {
                Ok(0) => return,
                Ok(read) if due.send((Instant::now() + delay, buffer[..read].to_vec())).is_err() => return,
                Err(error) if error.kind() != ErrorKind::Interrupted => return,
                _ => {}
            }
        }
    });
    thread::spawn(move || {
        for (due, bytes) in wait {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}
