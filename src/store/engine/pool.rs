//! The connection pool: how long connections are kept, and how a request waits for one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::connection::{Connection, TransactionManager};
use front::workers;

use super::connection::AnyConnection;
use super::manager::Manager;
use super::outage::Outage;
use super::settings::Settings;
use super::sqlite_file::ServedFile;
use super::url::{Backend, DatabaseUrl};

/// How often a waiting thread checks whether the database is down.
const LOOK: Duration = Duration::from_millis(100);
/// r2d2 tries to connect until it succeeds, with pauses of at most half of this.
const RETRY: Duration = Duration::from_secs(1);
/// The shortest maximum age of a connection that r2d2 accepts.
const LEAST_AGE: Duration = Duration::from_secs(1);

/// Connections to one database. Cheap to clone.
#[derive(Clone)]
pub struct Pool {
    connections: r2d2::Pool<Manager>,
    outage: Arc<Outage>,
    timeout: Duration,
    max_idle: u32,
}

/// A connection that goes back to the pool when it is dropped.
pub type Pooled = r2d2::PooledConnection<Manager>;

impl Pool {
    /// An empty pool: connections are opened on demand.
    pub fn new(url: DatabaseUrl, settings: &Settings, file: Option<Arc<ServedFile>>) -> Self {
        let max_idle = match url.backend() {
            Backend::Sqlite => u32::MAX,
            Backend::Mysql | Backend::Postgres => settings.max_idle.max(1),
        };
        let outage = Arc::new(Outage::default());
        let connections = r2d2::Pool::builder()
            .max_size(settings.max_connections.max(1))
            .min_idle(Some(0))
            // A request's BEGIN is the test of its connection.
            .test_on_check_out(false)
            .max_lifetime(settings.recycle_after.map(|age| age.max(LEAST_AGE)))
            .idle_timeout(None)
            .connection_timeout(RETRY)
            // `Outage` logs the failures.
            .error_handler(Box::new(r2d2::NopErrorHandler))
            .build_unchecked(Manager::new(url, settings.clone(), file, Arc::clone(&outage)));
        Self { connections, outage, timeout: settings.pool_timeout, max_idle }
    }

    /// The most connections that are open at once.
    pub fn max_size(&self) -> u32 {
        self.connections.max_size()
    }

    /// Returns once the pool's lock is free: never, if the thread that holds it is stuck.
    pub fn expect(&self) {
        let _ = self.connections.state();
    }

    /// An idle connection, or else the first that is given back or opened within `pool_timeout`. A waiting thread frees
    /// its worker slot. If no connection is open and none can be opened, the call fails at once.
    ///
    /// # Errors
    /// For the log: why there is no connection.
    pub fn get(&self) -> Result<Pooled, String> {
        self.get_within(self.timeout)
    }

    /// As [`Pool::get`], with another bound than `pool_timeout`.
    ///
    /// # Errors
    /// For the log: why there is no connection.
    pub fn get_within(&self, timeout: Duration) -> Result<Pooled, String> {
        match self.connections.try_get() {
            Some(connection) => Ok(connection),
            None => workers::while_parked(|| self.wait(timeout)),
        }
    }

    fn wait(&self, timeout: Duration) -> Result<Pooled, String> {
        let until = Instant::now() + timeout;
        loop {
            if self.connections.state().connections == 0
                && let Some(why) = self.outage.why()
            {
                return Err(why);
            }
            let left = until.saturating_duration_since(Instant::now());
            match self.connections.get_timeout(left.min(LOOK)) {
                Ok(connection) => return Ok(connection),
                Err(_) if left <= LOOK => {
                    let why = self.outage.why().unwrap_or_else(|| "all connections are in use".to_owned());
                    return Err(format!("no connection within {timeout:?}: {why}"));
                }
                Err(_) => {}
            }
        }
    }

    /// Gives a connection back to the pool, or closes it when `max_idle` connections are idle already.
    pub fn give_back(&self, mut connection: Pooled) {
        if self.connections.state().idle_connections >= self.max_idle {
            discard(&mut connection);
        }
    }
}

/// Marks a connection so that the pool replaces it.
pub fn discard(connection: &mut AnyConnection) {
    type Manager = <AnyConnection as Connection>::TransactionManager;
    Manager::transaction_manager_status_mut(connection).set_in_error();
}
