//! The check that the database answers.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::Finding;

/// The name by which operators set the level of these log lines.
const TARGET: &str = "freezer_api::handlers::health::database";

/// How long the health check waits for the database.
const TIMEOUT: Duration = Duration::from_secs(1);

/// The age at which a ping without a result no longer blocks a new one.
const ABANDONED_AFTER: Duration = Duration::from_secs(60);

/// The finding that the file of the database was replaced or removed.
pub fn replaced() -> Finding {
    Finding {
        available: false,
        class: "DatabaseHealthcheckResult",
        reason: "DATABASE REPLACED",
        details: "The file of the database was replaced or removed; the log says more".to_owned(),
    }
}

/// Pings the database for all concurrent health checks together, with one ping at a time (single-flight).
#[derive(Default)]
pub struct Probe(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    answered: Condvar,
}

#[derive(Default)]
struct State {
    /// The number of the latest ping.
    round: u64,
    /// When that ping started; `None` once it has a result.
    started: Option<Instant>,
    /// The latest result; `Some(false)` if a ping had none in time.
    last_result: Option<bool>,
}

impl Probe {
    /// Checks the database by `ping`, which is given the time to wait. While a ping is under way, this is the result of
    /// the previous one.
    pub fn check(&self, ping: impl FnOnce(Duration) -> Result<(), String> + Send + 'static) -> Finding {
        let ping = move || match ping(TIMEOUT) {
            Ok(()) => true,
            Err(error) => {
                log::warn!(target: TARGET, "health check: the database does not answer: {error}");
                false
            }
        };
        let available = self.ping_once(ping, TIMEOUT);
        // The driver's error names hosts and users, so it is only logged.
        let (reason, details) = match available {
            true => ("OK", "The database answers"),
            false => ("DATABASE UNAVAILABLE", "The database does not answer; the log says more"),
        };
        Finding { available, class: "DatabaseHealthcheckResult", reason, details: details.to_owned() }
    }

    /// Runs `ping` on its own thread, unless one is under way, and waits for its result for at most `patience`.
    fn ping_once(&self, ping: impl FnOnce() -> bool + Send + 'static, patience: Duration) -> bool {
        let mut state = self.0.lock();
        if state.started.is_none_or(|started| started.elapsed() > ABANDONED_AFTER) {
            state.round += 1;
            state.started = Some(Instant::now());
            let (shared, round) = (Arc::clone(&self.0), state.round);
            let spawned = thread::Builder::new()
                .name("health check".to_owned())
                .spawn(move || shared.answer(round, ping()));
            if let Err(error) = spawned {
                log::error!(target: TARGET, "health check: {error}");
                state.started = None;
                return false;
            }
        } else if let Some(known) = state.last_result {
            return known;
        }
        let round = state.round;
        let waiting = |state: &mut State| state.round == round && state.started.is_some();
        let waited = self.0.answered.wait_timeout_while(state, patience, waiting);
        let (mut state, silence) = waited.unwrap_or_else(PoisonError::into_inner);
        if silence.timed_out() {
            log::warn!(target: TARGET, "health check: the database has not answered for {patience:?}");
            state.last_result = Some(false);
        }
        state.last_result.unwrap_or(false)
    }
}

impl Shared {
    fn answer(&self, round: u64, available: bool) {
        let mut state = self.lock();
        // The result of an abandoned ping is out of date.
        if state.round == round {
            state.started = None;
            state.last_result = Some(available);
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
    fn each_check_runs_a_ping() {
        let probe = Probe::default();
        assert!(probe.ping_once(|| true, LONG));
        assert!(!probe.ping_once(|| false, LONG));
        assert!(probe.ping_once(|| true, LONG));
    }

    #[test]
    fn a_database_that_hangs_gets_one_ping() {
        let probe = Probe::default();
        assert!(probe.ping_once(|| true, LONG));
        let (answer, hung) = mpsc::channel();
        assert!(!probe.ping_once(move || hung.recv().unwrap(), SHORT));
        for _ in 0..100 {
            // Without waiting, and without a ping.
            assert!(!probe.ping_once(|| panic!("asked again"), LONG));
        }
        answer.send(true).unwrap();
        let state = probe.0.lock();
        let (state, _) =
            probe.0.answered.wait_timeout_while(state, LONG, |state| state.started.is_some()).unwrap();
        assert_eq!(state.last_result, Some(true));
        drop(state);
        assert!(!probe.ping_once(|| false, LONG));
    }

    #[test]
    fn an_abandoned_ping_is_replaced() {
        let probe = Probe::default();
        let (answer, hung) = mpsc::channel();
        assert!(!probe.ping_once(move || hung.recv().unwrap(), SHORT));
        probe.0.lock().started = Instant::now().checked_sub(ABANDONED_AFTER + TIMEOUT);
        assert!(probe.ping_once(|| true, LONG));
        // The late result of the abandoned ping changes nothing.
        probe.0.answer(1, false);
        assert_eq!(probe.0.lock().last_result, Some(true));
        drop(answer);
    }
}
