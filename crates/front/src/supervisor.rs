//! Notifications to systemd (`sd_notify(3)`), and the socket that it passes to the service. Without systemd these do
//! nothing.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use listenfd::ListenFd;
use sd_notify::NotifyState;

/// A malformed request. The front answers it with a 400, which needs neither a worker nor the database.
const PROBE: &[u8] = b"GET\r\n\r\n";

/// The listening socket that systemd opened for the service (a unit `freezer-api.socket`).
///
/// # Errors
/// A sentence for the operator: the socket is not a TCP socket, or there are several.
pub fn listener() -> Result<Option<TcpListener>, String> {
    let mut sockets = ListenFd::from_env();
    match sockets.len() {
        0 => Ok(None),
        1 => sockets
            .take_tcp_listener(0)
            .map_err(|error| format!("The socket of the unit freezer-api.socket cannot be used: {error}.")),
        several => Err(format!(
            "The unit freezer-api.socket has {several} sockets. The service listens on one: leave one ListenStream."
        )),
    }
}

/// Tells systemd that the service answers requests.
pub fn ready(status: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// Tells systemd that the configuration is being read again, until [`ready`].
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(_) => notify(&[NotifyState::Reloading]),
    }
}

/// Tells systemd that the service finishes its requests and stops.
pub fn stopping(status: &str) {
    notify(&[NotifyState::Stopping, NotifyState::Status(status)]);
}

/// Tells systemd that the start may take `pause` longer, and why.
pub fn waiting(status: &str, pause: Duration) {
    let micros = u32::try_from(pause.as_micros()).unwrap_or(u32::MAX);
    notify(&[NotifyState::ExtendTimeoutUsec(micros), NotifyState::Status(status)]);
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        log::debug!("systemd was not told {states:?}: {error}");
    }
}

/// Tells systemd that the process is alive, three times per `WatchdogSec` of the unit, while the service answers on
/// `address` and `has_pool` returns. systemd restarts a process that has been silent for `WatchdogSec`.
///
/// A database that is away, or requests that wait for one, do not silence the watchdog, because a restart would not help.
pub fn watch(address: SocketAddr, has_pool: impl Fn() + Send + 'static) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let watch = move || {
        let pause = limit / 3;
        loop {
            let began = Instant::now();
            match probe(address, pause) {
                Ok(()) => {
                    has_pool();
                    notify(&[NotifyState::Watchdog]);
                }
                Err(error) => log::error!("the service does not answer itself on {address}: {error}"),
            }
            thread::sleep(pause.saturating_sub(began.elapsed()));
        }
    };
    if let Err(error) = thread::Builder::new().name("watchdog".to_owned()).spawn(watch) {
        log::error!("cannot start the thread for systemd's watchdog: {error}");
    }
}

/// Sends a request to `address`; an error if no answer comes within `limit`.
fn probe(address: SocketAddr, limit: Duration) -> std::io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&address, limit)?;
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))?;
    stream.write_all(PROBE)?;
    let mut first = [0];
    stream.read_exact(&mut first)
}
