//! The lock on the schema of a Galera cluster. What GET_LOCK gives is known to one node only; that a table is made is
//! known to all of them, in one order.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::mysql::MysqlConnection;
use diesel::result::{DatabaseErrorKind, Error as DieselError, QueryResult};
use diesel::sql_types::Bool;
use diesel::{RunQueryDsl, select};

/// The table whose being there is the lock.
const TABLE: &str = "freezer_api_schema_lock";
/// How long somebody else may be at it: as with the locks of the other backends.
const PATIENCE: Duration = Duration::from_secs(300);
const PAUSE: Duration = Duration::from_millis(300);

/// Whether the server is a node of a cluster. One that has nothing to do with Galera does not know the variable.
pub fn is_node(connection: &mut MysqlConnection) -> bool {
    select(sql::<Bool>("@@wsrep_on")).get_result(connection).unwrap_or(false)
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
