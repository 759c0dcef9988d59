//! The engine of the store: Diesel, connections, transactions, the pool, the replica, URLs and migrations. It knows no
//! noun, and only this module and [`super::foreign`] know which backend there is.
//!
//! Only this module makes a [`Tx`], and only this module retries: after a deadlock, a serialization failure, a Galera
//! conflict, a busy SQLite or a lost compare-and-set it runs the closure again, a bounded number of times with a random
//! pause. The closure must therefore call no remote service.

pub(super) mod coalescer;
pub mod connection;
pub mod dialect;
pub mod manager;
pub mod migrations;
mod outage;
mod ping;
mod pool;
mod replica;
mod settings;
pub mod sqlite_file;
mod transact;
pub mod url;
mod wait;

use std::sync::Arc;

use chrono::SubsecRound;
use diesel::result::Error as DieselError;
use front::error::{Error, Result};

use super::types::time::Time;
use connection::AnyConnection;
use dialect::Access;
use pool::{Pool, discard};
use replica::Replica;
pub use settings::Settings;
use sqlite_file::ServedFile;
use url::DatabaseUrl;
pub use wait::wait_for;

/// The database, as the handlers see it. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pool: Pool,
    url: Arc<DatabaseUrl>,
    /// How often a transaction is retried before the client gets a 503.
    max_retries: u32,
    replica: Option<Arc<Replica>>,
    /// The SQLite file that this process serves, if it serves one.
    file: Option<Arc<ServedFile>>,
}

/// A transaction in progress: the only way to a connection.
pub struct Tx<'c> {
    pub(super) connection: &'c mut AnyConnection,
    file: Option<&'c ServedFile>,
    /// The time of everything that this transaction writes: UTC, in whole microseconds.
    pub now: Time,
}

/// Why a transaction's closure failed.
#[derive(Debug)]
pub enum Failure {
    /// The database refused a statement; the store decides whether to retry.
    Database(DieselError),
    /// A compare-and-set found that another transaction has changed the row: roll back and retry.
    Stale,
    /// The request is refused: roll back and answer with this error.
    Answer(Box<Error>),
}

/// What a closure given to [`Store::read`] or [`Store::write`] returns.
pub type Outcome<T> = std::result::Result<T, Failure>;

impl From<DieselError> for Failure {
    fn from(error: DieselError) -> Self {
        Self::Database(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Answer(Box::new(error))
    }
}

/// Checks the row count of a compare-and-set: unless it is one, another transaction has changed or deleted the row.
pub fn expect_one_row(rows: usize) -> Outcome<()> {
    if rows == 1 { Ok(()) } else { Err(Failure::Stale) }
}

/// A new id: 32 lower-case hex digits (contract, api-v2 §2 "IDs").
pub fn new_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// The current time in UTC, in whole microseconds, which every backend can store.
pub fn now() -> Time {
    Time(chrono::Utc::now().naive_utc().trunc_subsecs(6))
}

impl Tx<'_> {
    /// Refuses to create rows while the file system of an SQLite database has little free space. Changes and deletions
    /// do not call this, so that clients can free space through the API.
    ///
    /// # Errors
    /// 503.
    pub fn expect_room(&mut self) -> Outcome<()> {
        match self.file {
            Some(file) => Ok(file.space().expect(self.connection)??),
            None => Ok(()),
        }
    }
}

impl Store {
    /// A store over at most `connections` pooled connections, with the default for every other setting.
    pub fn new(url: DatabaseUrl, connections: u32) -> Self {
        let settings =
            Settings { max_connections: connections, max_idle: connections, ..Settings::default() };
        Self::with_settings(url, &settings)
    }

    /// A store with the settings of `[database]`. It opens no connection yet: a database that is down at the start is
    /// handled as any other outage.
    pub fn with_settings(url: DatabaseUrl, settings: &Settings) -> Self {
        Self::serving(url, settings, None)
    }

    /// As [`Store::with_settings`], over an SQLite file that this process serves: requests fail once the file is replaced.
    pub fn serving(url: DatabaseUrl, settings: &Settings, file: Option<Arc<ServedFile>>) -> Self {
        let pool = Pool::new(url.clone(), settings, file.clone());
        Self { pool, file, url: Arc::new(url), max_retries: settings.db_max_retries, replica: None }
    }

    /// The same store with a replica to read from (`[database] slave_connection`). While the replica is unreachable or
    /// has an old schema, the store reads from the primary.
    pub fn with_replica(self, url: DatabaseUrl, settings: &Settings) -> Self {
        Self { replica: Some(Arc::new(Replica::new(url, settings))), ..self }
    }

    /// Whether the SQLite file was replaced or removed since this process began to serve it.
    pub fn is_replaced(&self) -> bool {
        self.file.as_ref().is_some_and(|file| file.check().is_err())
    }

    /// Returns once the lock of the connection pool is free, whether or not the database answers.
    pub fn expect_pool(&self) {
        self.pool.expect();
    }

    /// Whether there is a replica, to which lists go.
    pub(super) fn has_replica(&self) -> bool {
        self.replica.is_some()
    }

    /// The most connections that the pool holds.
    pub fn max_connections(&self) -> usize {
        self.pool.max_size() as usize
    }

    /// The database's URL.
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Runs `work` on one consistent snapshot.
    ///
    /// # Errors
    /// The error of `work`; 503 while the database is unreachable; 500 for an unexpected database error.
    pub fn read<T>(&self, work: impl FnMut(&mut Tx<'_>) -> Outcome<T>) -> Result<T> {
        self.transact(Access::Read, work)
    }

    /// Runs `work`, which is a single statement that writes nothing: it needs no transaction, and one round trip.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub fn read_statement<T>(&self, work: impl FnMut(&mut Tx<'_>) -> Outcome<T>) -> Result<T> {
        self.transact(Access::Statement, work)
    }

    /// Runs `work`, which is a single idempotent statement: after a lost connection it is run again, although it may have
    /// taken effect.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn write_statement<T>(&self, mut work: impl FnMut(&mut Tx<'_>) -> Outcome<T>) -> Result<T> {
        let mut is_lost = false;
        let outcome = self.transact(Access::Statement, |tx| {
            let outcome = work(tx);
            is_lost |= transact::has_lost(&outcome);
            outcome
        });
        outcome.map_err(|error| if is_lost { transact::may_be_made(error) } else { error })
    }

    /// As [`Store::read`], but from the replica if there is one, so that the result may be stale. If the replica fails or
    /// does not have a row, the primary is read.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub fn read_lagging<T>(&self, mut work: impl FnMut(&mut Tx<'_>) -> Outcome<T>) -> Result<T> {
        match self.replica.as_ref().and_then(|replica| replica.read(&mut work)) {
            Some(value) => Ok(value),
            None => self.read(work),
        }
    }

    /// Runs `work` in a transaction that commits if and only if `work` succeeds.
    ///
    /// # Errors
    /// As [`Store::read`]; also 503 when every attempt meets contention.
    pub fn write<T>(&self, work: impl FnMut(&mut Tx<'_>) -> Outcome<T>) -> Result<T> {
        self.transact(Access::Write, work)
    }

    /// Changes a row without a transaction: `read` returns the row's version, and `change` is one statement that changes
    /// this version only ([`expect_one_row`]). That is two round trips; a transaction has four. `None` if `read` returns
    /// `None`, because the change needs a transaction.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn compare_and_set<R, T>(
        &self,
        mut read: impl FnMut(&mut Tx<'_>) -> Outcome<Option<(i32, R)>>,
        mut change: impl FnMut(&mut Tx<'_>, R) -> Outcome<T>,
    ) -> Result<Option<T>> {
        let mut lost = None;
        let outcome = self.transact(Access::Statement, |tx| {
            let Some((version, seen)) = read(tx)? else { return Ok(None) };
            // After a lost connection it is unknown whether the change was made. If the version is still the same, it was not;
            // a new version may come from this change or from another.
            if lost.is_some_and(|lost| lost != version) {
                return Err(transact::unknown("the version has changed since".to_owned()).into());
            }
            let outcome = change(tx, seen);
            if transact::has_lost(&outcome) {
                lost = Some(version);
            }
            outcome.map(Some)
        });
        outcome.map_err(|error| if lost.is_some() { transact::may_be_made(error) } else { error })
    }
}
