//! The replica (`[database] slave_connection`): reads that may lag behind go there, while it is any use.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::settings::Settings;
use super::url::DatabaseUrl;
use super::{Outcome, Store, Tx, migrations, sqlite_file};

/// For so long a replica that failed is not asked again.
const PAUSE: Duration = Duration::from_secs(5);
/// Nobody waits for longer than this for a connection to it: there is another place to read.
const PATIENCE: Duration = Duration::from_millis(500);

/// A copy of the database that is only read from.
pub(super) struct Replica {
    store: Store,
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    /// Whether the log has it that it is no use.
    is_told: bool,
}

enum Phase {
    /// It answers, and has our schema.
    Usable,
    /// Nobody knows; whoever comes first looks.
    Unknown,
    /// Somebody looks at it.
    Looked,
    /// It was no use.
    Away(Instant),
}

impl Replica {
    /// Nothing is connected yet.
    pub fn new(url: DatabaseUrl, settings: &Settings) -> Self {
        // One that falls silent keeps those who ask it: never more than half of all.
        let max_connections = settings.max_connections.div_ceil(2);
        let settings = Settings {
            max_connections,
            max_idle: settings.max_idle.min(max_connections),
            pool_timeout: settings.pool_timeout.min(PATIENCE),
            ..settings.clone()
        };
        let state = State { phase: Phase::Unknown, is_told: false };
        Self { store: Store::with_settings(url, &settings), state: Mutex::new(state) }
    }

    /// What it says; `None` when that is of no use.
    pub fn read<T>(&self, work: &mut impl FnMut(&mut Tx<'_>) -> Outcome<T>) -> Option<T> {
        if !self.is_usable() {
            return None;
        }
        match self.store.read(work) {
            Ok(value) => Some(value),
            Err(error) => {
                // What it does not know (404, a marker) may be known to the primary.
                if error.status() >= 500 {
                    self.is_away(&error.to_string());
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
                Phase::Looked => return false,
                Phase::Away(since) if since.elapsed() < PAUSE => return false,
                Phase::Unknown | Phase::Away(_) => state.phase = Phase::Looked,
            }
        }
        match self.look() {
            Ok(()) => {
                log::info!("the replica {:?} is read from", self.store.url());
                *self.state() = State { phase: Phase::Usable, is_told: false };
                true
            }
            Err(why) => {
                self.is_away(&why);
                false
            }
        }
    }

    /// Whether it answers and has the tables that this release reads.
    fn look(&self) -> std::result::Result<(), String> {
        if sqlite_file::is_missing(self.store.url()) {
            return Err("there is no such file".to_owned());
        }
        let mut connection = self.store.pool.get_within(PATIENCE)?;
        match migrations::fits(&mut connection) {
            Ok(true) => Ok(()),
            Ok(false) => Err("its schema is older than this release's".to_owned()),
            Err(error) => {
                super::discard(&mut connection);
                Err(error.to_string())
            }
        }
    }

    fn is_away(&self, why: &str) {
        let state = State { phase: Phase::Away(Instant::now()), is_told: true };
        if !std::mem::replace(&mut *self.state(), state).is_told {
            log::warn!("the replica {:?} is not read from, the primary is: {why}", self.store.url());
        }
    }
}
