//! Remembers whether the database accepts connections, so that requests fail fast while it is down.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// After a failed attempt, further attempts fail at once for this long. So a database that is down sees two attempts per
/// second however many threads want a connection, and is found again within half a second.
const PAUSE: Duration = Duration::from_millis(500);
/// A database that has not answered an attempt for this long counts as down.
const PATIENCE: Duration = Duration::from_secs(2);

/// The outcomes of the attempts to connect, over all threads.
#[derive(Default)]
pub struct Outage(Mutex<State>);

#[derive(Default)]
struct State {
    /// The last failure, until an attempt succeeds.
    failed: Option<(Instant, String)>,
    /// How many attempts are in progress.
    trying: usize,
    /// The time since which none of them has ended.
    since: Option<Instant>,
}

impl Outage {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes an attempt with `connect`, unless one has just failed: then this one fails with the same message.
    ///
    /// # Errors
    /// `refused` with the message of the last failure; else the error of `connect`.
    pub fn attempt<T, E: std::fmt::Display>(
        &self,
        connect: impl FnOnce() -> Result<T, E>,
        refused: impl FnOnce(String) -> E,
    ) -> Result<T, E> {
        {
            let mut state = self.state();
            if let Some((at, why)) = &state.failed
                && at.elapsed() < PAUSE
            {
                return Err(refused(why.clone()));
            }
            state.trying += 1;
            state.since.get_or_insert_with(Instant::now);
        }
        let outcome = connect();
        let mut state = self.state();
        state.trying -= 1;
        state.since = (state.trying > 0).then(Instant::now);
        match &outcome {
            Ok(_) => {
                if state.failed.take().is_some() {
                    log::info!("the database answers again");
                }
            }
            Err(error) => {
                if state.failed.is_none() {
                    log::warn!("cannot open a database connection, trying on: {error}");
                }
                state.failed = Some((Instant::now(), error.to_string()));
            }
        }
        outcome
    }

    /// Why the database counts as down; `None` when it does not.
    pub fn why(&self) -> Option<String> {
        let state = self.state();
        let silent = state.since.is_some_and(|since| since.elapsed() > PATIENCE);
        match &state.failed {
            Some((_, why)) => Some(why.clone()),
            None => silent.then(|| "the database does not answer to an attempt to connect".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_remembered_until_a_success() {
        let outage = Outage::default();
        assert_eq!(outage.why(), None);
        assert_eq!(
            outage.attempt(|| Err::<(), _>("refused".to_owned()), |why| why),
            Err("refused".to_owned())
        );
        assert_eq!(outage.why().as_deref(), Some("refused"));
        // The next attempt comes too soon and is not made.
        assert_eq!(
            outage.attempt(|| Ok(()), |why| format!("again: {why}")),
            Err("again: refused".to_owned())
        );
        if let Some((at, _)) = &mut outage.state().failed {
            *at -= PAUSE;
        }
        assert_eq!(outage.attempt(|| Ok::<_, String>(5), |why| why), Ok(5));
        assert_eq!(outage.why(), None);
    }

    #[test]
    fn silence_is_an_outage_too() {
        let outage = Outage::default();
        let connect = || {
            assert_eq!(outage.why(), None, "it has just been asked");
            if let Some(since) = &mut outage.state().since {
                *since -= PATIENCE + PAUSE;
            }
            assert!(outage.why().unwrap().contains("does not answer"));
            Ok::<_, String>(())
        };
        assert_eq!(outage.attempt(connect, |why| why), Ok(()));
        assert_eq!(outage.why(), None);
    }
}
