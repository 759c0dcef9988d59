//! How transactions begin and end.

use diesel::connection::{AnsiTransactionManager, Connection, TransactionManager};
use diesel::result::QueryResult;

use crate::store::engine::connection::AnyConnection;

type Manager = <AnyConnection as Connection>::TransactionManager;

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Sees one consistent snapshot, writes nothing.
    Read,
    /// One statement, or several that do not depend on one another: each is atomic by itself, so that no transaction is
    /// begun.
    Statement,
    /// Sees what is committed, statement by statement, and may write.
    Write,
}

/// Begins a transaction.
///
/// Writers run at READ COMMITTED: every read-modify-write is a compare-and-set that checks its row count, and a
/// repeatable snapshot would make it compare with stale rows. Readers get a snapshot, so that a document is not put
/// together from two states. SQLite has one writer at a time; a writer takes its lock at the beginning, because a reader
/// that begins to write later cannot wait for it.
///
/// # Errors
/// The connection is lost, or a lock is not available; no transaction has begun.
pub fn begin(connection: &mut AnyConnection, access: Access) -> QueryResult<()> {
    match connection {
        #[cfg(feature = "mysql")]
        AnyConnection::Mysql(c) => match access {
            Access::Statement => Ok(()),
            Access::Read => {
                mysql::execute(c, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")?;
                mysql::execute(c, "START TRANSACTION READ ONLY")
            }
            // At the session's level, READ COMMITTED.
            Access::Write => mysql::execute(c, "START TRANSACTION"),
        },
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(c) => match access {
            Access::Statement => Ok(()),
            Access::Read => {
                let sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                AnsiTransactionManager::begin_transaction_sql(c, sql)
            }
            Access::Write => {
                AnsiTransactionManager::begin_transaction_sql(c, "BEGIN ISOLATION LEVEL READ COMMITTED")
            }
        },
        AnyConnection::Sqlite(c) => match access {
            Access::Statement => Ok(()),
            Access::Read => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN"),
            Access::Write => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE"),
        },
    }
}

/// Commits a transaction that [`begin`] began.
///
/// # Errors
/// The transaction is not committed, or the outcome is unknown; the caller still has to call [`rollback`].
pub fn commit(connection: &mut AnyConnection, access: Access) -> QueryResult<()> {
    match connection {
        _ if access == Access::Statement => Ok(()),
        #[cfg(feature = "mysql")]
        AnyConnection::Mysql(c) => mysql::execute(c, "COMMIT"),
        other => Manager::commit_transaction(other),
    }
}

/// Rolls back a transaction that [`begin`] began.
///
/// # Errors
/// The connection is unusable.
pub fn rollback(connection: &mut AnyConnection, access: Access) -> QueryResult<()> {
    match connection {
        _ if access == Access::Statement => Ok(()),
        #[cfg(feature = "mysql")]
        AnyConnection::Mysql(c) => mysql::execute(c, "ROLLBACK"),
        other => {
            // A failed commit may have ended the transaction already.
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
    struct StaticStatement(&'static str);

    impl QueryId for StaticStatement {
        type QueryId = ();
        const HAS_STATIC_QUERY_ID: bool = false;
    }

    impl QueryFragment<Mysql> for StaticStatement {
        fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
            pass.push_sql(self.0);
            Ok(())
        }
    }

    impl RunQueryDsl<MysqlConnection> for StaticStatement {}

    /// Whether the server can prepare these statements: MariaDB can, MySQL can prepare some of them only.
    static CAN_PREPARE: AtomicBool = AtomicBool::new(true);

    /// Executes a statement in one round trip. `batch_execute` needs three: it turns multi-statement mode on before each
    /// call, and off after it.
    pub fn execute(connection: &mut MysqlConnection, statement: &'static str) -> QueryResult<()> {
        if CAN_PREPARE.load(Ordering::Relaxed) {
            match diesel::RunQueryDsl::execute(StaticStatement(statement), connection) {
                Err(Error::DatabaseError(_, why))
                    if why.message().contains("prepared statement protocol") =>
                {
                    CAN_PREPARE.store(false, Ordering::Relaxed);
                }
                outcome => return outcome.map(drop),
            }
        }
        connection.batch_execute(statement)
    }
}
