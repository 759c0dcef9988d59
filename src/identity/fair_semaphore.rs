//! A semaphore that shares its permits fairly among addresses.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use front::error::{Error, Result};

use super::limits::Origin;

/// The priority of a waiting login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Priority {
    /// The user has logged in from this address before.
    Known,
    /// The user has neither logged in from the address, nor have logins from there failed lately.
    Unknown,
    /// Logins from the address have failed lately.
    Failing,
}

/// The place of a waiting login in the order: by priority, then by round, so that addresses alternate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ticket {
    priority: Priority,
    /// Each address has one ticket per round.
    round: u64,
    number: u64,
}

/// A semaphore with fair queueing: within a priority, addresses alternate, however many logins one of them has waiting.
pub(super) struct FairSemaphore {
    state: Mutex<State>,
    changed: Condvar,
    permits: usize,
    /// How many logins may wait; beyond that, the last in the order are refused.
    max_waiting: usize,
    max_wait: Duration,
}

#[derive(Default)]
struct State {
    running: usize,
    round: u64,
    number: u64,
    waiting: BTreeMap<Ticket, Origin>,
}

/// A permit, which is released on drop.
pub(super) struct Permit<'t>(&'t FairSemaphore);

impl FairSemaphore {
    pub(super) fn new(permits: usize, max_waiting: usize, max_wait: Duration) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), permits, max_waiting, max_wait }
    }

    /// Waits for a permit.
    ///
    /// # Errors
    /// 503 if too many logins wait, or this one for too long.
    pub(super) fn acquire(&self, origin: Origin, priority: Priority) -> Result<Permit<'_>> {
        let until = Instant::now() + self.max_wait;
        let mut state = self.lock();
        if state.running < self.permits && state.waiting.is_empty() {
            state.running += 1;
            return Ok(Permit(self));
        }
        let ticket = state.ticket(origin, priority);
        state.waiting.insert(ticket, origin);
        if state.waiting.len() > self.max_waiting {
            // The dropped ticket may be the one just inserted.
            state.waiting.pop_last();
            self.changed.notify_all();
        }
        while state.waiting.contains_key(&ticket) {
            let is_next = state.waiting.first_key_value().is_some_and(|(first, _)| *first == ticket);
            if is_next && state.running < self.permits {
                state.waiting.pop_first();
                state.running += 1;
                state.round = state.round.max(ticket.round);
                self.changed.notify_all();
                return Ok(Permit(self));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                state.waiting.remove(&ticket);
                self.changed.notify_all();
                break;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Err(Error::unavailable(
            "Too many logins at the same time; try again.",
            "the bound on waiting logins was reached",
        ))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn ticket(&mut self, origin: Origin, priority: Priority) -> Ticket {
        let of_origin = self.waiting.iter().filter(|(_, waiting)| **waiting == origin);
        let last = of_origin.map(|(ticket, _)| ticket.round + 1).max().unwrap_or_default();
        self.number += 1;
        Ticket { priority, round: last.max(self.round), number: self.number }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    fn origin(number: u8) -> Origin {
        Origin::new(IpAddr::from([192, 0, 2, number]))
    }

    fn semaphore(permits: usize, max_waiting: usize) -> FairSemaphore {
        FairSemaphore::new(permits, max_waiting, Duration::from_secs(20))
    }

    /// The order in which waiting logins get their permits.
    fn order(asking: &[(u8, Priority)]) -> Vec<u8> {
        let semaphore = semaphore(1, asking.len());
        let (said, heard) = mpsc::channel();
        thread::scope(|scope| {
            let first = semaphore.acquire(origin(0), Priority::Known).unwrap();
            for (count, (number, priority)) in asking.iter().enumerate() {
                let (semaphore, said) = (&semaphore, said.clone());
                scope.spawn(move || {
                    let _permit = semaphore.acquire(origin(*number), *priority).unwrap();
                    said.send(*number).unwrap();
                });
                while semaphore.lock().waiting.len() <= count {
                    thread::yield_now();
                }
            }
            drop(first);
        });
        drop(said);
        heard.iter().collect()
    }

    #[test]
    fn addresses_take_turns_however_often_each_asks() {
        use Priority::Unknown as U;
        assert_eq!(order(&[(1, U), (1, U), (1, U), (1, U), (2, U), (3, U), (2, U)]), [1, 2, 3, 1, 2, 1, 1]);
    }

    #[test]
    fn an_address_with_recent_failures_waits_behind_and_a_known_user_goes_first() {
        use Priority::{Failing, Known, Unknown};
        assert_eq!(order(&[(1, Failing), (1, Failing), (2, Unknown), (3, Known)]), [3, 2, 1, 1]);
    }

    #[test]
    fn when_too_many_wait_the_last_in_the_order_are_refused() {
        let semaphore = semaphore(1, 1);
        thread::scope(|scope| {
            let running = semaphore.acquire(origin(1), Priority::Unknown).unwrap();
            let displaced = scope.spawn(|| semaphore.acquire(origin(2), Priority::Failing).map(drop));
            while semaphore.lock().waiting.is_empty() {
                thread::yield_now();
            }
            assert_eq!(semaphore.acquire(origin(3), Priority::Failing).map(drop).unwrap_err().status(), 503);
            let honest = scope.spawn(|| semaphore.acquire(origin(4), Priority::Known).map(drop));
            assert_eq!(displaced.join().unwrap().unwrap_err().status(), 503);
            drop(running);
            honest.join().unwrap().unwrap();
        });
        let state = semaphore.lock();
        assert_eq!((state.running, state.waiting.len()), (0, 0));
    }

    #[test]
    fn the_wait_has_an_end() {
        let semaphore = FairSemaphore::new(1, 8, Duration::from_millis(20));
        let running = semaphore.acquire(origin(1), Priority::Known).unwrap();
        assert_eq!(semaphore.acquire(origin(2), Priority::Known).map(drop).unwrap_err().status(), 503);
        drop(running);
        assert!(semaphore.acquire(origin(2), Priority::Known).is_ok());
    }
}
