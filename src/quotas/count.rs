//! The number of rows of a kind that a project has, as far as one process knows.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use front::error::{Error, Result};
use front::workers;

use super::FRESH;

/// More rows than all processes together create in a second, so that a count stays good for as long as this many would
/// need to reach the quota.
const MAX_RATE: i64 = 10_000;

/// A count is not kept for longer than this, however far the quota is.
const MAX_AGE: Duration = Duration::from_secs(3600);

/// When the last count leaves no room, the rows are counted again after this many times as long as that count took. So
/// refused requests use at most a twentieth of one connection.
const RECOUNT_FACTOR: u32 = 20;

/// The rows of one kind of one project.
#[derive(Default)]
pub struct Count {
    state: Mutex<State>,
    /// Held by the request that counts.
    counting: Mutex<()>,
}

/// The numbers behind the lock.
#[derive(Default)]
pub struct State {
    last: Option<CountResult>,
    /// Rows that this process has created since the last count began.
    pub created: i64,
    /// Rows of requests in progress.
    pub reserved: i64,
    /// How many counts have ended, and what the last one failed with.
    attempts: u64,
    failure: Option<Error>,
}

/// The result of a count.
struct CountResult {
    rows: i64,
    began: Instant,
    took: Duration,
    /// How long it can be used.
    good_for: Duration,
}

/// Whether the rows have to be counted.
#[derive(Debug, PartialEq, Eq)]
enum Need {
    No,
    /// The last count has room, but is too old to be used for long.
    Soon,
    /// The request cannot be decided without it.
    Now,
}

impl Count {
    /// The numbers.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts the rows if that is due. At most one request counts at a time; another waits for it only where it needs
    /// the number.
    ///
    /// # Errors
    /// The error of `count`, here or in the request that this one has waited for.
    pub fn refresh(&self, limit: i64, wanted: i64, count: impl FnOnce() -> Result<i64>) -> Result<()> {
        let (need, attempts) = {
            let state = self.state();
            (state.need(limit, wanted, Instant::now()), state.attempts)
        };
        let _counting = match need {
            Need::No => return Ok(()),
            Need::Soon => match self.counting.try_lock() {
                Ok(guard) => guard,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return Ok(()),
            },
            Need::Now => {
                workers::while_parked(|| self.counting.lock().unwrap_or_else(PoisonError::into_inner))
            }
        };
        let created_before = {
            let state = self.state();
            if state.attempts != attempts {
                return state.failure.clone().map_or(Ok(()), Err);
            }
            state.created
        };
        let began = Instant::now();
        let outcome = count();
        self.state().note(outcome, limit, created_before, began)
    }
}

impl State {
    /// The number of rows as far as this process knows, with the rows that are reserved.
    pub fn used(&self) -> i64 {
        self.last.as_ref().map_or(0, |last| last.rows) + self.created + self.reserved
    }

    fn need(&self, limit: i64, wanted: i64, now: Instant) -> Need {
        let Some(last) = &self.last else { return Need::Now };
        let age = now.saturating_duration_since(last.began);
        if self.used() + wanted > limit && age >= last.took.saturating_mul(RECOUNT_FACTOR).min(FRESH) {
            Need::Now
        } else if age >= last.good_for {
            Need::Soon
        } else {
            Need::No
        }
    }

    /// Stores the result of a count. Rows that were created while it ran may or may not be in it; they are added to it.
    fn note(&mut self, outcome: Result<i64>, limit: i64, created_before: i64, began: Instant) -> Result<()> {
        self.attempts += 1;
        self.failure = outcome.as_ref().err().cloned();
        let rows = outcome?;
        let seconds = u64::try_from((limit - rows) / MAX_RATE).unwrap_or(0);
        self.created -= created_before;
        self.last = Some(CountResult {
            rows,
            began,
            took: began.elapsed(),
            good_for: Duration::from_secs(seconds).clamp(FRESH, MAX_AGE),
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(rows: i64, limit: i64, took: Duration) -> (State, Instant) {
        let mut state = State::default();
        let began = Instant::now();
        state.note(Ok(rows), limit, 0, began).unwrap();
        state.last.as_mut().unwrap().took = took;
        (state, began)
    }

    #[test]
    fn a_count_is_good_for_as_long_as_the_quota_cannot_be_reached() {
        for (rows, limit, seconds) in [
            (0, 10_000, 60),
            (0, 5_000_000, 500),
            (4_000_000, 5_000_000, 100),
            (4_999_999, 5_000_000, 60),
            (6_000_000, 5_000_000, 60),
            (0, i64::MAX, 3600),
        ] {
            let (state, began) = counted(rows, limit, Duration::ZERO);
            let after = |seconds| state.need(limit + rows, 1, began + Duration::from_secs(seconds));
            assert_eq!((after(seconds - 1), after(seconds)), (Need::No, Need::Soon), "{rows} of {limit}");
        }
    }

    #[test]
    fn a_refusal_rests_on_a_count_that_is_as_new_as_its_cost_allows() {
        let (state, began) = counted(10, 10, Duration::from_millis(1));
        let after = |state: &State, millis| state.need(10, 1, began + Duration::from_millis(millis));
        assert_eq!((after(&state, 19), after(&state, 20)), (Need::No, Need::Now));
        let (state, began) = counted(10, 10, Duration::from_secs(30));
        let after = |seconds| state.need(10, 1, began + Duration::from_secs(seconds));
        assert_eq!((after(59), after(60)), (Need::No, Need::Now));
    }

    #[test]
    fn rows_created_during_a_count_are_not_lost() {
        let count = Count::default();
        count.state().created = 3;
        let rows = || {
            count.state().created += 2;
            Ok(7)
        };
        count.refresh(100, 1, rows).unwrap();
        assert_eq!(count.state().used(), 9);
    }

    #[test]
    fn requests_that_wait_for_a_count_share_its_failure() {
        let count = Count::default();
        let away = || Error::unavailable("The database cannot be reached at the moment.", "gone");
        std::thread::scope(|scope| {
            let first = scope.spawn(|| {
                count.refresh(100, 1, || {
                    std::thread::sleep(Duration::from_millis(300));
                    Err(away())
                })
            });
            std::thread::sleep(Duration::from_millis(100));
            let second = count.refresh(100, 1, || panic!("the second request counts too"));
            assert_eq!(first.join().unwrap().unwrap_err().status(), 503);
            assert_eq!(second.unwrap_err().status(), 503);
        });
        count.refresh(100, 1, || Ok(5)).unwrap();
        assert_eq!(count.state().used(), 5);
    }
}
