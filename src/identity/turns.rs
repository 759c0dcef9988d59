//! A bounded number of turns at once, shared fairly among the addresses that ask for one.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::limits::Origin;
use crate::error::{Error, Result};

/// The priority of a waiting login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// The user has logged in from this address before.
    Known,
    /// Nothing is known of the address.
    Unknown,
    /// Logins from the address have failed lately.
    Failing,
}

/// The order of those that wait: by class; in a class the addresses take turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ticket {
    class: Class,
    /// Each address has one ticket a round.
    round: u64,
    number: u64,
}

/// Fair queueing: however many tickets one address has, another address waits for at most one of them.
pub(super) struct Turns {
    state: Mutex<State>,
    changed: Condvar,
    at_once: usize,
    /// How many requests may wait; beyond that the last in the order are refused.
    max_waiting: usize,
    patience: Duration,
}

#[derive(Default)]
struct State {
    running: usize,
    round: u64,
    number: u64,
    waiting: BTreeMap<Ticket, Origin>,
}

/// A turn, until it is dropped.
pub(super) struct Turn<'t>(&'t Turns);

impl Turns {
    pub(super) fn new(at_once: usize, max_waiting: usize, patience: Duration) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), at_once, max_waiting, patience }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// 503 when too many wait, or for too long.
    pub(super) fn take(&self, origin: Origin, class: Class) -> Result<Turn<'_>> {
        let until = Instant::now() + self.patience;
        let mut state = self.lock();
        if state.running < self.at_once && state.waiting.is_empty() {
            state.running += 1;
            return Ok(Turn(self));
        }
        let ticket = state.ticket(origin, class);
        state.waiting.insert(ticket, origin);
        if state.waiting.len() > self.max_waiting {
            // It may be this thread's own ticket.
            state.waiting.pop_last();
            self.changed.notify_all();
        }
        while state.waiting.contains_key(&ticket) {
            let is_next = state.waiting.first_key_value().is_some_and(|(first, _)| *first == ticket);
            if is_next && state.running < self.at_once {
                state.waiting.pop_first();
                state.running += 1;
                state.round = state.round.max(ticket.round);
                self.changed.notify_all();
                return Ok(Turn(self));
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
    fn ticket(&mut self, origin: Origin, class: Class) -> Ticket {
        let of_origin = self.waiting.iter().filter(|(_, waiting)| **waiting == origin);
        let last = of_origin.map(|(ticket, _)| ticket.round + 1).max().unwrap_or_default();
        self.number += 1;
        Ticket { class, round: last.max(self.round), number: self.number }
    }
}

impl Drop for Turn<'_> {
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

    fn turns(at_once: usize, max_waiting: usize) -> Turns {
        Turns::new(at_once, max_waiting, Duration::from_secs(20))
    }

    /// The order in which these get their turns, when all of them wait for one.
    fn order(asking: &[(u8, Class)]) -> Vec<u8> {
        let turns = turns(1, asking.len());
        let (said, heard) = mpsc::channel();
        thread::scope(|scope| {
            let first = turns.take(origin(0), Class::Known).unwrap();
            for (count, (number, class)) in asking.iter().enumerate() {
                let (turns, said) = (&turns, said.clone());
                scope.spawn(move || {
                    let _turn = turns.take(origin(*number), *class).unwrap();
                    said.send(*number).unwrap();
                });
                while turns.lock().waiting.len() <= count {
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
        use Class::Unknown as U;
        assert_eq!(order(&[(1, U), (1, U), (1, U), (1, U), (2, U), (3, U), (2, U)]), [1, 2, 3, 1, 2, 1, 1]);
    }

    #[test]
    fn an_address_with_recent_failures_waits_behind_and_a_known_user_goes_first() {
        use Class::{Failing, Known, Unknown};
        assert_eq!(order(&[(1, Failing), (1, Failing), (2, Unknown), (3, Known)]), [3, 2, 1, 1]);
    }

    #[test]
    fn when_too_many_wait_the_last_in_the_order_are_refused() {
        let turns = turns(1, 1);
        thread::scope(|scope| {
            let running = turns.take(origin(1), Class::Unknown).unwrap();
            let displaced = scope.spawn(|| turns.take(origin(2), Class::Failing).map(drop));
            while turns.lock().waiting.is_empty() {
                thread::yield_now();
            }
            assert_eq!(turns.take(origin(3), Class::Failing).map(drop).unwrap_err().status(), 503);
            let honest = scope.spawn(|| turns.take(origin(4), Class::Known).map(drop));
            assert_eq!(displaced.join().unwrap().unwrap_err().status(), 503);
            drop(running);
            honest.join().unwrap().unwrap();
        });
        let state = turns.lock();
        assert_eq!((state.running, state.waiting.len()), (0, 0));
    }

    #[test]
    fn the_wait_has_an_end() {
        let turns = Turns::new(1, 8, Duration::from_millis(20));
        let running = turns.take(origin(1), Class::Known).unwrap();
        assert_eq!(turns.take(origin(2), Class::Known).map(drop).unwrap_err().status(), 503);
        drop(running);
        assert!(turns.take(origin(2), Class::Known).is_ok());
    }
}
