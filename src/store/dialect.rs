//! Everything in which the three backends differ: session settings, how a transaction begins, and what
//! their failures mean. No other room asks which backend it is talking to, but that of other programs' databases
//! (`foreign`).

mod by_row;
#[cfg(feature = "mysql")]
mod cluster;
mod kept;
mod one_of;
mod order;
mod small;
mod transaction;

use std::time::{Duration, Instant};

use diesel::RunQueryDsl;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::result::{ConnectionResult, DatabaseErrorKind, Error as DieselError, QueryResult};

use diesel::sql_types::BigInt;

use super::action_attachments::ActionAttachment;
use super::actions::Action;
use super::connection::AnyConnection;
use super::reports::ActionReport;
use super::schema::{action_attachments, action_reports, actions};
use super::settings::Settings;
pub use by_row::by_row;
pub use kept::update_kept;
pub use one_of::one_of;
pub use order::Worded;
pub use small::{IfSmall, if_small};
pub use transaction::{Access, begin, commit, rollback};

/// How long a statement waits for a lock before it fails with something that is tried again.
/// The databases' own defaults (50 s, for ever, not at all) fit neither a web request nor each other.
const LOCK_WAIT_SECONDS: u32 = 5;

/// The same in SQLite's words.
pub(super) const BUSY_TIMEOUT: &str = "PRAGMA busy_timeout = 5000";

/// The name of the lock on the schema, on PostgreSQL: any number that nobody else in the database uses.
#[cfg(feature = "postgres")]
const SCHEMA_LOCK: i64 = 0x0066_7265_657a_6572;

/// The name of the lock on the schema, on MySQL: one for each database of the server, of the 64 characters at most that
/// a name may have. MySQL has no `MD5()` from 9.6 on.
#[cfg(feature = "mysql")]
const SCHEMA_LOCK_NAME: &str = "CONCAT('freezer-api ', LEFT(SHA2(DATABASE(), 256), 40))";

/// What a database failure means for the transaction it happened in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// A deadlock, a serialization failure, a Galera conflict, a lock or a busy database: run it again.
    Contention,
    /// A unique key already has this value.
    Duplicate,
    /// A foreign key has no parent, or a parent still has children.
    Reference,
    /// The server went away; a new connection may reach it.
    Connection,
    /// The database takes no writes just now: disk full, read-only.
    ReadOnly,
    /// A statement took longer than the server lets it.
    TooLong,
    /// Anything else is a fault of ours or of the schema.
    Other,
}

/// The settings of every session: UTC, strictness, bounded lock waits, and for SQLite its keys and durability.
///
/// # Errors
/// The server does not take one of them; `mysql_sql_mode` is no list of words.
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
            // The busy time-out first: switching to WAL takes a lock itself.
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

/// Refuses a connection to MySQL that is not encrypted. MariaDB's client library falls back to plain text with a
/// server that has no TLS, unless it is to check certificates.
///
/// # Errors
/// The connection is not encrypted, or does not say.
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

/// What is set on MySQL.
#[cfg(feature = "mysql")]
fn mysql_session(settings: &Settings) -> QueryResult<String> {
    // The isolation level is that of writes and of single statements. Without autocommit one of these would be the
    // beginning of a transaction that nobody ends.
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
    // A server without Galera does not know the variable and says so.
    if let Some(wait) = settings.mysql_wsrep_sync_wait {
        sql += &format!(", wsrep_sync_wait = {wait}");
    }
    Ok(sql)
}

/// Switches an SQLite file to write-ahead logging. Of several that open a new file at once one does it, and the
/// others are told at once that it is locked, whatever the busy time-out: they ask again for as long.
fn write_ahead(connection: &mut diesel::sqlite::SqliteConnection) -> QueryResult<()> {
    const PAUSE: Duration = Duration::from_millis(20);
    let until = Instant::now() + Duration::from_secs(LOCK_WAIT_SECONDS.into());
    loop {
        match connection.batch_execute("PRAGMA journal_mode = WAL") {
            Err(error) if classify(&error) == Failed::Contention && Instant::now() < until => {
                std::thread::sleep(PAUSE);
            }
            outcome => return outcome,
        }
    }
}

/// Whether the planner takes the values of two columns for independent of each other, as PostgreSQL's does: then the few open
/// jobs of a client with very many completed ones are guessed to be very many, too. The others look into the index.
pub fn guesses_each_column_by_itself(connection: &AnyConnection) -> bool {
    match connection {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(_) => true,
        _ => false,
    }
}

/// The same with each backend's own connection: for a statement that `MultiConnection` cannot carry, or one that is wide
/// and often sent. `MultiConnection` writes out the SQL of every statement several times each time it is sent; a
/// backend's own connection knows a statement that it has seen by its type.
macro_rules! on_each {
    ($connection:expr, $c:ident => $query:expr) => {
        match $connection {
            #[cfg(feature = "mysql")]
            $crate::store::connection::AnyConnection::Mysql($c) => $query,
            #[cfg(feature = "postgres")]
            $crate::store::connection::AnyConnection::Postgres($c) => $query,
            $crate::store::connection::AnyConnection::Sqlite($c) => $query,
        }
    };
}
pub(super) use on_each;

/// The rows of a query, which nobody else changes until the transaction has ended. In SQLite a transaction that writes
/// has all rows to itself.
macro_rules! load_for_update {
    ($connection:expr, $query:expr) => {
        match $connection {
            #[cfg(feature = "mysql")]
            $crate::store::connection::AnyConnection::Mysql(c) => $query.for_update().load(c),
            #[cfg(feature = "postgres")]
            $crate::store::connection::AnyConnection::Postgres(c) => $query.for_update().load(c),
            $crate::store::connection::AnyConnection::Sqlite(c) => $query.load(c),
        }
    };
}
pub(super) use load_for_update;

/// The SQL for how many bytes some columns have together; null has none. SQLite knows the length of a value without
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

/// How many rows are inserted at a time: with as many parameters as that needs, all three backends take it.
pub(super) const ROWS_AT_A_TIME: usize = 1000;

/// Writes rows, all in one statement; that for a single row, which is the most usual one, is kept.
macro_rules! insert_rows {
    ($connection:expr, $table:expr, $rows:expr) => {{
        for some in $rows.chunks(ROWS_AT_A_TIME) {
            on_each!($connection, c => match some {
                [one] => diesel::insert_into($table).values(one).execute(c),
                some => diesel::insert_into($table).values(some).execute(c),
            })?;
        }
        Ok(())
    }};
}

/// Writes actions, all in one statement.
pub fn insert_actions(connection: &mut AnyConnection, rows: &[Action]) -> QueryResult<()> {
    insert_rows!(connection, actions::table, rows)
}

/// Writes actions' places in jobs, all in one statement.
pub fn insert_places(connection: &mut AnyConnection, rows: &[ActionAttachment]) -> QueryResult<()> {
    insert_rows!(connection, action_attachments::table, rows)
}

/// Writes reports, all in one statement.
pub fn insert_reports(connection: &mut AnyConnection, rows: &[ActionReport]) -> QueryResult<()> {
    insert_rows!(connection, action_reports::table, rows)
}

/// Waits until nobody else is migrating, and keeps others from it until [`unlock_schema`] or the connection's end.
/// SQLite has no lock but the transaction, which all migrations are then in.
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

/// Takes the lock of [`SCHEMA_LOCK_NAME`]. Not every cluster has such locks: one that has none is migrated from one node.
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

/// Ends what [`lock_schema`] began; without `success`, SQLite takes everything back.
pub fn unlock_schema(connection: &mut AnyConnection, success: bool) -> QueryResult<()> {
    match connection {
        #[cfg(feature = "mysql")]
        AnyConnection::Mysql(c) => match cluster::is_node(c) {
            true => cluster::unlock_schema(c),
            false => {
                // The end of the connection releases it as well, and a server without such locks has nothing to release.
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

/// What a failure means. The drivers hand over a kind for some errors and only a message for the rest.
pub fn classify(error: &DieselError) -> Failed {
    let DieselError::DatabaseError(kind, information) = error else {
        return match error {
            DieselError::BrokenTransactionManager => Failed::Connection,
            DieselError::RollbackErrorOnCommit { commit_error, .. } => classify(commit_error),
            _ => Failed::Other,
        };
    };
    match kind {
        DatabaseErrorKind::UniqueViolation => return Failed::Duplicate,
        DatabaseErrorKind::ForeignKeyViolation | DatabaseErrorKind::RestrictViolation => {
            return Failed::Reference;
        }
        DatabaseErrorKind::SerializationFailure => return Failed::Contention,
        DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
            return Failed::Connection;
        }
        DatabaseErrorKind::ReadOnlyTransaction => return Failed::ReadOnly,
        _ => {}
    }
    let message = information.message().to_ascii_lowercase();
    let says = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
    if says(&["foreign key constraint failed"]) {
        // SQLite's refusal of a RESTRICT comes without a kind.
        Failed::Reference
    } else if says(CONTENTION) {
        Failed::Contention
    } else if says(CONNECTION) {
        Failed::Connection
    } else if says(READ_ONLY) {
        Failed::ReadOnly
    } else if says(TOO_LONG) {
        Failed::TooLong
    } else {
        Failed::Other
    }
}

/// Whether SQLite found no room on the disk.
pub fn is_full(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(_, why) if why.message().contains("disk is full"))
}

/// Whether a session that fails like this may be with a server that was the primary once, or was none yet: another one
/// may find the primary, and this one never will. SQLite has but one file, and when the disk is full a connection that
/// is open can still read, while a new one might not even open it.
pub fn is_of_a_standby(connection: &AnyConnection, error: &DieselError) -> bool {
    !matches!(connection, AnyConnection::Sqlite(_)) && classify(error) == Failed::ReadOnly
}

/// MySQL 1213, 1205, 1020 and Galera's; PostgreSQL 40P01 and 55P03; SQLite's BUSY and LOCKED.
const CONTENTION: &[&str] = &[
    "deadlock",
    "lock wait timeout",
    "record has changed since last read",
    "wsrep aborted",
    "conflict; try restarting",
    "could not serialize access",
    "due to lock timeout",
    "database is locked",
    "database table is locked",
    "database schema is locked",
];

/// MySQL 2002, 2006, 2013, 2055, 1053, 1927 and Galera's 1047, 1180 and what it says of replication; libpq's sentences for the same.
const CONNECTION: &[&str] = &[
    "gone away",
    "lost connection",
    "can't connect",
    "connection was killed",
    "server shutdown in progress",
    "not yet prepared node",
    "not connected to primary component",
    "during commit",
    "server closed the connection",
    "terminating connection",
    "connection refused",
    "could not connect",
    "no connection to the server",
    "the database system is",
    "unable to open database file",
    "disk i/o error",
];

/// MySQL 1290, 1021, 1114, 1836; PostgreSQL 53100; SQLite's FULL and READONLY.
const READ_ONLY: &[&str] = &[
    "read-only",
    "read only",
    "readonly",
    "disk full",
    "disk is full",
    "no space left",
    "could not extend file",
    "is full",
];

/// MySQL 3024, MariaDB 1969, and 1317 of both when an administrator ends the statement; PostgreSQL 57014.
const TOO_LONG: &[&str] = &["query execution was interrupted", "canceling statement due to"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_servers_say_is_understood() {
        for (message, meaning) in [
            (
                "The MariaDB server is running with the --read-only option so it cannot execute this",
                Failed::ReadOnly,
            ),
            ("The MySQL server is running with the --super-read-only option", Failed::ReadOnly),
            ("The table 'jobs' is full", Failed::ReadOnly),
            ("could not extend file \"base/5/16384\": No space left on device", Failed::ReadOnly),
            ("database or disk is full", Failed::ReadOnly),
            ("attempt to write a readonly database", Failed::ReadOnly),
            ("Query execution was interrupted (max_statement_time exceeded)", Failed::TooLong),
            ("Query execution was interrupted, maximum statement execution time exceeded", Failed::TooLong),
            ("canceling statement due to statement timeout", Failed::TooLong),
            ("canceling statement due to lock timeout", Failed::Contention),
            ("Lock wait timeout exceeded; try restarting transaction", Failed::Contention),
            ("database is locked", Failed::Contention),
            ("Server has gone away", Failed::Connection),
            ("Lost connection to server during query", Failed::Connection),
            ("Connection was killed", Failed::Connection),
            ("terminating connection due to administrator command", Failed::Connection),
            ("WSREP has not yet prepared node for application use", Failed::Connection),
            (
                "Error while appending streaming replication fragment(provider status: Not connected to Primary \
                 Component)",
                Failed::Connection,
            ),
            ("Got error 6 \"No such device or address\" during COMMIT", Failed::Connection),
            ("disk I/O error", Failed::Connection),
            ("You have an error in your SQL syntax", Failed::Other),
        ] {
            let error = DieselError::DatabaseError(DatabaseErrorKind::Unknown, Box::new(message.to_owned()));
            assert_eq!(classify(&error), meaning, "{message}");
        }
    }
}
