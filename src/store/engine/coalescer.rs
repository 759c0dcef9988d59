//! Coalesces look-ups that several requests make at the same time into one statement.
//!
//! One row costs the database and this service about as much as several: the round trip, the planning and the
//! description of the result are the same. No look-up is delayed to gather more keys: while fewer statements than
//! `max_in_flight` run, it runs at once. Otherwise it waits in a queue until one of them ends; then one waiting thread
//! runs a statement for itself and for others in the queue. A look-up is therefore always sent after it was submitted,
//! and sees whatever was acknowledged before.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The default for the most keys in one statement.
const MAX_KEYS: usize = 64;

/// Upper bound on waiting for a shared statement. After it, a waiting thread runs its own statement, and a statement that
/// has run this long no longer blocks others.
const PATIENCE: Duration = Duration::from_secs(1);

/// Coalesces concurrent look-ups of values `V` by keys `K`.
pub struct Coalescer<K, V> {
    state: Mutex<State<K, V>>,
    /// The most keys in one statement. A single look-up may have more.
    max_keys: usize,
    /// The most statements that run at once.
    max_in_flight: usize,
}

struct State<K, V> {
    /// The ticket of each thread that runs a statement, and when it began.
    running: Vec<(u64, Instant)>,
    waiting: VecDeque<Waiting<K, V>>,
    last_ticket: u64,
}

impl<K, V> State<K, V> {
    fn next_ticket(&mut self) -> u64 {
        self.last_ticket += 1;
        self.last_ticket
    }

    /// Lets a thread with `own_keys` keys run a statement, if fewer than `max_in_flight` run. Returns the waiting look-ups
    /// that the statement has room for; they are no longer in the queue.
    fn start(
        &mut self,
        ticket: u64,
        own_keys: usize,
        (max_keys, max_in_flight): (usize, usize),
    ) -> Option<Vec<Waiting<K, V>>> {
        if self.running.iter().filter(|(_, began)| began.elapsed() < PATIENCE).count() >= max_in_flight {
            return None;
        }
        self.running.push((ticket, Instant::now()));
        self.waiting.retain(|waiting| waiting.ticket != ticket);
        let mut keys = own_keys;
        let has_room = |waiting: &&Waiting<K, V>| {
            keys = keys.saturating_add(waiting.keys.len());
            keys <= max_keys
        };
        let company = self.waiting.iter().take_while(has_room).count();
        Some(self.waiting.drain(..company).collect())
    }
}

/// A look-up in the queue.
struct Waiting<K, V> {
    ticket: u64,
    keys: Vec<K>,
    wake: SyncSender<Wake<V>>,
}

/// Why a waiting thread wakes up.
enum Wake<V> {
    /// A statement has ended, so that the thread may run one.
    Run,
    /// Another thread has looked its keys up.
    Found(Vec<V>),
}

/// What a thread does that has submitted a look-up.
enum Role<K, V> {
    /// It runs a statement for itself and for these waiting look-ups.
    Run(u64, Vec<Waiting<K, V>>),
    /// It waits.
    Wait(u64, Receiver<Wake<V>>),
}

impl<K: Clone, V> Coalescer<K, V> {
    /// At most `max_in_flight` statements at once; more would only wait for one another.
    pub fn new(max_in_flight: usize) -> Self {
        Self::with_max_keys(MAX_KEYS, max_in_flight)
    }

    /// The same, with at most `max_keys` keys in one statement, unless a single look-up has more.
    pub fn with_max_keys(max_keys: usize, max_in_flight: usize) -> Self {
        let state = State { running: Vec::new(), waiting: VecDeque::new(), last_ticket: 0 };
        Self { state: Mutex::new(state), max_keys, max_in_flight: max_in_flight.max(1) }
    }

    fn bounds(&self) -> (usize, usize) {
        (self.max_keys, self.max_in_flight)
    }

    /// Looks `keys` up, alone or with the keys of other threads. `run` gets the keys of one or more look-ups, and returns
    /// one value for each key in their order. `None`: the caller has to look its keys up by itself, because the shared
    /// statement failed or took too long.
    pub fn submit<E>(
        &self,
        keys: &[K],
        run: impl FnOnce(&[K]) -> Result<Vec<V>, E>,
    ) -> Result<Option<Vec<V>>, E> {
        match self.begin(keys) {
            Role::Run(ticket, others) => self.run(ticket, keys, others, run),
            Role::Wait(ticket, wakes) => loop {
                match wakes.recv_timeout(PATIENCE) {
                    Ok(Wake::Found(found)) => return Ok(Some(found)),
                    Ok(Wake::Run) => {
                        if let Some(others) = self.start_waiting(ticket, keys.len()) {
                            return self.run(ticket, keys, others, run);
                        }
                    }
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                        self.state().waiting.retain(|waiting| waiting.ticket != ticket);
                        return Ok(None);
                    }
                }
            },
        }
    }

    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, keys: &[K]) -> Role<K, V> {
        let mut state = self.state();
        let ticket = state.next_ticket();
        if let Some(others) = state.start(ticket, keys.len(), self.bounds()) {
            return Role::Run(ticket, others);
        }
        // Room for the values behind a `Wake::Run` that was not read yet.
        let (sender, receiver) = sync_channel(2);
        state.waiting.push_back(Waiting { ticket, keys: keys.to_vec(), wake: sender });
        Role::Wait(ticket, receiver)
    }

    /// Lets a waiting thread run a statement; `None` if another thread has taken its look-up or the free place.
    fn start_waiting(&self, ticket: u64, own_keys: usize) -> Option<Vec<Waiting<K, V>>> {
        let mut state = self.state();
        let is_waiting = state.waiting.iter().any(|waiting| waiting.ticket == ticket);
        if is_waiting { state.start(ticket, own_keys, self.bounds()) } else { None }
    }

    fn run<E>(
        &self,
        ticket: u64,
        keys: &[K],
        others: Vec<Waiting<K, V>>,
        run: impl FnOnce(&[K]) -> Result<Vec<V>, E>,
    ) -> Result<Option<Vec<V>>, E> {
        let values = {
            let _running = Running(self, ticket);
            let theirs = others.iter().flat_map(|waiting| &waiting.keys);
            let all: Vec<K> = keys.iter().chain(theirs).cloned().collect();
            // An error or a panic drops `others`, which disconnects their channels: each then looks its keys up itself.
            run(&all)?
        };
        let mut values = values.into_iter();
        let own = values.by_ref().take(keys.len()).collect();
        for waiting in others {
            let found = values.by_ref().take(waiting.keys.len()).collect();
            // It fails if the thread has stopped waiting.
            waiting.wake.try_send(Wake::Found(found)).ok();
        }
        Ok(Some(own))
    }
}

/// A statement that runs. When it ends, even by a panic, the first waiting thread is woken.
struct Running<'c, K, V>(&'c Coalescer<K, V>, u64);

impl<K, V> Drop for Running<'_, K, V> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.running.retain(|(ticket, _)| *ticket != self.1);
        if let Some(next) = state.waiting.front() {
            next.wake.try_send(Wake::Run).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::sync::{Arc, Barrier};
    use std::thread;

    use super::*;

    type Numbers = Coalescer<u32, u32>;
    type Values = Result<Vec<u32>, ()>;
    type Outcome = Result<Option<Vec<u32>>, ()>;

    fn squares(keys: &[u32]) -> Values {
        Ok(keys.iter().map(|key| key * key).collect())
    }

    /// One statement runs until `others` look-ups of two keys each wait behind it. Returns their outcomes.
    fn behind_a_running_statement(
        coalescer: &Arc<Numbers>,
        others: u32,
        run: fn(&[u32]) -> Values,
    ) -> Vec<Outcome> {
        let (go, wait) = channel::<()>();
        let begun = Arc::new(Barrier::new(2));
        let first = {
            let (coalescer, begun) = (Arc::clone(coalescer), Arc::clone(&begun));
            thread::spawn(move || {
                coalescer.submit(&[1000], |keys| {
                    begun.wait();
                    wait.recv().ok();
                    squares(keys)
                })
            })
        };
        begun.wait();
        let others: Vec<_> = (0..others)
            .map(|number| {
                let coalescer = Arc::clone(coalescer);
                thread::spawn(move || coalescer.submit(&[number, number + 1], run))
            })
            .collect();
        while coalescer.state().waiting.len() < others.len() {
            thread::yield_now();
        }
        go.send(()).unwrap();
        assert_eq!(first.join().unwrap(), Ok(Some(vec![1_000_000])));
        others.into_iter().map(|other| other.join().unwrap()).collect()
    }

    #[test]
    fn each_look_up_gets_its_own_values() {
        let coalescer = Arc::new(Numbers::new(1));
        let outcomes = behind_a_running_statement(&coalescer, 50, squares);
        let expected: Vec<_> =
            (0..50).map(|number: u32| Ok(Some(vec![number.pow(2), (number + 1).pow(2)]))).collect();
        assert_eq!(outcomes, expected);
        assert!(coalescer.state().running.is_empty());
        assert_eq!(coalescer.submit(&[3], squares), Ok(Some(vec![9])));
    }

    #[test]
    fn waiting_look_ups_share_one_statement() {
        let coalescer = Arc::new(Numbers::new(1));
        let outcomes =
            behind_a_running_statement(&coalescer, 5, |keys| Ok(vec![keys.len() as u32; keys.len()]));
        assert_eq!(outcomes, vec![Ok(Some(vec![10, 10])); 5]);
    }

    #[test]
    fn a_look_up_may_have_more_keys_than_a_shared_statement() {
        let coalescer = Numbers::new(1);
        let keys: Vec<u32> = (0..1000).collect();
        let outcome = coalescer.submit(&keys, squares);
        assert_eq!(outcome.unwrap().unwrap().len(), 1000);
    }

    #[test]
    fn only_the_thread_that_runs_a_statement_gets_its_error() {
        let coalescer = Arc::new(Numbers::new(1));
        let outcomes = behind_a_running_statement(&coalescer, 5, |_| Err(()));
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_err()).count(), 1);
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Ok(None)).count(), 4);
        assert_eq!(coalescer.submit(&[3], squares), Ok(Some(vec![9])));
    }

    #[test]
    fn a_panic_in_a_statement_blocks_no_other_look_up() {
        let coalescer = Arc::new(Numbers::new(1));
        let panicking = Arc::clone(&coalescer);
        let panicking =
            thread::spawn(move || panicking.submit(&[1], |_| -> Result<_, ()> { panic!("on purpose") }));
        assert!(panicking.join().is_err());
        assert_eq!(coalescer.submit(&[3], squares), Ok(Some(vec![9])));
    }

    #[test]
    fn a_statement_that_hangs_blocks_no_other_look_up() {
        let coalescer = Arc::new(Numbers::new(1));
        let (go, wait) = channel::<()>();
        let hung = Arc::clone(&coalescer);
        let hung = thread::spawn(move || {
            hung.submit(&[1], |keys| {
                wait.recv().ok();
                squares(keys)
            })
        });
        while coalescer.state().running.is_empty() {
            thread::yield_now();
        }
        assert_eq!(coalescer.submit(&[3], squares), Ok(None));
        // A look-up that comes after that does not wait at all.
        assert_eq!(coalescer.submit(&[3], squares), Ok(Some(vec![9])));
        go.send(()).unwrap();
        assert_eq!(hung.join().unwrap(), Ok(Some(vec![1])));
        assert_eq!(coalescer.submit(&[3], squares), Ok(Some(vec![9])));
    }
}
