//! Single-flight: concurrent requests for the same key share one run of the work.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::shares::{Peer, Shares};
use front::workers;

/// Upper bound on waiting for a slot.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// Runs work at most once at a time per key, in a bounded number of slots that are shared fairly among peers.
pub struct SingleFlight<K, V> {
    state: Mutex<State<K, V>>,
}

struct State<K, V> {
    /// The tasks that run or wait for a slot.
    tasks: HashMap<K, Arc<Task<V>>>,
    /// The slots, by peer.
    running: Shares,
    /// The requests that wait for a slot or for another request's task, by peer.
    waiting: Shares,
    /// The requests that wait for a slot, in the order of arrival.
    queue: VecDeque<Arc<Ticket>>,
}

struct Task<V> {
    outcome: Mutex<Outcome<V>>,
    ended: Condvar,
}

enum Outcome<V> {
    Pending,
    Done(V),
    /// The work was not done: its thread panicked, or got no slot.
    Abandoned,
}

/// A request that waits for a slot.
struct Ticket {
    from: Peer,
    granted: AtomicBool,
    changed: Condvar,
}

impl<K, V> State<K, V> {
    /// Grants free slots to waiting requests, first to the peer with the fewest slots.
    fn grant_slots(&mut self) {
        let running = &mut self.running;
        while let Some(next) = (0..self.queue.len())
            .filter(|place| running.admits(self.queue[*place].from))
            .min_by_key(|place| running.count(self.queue[*place].from))
        {
            let Some(ticket) = self.queue.remove(next) else { return };
            running.add(ticket.from);
            ticket.granted.store(true, Ordering::SeqCst);
            ticket.changed.notify_one();
        }
    }
}

impl<K: Hash + Eq + Clone, V: Clone> SingleFlight<K, V> {
    /// At most `max_in_flight` tasks run at a time, and at most `max_waiting` requests wait.
    pub fn new(max_in_flight: usize, max_waiting: usize) -> Self {
        let state = State {
            tasks: HashMap::new(),
            running: Shares::new(max_in_flight),
            waiting: Shares::new(max_waiting),
            queue: VecDeque::new(),
        };
        Self { state: Mutex::new(state) }
    }

    /// Runs `work`, or waits for a task of the same key that already runs, and returns its outcome. `None` if too many
    /// requests wait, no slot became free in time, or the task's thread panicked.
    ///
    /// A waiting request gives back its worker slot.
    pub fn run(&self, from: Peer, key: &K, work: impl FnOnce() -> V) -> Option<V> {
        let mut state = lock(&self.state);
        if let Some(task) = state.tasks.get(key).cloned() {
            if !state.waiting.admits(from) {
                return None;
            }
            state.waiting.add(from);
            drop(state);
            let outcome = workers::while_parked(|| task.wait());
            lock(&self.state).waiting.remove(from);
            return outcome;
        }
        let has_slot = state.running.admits(from);
        if !has_slot && !state.waiting.admits(from) {
            return None;
        }
        let task = Arc::new(Task { outcome: Mutex::new(Outcome::Pending), ended: Condvar::new() });
        state.tasks.insert(key.clone(), Arc::clone(&task));
        let mut guard = TaskGuard { single_flight: self, key, task, from, has_slot };
        if has_slot {
            state.running.add(from);
            drop(state);
        } else {
            let ticket = Arc::new(Ticket { from, granted: AtomicBool::new(false), changed: Condvar::new() });
            state.waiting.add(from);
            state.queue.push_back(Arc::clone(&ticket));
            drop(state);
            guard.has_slot = workers::while_parked(|| self.wait_for_slot(&ticket));
            if !guard.has_slot {
                return None;
            }
        }
        let value = work();
        *lock(&guard.task.outcome) = Outcome::Done(value.clone());
        Some(value)
    }

    /// Waits for a slot; false if none became free in time.
    fn wait_for_slot(&self, ticket: &Arc<Ticket>) -> bool {
        let awaited = |_: &mut State<K, V>| !ticket.granted.load(Ordering::SeqCst);
        let state = lock(&self.state);
        let waited = ticket.changed.wait_timeout_while(state, MAX_WAIT, awaited);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.waiting.remove(ticket.from);
        // Read under the lock, so that no slot is granted after this.
        let granted = ticket.granted.load(Ordering::SeqCst);
        if !granted {
            state.queue.retain(|other| !Arc::ptr_eq(other, ticket));
        }
        granted
    }
}

impl<V: Clone> Task<V> {
    fn wait(&self) -> Option<V> {
        let outcome = lock(&self.outcome);
        let awaited = |outcome: &mut Outcome<V>| matches!(outcome, Outcome::Pending);
        let outcome = self.ended.wait_while(outcome, awaited).unwrap_or_else(PoisonError::into_inner);
        match &*outcome {
            Outcome::Done(value) => Some(value.clone()),
            Outcome::Pending | Outcome::Abandoned => None,
        }
    }
}

/// Ends the task and wakes the requests that wait for it, also after a panic.
struct TaskGuard<'f, K: Hash + Eq, V> {
    single_flight: &'f SingleFlight<K, V>,
    key: &'f K,
    task: Arc<Task<V>>,
    from: Peer,
    /// Whether the task holds a slot.
    has_slot: bool,
}

impl<K: Hash + Eq, V> Drop for TaskGuard<'_, K, V> {
    fn drop(&mut self) {
        let mut state = lock(&self.single_flight.state);
        state.tasks.remove(self.key);
        if self.has_slot {
            state.running.remove(self.from);
            state.grant_slots();
        }
        drop(state);
        let mut outcome = lock(&self.task.outcome);
        if matches!(*outcome, Outcome::Pending) {
            *outcome = Outcome::Abandoned;
        }
        drop(outcome);
        self.task.ended.notify_all();
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
    fn until_waiting<K, V>(single_flight: &SingleFlight<K, V>, n: usize) {
        while lock(&single_flight.state).waiting.total() < n {
            thread::yield_now();
        }
    }

    fn peer(number: u8) -> Peer {
        Peer::new(IpAddr::from([10, 0, 0, number]))
    }

    #[test]
    fn work_of_one_key_runs_once_and_of_other_keys_concurrently() {
        let single_flight = SingleFlight::new(2, 10);
        let done = AtomicUsize::new(0);
        let go = Barrier::new(2);
        thread::scope(|scope| {
            let leader = scope.spawn(|| {
                single_flight.run(peer(0), &1, || {
                    go.wait();
                    done.fetch_add(1, Ordering::SeqCst)
                })
            });
            while lock(&single_flight.state).tasks.is_empty() {
                thread::yield_now();
            }
            let single_flight = &single_flight;
            let others: Vec<_> = (0..10)
                .map(|number| scope.spawn(move || single_flight.run(peer(number), &1, || unreachable!())))
                .collect();
            until_waiting(single_flight, 10);
            assert_eq!(single_flight.run(peer(11), &1, || unreachable!()), None, "too many wait");
            assert_eq!(single_flight.run(peer(11), &2, || 7), Some(7));
            go.wait();
            assert_eq!(leader.join().unwrap(), Some(0));
            assert!(others.into_iter().all(|other| other.join().unwrap() == Some(0)));
        });
        assert_eq!(done.load(Ordering::SeqCst), 1);
        assert_eq!(single_flight.run(peer(0), &1, || 5), Some(5), "an outcome is not cached");
    }

    #[test]
    fn tasks_are_bounded_and_one_more_waits_for_a_slot() {
        let single_flight = SingleFlight::new(1, 10);
        single_flight
            .run(peer(0), &1, || assert_eq!(single_flight.run(peer(0), &2, || unreachable!()), None));
        assert_eq!(single_flight.run(peer(0), &2, || ()), Some(()));
        thread::scope(|scope| {
            single_flight.run(peer(0), &1, || {
                scope.spawn(|| assert_eq!(single_flight.run(peer(0), &2, || ()), Some(())));
                until_waiting(&single_flight, 1);
            });
        });
    }

    #[test]
    fn a_peer_with_many_tasks_waits_and_one_with_few_does_not() {
        let single_flight = SingleFlight::<_, ()>::new(8, 64);
        let done = Mutex::new(Vec::new());
        let go = Barrier::new(7);
        thread::scope(|scope| {
            let fly = |from: u8, key: u32, waits: bool| {
                let (single_flight, done, go) = (&single_flight, &done, &go);
                scope.spawn(move || {
                    single_flight.run(peer(from), &key, || {
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
            while lock(&single_flight.state).running.total() < 6 {
                thread::yield_now();
            }
            // One peer has three quarters of the slots, so its further requests wait; another peer's do not.
            for key in 6..20 {
                fly(1, key, false);
            }
            until_waiting(&single_flight, 14);
            assert_eq!(single_flight.run(peer(2), &100, || ()), Some(()));
            assert!(lock(&done).is_empty());
            go.wait();
        });
        assert_eq!(lock(&done).len(), 20, "and none is lost");
    }

    #[test]
    fn a_panic_leaves_no_thread_waiting() {
        let single_flight = SingleFlight::<_, ()>::new(1, 1);
        thread::scope(|scope| {
            let failed = catch_unwind(AssertUnwindSafe(|| {
                single_flight.run(peer(0), &1, || {
                    scope.spawn(|| assert_eq!(single_flight.run(peer(0), &1, || ()), None));
                    until_waiting(&single_flight, 1);
                    panic!("as it happens");
                })
            }));
            assert!(failed.is_err());
        });
        assert_eq!(single_flight.run(peer(0), &1, || ()), Some(()));
    }
}
