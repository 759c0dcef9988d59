//! What is different with a Galera cluster: the lock on the schema, for what GET_LOCK gives is known to one node only, while
//! that a table is made is known to all of them, in one order; and how long a node listens to us.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::mysql::MysqlConnection;
use diesel::result::{DatabaseErrorKind, Error as DieselError, QueryResult};
use diesel::sql_types::Bool;
use diesel::{RunQueryDsl, select};

/// After how many seconds of hearing nothing from us a node gives a connection up.
const SILENCE_SECONDS: u32 = 3;

/// The table whose being there is the lock.
const TABLE: &str = "freezer_api_schema_lock";
/// How long somebody else may be at it: as with the locks of the other backends.
const PATIENCE: Duration = Duration::from_secs(300);
const PAUSE: Duration = Duration::from_millis(300);

/// Whether the server is a node of a cluster. One that has nothing to do with Galera does not know the variable.
pub fn is_node(connection: &mut MysqlConnection) -> bool {
    select(sql::<Bool>("@@wsrep_on")).get_result(connection).unwrap_or(false)
}

/// Lets a node give up a connection soon that it hears nothing from.
///
/// A node that takes a transaction back, for one that another node has committed, now and then forgets to answer the
/// statement that comes next (seen with MariaDB 10.11.19: a prepared SELECT, one in some thousands of conflicts): it waits
/// for us, we wait for it, and nobody else ever hears of that. When the node hangs up, the transaction is begun anew. So are
/// connections that nobody has needed for a while, which costs little.
pub fn bound_silence(connection: &mut MysqlConnection) -> QueryResult<()> {
    match is_node(connection) {
        true => connection.batch_execute(&format!("SET SESSION wait_timeout = {SILENCE_SECONDS}")),
        false => Ok(()),
    }
}

/// Makes the table, as soon as nobody else has it.
pub fn lock_schema(connection: &mut MysqlConnection) -> QueryResult<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        // A statement that would fail is sent to all nodes all the same, so that it is asked for first.
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
