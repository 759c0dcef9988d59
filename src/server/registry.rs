//! The open connections.

use std::collections::HashMap;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// All open connections, so that resting ones can be ended.
#[derive(Default)]
pub struct Registry {
    open: Mutex<Open>,
    closed: Condvar,
}

#[derive(Default)]
struct Open {
    next: u64,
    connections: HashMap<u64, Connection>,
}

struct Connection {
    stream: Arc<TcpStream>,
    resting_since: Option<Instant>,
}

impl Registry {
    /// Takes a connection in until the entry is dropped.
    pub fn enter(self: &Arc<Self>, stream: TcpStream) -> Entry {
        let stream = Arc::new(stream);
        let mut open = self.lock();
        open.next += 1;
        let id = open.next;
        open.connections
            .insert(id, Connection { stream: Arc::clone(&stream), resting_since: Some(Instant::now()) });
        Entry { registry: Arc::clone(self), id, stream }
    }

    /// Whether fewer than `most` connections are open. If not, the one that rests longest is ended, and a moment is
    /// waited for the end of any.
    pub fn has_room(&self, most: usize) -> bool {
        let mut open = self.lock();
        if open.connections.len() >= most.max(1) {
            open.end_longest_rest();
            open = self.wait(open, Duration::from_millis(100));
        }
        open.connections.len() < most.max(1)
    }

    /// Ends the connection that rests longest, if any does.
    pub fn end_longest_rest(&self) {
        self.lock().end_longest_rest();
    }

    /// Ends the connections that rest now. A request that has arrived on one is still read and answered.
    pub fn end_resting(&self) {
        for connection in
            self.lock().connections.values().filter(|connection| connection.resting_since.is_some())
        {
            let _ = connection.stream.shutdown(Shutdown::Read);
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
    fn end_longest_rest(&self) {
        let resting = self.connections.values().filter(|connection| connection.resting_since.is_some());
        if let Some(connection) = resting.min_by_key(|connection| connection.resting_since) {
            let _ = connection.stream.shutdown(Shutdown::Read);
        }
    }
}

/// An open connection.
pub struct Entry {
    registry: Arc<Registry>,
    id: u64,
    stream: Arc<TcpStream>,
}

impl Entry {
    /// The socket.
    pub fn stream(&self) -> &Arc<TcpStream> {
        &self.stream
    }

    /// From here on the connection waits for a request.
    pub fn rest(&self) {
        self.set(Some(Instant::now()));
    }

    /// From here on it has one.
    pub fn work(&self) {
        self.set(None);
    }

    fn set(&self, resting_since: Option<Instant>) {
        if let Some(connection) = self.registry.lock().connections.get_mut(&self.id) {
            connection.resting_since = resting_since;
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.registry.lock().connections.remove(&self.id);
        self.registry.closed.notify_all();
    }
}
