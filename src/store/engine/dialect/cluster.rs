//! What differs on a Galera cluster: the lock on the schema, and how long a node keeps a silent connection.
//!
//! A lock of GET_LOCK is local to one node. The creation of a table is replicated to all nodes in one order, so that a
//! table can serve as the lock.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::mysql::MysqlConnection;
use diesel::result::{DatabaseErrorKind, Error as DieselError, QueryResult};
use diesel::sql_types::Bool;
use diesel::{RunQueryDsl, select};

/// A node closes a connection after this many idle seconds.
const SILENCE_SECONDS: u32 = 3;

/// The table whose existence is the lock.
const TABLE: &str = "freezer_api_schema_lock";
/// How long to wait for the lock: as long as on the other backends.
const PATIENCE: Duration = Duration::from_secs(300);
const PAUSE: Duration = Duration::from_millis(300);

/// Whether the server is a node of a cluster. A server without Galera does not know the variable.
pub fn is_node(connection: &mut MysqlConnection) -> bool {
    select(sql::<Bool>("@@wsrep_on")).get_result(connection).unwrap_or(false)
}

/// Lets a node close a connection that is idle for [`SILENCE_SECONDS`].
///
/// A node that rolls a transaction back, because another node has committed a conflicting one, sometimes does not answer
/// the next statement (seen with MariaDB 10.11.19: a prepared SELECT, one in some thousands of conflicts). Node and client
/// then wait for each other. When the node closes the connection, the transaction is retried. Idle pooled connections are
/// closed, too, and opened again at little cost.
pub fn bound_silence(connection: &mut MysqlConnection) -> QueryResult<()> {
    match is_node(connection) {
        true => connection.batch_execute(&format!("SET SESSION wait_timeout = {SILENCE_SECONDS}")),
        false => Ok(()),
    }
}

/// Creates the table, as soon as no other process has it.
pub fn lock_schema(connection: &mut MysqlConnection) -> QueryResult<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        // A CREATE TABLE that fails is replicated to all nodes nevertheless, so this looks for the table first.
        let is_there: bool = select(sql::<Bool>(&format!(
            "EXISTS (SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = '{TABLE}')"
        )))
        .get_result(connection)?;
        if !is_there {
            match connection
                .batch_execute(&format!("CREATE TABLE {TABLE} (id INT PRIMARY KEY) ENGINE=InnoDB"))
            {
                Err(error) if is_there_already(&error) => {}
                outcome => return outcome,
            }
        }
        if Instant::now() >= until {
            let why = format!(
                "another process holds the lock, which is the table {TABLE}. If there is none, as after it was killed, \
                 drop that table"
            );
            return Err(DieselError::QueryBuilderError(why.into()));
        }
        std::thread::sleep(PAUSE);
    }
}

/// Drops the table.
pub fn unlock_schema(connection: &mut MysqlConnection) -> QueryResult<()> {
    connection.batch_execute(&format!("DROP TABLE {TABLE}"))
}

fn is_there_already(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(DatabaseErrorKind::Unknown, why) if why.message().contains("already exists"))
}
