//! Remembers the documents that were passed on, in a temporary file, so that a read that restarts gives none twice.

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use serde_json::Value;
use uuid::Uuid;

use super::server::Trouble;
use crate::import::Result;

diesel::table! {
    seen (id) {
        id -> Binary,
    }
}

/// The documents by a digest of their index, type and id.
pub struct Seen {
    connection: SqliteConnection,
}

impl Seen {
    /// An empty set.
    pub fn new() -> Result<Self> {
        // A database without a name is a temporary file, which SQLite removes with the connection.
        let mut connection = SqliteConnection::establish("").map_err(|error| cannot(&error))?;
        for statement in [
            "PRAGMA journal_mode = MEMORY",
            "PRAGMA synchronous = OFF",
            "PRAGMA cache_size = -16384",
            "CREATE TABLE seen (id BLOB NOT NULL PRIMARY KEY) WITHOUT ROWID",
        ] {
            diesel::sql_query(statement).execute(&mut connection).map_err(|error| cannot(&error))?;
        }
        Ok(Self { connection })
    }

    /// Runs `work` on the documents of one page.
    pub fn page(
        &mut self,
        work: impl FnOnce(&mut Self) -> std::result::Result<(), Trouble>,
    ) -> std::result::Result<(), Trouble> {
        self.run("BEGIN")?;
        work(self)?;
        self.run("COMMIT")?;
        Ok(())
    }

    /// Adds a hit; returns whether it was new.
    pub fn is_new(&mut self, hit: &Value) -> Result<bool> {
        let part = |key: &str| hit.get(key).and_then(Value::as_str).unwrap_or_default();
        let Some(id) = hit.get("_id").and_then(Value::as_str) else { return Ok(true) };
        let name = format!("{}\0{}\0{id}", part("_index"), part("_type"));
        let digest = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).into_bytes();
        let new = diesel::insert_or_ignore_into(seen::table)
            .values(seen::id.eq(digest.to_vec()))
            .execute(&mut self.connection)
            .map_err(|error| cannot(&error))?;
        Ok(new > 0)
    }

    fn run(&mut self, statement: &str) -> Result<()> {
        diesel::sql_query(statement).execute(&mut self.connection).map_err(|error| cannot(&error))?;
        Ok(())
    }
}

fn cannot(error: &dyn std::fmt::Display) -> String {
    format!("Cannot keep which documents were read in the directory of temporary files: {error}.")
}
