//! What a database error means.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::store::engine::connection::AnyConnection;

/// What a database error means for the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// A deadlock, a serialization failure, a Galera conflict, a lock time-out or a busy database: retry.
    Contention,
    /// A unique key already has this value.
    Duplicate,
    /// A foreign key has no parent, or a parent still has children.
    Reference,
    /// The server went away; a new connection may reach it.
    Connection,
    /// The database refuses writes at the moment: its disk is full, or it is read-only.
    ReadOnly,
    /// A statement exceeded the server's time limit.
    TooLong,
    /// Any other error: a bug of this service, or a wrong schema.
    Other,
}

/// Classifies an error. The drivers give a kind for some errors, and only a message for the rest.
pub fn classify(error: &DieselError) -> FailureKind {
    let DieselError::DatabaseError(kind, information) = error else {
        return match error {
            DieselError::BrokenTransactionManager => FailureKind::Connection,
            DieselError::RollbackErrorOnCommit { commit_error, .. } => classify(commit_error),
            _ => FailureKind::Other,
        };
    };
    match kind {
        DatabaseErrorKind::UniqueViolation => return FailureKind::Duplicate,
        DatabaseErrorKind::ForeignKeyViolation | DatabaseErrorKind::RestrictViolation => {
            return FailureKind::Reference;
        }
        DatabaseErrorKind::SerializationFailure => return FailureKind::Contention,
        DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
            return FailureKind::Connection;
        }
        DatabaseErrorKind::ReadOnlyTransaction => return FailureKind::ReadOnly,
        _ => {}
    }
    let message = information.message().to_ascii_lowercase();
    let says = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
    if says(&["foreign key constraint failed"]) {
        // SQLite reports a violation of RESTRICT without a kind.
        FailureKind::Reference
    } else if says(CONTENTION) {
        FailureKind::Contention
    } else if says(CONNECTION) {
        FailureKind::Connection
    } else if says(READ_ONLY) {
        FailureKind::ReadOnly
    } else if says(TOO_LONG) {
        FailureKind::TooLong
    } else {
        FailureKind::Other
    }
}

/// Whether SQLite found the disk full.
pub fn is_full(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(_, why) if why.message().contains("disk is full"))
}

/// Whether the session may be with a standby server, as after a fail-over: a new connection may reach the primary, and
/// this one never will. It is false for SQLite, where an open connection can still read when the disk is full, while a new
/// one might fail to open the file.
pub fn is_of_a_standby(connection: &AnyConnection, error: &DieselError) -> bool {
    !matches!(connection, AnyConnection::Sqlite(_)) && classify(error) == FailureKind::ReadOnly
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

/// MySQL 2002, 2006, 2013, 2055, 1053 and 1927; Galera's 1047, 1180 and its errors of replication; libpq's messages for the
/// same.
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
    "could not receive data from server",
    "could not send data to server",
    "ssl connection has been closed",
    "ssl syscall error",
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
    fn server_messages_are_classified() {
        for (message, meaning) in [
            (
                "The MariaDB server is running with the --read-only option so it cannot execute this",
                FailureKind::ReadOnly,
            ),
            ("The MySQL server is running with the --super-read-only option", FailureKind::ReadOnly),
            ("The table 'jobs' is full", FailureKind::ReadOnly),
            ("could not extend file \"base/5/16384\": No space left on device", FailureKind::ReadOnly),
            ("database or disk is full", FailureKind::ReadOnly),
            ("attempt to write a readonly database", FailureKind::ReadOnly),
            ("Query execution was interrupted (max_statement_time exceeded)", FailureKind::TooLong),
            (
                "Query execution was interrupted, maximum statement execution time exceeded",
                FailureKind::TooLong,
            ),
            ("canceling statement due to statement timeout", FailureKind::TooLong),
            ("canceling statement due to lock timeout", FailureKind::Contention),
            ("Lock wait timeout exceeded; try restarting transaction", FailureKind::Contention),
            ("database is locked", FailureKind::Contention),
            ("Server has gone away", FailureKind::Connection),
            ("Lost connection to server during query", FailureKind::Connection),
            ("Connection was killed", FailureKind::Connection),
            ("terminating connection due to administrator command", FailureKind::Connection),
            ("WSREP has not yet prepared node for application use", FailureKind::Connection),
            (
                "Error while appending streaming replication fragment(provider status: Not connected to Primary \
                 Component)",
                FailureKind::Connection,
            ),
            ("Got error 6 \"No such device or address\" during COMMIT", FailureKind::Connection),
            ("disk I/O error", FailureKind::Connection),
            ("could not receive data from server: Connection reset by peer", FailureKind::Connection),
            ("could not send data to server: Broken pipe", FailureKind::Connection),
            ("SSL connection has been closed unexpectedly", FailureKind::Connection),
            ("SSL SYSCALL error: EOF detected", FailureKind::Connection),
            ("You have an error in your SQL syntax", FailureKind::Other),
        ] {
            let error = DieselError::DatabaseError(DatabaseErrorKind::Unknown, Box::new(message.to_owned()));
            assert_eq!(classify(&error), meaning, "{message}");
        }
    }
}
