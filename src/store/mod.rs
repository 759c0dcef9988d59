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
pub mod dialect;
pub mod document_type;
pub mod identity;
pub mod job_attachments;
pub mod job_trusts;
pub mod jobs;
pub mod listing;
pub mod migrations;
pub mod moment_type;
mod outage;
pub mod page;
mod ping;
mod pool;
mod replica;
pub mod reports;
#[allow(missing_docs)] // the table macro writes a struct per column; docs/DATABASE.md describes them
pub mod schema;
pub mod search;
pub mod sessions;
mod settings;
pub mod sqlite_file;
mod together;
pub mod url;
mod wait;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::SubsecRound;
use diesel::result::Error as DieselError;

use crate::error::{Error, Result};
use connection::AnyConnection;
use dialect::{Access, Failed};
use moment_type::Time;
use pool::{Pool, discard};
use replica::Replica;
pub use settings::Settings;
use together::Together;
use url::DatabaseUrl;
pub use wait::wait_for;

/// How often a transaction is begun again whose connection was lost before the commit.
const LOST_CONNECTIONS: u32 = 3;

/// How often a transaction is run that meets a key each time: for one who meets others that is more than enough, and what
/// meets a key by itself would do so for ever.
const MOST_REFUSALS: u32 = 12;

/// After this long no further attempt is begun, so that a request's answer has a bound.
const MAX_RETRY_TIME: Duration = Duration::from_secs(20);

/// The database, as the handlers see it. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pool: Pool,
    url: Arc<DatabaseUrl>,
    /// How often a transaction is run again before the client hears of the contention.
    max_retries: u32,
    replica: Option<Arc<Replica>>,
    /// Where requests for job documents meet.
    views: Arc<Together<String, Option<jobs::JobView>>>,
    /// Where polls meet.
    polls: Arc<jobs::Polls>,
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

/// How many may ask for the same kind of thing at the same time, before the others do so together: more of them than half
/// of the processors only take turns.
fn useful_askers() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| processors.get() / 2)
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
        Self {
            pool: Pool::new(url.clone(), settings),
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
    pub fn write_one<T>(&self, work: impl FnMut(&mut Tx<'_>) -> Outcome<T>) -> Result<T> {
        self.transact(Access::One, work)
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
                    // A connection that the server has dropped, before anything was done on it that lasts.
                    if attempt > self.pool.max_size() + 1 || began.elapsed() > MAX_RETRY_TIME {
                        return Err(away(error.to_string()));
                    }
                    continue;
                }
                // The server went away, or says that it is no use, before anything was committed: another may do it.
                Err(Attempt::Failed(Failure::Database(error))) if is_lost(&error) => {
                    if attempt > LOST_CONNECTIONS {
                        return Err(away(error.to_string()));
                    }
                    log::debug!("transaction attempt {attempt} lost its connection, trying again: {error}");
                    std::thread::sleep(pause(attempt));
                    continue;
                }
                Err(Attempt::Unknown(error)) => return Err(unknown(error)),
                Err(Attempt::Failed(failure)) => failure,
            };
            let again = match &failure {
                Failure::Stale => true,
                Failure::Database(error) => match dialect::classify(error) {
                    Failed::Contention => true,
                    // A duplicate is somebody else's insert after our look-up: the second look finds it. So is a child of
                    // what we delete; there may come as many as there are others at it.
                    Failed::Duplicate | Failed::Reference => attempt < MOST_REFUSALS,
                    _ => false,
                },
                Failure::Answer(_) => false,
            };
            if !again || attempt > self.max_retries || began.elapsed() > MAX_RETRY_TIME {
                return Err(last_word(failure));
            }
            log::debug!("transaction attempt {attempt} failed, trying again: {failure:?}");
            // Whoever lost a swap has waited for the winner already.
            if attempt > 1 || !matches!(failure, Failure::Stale) {
                std::thread::sleep(pause(attempt));
            }
        }
    }

    fn attempt<T>(
        &self,
        access: Access,
        work: &mut impl FnMut(&mut Tx<'_>) -> Outcome<T>,
    ) -> std::result::Result<T, Attempt> {
        let mut connection = self.pool.get().map_err(Attempt::NoConnection)?;
        let outcome = Self::attempt_on(&mut connection, access, work);
        self.pool.give_back(connection);
        outcome
    }

    fn attempt_on<T>(
        connection: &mut AnyConnection,
        access: Access,
        work: &mut impl FnMut(&mut Tx<'_>) -> Outcome<T>,
    ) -> std::result::Result<T, Attempt> {
        if let Err(error) = dialect::begin(connection, access) {
            return Err(match dialect::classify(&error) {
                Failed::Contention => Attempt::Failed(Failure::Database(error)),
                _ => {
                    discard(connection);
                    Attempt::Begin(error)
                }
            });
        }
        match work(&mut Tx { connection, now: now() }) {
            Ok(value) => dialect::commit(connection, access).map(|()| value).map_err(|error| {
                // After a failed commit the transaction may still be open.
                end(connection, access);
                if access == Access::Write && is_lost(&error) {
                    discard(connection);
                    return Attempt::Unknown(error);
                }
                Attempt::Failed(Failure::Database(error))
            }),
            Err(failure) => {
                end(connection, access);
                if let Failure::Database(error) = &failure
                    && dialect::is_of_a_standby(connection, error)
                {
                    discard(connection);
                }
                match failure {
                    Failure::Answer(error) => Err(Attempt::Answer(error)),
                    Failure::Database(error) if is_lost(&error) => {
                        discard(connection); // a node without its cluster rolls back, and refuses the next one too
                        match access {
                            // The only statement finds out what a BEGIN would have.
                            Access::One => Err(Attempt::Begin(error)),
                            Access::Read | Access::Write => Err(Attempt::Failed(Failure::Database(error))),
                        }
                    }
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
    /// The connection was lost in COMMIT: nobody knows whether it took place, so that it must not be done again.
    Unknown(DieselError),
}

fn is_lost(error: &DieselError) -> bool {
    dialect::classify(error) == Failed::Connection
}

/// Takes back what a transaction did.
fn end(connection: &mut AnyConnection, access: Access) {
    if let Err(error) = dialect::rollback(connection, access) {
        log::debug!("rollback failed, the connection is dropped: {error}");
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

fn unknown(error: DieselError) -> Error {
    Error::unavailable(
        "The database was lost while it made the change; look whether it is made before you try again.",
        error.to_string(),
    )
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
            Failed::TooLong => {
                Error::unavailable("The database took too long; try again later.", error.to_string())
            }
            _ => Error::storage(error.to_string()),
        },
    }
}
