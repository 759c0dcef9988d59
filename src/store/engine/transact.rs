//! Runs transactions, and retries them while that can help.

use std::time::{Duration, Instant};

use diesel::result::Error as DieselError;
use front::error::{Error, Result};

use super::connection::AnyConnection;
use super::dialect::{self, Access, FailureKind};
use super::pool::discard;
use super::sqlite_file::ServedFile;
use super::{Failure, Outcome, Store, Tx, now};

/// How often a transaction is retried that lost its connection before the commit.
const LOST_CONNECTIONS: u32 = 3;

/// The most attempts that violate a unique or foreign key. Concurrent transactions need far fewer; a transaction that
/// violates a key by itself would do so for ever.
const MAX_KEY_VIOLATIONS: u32 = 12;

/// After this long no further attempt begins, which bounds the time of a request.
const MAX_RETRY_TIME: Duration = Duration::from_secs(20);

impl Store {
    /// Runs `work` with this access, and retries it while that can help.
    pub(in crate::store) fn transact<T>(
        &self,
        access: Access,
        mut work: impl FnMut(&mut Tx<'_>) -> Outcome<T>,
    ) -> Result<T> {
        let began = Instant::now();
        let mut failures = Failures::default();
        loop {
            let failure = match self.attempt(access, &mut work) {
                Ok(value) => return Ok(value),
                Err(Attempt::Answer(error)) => return Err(*error),
                Err(Attempt::NoConnection(error)) => return Err(away(error)),
                Err(Attempt::Begin(error)) => {
                    // The server has closed an idle connection; nothing was changed on it.
                    failures.begin += 1;
                    if failures.begin > self.pool.max_size() + 1 || began.elapsed() > MAX_RETRY_TIME {
                        return Err(away(error.to_string()));
                    }
                    continue;
                }
                // The server went away or cannot serve before anything was committed: another connection may work.
                Err(Attempt::Failed(Failure::Database(error))) if is_lost(&error) => {
                    failures.lost += 1;
                    if failures.lost > LOST_CONNECTIONS {
                        return Err(away(error.to_string()));
                    }
                    log::debug!("a transaction lost its connection, trying again: {error}");
                    std::thread::sleep(pause(failures.lost));
                    continue;
                }
                Err(Attempt::Unknown(error)) => return Err(unknown(error.to_string())),
                Err(Attempt::Failed(failure)) => failure,
            };
            let (count, most) = match &failure {
                Failure::Stale => (&mut failures.stale, self.max_retries),
                Failure::Database(error) => match dialect::classify(error) {
                    FailureKind::Contention => (&mut failures.contention, self.max_retries),
                    // Another transaction has inserted the row after this one looked for it, or a child of the row that this
                    // one deletes: the next attempt finds it. There may be one violation for each concurrent transaction.
                    FailureKind::Duplicate | FailureKind::Reference => {
                        (&mut failures.key_violations, self.max_retries.min(MAX_KEY_VIOLATIONS - 1))
                    }
                    // `make_room` has freed space meanwhile, if it could.
                    FailureKind::ReadOnly if self.file.is_some() => {
                        (&mut failures.read_only, self.max_retries.min(1))
                    }
                    _ => return Err(last_word(failure)),
                },
                Failure::Answer(_) => return Err(last_word(failure)),
            };
            *count += 1;
            if *count > most || began.elapsed() > MAX_RETRY_TIME {
                return Err(last_word(failure));
            }
            log::debug!("a transaction failed {count} times in this way, trying again: {failure:?}");
            // A transaction that lost a compare-and-set has waited for the row lock of the winner already.
            if *count > 1 || !matches!(failure, Failure::Stale) {
                std::thread::sleep(pause(*count));
            }
        }
    }

    fn attempt<T>(
        &self,
        access: Access,
        work: &mut impl FnMut(&mut Tx<'_>) -> Outcome<T>,
    ) -> std::result::Result<T, Attempt> {
        let file = self.file.as_deref();
        let unchanged = || match file.map_or(Ok(()), ServedFile::check) {
            Ok(()) => Ok(()),
            Err(error) => Err(Attempt::Answer(Box::new(error))),
        };
        unchanged()?;
        let mut connection = self.pool.get().map_err(Attempt::NoConnection)?;
        unchanged()?;
        let mut outcome = Self::attempt_on(&mut connection, file, access, work);
        if let Some(file) = file
            && access != Access::Read
        {
            match &outcome {
                // A write to a file that was replaced before the commit is lost, although it succeeded.
                Ok(_) => match unchanged() {
                    Ok(()) => file.space().settle(&mut connection),
                    Err(changed) => outcome = Err(changed),
                },
                Err(Attempt::Failed(Failure::Database(error))) if dialect::is_full(error) => {
                    file.space().make_room(&mut connection);
                }
                Err(_) => {}
            }
        }
        self.pool.give_back(connection);
        outcome
    }

    fn attempt_on<T>(
        connection: &mut AnyConnection,
        file: Option<&ServedFile>,
        access: Access,
        work: &mut impl FnMut(&mut Tx<'_>) -> Outcome<T>,
    ) -> std::result::Result<T, Attempt> {
        if let Err(error) = dialect::begin(connection, access) {
            return Err(match dialect::classify(&error) {
                FailureKind::Contention => Attempt::Failed(Failure::Database(error)),
                _ => {
                    discard(connection);
                    Attempt::Begin(error)
                }
            });
        }
        match work(&mut Tx { connection, file, now: now() }) {
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
                        discard(connection); // a node that left its cluster rolls back, and refuses the next transaction too
                        match access {
                            // Without a BEGIN, the statement itself is the first to notice a closed idle connection.
                            Access::Statement => Err(Attempt::Begin(error)),
                            Access::Read | Access::Write => Err(Attempt::Failed(Failure::Database(error))),
                        }
                    }
                    failure => Err(Attempt::Failed(failure)),
                }
            }
        }
    }
}

/// How often a transaction has failed, by cause. Each cause has a limit of its own, so that one does not use up the
/// attempts of another.
#[derive(Default)]
struct Failures {
    /// BEGIN met a closed connection.
    begin: u32,
    lost: u32,
    stale: u32,
    contention: u32,
    key_violations: u32,
    read_only: u32,
}

/// How one attempt at a transaction ended, when it did not succeed.
enum Attempt {
    Answer(Box<Error>),
    NoConnection(String),
    Begin(DieselError),
    Failed(Failure),
    /// The connection was lost in COMMIT: it is unknown whether the commit took effect, so that there is no retry.
    Unknown(DieselError),
}

fn is_lost(error: &DieselError) -> bool {
    dialect::classify(error) == FailureKind::Connection
}

/// Whether a statement lost its connection, so that it is unknown whether it took effect.
pub(in crate::store) fn has_lost<T>(outcome: &Outcome<T>) -> bool {
    matches!(outcome, Err(Failure::Database(error)) if is_lost(error))
}

/// Replaces the 503 of an outage when an earlier attempt of the request may have made the change.
pub(in crate::store) fn may_be_made(error: Error) -> Error {
    if error.status() == 503 { unknown(error.to_string()) } else { error }
}

/// Rolls back; discards the connection if that fails.
fn end(connection: &mut AnyConnection, access: Access) {
    if let Err(error) = dialect::rollback(connection, access) {
        log::debug!("rollback failed, the connection is dropped: {error}");
        discard(connection);
    }
}

/// Exponential back-off with full jitter, up to 100 ms.
fn pause(attempt: u32) -> Duration {
    let ceiling = 1_000u64 << attempt.min(7);
    let random = uuid::Uuid::new_v4().as_u64_pair().0;
    Duration::from_micros(random % ceiling.min(100_000) + 100)
}

fn away(error: String) -> Error {
    Error::unavailable("The database cannot be reached at the moment.", error)
}

pub(in crate::store) fn unknown(error: String) -> Error {
    Error::unavailable(
        "The database was lost while it made the change; look whether it is made before you try again.",
        error,
    )
}

fn last_word(failure: Failure) -> Error {
    match failure {
        Failure::Answer(error) => *error,
        Failure::Stale => Error::unavailable(
            "Too many requests changed this resource at the same time; try again.",
            "every attempt lost its compare-and-set",
        ),
        Failure::Database(error) => match dialect::classify(&error) {
            FailureKind::Contention => Error::unavailable(
                "The database is too busy with other changes to this resource; try again.",
                error.to_string(),
            ),
            FailureKind::Connection => away(error.to_string()),
            FailureKind::Duplicate => {
                Error::already_exists("A resource with these identifying values already exists.")
            }
            FailureKind::Reference => {
                Error::conflict("A resource this request refers to has just changed; try again.")
            }
            FailureKind::ReadOnly => {
                Error::unavailable("The database takes no changes at the moment.", error.to_string())
            }
            FailureKind::TooLong => {
                Error::unavailable("The database took too long; try again later.", error.to_string())
            }
            _ => Error::storage(error.to_string()),
        },
    }
}

#[cfg(test)]
mod tests {
    use diesel::result::Error::BrokenTransactionManager;

    use super::*;
    use crate::store::engine::url::DatabaseUrl;

    /// The outcome of a transaction that fails in these ways, and then succeeds.
    fn outcome_after(failures: Vec<Failure>) -> Result<()> {
        let directory = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::parse(directory.path().join("f.sqlite").to_str().unwrap()).unwrap();
        let mut failures = failures.into_iter();
        Store::new(url, 1).write(|_| failures.next().map_or(Ok(()), Err))
    }

    fn lost() -> Failure {
        Failure::Database(BrokenTransactionManager)
    }

    #[test]
    fn each_cause_of_failure_has_attempts_of_its_own() {
        let stale = || std::iter::repeat_with(|| Failure::Stale);
        assert!(outcome_after(stale().take(5).chain([lost(), lost(), lost()]).collect()).is_ok());
        assert!(
            outcome_after([lost(), lost(), lost()].into_iter().chain(stale().take(20)).collect()).is_ok()
        );
        let status = |outcome: Result<()>| outcome.unwrap_err().status();
        assert_eq!(status(outcome_after((0..4).map(|_| lost()).collect())), 503);
        assert_eq!(status(outcome_after(stale().take(21).collect())), 503);
    }
}
