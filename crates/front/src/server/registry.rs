//! The open connections.

use std::collections::HashMap;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a connection is idle before it is closed for a new one ahead of all others.
const IDLE_FIRST: Duration = Duration::from_secs(1);

/// How long a connection may wait for its client before it may be closed for a new one. A request that is sent right
/// after the handshake has arrived by then. So new connections are served as long as fewer than the maximum number of
/// connections arrive in this time, whatever the existing ones do.
const PATIENCE: Duration = Duration::from_millis(100);

/// How long to wait for any connection to end.
const LOOK: Duration = Duration::from_millis(20);

/// All open connections, so that those that wait for their clients can be closed.
#[derive(Default)]
pub struct Registry {
    open: Mutex<Open>,
    closed: Condvar,
}

#[derive(Default)]
struct Open {
    next: u64,
    connections: HashMap<u64, Connection>,
    /// How many of them are being closed for a new one.
    closing: usize,
}

struct Connection {
    stream: Arc<TcpStream>,
    close_signal: Arc<CloseSignal>,
    state: State,
    since: Instant,
    closing: bool,
}

/// The state of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is new, and has received nothing.
    New,
    /// It has sent a response, and may receive another request.
    Idle,
    /// A request is being read.
    Reading,
    /// A request is served, or waits for a worker.
    Working,
    /// A response is being sent, or the client has time to close the connection.
    Writing,
}

impl Registry {
    /// Adds a connection, until the entry is dropped.
    pub fn enter(self: &Arc<Self>, stream: TcpStream) -> Entry {
        let (stream, close_signal) = (Arc::new(stream), Arc::<CloseSignal>::default());
        let mut open = self.lock();
        open.next += 1;
        let id = open.next;
        let connection = Connection {
            stream: Arc::clone(&stream),
            close_signal: Arc::clone(&close_signal),
            state: State::New,
            since: Instant::now(),
            closing: false,
        };
        open.connections.insert(id, connection);
        Entry { registry: Arc::clone(self), id, stream, close_signal }
    }

    /// Whether one of `most` slots is free for a new connection. Closing connections do not count, but there may be
    /// at most half as many of them. If no slot is free, closes one connection, or else waits a moment for any to
    /// end.
    pub fn has_room(&self, most: usize) -> bool {
        let most = most.max(1);
        let full = |open: &Open| open.connections.len() - open.closing >= most;
        let crowded = |open: &Open| open.closing > most / 2;
        let mut open = self.lock();
        if crowded(&open) || full(&open) && !open.close_one() {
            open = self.wait(open, LOOK);
        }
        !full(&open) && !crowded(&open)
    }

    /// Closes one connection, because the process has reached a limit of the system, and waits a moment for any to end.
    pub fn make_room(&self) {
        let mut open = self.lock();
        open.close_one();
        drop(self.wait(open, LOOK));
    }

    /// Closes the connections without a request. A request that has already arrived is still read and answered.
    pub fn close_idle(&self) {
        for connection in self.lock().connections.values() {
            if matches!(connection.state, State::New | State::Idle) {
                connection.close(Shutdown::Read);
            }
        }
    }

    /// Waits until no connection is open, or until the deadline. Returns the number of open connections.
    pub fn wait_empty(&self, until: Instant) -> usize {
        let mut open = self.lock();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if open.connections.is_empty() || left.is_zero() {
                return open.connections.len();
            }
            open = self.wait(open, left);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, open: MutexGuard<'a, Open>, most: Duration) -> MutexGuard<'a, Open> {
        self.closed.wait_timeout(open, most).unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Open {
    /// Closes one connection for a new one: the one that has been idle for longest, and at least for [`IDLE_FIRST`],
    /// or else the one that has waited longest for its client to send a request or to read a response. Returns false
    /// if none has waited for [`PATIENCE`].
    fn close_one(&mut self) -> bool {
        let now = Instant::now();
        // Connections that have been idle for long enough come first, then the longest waiting time decides.
        let rank = |connection: &Connection| {
            let waits = now.duration_since(connection.since);
            (connection.state == State::Idle && waits >= IDLE_FIRST, waits)
        };
        let waiting = self.connections.values_mut();
        let waiting = waiting.filter(|connection| !connection.closing && connection.state != State::Working);
        let first = waiting.max_by_key(|connection| rank(connection));
        let found = first
            .filter(|connection| rank(connection).1 >= PATIENCE)
            .map(Connection::close_for_another)
            .is_some();
        self.closing += usize::from(found);
        found
    }
}

impl Connection {
    /// Closes the connection for a new one.
    fn close_for_another(&mut self) {
        self.closing = true;
        // A request that has arrived is still read and answered, unless the connection was closed this way before.
        let gently = self.state != State::Writing && !self.close_signal.is_hurried();
        self.close_signal.hurry.store(true, Ordering::SeqCst);
        self.close(if gently { Shutdown::Read } else { Shutdown::Both });
    }

    fn close(&self, how: Shutdown) {
        self.close_signal.closed.store(true, Ordering::SeqCst);
        let _ = self.stream.shutdown(how);
    }
}

/// Tells the thread of a connection that the connection is being closed.
#[derive(Default)]
pub struct CloseSignal {
    closed: AtomicBool,
    hurry: AtomicBool,
}

impl CloseSignal {
    /// Whether the server has shut down the reading side, which wakes the reading thread. Bytes that have arrived can
    /// still be read. The end of the stream after them is from the shutdown, and not from the client.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Whether another connection waits for the slot.
    pub fn is_hurried(&self) -> bool {
        self.hurry.load(Ordering::SeqCst)
    }
}

/// An open connection.
pub struct Entry {
    registry: Arc<Registry>,
    id: u64,
    stream: Arc<TcpStream>,
    close_signal: Arc<CloseSignal>,
}

impl Entry {
    /// The socket.
    pub fn stream(&self) -> &Arc<TcpStream> {
        &self.stream
    }

    /// The signal that the connection is being closed.
    pub fn close_signal(&self) -> &Arc<CloseSignal> {
        &self.close_signal
    }

    /// Changes the state of the connection.
    pub fn set(&self, state: State) {
        let mut open = self.registry.lock();
        if let Some(connection) = open.connections.get_mut(&self.id) {
            let closing = std::mem::take(&mut connection.closing);
            (connection.state, connection.since) = (state, Instant::now());
            open.closing -= usize::from(closing);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut open = self.registry.lock();
        let closing = open.connections.remove(&self.id).is_some_and(|connection| connection.closing);
        open.closing -= usize::from(closing);
        drop(open);
        self.registry.closed.notify_all();
    }
}
