//! Everything in which the three backends differ: session settings, how a transaction begins, and what their errors mean.
//! Only this module and `foreign`, which reads databases of other programs, depend on the backend.

mod cached_update;
mod case_by_id;
#[cfg(feature = "mysql")]
mod cluster;
mod failure;
mod in_list;
mod order;
mod small;
mod transaction;

use std::time::{Duration, Instant};

#[cfg(feature = "mysql")]
use diesel::RunQueryDsl;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
#[cfg(feature = "mysql")]
use diesel::result::Error as DieselError;
use diesel::result::{ConnectionResult, QueryResult};

use diesel::sql_types::BigInt;

use super::connection::AnyConnection;
use super::settings::Settings;
pub use cached_update::cached_update;
pub use case_by_id::case_by_id;
pub use failure::{FailureKind, classify, is_full, is_of_a_standby};
pub use in_list::in_list;
pub use order::OrderPerBackend;
pub use small::{IfSmall, if_small};
pub use transaction::{Access, begin, commit, rollback};

/// How long a statement waits for a lock before it fails, and the transaction is retried. The backends' defaults (50 s,
/// for ever, not at all) are of no use for a web request.
const LOCK_WAIT_SECONDS: u32 = 5;

/// The same wait in SQLite.
pub(in crate::store) const BUSY_TIMEOUT: &str = "PRAGMA busy_timeout = 5000";

/// The key of the advisory lock on the schema on PostgreSQL: a number that no other program uses in this database.
#[cfg(feature = "postgres")]
const SCHEMA_LOCK: i64 = 0x0066_7265_657a_6572;

/// The name of the lock on the schema on MySQL: one for each database of the server, in at most 64 characters. MySQL has
/// no `MD5()` from 9.6 on.
#[cfg(feature = "mysql")]
const SCHEMA_LOCK_NAME: &str = "CONCAT('freezer-api ', LEFT(SHA2(DATABASE(), 256), 40))";

/// Configures a session: UTC, strict SQL, bounded lock waits; in SQLite foreign keys and durability.
///
/// # Errors
/// The server refuses a setting; `mysql_sql_mode` is not a list of words.
pub fn configure_session(connection: &mut AnyConnection, settings: &Settings) -> QueryResult<()> {
    match connection {
        #[cfg(feature = "mysql")]
        AnyConnection::Mysql(c) => {
            c.batch_execute(&mysql_session(settings)?)?;
            cluster::bound_silence(c)
        }
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(c) => c.batch_execute(&format!(
            "SET TIME ZONE 'UTC'; SET lock_timeout = '{LOCK_WAIT_SECONDS}s'; SET client_min_messages = 'warning'"
        )),
        AnyConnection::Sqlite(c) => {
            // The busy time-out comes first, because switching to WAL takes a lock.
            c.batch_execute(BUSY_TIMEOUT)?;
            if settings.read_only {
                return c.batch_execute("PRAGMA query_only = ON");
            }
            write_ahead(c)?;
            let synchronous = if settings.sqlite_synchronous { "FULL" } else { "OFF" };
            c.batch_execute(&format!("PRAGMA synchronous = {synchronous}; PRAGMA foreign_keys = ON"))
        }
    }
}

/// Refuses a connection to MySQL that is not encrypted. MariaDB's client library falls back to plain text if the server
/// has no TLS, unless it has to verify certificates.
///
/// # Errors
/// The connection is not encrypted, or its status cannot be read.
pub fn expect_tls(connection: &mut AnyConnection) -> ConnectionResult<()> {
    #[cfg(feature = "mysql")]
    if let AnyConnection::Mysql(c) = connection {
        use diesel::QueryableByName;
        use diesel::result::ConnectionError;
        use diesel::sql_types::Text;

        #[derive(QueryableByName)]
        struct Status {
            #[diesel(sql_type = Text, column_name = "Value")]
            value: String,
        }
        let status: Vec<Status> = diesel::sql_query("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
            .load(c)
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
        if status.iter().all(|status| status.value.is_empty()) {
            let why = "the database URL asks for TLS, and the server has none for us";
            return Err(ConnectionError::BadConnection(why.to_owned()));
        }
    }
    let _ = connection;
    Ok(())
}

/// The statement that configures a session of MySQL.
#[cfg(feature = "mysql")]
fn mysql_session(settings: &Settings) -> QueryResult<String> {
    // The isolation level is for writes and single statements. Without autocommit a single statement would begin a
    // transaction that is never ended.
    let mut sql = format!(
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
         SET SESSION autocommit = 1, time_zone = '+00:00', innodb_lock_wait_timeout = {LOCK_WAIT_SECONDS}"
    );
    let mode = settings.mysql_sql_mode.trim();
    if !mode.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ',')) {
        let why = "mysql_sql_mode has to be names of modes with commas between them";
        return Err(DieselError::QueryBuilderError(why.into()));
    }
    if !mode.is_empty() {
        sql += &format!(", sql_mode = '{mode}'");
    }
    // A server without Galera refuses the variable.
    if let Some(wait) = settings.mysql_wsrep_sync_wait {
        sql += &format!(", wsrep_sync_wait = {wait}");
    }
    Ok(sql)
}

/// Switches an SQLite file to write-ahead logging. While one connection switches a new file, SQLite refuses the others at
/// once, whatever the busy time-out, so that this retries for as long.
fn write_ahead(connection: &mut diesel::sqlite::SqliteConnection) -> QueryResult<()> {
    const PAUSE: Duration = Duration::from_millis(20);
    let until = Instant::now() + Duration::from_secs(LOCK_WAIT_SECONDS.into());
    loop {
        match connection.batch_execute("PRAGMA journal_mode = WAL") {
            Err(error) if classify(&error) == FailureKind::Contention && Instant::now() < until => {
                std::thread::sleep(PAUSE);
            }
            outcome => return outcome,
        }
    }
}

/// True for PostgreSQL, whose planner multiplies the selectivities of two columns as if they were independent, and so
/// overestimates the open jobs of a client with many completed ones. MySQL and SQLite probe the index instead.
pub fn multiplies_selectivities(connection: &AnyConnection) -> bool {
    match connection {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(_) => true,
        _ => false,
    }
}

/// Runs the same query on the backend's own connection: for a statement that `MultiConnection` does not support, or one
/// that is wide and frequent. `MultiConnection` builds the SQL of a statement several times whenever it is sent; a
/// backend's own connection finds a statement in its cache by its type.
macro_rules! on_each {
    ($connection:expr, $c:ident => $query:expr) => {
        match $connection {
            #[cfg(feature = "mysql")]
            $crate::store::engine::connection::AnyConnection::Mysql($c) => $query,
            #[cfg(feature = "postgres")]
            $crate::store::engine::connection::AnyConnection::Postgres($c) => $query,
            $crate::store::engine::connection::AnyConnection::Sqlite($c) => $query,
        }
    };
}
pub(in crate::store) use on_each;

/// Loads the rows of a query and locks them until the transaction ends. In SQLite a writing transaction has a lock on the
/// whole database already.
macro_rules! load_for_update {
    ($connection:expr, $query:expr) => {
        match $connection {
            #[cfg(feature = "mysql")]
            $crate::store::engine::connection::AnyConnection::Mysql(c) => $query.for_update().load(c),
            #[cfg(feature = "postgres")]
            $crate::store::engine::connection::AnyConnection::Postgres(c) => $query.for_update().load(c),
            $crate::store::engine::connection::AnyConnection::Sqlite(c) => $query.load(c),
        }
    };
}
pub(in crate::store) use load_for_update;

/// The SQL for the size of some columns together, in bytes; null counts as 0. SQLite knows the length of a value without
/// reading it.
pub fn octets(connection: &AnyConnection, columns: &[&str]) -> String {
    let (length, integer) = match connection {
        #[cfg(feature = "mysql")]
        AnyConnection::Mysql(_) => (("OCTET_LENGTH(", ")"), "SIGNED"),
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(_) => (("octet_length(CAST(", " AS text))"), "bigint"),
        AnyConnection::Sqlite(_) => (("octet_length(", ")"), "BIGINT"),
    };
    let sizes = columns.iter().map(|column| format!("COALESCE({}{column}{}, 0)", length.0, length.1));
    format!("CAST({} AS {integer})", sizes.collect::<Vec<_>>().join(" + "))
}

/// The sum of an expression, as an integer of 64 bits.
pub fn sum_of(connection: &AnyConnection, expression: &str) -> SqlLiteral<BigInt> {
    let integer = match connection {
        #[cfg(feature = "mysql")]
        AnyConnection::Mysql(_) => "SIGNED",
        _ => "BIGINT",
    };
    sql(&format!("CAST(SUM({expression}) AS {integer})"))
}

/// The most rows that one INSERT has. All three backends accept the number of parameters that this needs.
pub(in crate::store) const ROWS_AT_A_TIME: usize = 1000;

/// Inserts rows in one statement, or in several of [`ROWS_AT_A_TIME`] rows. The most frequent one, for a single row, is
/// cached.
macro_rules! insert_rows {
    ($connection:expr, $table:expr, $rows:expr) => {{
        for some in $rows.chunks($crate::store::engine::dialect::ROWS_AT_A_TIME) {
            $crate::store::engine::dialect::on_each!($connection, c => match some {
                [one] => diesel::insert_into($table).values(one).execute(c),
                some => diesel::insert_into($table).values(some).execute(c),
            })?;
        }
        diesel::result::QueryResult::Ok(())
    }};
}
pub(in crate::store) use insert_rows;

/// Waits until no other process migrates, and locks the schema until [`unlock_schema`] or the end of the connection. In
/// SQLite the lock is a transaction, which all migrations then run in.
pub fn lock_schema(connection: &mut AnyConnection) -> QueryResult<()> {
    match connection {
        #[cfg(feature = "mysql")]
        AnyConnection::Mysql(c) => {
            if cluster::is_node(c) {
                return cluster::lock_schema(c);
            }
            lock_name(c)
        }
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(c) => c.batch_execute(&format!(
            "SET lock_timeout = '300s'; SELECT pg_advisory_lock({SCHEMA_LOCK}); \
             SET lock_timeout = '{LOCK_WAIT_SECONDS}s'"
        )),
        AnyConnection::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE"),
    }
}

/// Takes the lock [`SCHEMA_LOCK_NAME`]. A cluster without such locks has to be migrated from one node.
#[cfg(feature = "mysql")]
fn lock_name(connection: &mut diesel::MysqlConnection) -> QueryResult<()> {
    use diesel::QueryableByName;
    use diesel::sql_types::{BigInt, Nullable};

    #[derive(QueryableByName)]
    struct Answer {
        #[diesel(sql_type = Nullable<BigInt>)]
        taken: Option<i64>,
    }
    let sql = format!("SELECT CAST(GET_LOCK({SCHEMA_LOCK_NAME}, 300) AS SIGNED) AS taken");
    match diesel::sql_query(sql).get_result::<Answer>(connection) {
        Ok(Answer { taken: Some(0) }) => Err(DieselError::QueryBuilderError(
            "another process has been migrating it for 300 seconds".into(),
        )),
        Ok(_) => Ok(()),
        Err(error) => {
            log::warn!("the schema is not locked: {error}");
            Ok(())
        }
    }
}

/// Releases the lock of [`lock_schema`]. Without `success`, SQLite rolls all migrations back.
pub fn unlock_schema(connection: &mut AnyConnection, success: bool) -> QueryResult<()> {
    match connection {
        #[cfg(feature = "mysql")]
        AnyConnection::Mysql(c) => match cluster::is_node(c) {
            true => cluster::unlock_schema(c),
            false => {
                // A failure does no harm: the end of the connection releases the lock, too.
                if let Err(error) = c.batch_execute(&format!("DO RELEASE_LOCK({SCHEMA_LOCK_NAME})")) {
                    log::info!("the schema is not unlocked: {error}");
                }
                Ok(())
            }
        },
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(c) => c.batch_execute(&format!("SELECT pg_advisory_unlock({SCHEMA_LOCK})")),
        AnyConnection::Sqlite(c) if success => AnsiTransactionManager::commit_transaction(c),
        AnyConnection::Sqlite(c) => AnsiTransactionManager::rollback_transaction(c),
    }
}
