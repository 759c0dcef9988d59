//! The staging file: a temporary SQLite database with all rows of the source, so that the memory of an import does not
//! depend on the size of the source.

mod batch_lookups;
mod clients;
mod fill;
mod lookups;
mod projects;
mod read_back;
mod replace;
pub(in crate::import) mod table;

use std::collections::BTreeMap;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer};
use diesel::sqlite::SqliteConnection;

use super::legacy::Row;
use super::{Error, Result};

pub(in crate::import) use lookups::{Body, Key, Member};
pub(in crate::import) use replace::Existing;

/// The rows of a source, in the order in which they were read.
pub struct Staging {
    connection: SqliteConnection,
    /// How many rows were read.
    rows: i64,
    /// Whether reading is over, and the indexes are made.
    is_sealed: bool,
    /// Whether the actions inside jobs have been looked up.
    has_inline_actions: bool,
}

/// No journal, because the file is thrown away after a failure. The cache bounds the memory; sorts spill to files.
const SETTINGS: &str = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; \
    PRAGMA temp_store = FILE; PRAGMA cache_size = -32768;";

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = Integer)]
    kind: i32,
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

impl Staging {
    /// An empty staging file in the directory of temporary files (`TMPDIR`); it goes with the value.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn new() -> Result<Self> {
        let file = tempfile::Builder::new().prefix("freezer-import-").tempfile().map_err(|error| {
            Error::from(format!(
                "The staging file cannot be made in {}: {error}",
                std::env::temp_dir().display()
            ))
        })?;
        let path = file.path().to_string_lossy().into_owned();
        let mut connection = SqliteConnection::establish(&path).map_err(|error| failed(&error))?;
        connection.batch_execute(SETTINGS).map_err(|error| failed(&error))?;
        connection.batch_execute(table::CREATE).map_err(|error| failed(&error))?;
        connection.batch_execute("BEGIN").map_err(|error| failed(&error))?;
        // The file is unlinked at once, so that a killed import leaves nothing behind; SQLite keeps it open.
        drop(file);
        Ok(Self { connection, rows: 0, is_sealed: false, has_inline_actions: false })
    }

    /// Rows by table.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn counts(&mut self) -> Result<BTreeMap<String, u64>> {
        let counts: Vec<Count> = diesel::sql_query(
            "SELECT kind, count(*) AS rows FROM staged WHERE number > 0 GROUP BY kind ORDER BY kind",
        )
        .load(&mut self.connection)
        .map_err(|error| failed(&error))?;
        Ok(counts
            .into_iter()
            .map(|count| (table::table(count.kind).name().to_owned(), u64::try_from(count.rows).unwrap_or(0)))
            .collect())
    }

    /// Adds a row.
    ///
    /// # Errors
    /// The disk is full.
    pub fn add(&mut self, row: &Row) -> Result<()> {
        self.rows += 1;
        fill::add(&mut self.connection, self.rows, row)
    }

    /// Ends the reading and makes the indexes for look-ups.
    pub(in crate::import) fn seal(&mut self) -> Result<()> {
        if !self.is_sealed {
            self.execute(table::INDEX)?;
            self.execute("ANALYZE")?;
            self.is_sealed = true;
        }
        Ok(())
    }

    /// Ends the one transaction so far. Without a journal it costs nothing to have another for each statement.
    pub(in crate::import) fn commit(&mut self) -> Result<()> {
        self.execute("COMMIT")
    }

    fn execute(&mut self, sql: &str) -> Result<()> {
        self.connection.batch_execute(sql).map_err(|error| failed(&error))
    }
}

/// The error of a failing staging file.
fn failed(error: &dyn std::fmt::Display) -> Error {
    Error::from(format!("The staging file in {} cannot be used: {error}", std::env::temp_dir().display()))
}
