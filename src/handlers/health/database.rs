//! Whether the database answers.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::Finding;
use crate::store::Store;

/// How long the health check waits for the database.
const PATIENCE: Duration = Duration::from_secs(1);

/// After this long a question that has got no answer is no reason any more not to ask again.
const LOST: Duration = Duration::from_secs(60);

/// The finding that the file of the database was replaced or removed.
pub fn replaced() -> Finding {
    Finding {
        available: false,
        class: "DatabaseHealthcheckResult",
        reason: "DATABASE REPLACED",
        details: "The file of the database was replaced or removed; the log says more".to_owned(),
    }
}

/// Asks the database, one question at a time, whoever and how many want to know.
#[derive(Default)]
pub struct Probe(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    answered: Condvar,
}

#[derive(Default)]
struct State {
    /// The number of the last question.
    round: u64,
    /// When it was asked; `None` once it is answered.
    asked: Option<Instant>,
    /// What is known from the last answer, or from there being none.
    known: Option<bool>,
}

impl Probe {
    /// What the database says. While a question is on its way, the answer to the one before.
    pub fn look(&self, store: &Store) -> Finding {
        let store = store.clone();
        let ping = move || match store.ping(PATIENCE) {
            Ok(()) => true,
            Err(error) => {
                log::warn!("health check: the database does not answer: {error}");
                false
            }
        };
        let available = self.ask(ping, PATIENCE);
        // What the driver says of hosts and users is for the log.
        let (reason, details) = match available {
            true => ("OK", "The database answers"),
            false => ("DATABASE UNAVAILABLE", "The database does not answer; the log says more"),
        };
        Finding { available, class: "DatabaseHealthcheckResult", reason, details: details.to_owned() }
    }

    /// Asks with `ping`, which may take as long as it likes, on a thread of its own.
    fn ask(&self, ping: impl FnOnce() -> bool + Send + 'static, patience: Duration) -> bool {
        let mut state = self.0.lock();
        if state.asked.is_none_or(|asked| asked.elapsed() > LOST) {
            state.round += 1;
            state.asked = Some(Instant::now());
            let (shared, round) = (Arc::clone(&self.0), state.round);
            let spawned = thread::Builder::new()
                .name("health check".to_owned())
                .spawn(move || shared.answer(round, ping()));
            if let Err(error) = spawned {
                log::error!("health check: {error}");
                state.asked = None;
                return false;
            }
        } else if let Some(known) = state.known {
            return known;
        }
        let round = state.round;
        let waiting = |state: &mut State| state.round == round && state.asked.is_some();
        let waited = self.0.answered.wait_timeout_while(state, patience, waiting);
        let (mut state, silence) = waited.unwrap_or_else(PoisonError::into_inner);
        if silence.timed_out() {
            log::warn!("health check: the database has not answered for {patience:?}");
            state.known = Some(false);
        }
        state.known.unwrap_or(false)
    }
}

impl Shared {
    fn answer(&self, round: u64, available: bool) {
        let mut state = self.lock();
        // An answer to a question that was given up says nothing about now.
        if state.round == round {
            state.asked = None;
            state.known = Some(available);
            self.answered.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const LONG: Duration = Duration::from_secs(30);
    const SHORT: Duration = Duration::from_millis(20);

    #[test]
    fn each_answer_is_news() {
        let probe = Probe::default();
        assert!(probe.ask(|| true, LONG));
        assert!(!probe.ask(|| false, LONG));
        assert!(probe.ask(|| true, LONG));
    }

    #[test]
    fn a_database_that_hangs_is_asked_once() {
        let probe = Probe::default();
        assert!(probe.ask(|| true, LONG));
        let (answer, hung) = mpsc::channel();
        assert!(!probe.ask(move || hung.recv().unwrap(), SHORT));
        for _ in 0..100 {
            // Without waiting, and without asking.
            assert!(!probe.ask(|| panic!("asked again"), LONG));
        }
        answer.send(true).unwrap();
        let state = probe.0.lock();
        let (state, _) =
            probe.0.answered.wait_timeout_while(state, LONG, |state| state.asked.is_some()).unwrap();
        assert_eq!(state.known, Some(true));
        drop(state);
        assert!(!probe.ask(|| false, LONG));
    }

    #[test]
    fn a_question_that_was_lost_is_asked_again() {
        let probe = Probe::default();
        let (answer, hung) = mpsc::channel();
        assert!(!probe.ask(move || hung.recv().unwrap(), SHORT));
        probe.0.lock().asked = Instant::now().checked_sub(LOST + PATIENCE);
        assert!(probe.ask(|| true, LONG));
        // The late answer to the lost one changes nothing.
        probe.0.answer(1, false);
        assert_eq!(probe.0.lock().known, Some(true));
        drop(answer);
    }
}
