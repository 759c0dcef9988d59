//! One memcached: its connections, and whether it is worth asking.

use std::io::{self, ErrorKind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ring::digest::{Context, SHA256};
use rustls::ClientConfig;

use super::Settings;
use super::address::Address;
use super::protocol;
use super::stream::Stream;

/// However patient the settings are, no request waits longer than this for a cache. It is enough for one packet that
/// is lost when connecting, which TCP sends again after a second.
const PATIENCE: Duration = Duration::from_millis(1500);

/// A connection to it.
pub type Connection = protocol::Connection<Stream>;

/// One memcached.
pub struct Server {
    address: Address,
    tls: Option<Arc<ClientConfig>>,
    limits: Limits,
    state: Mutex<State>,
    /// A connection is free, or there will be none.
    changed: Condvar,
}

struct Limits {
    connections: usize,
    exchange: Duration,
    wait: Duration,
    unused: Duration,
    dead: Duration,
}

struct State {
    /// Those that nobody uses, and since when; the longest unused first.
    idle: Vec<(Connection, Instant)>,
    used: usize,
    /// It has failed, and is not asked before then.
    dead_until: Option<Instant>,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// It was not asked: it has failed a short while ago.
    Dead,
    /// It was waited for in vain.
    Failed,
}

impl Server {
    /// Nobody is connected to yet.
    pub fn new(address: Address, tls: Option<Arc<ClientConfig>>, settings: &Settings) -> Self {
        let exchange = settings.socket_timeout.min(PATIENCE);
        let limits = Limits {
            connections: settings.max_connections.max(1),
            exchange,
            wait: settings.connection_wait.min(exchange),
            unused: settings.unused_timeout,
            // A clock knows no time that is too far away.
            dead: settings.dead_retry.min(Duration::from_secs(365 * 24 * 3600)),
        };
        let state = Mutex::new(State { idle: Vec::new(), used: 0, dead_until: None });
        Self { address, tls, limits, state, changed: Condvar::new() }
    }

    /// How much this server is the one for a name, compared with others: the same in every process, and for most names
    /// the same when another server comes or goes (rendezvous hashing).
    pub fn claim(&self, name: &str) -> impl Ord + use<> {
        let mut context = Context::new(&SHA256);
        context.update(self.address.to_string().as_bytes());
        context.update(&[0]);
        context.update(name.as_bytes());
        context.finish().as_ref().to_vec()
    }

    /// What comes of an exchange with it. An exchange may be made twice.
    ///
    /// # Errors
    /// There is no answer; if the server is to blame it is dead from now on, for a while.
    pub fn ask<T>(&self, exchange: impl Fn(&mut Connection) -> io::Result<T>) -> Result<T, Absent> {
        let (connection, _used) = self.take()?;
        let deadline = Instant::now() + self.limits.exchange;
        let run = |connection: Option<Connection>| {
            let mut connection = match connection {
                Some(connection) => connection,
                None => Connection::new(Stream::open(&self.address, self.tls.as_ref(), deadline)?),
            };
            connection.stream().set_deadline(deadline);
            exchange(&mut connection).map(|value| (value, connection))
        };
        let was_idle = connection.is_some();
        let mut outcome = run(connection);
        // It may have been started anew, or have ended a connection that rested; then the other ones are no better.
        if was_idle && outcome.as_ref().is_err_and(hung_up) {
            self.lock().idle.clear();
            outcome = run(None);
        }
        match outcome {
            Ok((value, connection)) => {
                self.answered(connection);
                Ok(value)
            }
            Err(error) => {
                self.failed(&error);
                Err(Absent::Failed)
            }
        }
    }

    /// A place to use a connection in, and one that is open, if there is one.
    fn take(&self) -> Result<(Option<Connection>, Used<'_>), Absent> {
        let now = Instant::now();
        let mut state = self.lock();
        match state.dead_until {
            Some(until) if now < until => return Err(Absent::Dead),
            // Whoever comes first when the time is up tries, and the others go on without it until that has come to
            // something.
            Some(_) => state.dead_until = Some(now + self.limits.dead),
            None => {
                let is_full =
                    |state: &mut State| state.used >= self.limits.connections && state.dead_until.is_none();
                (state, _) = self
                    .changed
                    .wait_timeout_while(state, self.limits.wait, is_full)
                    .unwrap_or_else(PoisonError::into_inner);
                if state.dead_until.is_some() {
                    return Err(Absent::Dead);
                }
            }
        }
        if state.used >= self.limits.connections {
            return Err(Absent::Failed);
        }
        let now = Instant::now();
        state.idle.retain(|(_, since)| now.duration_since(*since) < self.limits.unused);
        state.used += 1;
        let connection = state.idle.pop().map(|(connection, _)| connection);
        Ok((connection, Used(self)))
    }

    fn answered(&self, connection: Connection) {
        let mut state = self.lock();
        if connection.is_in_step() {
            state.idle.push((connection, Instant::now()));
        }
        if state.dead_until.take().is_some() {
            drop(state);
            log::info!("memcached {} answers again", self.address);
        }
    }

    fn failed(&self, error: &io::Error) {
        let mut state = self.lock();
        state.idle.clear();
        let is_news = state.dead_until.is_none();
        state.dead_until = Some(Instant::now() + self.limits.dead);
        drop(state);
        self.changed.notify_all();
        if is_news {
            let pause = self.limits.dead.as_secs();
            log::warn!(
                "memcached {} is not asked for {pause} s, tokens are looked up without it: {error}",
                self.address
            );
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hung_up(error: &io::Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

/// Somebody uses a connection.
struct Used<'s>(&'s Server);

impl Drop for Used<'_> {
    fn drop(&mut self) {
        self.0.lock().used -= 1;
        self.0.changed.notify_one();
    }
}
