//! How transactions begin and end.

use diesel::connection::{AnsiTransactionManager, Connection, TransactionManager};
use diesel::result::QueryResult;

use crate::store::connection::AnyConnection;

type Manager = <AnyConnection as Connection>::TransactionManager;

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Sees one consistent snapshot, writes nothing.
    Read,
    /// Is one statement, and so a snapshot and a change of its own: it needs no beginning and no end. Or several that do not
    /// need one another.
    One,
    /// Sees what is committed, statement by statement, and may write.
    Write,
}

/// Begins a transaction.
///
/// Writers run at READ COMMITTED: every read-modify-write is a compare-and-swap that checks its row count,
/// and a repeatable snapshot would only make it compare against the past. Readers get a snapshot, so that a
/// document is not put together from two states. SQLite has one writer at a time and asks for its lock at once,
/// because a reader that turns writer later cannot wait for it.
///
/// # Errors
/// The connection is lost, or a lock cannot be had; nothing has begun.
pub fn begin(connection: &mut AnyConnection, access: Access) -> QueryResult<()> {
    match connection {
        #[cfg(feature = "mysql")]
        AnyConnection::Mysql(c) => match access {
            Access::One => Ok(()),
            Access::Read => {
                mysql::say(c, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")?;
                mysql::say(c, "START TRANSACTION READ ONLY")
            }
            // At the session's level, READ COMMITTED.
            Access::Write => mysql::say(c, "START TRANSACTION"),
        },
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(c) => match access {
            Access::One => Ok(()),
            Access::Read => {
                let sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                AnsiTransactionManager::begin_transaction_sql(c, sql)
            }
            Access::Write => {
                AnsiTransactionManager::begin_transaction_sql(c, "BEGIN ISOLATION LEVEL READ COMMITTED")
            }
        },
        AnyConnection::Sqlite(c) => match access {
            Access::One => Ok(()),
            Access::Read => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN"),
            Access::Write => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE"),
        },
    }
}

/// Ends a transaction that [`begin`] began, and keeps what it did.
///
/// # Errors
/// The database has not kept it, or does not say; [`rollback`] is still due.
pub fn commit(connection: &mut AnyConnection, access: Access) -> QueryResult<()> {
    match connection {
        _ if access == Access::One => Ok(()),
        #[cfg(feature = "mysql")]
        AnyConnection::Mysql(c) => mysql::say(c, "COMMIT"),
        other => Manager::commit_transaction(other),
    }
}

/// Ends a transaction that [`begin`] began, and keeps nothing of it.
///
/// # Errors
/// The connection is of no more use.
pub fn rollback(connection: &mut AnyConnection, access: Access) -> QueryResult<()> {
    match connection {
        _ if access == Access::One => Ok(()),
        #[cfg(feature = "mysql")]
        AnyConnection::Mysql(c) => mysql::say(c, "ROLLBACK"),
        other => {
            // A commit that failed may have ended the transaction, or not.
            if let Ok(None) = Manager::transaction_manager_status_mut(other).transaction_depth() {
                return Ok(());
            }
            Manager::rollback_transaction(other)
        }
    }
}

#[cfg(feature = "mysql")]
mod mysql {
    use std::sync::atomic::{AtomicBool, Ordering};

    use diesel::RunQueryDsl;
    use diesel::connection::SimpleConnection;
    use diesel::mysql::{Mysql, MysqlConnection};
    use diesel::query_builder::{AstPass, QueryFragment, QueryId};
    use diesel::result::{Error, QueryResult};

    /// A statement without parameters, prepared once for each connection.
    struct Sentence(&'static str);

    impl QueryId for Sentence {
        type QueryId = ();
        const HAS_STATIC_QUERY_ID: bool = false;
    }

    impl QueryFragment<Mysql> for Sentence {
        fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
            pass.push_sql(self.0);
            Ok(())
        }
    }

    impl RunQueryDsl<MysqlConnection> for Sentence {}

    /// Whether the server can prepare these: MariaDB can, MySQL can prepare some of them.
    static CAN_PREPARE: AtomicBool = AtomicBool::new(true);

    /// Says something to the server in one round trip. Diesel's own way, which takes several statements at once, needs
    /// three of them: it allows that for each call, and forbids it afterwards.
    pub fn say(connection: &mut MysqlConnection, sentence: &'static str) -> QueryResult<()> {
        if CAN_PREPARE.load(Ordering::Relaxed) {
            match Sentence(sentence).execute(connection) {
                Err(Error::DatabaseError(_, why))
                    if why.message().contains("prepared statement protocol") =>
                {
                    CAN_PREPARE.store(false, Ordering::Relaxed);
                }
                outcome => return outcome.map(drop),
            }
        }
        connection.batch_execute(sentence)
    }
}
