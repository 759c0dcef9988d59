//! The open connections.

use std::collections::HashMap;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a connection rests before it is the first to be ended for another one.
const REST: Duration = Duration::from_secs(1);

/// How long any connection may keep us waiting for its client before it is ended for another one. A request that is
/// sent when its connection is made has arrived by then. So newcomers are served as long as fewer of them come in this
/// time than connections are open at most, whatever all the others do.
const PATIENCE: Duration = Duration::from_millis(100);

/// How long to wait for the end of any connection.
const LOOK: Duration = Duration::from_millis(20);

/// All open connections, so that those that wait for their clients can be ended.
#[derive(Default)]
pub struct Registry {
    open: Mutex<Open>,
    closed: Condvar,
}

#[derive(Default)]
struct Open {
    next: u64,
    connections: HashMap<u64, Connection>,
    /// How many of them have been ended, and are about to go.
    ended: usize,
}

struct Connection {
    stream: Arc<TcpStream>,
    door: Arc<Door>,
    state: State,
    since: Instant,
    ended: bool,
}

/// What a connection is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is new, and nothing has come.
    New,
    /// Its client has had an answer, and may send another request.
    Rests,
    /// A request comes in.
    Arrives,
    /// A request is served, or waits for that: the client waits for us.
    Works,
    /// An answer goes out, or the client is given time to end the connection.
    Leaves,
}

impl Registry {
    /// Takes a connection in until the entry is dropped.
    pub fn enter(self: &Arc<Self>, stream: TcpStream) -> Entry {
        let (stream, door) = (Arc::new(stream), Arc::<Door>::default());
        let mut open = self.lock();
        open.next += 1;
        let id = open.next;
        let connection = Connection {
            stream: Arc::clone(&stream),
            door: Arc::clone(&door),
            state: State::New,
            since: Instant::now(),
            ended: false,
        };
        open.connections.insert(id, connection);
        Entry { registry: Arc::clone(self), id, stream, door }
    }

    /// Whether there is room for one of `most` connections. Those that are about to go count no more, but there may be
    /// only half as many of them. If there is none, one connection is ended, or a moment is waited for the end of any.
    pub fn has_room(&self, most: usize) -> bool {
        let most = most.max(1);
        let full = |open: &Open| open.connections.len() - open.ended >= most;
        let crowded = |open: &Open| open.ended > most / 2;
        let mut open = self.lock();
        if crowded(&open) || full(&open) && !open.end_one() {
            open = self.wait(open, LOOK);
        }
        !full(&open) && !crowded(&open)
    }

    /// Ends one connection, because the system has no means for more, and waits a moment for the end of any.
    pub fn make_room(&self) {
        let mut open = self.lock();
        open.end_one();
        drop(self.wait(open, LOOK));
    }

    /// Ends the connections that have no request now. One that has arrived is still read and answered.
    pub fn end_resting(&self) {
        for connection in self.lock().connections.values() {
            if matches!(connection.state, State::New | State::Rests) {
                connection.close(Shutdown::Read);
            }
        }
    }

    /// Waits until no connection is open, but not past `until`; the number of those that are left.
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
    /// Ends one connection for another one: the one that rests longest; if none has for [`REST`], the one that has kept
    /// us waiting longest, whether for a request or for its answer to be read. Whether there was one: none is ended
    /// before [`PATIENCE`].
    fn end_one(&mut self) -> bool {
        let now = Instant::now();
        // By whether it has rested for long enough, and then by how long it waits.
        let rank = |connection: &Connection| {
            let waits = now.duration_since(connection.since);
            (connection.state == State::Rests && waits >= REST, waits)
        };
        let waiting = self.connections.values_mut();
        let waiting = waiting.filter(|connection| !connection.ended && connection.state != State::Works);
        let first = waiting.max_by_key(|connection| rank(connection));
        let found = first.filter(|connection| rank(connection).1 >= PATIENCE).map(Connection::end).is_some();
        self.ended += usize::from(found);
        found
    }
}

impl Connection {
    /// Ends it for another one.
    fn end(&mut self) {
        self.ended = true;
        // What has arrived is still read and answered, unless that did not help before.
        let gently = self.state != State::Leaves && !self.door.hurried();
        self.door.hurry.store(true, Ordering::SeqCst);
        self.close(if gently { Shutdown::Read } else { Shutdown::Both });
    }

    fn close(&self, how: Shutdown) {
        self.door.closed.store(true, Ordering::SeqCst);
        let _ = self.stream.shutdown(how);
    }
}

/// Whether a connection is to end.
#[derive(Default)]
pub struct Door {
    closed: AtomicBool,
    hurry: AtomicBool,
}

impl Door {
    /// Whether we have closed the reading side. That wakes whoever reads; what the client sends can still be read when it
    /// is there, but the end that is seen when it is not is ours and not the client's.
    pub fn closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Whether somebody else waits for the place.
    pub fn hurried(&self) -> bool {
        self.hurry.load(Ordering::SeqCst)
    }
}

/// An open connection.
pub struct Entry {
    registry: Arc<Registry>,
    id: u64,
    stream: Arc<TcpStream>,
    door: Arc<Door>,
}

impl Entry {
    /// The socket.
    pub fn stream(&self) -> &Arc<TcpStream> {
        &self.stream
    }

    /// Whether it is to end.
    pub fn door(&self) -> &Arc<Door> {
        &self.door
    }

    /// From here on the connection is about something else.
    pub fn set(&self, state: State) {
        let mut open = self.registry.lock();
        if let Some(connection) = open.connections.get_mut(&self.id) {
            let ended = std::mem::take(&mut connection.ended);
            (connection.state, connection.since) = (state, Instant::now());
            open.ended -= usize::from(ended);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut open = self.registry.lock();
        let ended = open.connections.remove(&self.id).is_some_and(|connection| connection.ended);
        open.ended -= usize::from(ended);
        drop(open);
        self.registry.closed.notify_all();
    }
}
