//! The replica (`[database] slave_connection`): reads that may be stale go there while it is usable.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::settings::Settings;
use super::url::DatabaseUrl;
use super::{Outcome, Store, Tx, migrations, sqlite_file};

/// How long a replica that failed is not tried again.
const PAUSE: Duration = Duration::from_secs(5);
/// The longest wait for a connection to the replica, because the primary can be read instead.
const PATIENCE: Duration = Duration::from_millis(500);

/// A read-only copy of the database.
pub(in crate::store) struct Replica {
    store: Store,
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    /// Whether the log says already that the replica is unusable.
    is_logged: bool,
}

enum Phase {
    /// It answers, and has the schema of this release.
    Usable,
    /// It was not checked yet; the first read checks it.
    Unknown,
    /// A thread checks it.
    Checking,
    /// It was unusable at this time.
    Away(Instant),
}

impl Replica {
    /// Nothing is connected yet.
    pub fn new(url: DatabaseUrl, settings: &Settings) -> Self {
        // A replica that hangs blocks the threads that read from it: at most half of all.
        let max_connections = settings.max_connections.div_ceil(2);
        let settings = Settings {
            max_connections,
            max_idle: settings.max_idle.min(max_connections),
            pool_timeout: settings.pool_timeout.min(PATIENCE),
            ..settings.clone()
        };
        let state = State { phase: Phase::Unknown, is_logged: false };
        Self { store: Store::with_settings(url, &settings), state: Mutex::new(state) }
    }

    /// The result of `work` on the replica; `None` if the primary has to be read instead.
    pub fn read<T>(&self, work: &mut impl FnMut(&mut Tx<'_>) -> Outcome<T>) -> Option<T> {
        if !self.is_usable() {
            return None;
        }
        match self.store.read(work) {
            Ok(value) => Some(value),
            Err(error) => {
                // A row that the replica does not have (404, an unknown marker) may be in the primary.
                if error.status() >= 500 {
                    self.mark_away(&error.to_string());
                }
                None
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_usable(&self) -> bool {
        {
            let mut state = self.state();
            match state.phase {
                Phase::Usable => return true,
                Phase::Checking => return false,
                Phase::Away(since) if since.elapsed() < PAUSE => return false,
                Phase::Unknown | Phase::Away(_) => state.phase = Phase::Checking,
            }
        }
        match self.check() {
            Ok(()) => {
                log::info!("the replica {:?} is read from", self.store.url());
                *self.state() = State { phase: Phase::Usable, is_logged: false };
                true
            }
            Err(why) => {
                self.mark_away(&why);
                false
            }
        }
    }

    /// Whether it answers and has the tables that this release reads.
    fn check(&self) -> std::result::Result<(), String> {
        if sqlite_file::is_missing(self.store.url()) {
            return Err("there is no such file".to_owned());
        }
        let mut connection = self.store.pool.get_within(PATIENCE)?;
        match migrations::is_migrated(&mut connection) {
            Ok(true) => Ok(()),
            Ok(false) => Err("its schema is older than this release's".to_owned()),
            Err(error) => {
                super::discard(&mut connection);
                Err(error.to_string())
            }
        }
    }

    fn mark_away(&self, why: &str) {
        let state = State { phase: Phase::Away(Instant::now()), is_logged: true };
        if !std::mem::replace(&mut *self.state(), state).is_logged {
            log::warn!("the replica {:?} is not read from, the primary is: {why}", self.store.url());
        }
    }
}
