//! The database of the Python service, releases 7 to 19, in MySQL, MariaDB or SQLite.
//!
//! The release is recognised by the columns, and not by the version rows, which failed upgrades left wrong. Each column
//! that only some releases have is checked by itself.

mod describe;
mod edited;
mod json;
mod record;
mod rows;
mod schema;
mod value;

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

use super::legacy::{Row, Table};
use super::{Description, Result, Source};
use crate::store::engine::url::{Backend, DatabaseUrl};
use crate::store::foreign::ForeignDatabase;
use record::Record;
use schema::Schema;

/// A connection to it, and one snapshot.
pub struct SqlSource {
    database: ForeignDatabase,
    schema: Schema,
    /// The jobs of [`SqlSource::moved_jobs`], once they are read.
    moved: HashSet<String>,
}

impl SqlSource {
    /// Opens the database for reading. With `force`, a version that no release has does not matter.
    ///
    /// # Errors
    /// A sentence: the database cannot be reached, or belongs to another program or to this service.
    pub fn open(url: &DatabaseUrl, force: bool) -> Result<Self> {
        if url.backend() == Backend::Postgres {
            return Err(format!(
                "{url:?} is PostgreSQL, which the Python service never ran on: its database is MySQL, MariaDB or an \
                 SQLite file. A database of this service is brought over by `freezer-api copy`."
            )
            .into());
        }
        let mut database = ForeignDatabase::open(url)?;
        let schema = Schema::recognise(&mut database, force)?;
        Ok(Self { database, schema, moved: HashSet::new() })
    }

    /// The jobs that the table `job_actions` has rows of, where the jobs have the column of that name, too: the upgrade
    /// that moves one into the other stopped before its end. Elsewhere nothing.
    fn moved_jobs(&mut self) -> Result<HashSet<String>> {
        let mut moved = HashSet::new();
        if let Some(table) = self.schema.table(Table::JobActions)
            && self.schema.has(Table::Jobs, "job_actions")
        {
            self.database.read(table, &mut |cells| {
                moved.insert(Record::new(table, cells).id("job_id"));
                Ok::<_, super::Error>(())
            })?;
        }
        Ok(moved)
    }
}

impl Source for SqlSource {
    fn describe(&mut self) -> Result<Description> {
        describe::describe(&mut self.database, &self.schema)
    }

    fn read(&mut self, sink: &mut dyn FnMut(Row) -> Result<()>) -> Result<()> {
        self.moved = self.moved_jobs()?;
        for (kind, table) in &self.schema.tables {
            self.database.read(table, &mut |cells| {
                let record = Record::new(table, cells);
                sink(rows::row(*kind, record, &self.schema, &self.moved))
            })?;
        }
        Ok(self.database.check_unchanged()?)
    }

    fn counts(&mut self) -> Result<BTreeMap<String, u64>> {
        let tables = self.schema.tables.iter();
        tables.map(|(kind, table)| Ok((kind.name().to_owned(), self.database.count(table)?))).collect()
    }

    fn row(&mut self, kind: Table, _: &str, raw: Value) -> std::result::Result<Row, String> {
        let table =
            self.schema.table(kind).ok_or_else(|| format!("the source has no table {}", kind.name()))?;
        let record = Record::new(table, edited::cells(table, &raw)?);
        Ok(rows::row(kind, record, &self.schema, &self.moved))
    }
}
