//! What systemd is told of the service (`sd_notify(3)`), and the sockets that it hands over. Without systemd there is
//! nothing to tell, and nothing is done.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use listenfd::ListenFd;
use sd_notify::NotifyState;

/// A request that the front answers by itself with a 400, without a place to work in and without the database.
const PROBE: &[u8] = b"GET\r\n\r\n";

/// The listening socket that systemd opened for the service (a unit `freezer-api.socket`).
///
/// # Errors
/// A sentence for the operator: what was handed over is no TCP socket, or there are several.
pub fn listener() -> Result<Option<TcpListener>, String> {
    let mut sockets = ListenFd::from_env();
    match sockets.len() {
        0 => Ok(None),
        1 => sockets
            .take_tcp_listener(0)
            .map_err(|error| format!("The socket of the unit freezer-api.socket is of no use: {error}.")),
        several => Err(format!(
            "The unit freezer-api.socket has {several} sockets. The service listens on one: leave one ListenStream."
        )),
    }
}

/// The service answers requests.
pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The configuration is read again; [`ready`] ends that.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// The service finishes what was begun.
pub fn stopping(status: &str) {
    tell(&[NotifyState::Stopping, NotifyState::Status(status)]);
}

/// The start takes this much longer, and why.
pub fn waiting(status: &str, pause: Duration) {
    let micros = u32::try_from(pause.as_micros()).unwrap_or(u32::MAX);
    tell(&[NotifyState::ExtendTimeoutUsec(micros), NotifyState::Status(status)]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        log::debug!("systemd was not told {states:?}: {error}");
    }
}

/// Tells systemd that the process is alive, as often as the unit's `WatchdogSec` asks, as long as the service
/// answers on `address` and `has_pool` comes back. systemd ends a process that has been silent for `WatchdogSec`, and starts it anew.
///
/// Neither a database that is away nor requests that wait for one silence the watchdog: a restart would not mend them.
pub fn watch(address: SocketAddr, has_pool: impl Fn() + Send + 'static) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let watch = move || {
        let pause = limit / 3;
        loop {
            let began = Instant::now();
            match answers(address, pause) {
                Ok(()) => {
                    has_pool();
                    tell(&[NotifyState::Watchdog]);
                }
                Err(error) => log::error!("the service does not answer itself on {address}: {error}"),
            }
            thread::sleep(pause.saturating_sub(began.elapsed()));
        }
    };
    if let Err(error) = thread::Builder::new().name("watchdog".to_owned()).spawn(watch) {
        log::error!("there is no thread for systemd's watchdog: {error}");
    }
}

/// Whether whatever listens there answers a request within `limit`.
fn answers(address: SocketAddr, limit: Duration) -> std::io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&address, limit)?;
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))?;
    stream.write_all(PROBE)?;
    let mut first = [0];
    stream.read_exact(&mut first)
}
