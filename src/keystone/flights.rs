//! Work that several requests want done at the same moment, done once.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::shares::{Peer, Shares};
use crate::workers;

/// Upper bound on waiting for a place among the pieces of work under way.
const PATIENCE: Duration = Duration::from_secs(2);

/// Pieces of work under way, by what they are about. Each request comes from a peer, and no peer gets all the places.
pub struct Flights<K, V> {
    traffic: Mutex<Traffic<K, V>>,
}

struct Traffic<K, V> {
    /// The pieces of work under way, and those that wait for a place.
    flights: HashMap<K, Arc<Flight<V>>>,
    /// The peers of the work under way.
    flying: Shares,
    /// The peers of the requests that wait, for a place or for another request's work.
    waiting: Shares,
    /// The requests that wait for a place, in the order they came. None of them may take one at the moment.
    queue: VecDeque<Arc<Turn>>,
}

struct Flight<V> {
    outcome: Mutex<Outcome<V>>,
    ended: Condvar,
}

enum Outcome<V> {
    Awaited,
    Known(V),
    /// The work was not done: its thread panicked, or got no place.
    None,
}

/// A request that waits for a place.
struct Turn {
    from: Peer,
    has_come: AtomicBool,
    changed: Condvar,
}

impl<K, V> Traffic<K, V> {
    /// Gives free places to those that wait: first to the peer with the least work under way.
    fn hand_out(&mut self) {
        let flying = &mut self.flying;
        while let Some(next) = (0..self.queue.len())
            .filter(|place| flying.admits(self.queue[*place].from))
            .min_by_key(|place| flying.of(self.queue[*place].from))
        {
            let Some(turn) = self.queue.remove(next) else { return };
            flying.add(turn.from);
            turn.has_come.store(true, Ordering::SeqCst);
            turn.changed.notify_one();
        }
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Flights<K, V> {
    /// At most `max_flights` pieces of work at once, and at most `max_waiting` requests that wait without doing one.
    pub fn new(max_flights: usize, max_waiting: usize) -> Self {
        let traffic = Traffic {
            flights: HashMap::new(),
            flying: Shares::new(max_flights),
            waiting: Shares::new(max_waiting),
            queue: VecDeque::new(),
        };
        Self { traffic: Mutex::new(traffic) }
    }

    /// The outcome of `work`, or of the same work that another request does already; `None` when too much is under way,
    /// and when that request's thread panicked.
    ///
    /// A request that waits has given back its place among the workers ([`workers::while_parked`]).
    pub fn join(&self, from: Peer, key: &K, work: impl FnOnce() -> V) -> Option<V> {
        let mut traffic = lock(&self.traffic);
        if let Some(flight) = traffic.flights.get(key).cloned() {
            if !traffic.waiting.admits(from) {
                return None;
            }
            traffic.waiting.add(from);
            drop(traffic);
            let outcome = workers::while_parked(|| flight.wait());
            lock(&self.traffic).waiting.remove(from);
            return outcome;
        }
        let flies = traffic.flying.admits(from);
        if !flies && !traffic.waiting.admits(from) {
            return None;
        }
        let flight = Arc::new(Flight { outcome: Mutex::new(Outcome::Awaited), ended: Condvar::new() });
        traffic.flights.insert(key.clone(), Arc::clone(&flight));
        let mut landing = Landing { flights: self, key, flight, from, flies };
        if flies {
            traffic.flying.add(from);
            drop(traffic);
        } else {
            let turn = Arc::new(Turn { from, has_come: AtomicBool::new(false), changed: Condvar::new() });
            traffic.waiting.add(from);
            traffic.queue.push_back(Arc::clone(&turn));
            drop(traffic);
            landing.flies = workers::while_parked(|| self.has_turn(&turn));
            if !landing.flies {
                return None;
            }
        }
        let value = work();
        *lock(&landing.flight.outcome) = Outcome::Known(value.clone());
        Some(value)
    }

    /// Waits for a place; false when none came.
    fn has_turn(&self, turn: &Arc<Turn>) -> bool {
        let awaited = |_: &mut Traffic<K, V>| !turn.has_come.load(Ordering::SeqCst);
        let traffic = lock(&self.traffic);
        let waited = turn.changed.wait_timeout_while(traffic, PATIENCE, awaited);
        let (mut traffic, _) = waited.unwrap_or_else(PoisonError::into_inner);
        traffic.waiting.remove(turn.from);
        // Under the lock, so that a turn does not come after this.
        let has_come = turn.has_come.load(Ordering::SeqCst);
        if !has_come {
            traffic.queue.retain(|other| !Arc::ptr_eq(other, turn));
        }
        has_come
    }
}

impl<V: Clone> Flight<V> {
    fn wait(&self) -> Option<V> {
        let outcome = lock(&self.outcome);
        let awaited = |outcome: &mut Outcome<V>| matches!(outcome, Outcome::Awaited);
        let outcome = self.ended.wait_while(outcome, awaited).unwrap_or_else(PoisonError::into_inner);
        match &*outcome {
            Outcome::Known(value) => Some(value.clone()),
            Outcome::Awaited | Outcome::None => None,
        }
    }
}

/// Ends the flight and wakes those who wait, a panic included.
struct Landing<'f, K: Hash + Eq, V> {
    flights: &'f Flights<K, V>,
    key: &'f K,
    flight: Arc<Flight<V>>,
    from: Peer,
    /// Whether it has a place.
    flies: bool,
}

impl<K: Hash + Eq, V> Drop for Landing<'_, K, V> {
    fn drop(&mut self) {
        let mut traffic = lock(&self.flights.traffic);
        traffic.flights.remove(self.key);
        if self.flies {
            traffic.flying.remove(self.from);
            traffic.hand_out();
        }
        drop(traffic);
        let mut outcome = lock(&self.flight.outcome);
        if matches!(*outcome, Outcome::Awaited) {
            *outcome = Outcome::None;
        }
        drop(outcome);
        self.flight.ended.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Barrier;
    use std::sync::atomic::AtomicUsize;
    use std::thread;

    use super::*;

    /// Spins until `n` requests wait.
    fn until_waiting<K, V>(flights: &Flights<K, V>, n: usize) {
        while lock(&flights.traffic).waiting.total() < n {
            thread::yield_now();
        }
    }

    fn peer(number: u8) -> Peer {
        Peer::new(IpAddr::from([10, 0, 0, number]))
    }

    #[test]
    fn the_same_work_is_done_once_and_other_work_beside_it() {
        let flights = Flights::new(2, 10);
        let done = AtomicUsize::new(0);
        let go = Barrier::new(2);
        thread::scope(|scope| {
            let leader = scope.spawn(|| {
                flights.join(peer(0), &1, || {
                    go.wait();
                    done.fetch_add(1, Ordering::SeqCst)
                })
            });
            while lock(&flights.traffic).flights.is_empty() {
                thread::yield_now();
            }
            let flights = &flights;
            let others: Vec<_> = (0..10)
                .map(|number| scope.spawn(move || flights.join(peer(number), &1, || unreachable!())))
                .collect();
            until_waiting(flights, 10);
            assert_eq!(flights.join(peer(11), &1, || unreachable!()), None, "too many wait");
            assert_eq!(flights.join(peer(11), &2, || 7), Some(7));
            go.wait();
            assert_eq!(leader.join().unwrap(), Some(0));
            assert!(others.into_iter().all(|other| other.join().unwrap() == Some(0)));
        });
        assert_eq!(done.load(Ordering::SeqCst), 1);
        assert_eq!(flights.join(peer(0), &1, || 5), Some(5), "what is done is not remembered");
    }

    #[test]
    fn only_so_many_are_under_way_and_one_more_waits_for_a_place() {
        let flights = Flights::new(1, 10);
        flights.join(peer(0), &1, || assert_eq!(flights.join(peer(0), &2, || unreachable!()), None));
        assert_eq!(flights.join(peer(0), &2, || ()), Some(()));
        thread::scope(|scope| {
            flights.join(peer(0), &1, || {
                scope.spawn(|| assert_eq!(flights.join(peer(0), &2, || ()), Some(())));
                until_waiting(&flights, 1);
            });
        });
    }

    #[test]
    fn a_peer_with_much_under_way_waits_for_one_with_little() {
        let flights = Flights::<_, ()>::new(8, 64);
        let done = Mutex::new(Vec::new());
        let go = Barrier::new(7);
        thread::scope(|scope| {
            let fly = |from: u8, key: u32, waits: bool| {
                let (flights, done, go) = (&flights, &done, &go);
                scope.spawn(move || {
                    flights.join(peer(from), &key, || {
                        if waits {
                            go.wait();
                        }
                        lock(done).push(from);
                    })
                });
            };
            for key in 0..6 {
                fly(1, key, true);
            }
            while lock(&flights.traffic).flying.total() < 6 {
                thread::yield_now();
            }
            // One peer has three quarters of the places, and its further requests wait; another's do not.
            for key in 6..20 {
                fly(1, key, false);
            }
            until_waiting(&flights, 14);
            assert_eq!(flights.join(peer(2), &100, || ()), Some(()));
            assert!(lock(&done).is_empty());
            go.wait();
        });
        assert_eq!(lock(&done).len(), 20, "and none is lost");
    }

    #[test]
    fn a_panic_leaves_nobody_waiting() {
        let flights = Flights::<_, ()>::new(1, 1);
        thread::scope(|scope| {
            let failed = catch_unwind(AssertUnwindSafe(|| {
                flights.join(peer(0), &1, || {
                    scope.spawn(|| assert_eq!(flights.join(peer(0), &1, || ()), None));
                    until_waiting(&flights, 1);
                    panic!("as it happens");
                })
            }));
            assert!(failed.is_err());
        });
        assert_eq!(flights.join(peer(0), &1, || ()), Some(()));
    }
}
