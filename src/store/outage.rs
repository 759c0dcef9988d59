//! Whether the database answers to those who want a connection.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// After a failure nobody asks again for this long. However many connections are wanted, a database that is down is
/// asked twice a second, and found again as soon.
const PAUSE: Duration = Duration::from_millis(500);
/// A database that takes longer than this for a connection is away too, as far as a request is concerned.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the attempts to connect have come to, over all threads.
#[derive(Default)]
pub struct Outage(Mutex<State>);

#[derive(Default)]
struct State {
    /// The last failure, until an attempt succeeds.
    failed: Option<(Instant, String)>,
    /// How many attempts are under way.
    trying: usize,
    /// Since when they are without an outcome.
    since: Option<Instant>,
}

impl Outage {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes an attempt with `connect`, unless one has just failed: then this one fails with the same words.
    ///
    /// # Errors
    /// `refused` of the last failure's words; else what `connect` fails with.
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

    /// Why there is no hope of a connection at the moment; `None` when there is.
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
        // Whoever comes next is not let through at once.
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
