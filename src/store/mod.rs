//! The store: transactions over a pool of connections, and one file of rows and queries per noun.
//!
//! Only this room makes a [`Tx`], and only this room retries: a deadlock, a serialization failure, a Galera
//! conflict, a busy SQLite or a lost compare-and-swap runs the closure again, a bounded number of times with a
//! random pause. Nothing remote may therefore happen inside the closure.

pub mod actions;
pub mod backups;
pub mod clients;
pub mod connection;
pub mod dialect;
pub mod document_type;
pub mod identity;
pub mod job_attachments;
pub mod jobs;
pub mod migrations;
pub mod moment_type;
pub mod page;
pub mod reports;
#[allow(missing_docs)] // the table macro writes a struct per column; docs/DATABASE.md describes them
pub mod schema;
pub mod search;
pub mod sessions;
pub mod sqlite_file;
pub mod url;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::SubsecRound;
use diesel::connection::{Connection, TransactionManager};
use diesel::result::Error as DieselError;

use crate::error::{Error, Result};
use connection::{AnyConnection, Manager};
use dialect::{Access, Failed};
use moment_type::Time;
use url::DatabaseUrl;

/// How often a transaction is run again before the client hears of the contention.
const MAX_ATTEMPTS: u32 = 30;
/// After this long no further attempt is begun, so that a request's answer has a bound.
const MAX_RETRY_TIME: Duration = Duration::from_secs(20);
/// How long a request waits for a free connection (oslo.db's `pool_timeout` is 30 s; a client's patience less).
const POOL_TIMEOUT: Duration = Duration::from_secs(5);

type Pool = r2d2::Pool<Manager>;

/// `[database]`. The defaults are oslo.db's, except where a reason is given.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The most connections that are open at once: `max_pool_size` + `max_overflow`, and never more than requests are
    /// served at once, because each needs one.
    pub max_connections: u32,
    /// `max_pool_size` (5): how many are kept open when they are idle.
    pub max_idle: u32,
    /// `pool_timeout`: how long a request waits for a free connection; 5 s, because no client waits for oslo.db's 30.
    pub pool_timeout: Duration,
    /// `connection_recycle_time` (3600 s): an idle connection that is older is replaced; `None` for never (-1).
    pub recycle_after: Option<Duration>,
    /// `max_retries` (10): how often connecting is tried again at the start; `None` for ever (-1).
    pub max_retries: Option<u32>,
    /// `retry_interval` (10 s): the time between those.
    pub retry_interval: Duration,
    /// `mysql_sql_mode` (`TRADITIONAL`); empty for the server's own.
    pub mysql_sql_mode: String,
    /// `mysql_wsrep_sync_wait`: what Galera makes a session wait for before it reads; `None` for the server's own.
    pub mysql_wsrep_sync_wait: Option<u32>,
    /// `db_max_retries` (20): how often a transaction is run again.
    pub db_max_retries: u32,
    /// `sqlite_synchronous` (true): wait for the disk at each commit.
    pub sqlite_synchronous: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_connections: 55,
            max_idle: 5,
            pool_timeout: POOL_TIMEOUT,
            recycle_after: Some(Duration::from_secs(3600)),
            max_retries: Some(10),
            retry_interval: Duration::from_secs(10),
            mysql_sql_mode: "TRADITIONAL".to_owned(),
            mysql_wsrep_sync_wait: None,
            db_max_retries: 20,
            sqlite_synchronous: true,
        }
    }
}

/// The database, as the handlers see it. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pool: Pool,
    url: Arc<DatabaseUrl>,
}

/// A transaction in progress: the only way to a connection.
pub struct Tx<'c> {
    connection: &'c mut AnyConnection,
    /// The one moment at which everything in this transaction happens: UTC, in whole microseconds.
    pub now: Time,
}

/// Why a transaction's closure gave up.
#[derive(Debug)]
pub enum Failure {
    /// The database said no; the store knows whether that means "again".
    Database(DieselError),
    /// A compare-and-swap found that somebody was faster: roll back and run again.
    Stale,
    /// The request cannot be done: roll back and give this answer.
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

/// A compare-and-swap's row count, checked: anything but one row means that somebody was faster.
pub fn swapped(rows: usize) -> Outcome<()> {
    if rows == 1 { Ok(()) } else { Err(Failure::Stale) }
}

/// A new id: 32 lower-case hex digits (contract, api-v2 §2 "IDs").
pub fn new_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// Whether `id` can be an id of ours or of Keystone's: `^[\w-]{1,64}$` in ASCII (contract, api-v2 §2 "IDs").
/// Anything else names nothing, and is not shown to a database that might round it to something.
pub fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// Now, in UTC, in the whole microseconds that every backend can hold.
pub fn now() -> Time {
    Time(chrono::Utc::now().naive_utc().trunc_subsecs(6))
}

impl Store {
    /// A store over at most `connections` pooled connections. Nothing is connected yet: a database that is
    /// away at the start is an outage like any other.
    pub fn new(url: DatabaseUrl, connections: u32) -> Self {
        let pool = r2d2::Pool::builder()
            .max_size(connections.max(1))
            // Idle connections are opened by demand; a request's BEGIN is the test of its connection.
            .min_idle(Some(0))
            .test_on_check_out(false)
            .connection_timeout(POOL_TIMEOUT)
            .error_handler(Box::new(PoolLog))
            .build_unchecked(Manager::new(url.clone()));
        Self { pool, url: Arc::new(url) }
    }

    /// The database's URL.
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Runs `work` on one consistent snapshot.
    ///
    /// # Errors
    /// What `work` answers; 503 while the database is away; 500 for anything it should not have said.
    pub fn read<T>(&self, work: impl FnMut(&mut Tx<'_>) -> Outcome<T>) -> Result<T> {
        self.transact(Access::Read, work)
    }

    /// Runs `work` in a transaction that commits if and only if `work` succeeds.
    ///
    /// # Errors
    /// As [`Store::read`]; also 503 when the contention outlasts all attempts.
    pub fn write<T>(&self, work: impl FnMut(&mut Tx<'_>) -> Outcome<T>) -> Result<T> {
        self.transact(Access::Write, work)
    }

    fn transact<T>(&self, access: Access, mut work: impl FnMut(&mut Tx<'_>) -> Outcome<T>) -> Result<T> {
        let began = Instant::now();
        let mut attempt = 0;
        loop {
            attempt += 1;
            let failure = match self.attempt(access, &mut work) {
                Ok(value) => return Ok(value),
                Err(Attempt::Answer(error)) => return Err(*error),
                Err(Attempt::NoConnection(error)) => return Err(away(error)),
                Err(Attempt::Begin(error)) => {
                    // A pooled connection that the server dropped in the meantime: nothing was done on it yet.
                    if attempt > self.pool.max_size() + 1 {
                        return Err(away(error.to_string()));
                    }
                    continue;
                }
                Err(Attempt::Failed(failure)) => failure,
            };
            let again = match &failure {
                Failure::Stale => true,
                Failure::Database(error) => match dialect::classify(error) {
                    // A duplicate is somebody else's insert after our look-up: the second look finds it.
                    Failed::Contention => true,
                    Failed::Duplicate | Failed::Reference => attempt < 4,
                    _ => false,
                },
                Failure::Answer(_) => false,
            };
            if !again || attempt >= MAX_ATTEMPTS || began.elapsed() > MAX_RETRY_TIME {
                return Err(last_word(failure));
            }
            log::debug!("transaction attempt {attempt} failed, trying again: {failure:?}");
            std::thread::sleep(pause(attempt));
        }
    }

    fn attempt<T>(
        &self,
        access: Access,
        work: &mut impl FnMut(&mut Tx<'_>) -> Outcome<T>,
    ) -> std::result::Result<T, Attempt> {
        let mut pooled = self.pool.get().map_err(|e| Attempt::NoConnection(e.to_string()))?;
        let connection: &mut AnyConnection = &mut pooled;
        if let Err(error) = dialect::begin(connection, access) {
            return Err(match dialect::classify(&error) {
                Failed::Contention => Attempt::Failed(Failure::Database(error)),
                _ => {
                    discard(connection);
                    Attempt::Begin(error)
                }
            });
        }
        type Manager = <AnyConnection as Connection>::TransactionManager;
        match work(&mut Tx { connection, now: now() }) {
            Ok(value) => match Manager::commit_transaction(connection) {
                Ok(()) => Ok(value),
                Err(error) => {
                    // After a failed commit the transaction manager may still believe it is inside.
                    discard_if_open(connection);
                    Err(Attempt::Failed(Failure::Database(error)))
                }
            },
            Err(failure) => {
                if let Err(error) = Manager::rollback_transaction(connection) {
                    log::debug!("rollback failed, the connection is dropped: {error}");
                    discard(connection);
                }
                match failure {
                    Failure::Answer(error) => Err(Attempt::Answer(error)),
                    failure => Err(Attempt::Failed(failure)),
                }
            }
        }
    }
}

/// How one attempt at a transaction ended, when it did not succeed.
enum Attempt {
    Answer(Box<Error>),
    NoConnection(String),
    Begin(DieselError),
    Failed(Failure),
}

/// Marks a connection so that the pool replaces it.
fn discard(connection: &mut AnyConnection) {
    type Manager = <AnyConnection as Connection>::TransactionManager;
    Manager::transaction_manager_status_mut(connection).set_in_error();
}

fn discard_if_open(connection: &mut AnyConnection) {
    type Manager = <AnyConnection as Connection>::TransactionManager;
    let open = match Manager::transaction_manager_status_mut(connection).transaction_depth() {
        Ok(depth) => depth.is_some(),
        Err(_) => true,
    };
    if open && Manager::rollback_transaction(connection).is_err() {
        discard(connection);
    }
}

/// Full jitter: the more attempts, the longer at most, up to 100 ms.
fn pause(attempt: u32) -> Duration {
    let ceiling = 1_000u64 << attempt.min(7);
    let random = uuid::Uuid::new_v4().as_u64_pair().0;
    Duration::from_micros(random % ceiling.min(100_000) + 100)
}

fn away(error: String) -> Error {
    Error::unavailable("The database cannot be reached at the moment.", error)
}

fn last_word(failure: Failure) -> Error {
    match failure {
        Failure::Answer(error) => *error,
        Failure::Stale => Error::unavailable(
            "Too many requests changed this resource at the same time; try again.",
            "a compare-and-swap lost every attempt",
        ),
        Failure::Database(error) => match dialect::classify(&error) {
            Failed::Contention => Error::unavailable(
                "The database is too busy with other changes to this resource; try again.",
                error.to_string(),
            ),
            Failed::Connection => away(error.to_string()),
            Failed::Duplicate => {
                Error::already_exists("A resource with these identifying values already exists.")
            }
            Failed::Reference => {
                Error::conflict("A resource this request refers to has just changed; try again.")
            }
            Failed::ReadOnly => {
                Error::unavailable("The database takes no changes at the moment.", error.to_string())
            }
            _ => Error::storage(error.to_string()),
        },
    }
}

#[derive(Debug)]
struct PoolLog;

impl<E: std::error::Error> r2d2::HandleError<E> for PoolLog {
    fn handle_error(&self, error: E) {
        log::warn!("cannot open a database connection: {error}");
    }
}
