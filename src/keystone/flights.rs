//! Work that several requests want done at the same moment, done once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::workers;

/// Pieces of work under way, by what they are about.
pub struct Flights<K, V> {
    under_way: Mutex<UnderWay<K, V>>,
    max_flights: usize,
    max_waiting: usize,
}

struct UnderWay<K, V> {
    flights: HashMap<K, Arc<Flight<V>>>,
    /// Those who wait for somebody else's work.
    waiting: usize,
}

struct Flight<V> {
    outcome: Mutex<Outcome<V>>,
    ended: Condvar,
}

enum Outcome<V> {
    Awaited,
    Known(V),
    /// Whoever did the work panicked.
    None,
}

impl<K: Hash + Eq + Clone, V: Clone> Flights<K, V> {
    /// At most `max_flights` pieces of work at once, and at most `max_waiting` who wait for them without doing one.
    pub fn new(max_flights: usize, max_waiting: usize) -> Self {
        let under_way = Mutex::new(UnderWay { flights: HashMap::new(), waiting: 0 });
        Self { under_way, max_flights, max_waiting }
    }

    /// The outcome of `work`, or of the same work that somebody does already; `None` when too much is under way, and
    /// when that somebody panicked.
    ///
    /// The place to work in is somebody else's while waiting ([`workers::outside`]).
    pub fn join(&self, key: &K, work: impl FnOnce() -> V) -> Option<V> {
        let mut under_way = lock(&self.under_way);
        if let Some(flight) = under_way.flights.get(key).cloned() {
            if under_way.waiting >= self.max_waiting {
                return None;
            }
            under_way.waiting += 1;
            drop(under_way);
            let outcome = workers::outside(|| flight.wait());
            lock(&self.under_way).waiting -= 1;
            return outcome;
        }
        if under_way.flights.len() >= self.max_flights {
            return None;
        }
        let flight = Arc::new(Flight { outcome: Mutex::new(Outcome::Awaited), ended: Condvar::new() });
        under_way.flights.insert(key.clone(), Arc::clone(&flight));
        drop(under_way);
        let landing = Landing { flights: self, key, flight };
        let value = work();
        *lock(&landing.flight.outcome) = Outcome::Known(value.clone());
        Some(value)
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
}

impl<K: Hash + Eq, V> Drop for Landing<'_, K, V> {
    fn drop(&mut self) {
        lock(&self.flights.under_way).flights.remove(self.key);
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
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    /// Spins until `n` wait for a flight.
    fn until_waiting<K, V>(flights: &Flights<K, V>, n: usize) {
        while lock(&flights.under_way).waiting < n {
            thread::yield_now();
        }
    }

    #[test]
    fn the_same_work_is_done_once_and_other_work_beside_it() {
        let flights = Flights::new(2, 10);
        let done = AtomicUsize::new(0);
        let go = Barrier::new(2);
        thread::scope(|scope| {
            let leader = scope.spawn(|| {
                flights.join(&1, || {
                    go.wait();
                    done.fetch_add(1, Ordering::SeqCst)
                })
            });
            while lock(&flights.under_way).flights.is_empty() {
                thread::yield_now();
            }
            let others: Vec<_> =
                (0..10).map(|_| scope.spawn(|| flights.join(&1, || unreachable!()))).collect();
            until_waiting(&flights, 10);
            assert_eq!(flights.join(&1, || unreachable!()), None, "too many wait");
            assert_eq!(flights.join(&2, || 7), Some(7));
            go.wait();
            assert_eq!(leader.join().unwrap(), Some(0));
            assert!(others.into_iter().all(|other| other.join().unwrap() == Some(0)));
        });
        assert_eq!(done.load(Ordering::SeqCst), 1);
        assert_eq!(flights.join(&1, || 5), Some(5), "what is done is not remembered");
    }

    #[test]
    fn only_so_many_are_under_way() {
        let flights = Flights::new(1, 10);
        flights.join(&1, || assert_eq!(flights.join(&2, || unreachable!()), None));
        assert_eq!(flights.join(&2, || ()), Some(()));
    }

    #[test]
    fn a_panic_leaves_nobody_waiting() {
        let flights = Flights::<_, ()>::new(1, 1);
        thread::scope(|scope| {
            let failed = catch_unwind(AssertUnwindSafe(|| {
                flights.join(&1, || {
                    scope.spawn(|| assert_eq!(flights.join(&1, || ()), None));
                    until_waiting(&flights, 1);
                    panic!("as it happens");
                })
            }));
            assert!(failed.is_err());
        });
        assert_eq!(flights.join(&1, || ()), Some(()));
    }
}
