//! The store: transactions over a pool of connections, and one file of rows and queries per noun.
//!
//! Only this room makes a [`Tx`], and only this room retries: a deadlock, a serialization failure, a Galera
//! conflict, a busy SQLite or a lost compare-and-swap runs the closure again, a bounded number of times with a
//! random pause. Nothing remote may therefore happen inside the closure.

pub mod action_attachments;
pub mod actions;
pub mod backups;
pub mod clients;
pub mod connection;
pub mod copy;
pub mod counts;
pub mod dialect;
pub mod document_type;
pub mod foreign;
pub mod identity;
pub mod import;
pub mod job_attachments;
pub mod job_trusts;
pub mod jobs;
pub mod listing;
pub mod migrations;
pub mod moment_type;
mod outage;
mod owner;
pub mod owners;
pub mod page;
mod ping;
mod pool;
mod replica;
pub mod reports;
pub mod scan;
#[allow(missing_docs)] // the table macro writes a struct per column; docs/DATABASE.md describes them
pub mod schema;
pub mod search;
pub mod sessions;
mod settings;
pub mod sqlite_file;
pub mod sweep;
mod together;
mod transact;
pub mod url;
mod wait;

use std::sync::Arc;

use chrono::SubsecRound;
use diesel::result::Error as DieselError;

use crate::error::{Error, Result};
use connection::AnyConnection;
use dialect::Access;
use moment_type::Time;
pub use owner::Owner;
use pool::{Pool, discard};
use replica::Replica;
use scan::Permits;
pub use settings::Settings;
use sqlite_file::ServedFile;
use together::Together;
use url::DatabaseUrl;
pub use wait::wait_for;

/// The database, as the handlers see it. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pool: Pool,
    url: Arc<DatabaseUrl>,
    /// How often a transaction is run again before the client hears of the contention.
    max_retries: u32,
    replica: Option<Arc<Replica>>,
    /// The file, where this process serves an SQLite database.
    file: Option<Arc<ServedFile>>,
    /// Where requests for job documents meet.
    views: Arc<Together<String, Option<jobs::JobView>>>,
    /// Where polls meet.
    polls: Arc<jobs::Polls>,
    /// What bounds searches inside documents.
    scans: Arc<Permits>,
}

/// A transaction in progress: the only way to a connection.
pub struct Tx<'c> {
    connection: &'c mut AnyConnection,
    file: Option<&'c ServedFile>,
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

/// How many may ask for the same kind of thing at the same time, before the others do so together: more of them than half
/// of the processors only take turns.
fn useful_askers() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| processors.get() / 2)
}

impl Tx<'_> {
    /// Refuses to create something while the file system of an SQLite database has little room. Changes and deletions
    /// do not call this, so that clients can make room by the API.
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
    /// A store over at most `connections` pooled connections, everything else as it is without configuration.
    pub fn new(url: DatabaseUrl, connections: u32) -> Self {
        let settings =
            Settings { max_connections: connections, max_idle: connections, ..Settings::default() };
        Self::with_settings(url, &settings)
    }

    /// A store as `[database]` has it. Nothing is connected yet: a database that is away at the start is an outage
    /// like any other.
    pub fn with_settings(url: DatabaseUrl, settings: &Settings) -> Self {
        Self::serving(url, settings, None)
    }

    /// The same, over a file that this process serves: requests fail once the file is replaced.
    pub fn serving(url: DatabaseUrl, settings: &Settings, file: Option<Arc<ServedFile>>) -> Self {
        let pool = Pool::new(url.clone(), settings, file.clone());
        Self {
            scans: scan::permits(&pool, scan::Limits::default()),
            pool,
            file,
            url: Arc::new(url),
            max_retries: settings.db_max_retries,
            replica: None,
            views: Arc::new(Together::new(useful_askers())),
            polls: jobs::Polls::new(useful_askers()),
        }
    }

    /// The same store, with a replica of its database to read from (`[database] slave_connection`). A replica that is
    /// away, or has an old schema, is done without until it is there again.
    pub fn with_replica(self, url: DatabaseUrl, settings: &Settings) -> Self {
        Self { replica: Some(Arc::new(Replica::new(url, settings))), ..self }
    }

    /// Whether the file of an SQLite database was replaced or removed since this process began to serve it.
    pub fn is_replaced(&self) -> bool {
        self.file.as_ref().is_some_and(|file| file.check().is_err())
    }

    /// Comes back once the pool of connections can be used, whether or not the database answers.
    pub fn expect_pool(&self) {
        self.pool.expect();
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

    /// Runs `work`, which is one statement that writes nothing: its own snapshot, and one round trip to the database.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub fn read_one<T>(&self, work: impl FnMut(&mut Tx<'_>) -> Outcome<T>) -> Result<T> {
        self.transact(Access::One, work)
    }

    /// Runs `work`, which is one statement, and the same when it is run twice: a connection that is lost does not say
    /// whether it was.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn write_one<T>(&self, mut work: impl FnMut(&mut Tx<'_>) -> Outcome<T>) -> Result<T> {
        let mut is_lost = false;
        let outcome = self.transact(Access::One, |tx| {
            let outcome = work(tx);
            is_lost |= transact::has_lost(&outcome);
            outcome
        });
        outcome.map_err(|error| if is_lost { transact::may_be_made(error) } else { error })
    }

    /// As [`Store::read`], but what is read may be as old as the replica is behind, where there is one. What that does
    /// not know, or fails to say, the database itself is asked.
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
    /// As [`Store::read`]; also 503 when the contention outlasts all attempts.
    pub fn write<T>(&self, work: impl FnMut(&mut Tx<'_>) -> Outcome<T>) -> Result<T> {
        self.transact(Access::Write, work)
    }

    /// Runs `read`, which writes nothing and says which version it has seen, and then `change`, one statement that changes
    /// that version only ([`swapped`]): two round trips to the database, where a transaction has four. `None` if `read` says
    /// that it cannot be done this way.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn swap<R, T>(
        &self,
        mut read: impl FnMut(&mut Tx<'_>) -> Outcome<Option<(i32, R)>>,
        mut change: impl FnMut(&mut Tx<'_>, R) -> Outcome<T>,
    ) -> Result<Option<T>> {
        let mut lost = None;
        let outcome = self.transact(Access::One, |tx| {
            let Some((version, seen)) = read(tx)? else { return Ok(None) };
            // A connection that was lost does not say whether the change was made. As long as the version is the old one, it
            // was not; whose change another one is, nobody knows.
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
