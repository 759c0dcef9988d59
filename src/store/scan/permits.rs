//! How many scans run at once: a few of each project, and a few in all.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use front::workers;

use super::Limits;

/// Grants permits to scan in the order of the requests, as far as the projects' shares allow.
pub struct Permits {
    pub(super) limits: Limits,
    in_all: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    total: usize,
    /// How many scans each project has running; no entry for none.
    running: HashMap<String, usize>,
    waiting: VecDeque<(u64, String)>,
    last: u64,
}

impl State {
    /// The number of the first in the queue that may run, if there is one.
    fn next(&self, in_all: usize, of_a_project: usize) -> Option<u64> {
        let has_room = |project: &String| self.running.get(project).is_none_or(|count| *count < of_a_project);
        let mut able = self.waiting.iter().filter(|(_, project)| has_room(project));
        able.next().filter(|_| self.total < in_all).map(|(number, _)| *number)
    }
}

/// A permit, given back when it is dropped.
pub struct Permit<'p> {
    permits: &'p Permits,
    project: String,
}

impl Permits {
    /// At most `in_all` permits at once, and at least one.
    pub fn new(limits: Limits, in_all: usize) -> Self {
        Self { limits, in_all: in_all.max(1), state: Mutex::default(), changed: Condvar::new() }
    }

    /// A permit for a scan of that project, within the time that the limits allow. A thread that waits has neither a
    /// worker slot nor a connection.
    pub fn enter(&self, project: &str) -> Option<Permit<'_>> {
        let number = {
            let mut state = self.lock();
            state.last += 1;
            let number = state.last;
            state.waiting.push_back((number, project.to_owned()));
            number
        };
        let is_allowed = self.take(&mut self.lock(), number, project)
            || workers::while_parked(|| self.wait_for(number, project));
        is_allowed.then(|| Permit { permits: self, project: project.to_owned() })
    }

    fn wait_for(&self, number: u64, project: &str) -> bool {
        let until = Instant::now() + self.limits.wait;
        let mut state = self.lock();
        while !self.take(&mut state, number, project) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                state.waiting.retain(|(other, _)| *other != number);
                // A thread behind this one in the queue may be able to run now.
                self.changed.notify_all();
                return false;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Takes a permit, if it is this request's turn.
    fn take(&self, state: &mut State, number: u64, project: &str) -> bool {
        if state.next(self.in_all, self.limits.of_a_project) != Some(number) {
            return false;
        }
        state.waiting.retain(|(other, _)| *other != number);
        state.total += 1;
        *state.running.entry(project.to_owned()).or_default() += 1;
        // There may be room for one more.
        self.changed.notify_all();
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = self.permits.lock();
        state.total -= 1;
        if let Some(count) = state.running.get_mut(&self.project) {
            *count -= 1;
            if *count == 0 {
                state.running.remove(&self.project);
            }
        }
        self.permits.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;
    use std::time::Duration;

    use super::*;

    fn permits(in_all: usize, wait: Duration) -> Arc<Permits> {
        Arc::new(Permits::new(Limits { wait, ..Limits::default() }, in_all))
    }

    #[test]
    fn a_project_has_its_share_and_all_have_theirs() {
        let permits = permits(3, Duration::from_millis(20));
        let first = permits.enter("a").unwrap();
        let _second = permits.enter("a").unwrap();
        assert!(permits.enter("a").is_none());
        let _third = permits.enter("b").unwrap();
        assert!(permits.enter("c").is_none(), "three are enough");
        drop(first);
        assert!(permits.enter("a").is_some());
        assert!(permits.enter("c").is_some());
        assert!(permits.lock().waiting.is_empty());
    }

    #[test]
    fn there_is_always_room_for_one() {
        let permits = permits(0, Duration::ZERO);
        let only = permits.enter("a").unwrap();
        assert!(permits.enter("b").is_none());
        drop(only);
        assert!(permits.enter("b").is_some());
        assert!(permits.lock().running.is_empty());
    }

    #[test]
    fn a_project_at_its_limit_keeps_no_other_waiting() {
        let permits = permits(3, Duration::from_secs(30));
        let held = [permits.enter("a").unwrap(), permits.enter("a").unwrap()];
        thread::scope(|scope| {
            let third = scope.spawn(|| permits.enter("a").is_some());
            while permits.lock().waiting.is_empty() {
                thread::yield_now();
            }
            assert!(permits.enter("b").is_some(), "the other is not in its way");
            drop(held);
            assert!(third.join().unwrap());
        });
    }
}
