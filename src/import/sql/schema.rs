//! Recognises the tables and columns of the database, and the release that made it.

mod era;

use super::super::Result;
use super::super::legacy::Table;
use super::record::Record;
use crate::store::foreign::{self, ForeignDatabase};
pub(super) use era::{Columns, HEADS};

/// A table that every database of this service has, and none of the Python service.
const OURS: &str = "__diesel_schema_migrations";

/// The columns without which a table is another program's, or cannot be read. A table with `true` has to be there.
const NEEDED: [(Table, bool, &[&str]); 8] = [
    (Table::Clients, true, &["id", "client_id"]),
    (Table::Actions, true, &["id", "action", "backup_metadata"]),
    (Table::ActionReports, false, &["id"]),
    (Table::Sessions, true, &["id", "schedule", "job"]),
    (Table::Jobs, true, &["id", "client_id", "schedule"]),
    (Table::JobActions, false, &["id", "job_id", "action_id"]),
    (Table::UserCredentials, false, &["id", "job_id", "trust_id"]),
    (Table::Backups, true, &["id", "backup_metadata"]),
];

/// The recognised schema.
pub(super) struct Schema {
    /// The tables that are read, in that order.
    pub(super) tables: Vec<(Table, foreign::Table)>,
    /// The columns that differ between releases.
    pub(super) columns: Columns,
    /// The rows of `alembic_version`.
    pub(super) alembic: Vec<String>,
    /// The version of `migrate_version`, which releases up to 15 keep.
    pub(super) migrate: Option<String>,
    /// The names of tables that do not belong to the old service.
    pub(super) others: Vec<String>,
}

impl Schema {
    /// Looks at the database. With `force`, a version that no release has does not matter.
    pub(super) fn recognise(database: &mut ForeignDatabase, force: bool) -> Result<Self> {
        let mut found = database.tables()?;
        let shown = database.shown().to_owned();
        if found.is_empty() {
            return Err(format!("{shown} has no tables.").into());
        }
        if take(&mut found, OURS).is_some() {
            return Err(format!(
                "{shown} is a database of this service and not the Python service's: `freezer-api copy` copies it."
            )
            .into());
        }
        let alembic = match take(&mut found, "alembic_version") {
            Some(table) => version_rows(database, &table, "version_num", None)?,
            None => Vec::new(),
        };
        let migrate = match take(&mut found, "migrate_version") {
            Some(table) => {
                version_rows(database, &table, "version", Some(("repository_id", "freezer-api")))?.pop()
            }
            None => None,
        };
        let mut tables = Vec::new();
        for (kind, is_needed, columns) in NEEDED {
            match take(&mut found, kind.name()) {
                Some(table) => {
                    expect_columns(&shown, &table, columns)?;
                    tables.push((kind, table));
                }
                None if is_needed => {
                    return Err(format!(
                        "{shown} is not a database of the Python service: it has no table {}.",
                        kind.name()
                    )
                    .into());
                }
                None => {}
            }
        }
        let others = found.into_iter().map(|table| table.name).collect();
        let columns = Columns::from_tables(&tables);
        columns.check().map_err(|why| format!("{shown} is not a database of the Python service: {why}."))?;
        if let Some(head) = alembic.iter().find(|head| !HEADS.contains(&head.as_str()))
            && !force
        {
            return Err(format!(
                "{shown} has the version `{head}` in alembic_version, which no release up to 19.0 has. With --force it \
                 is read by its columns, which are those of {}.",
                columns.era()
            )
            .into());
        }
        Ok(Self { tables, columns, alembic, migrate, others })
    }

    /// A table, if it is there.
    pub(super) fn table(&self, kind: Table) -> Option<&foreign::Table> {
        self.tables.iter().find(|(found, _)| *found == kind).map(|(_, table)| table)
    }

    /// Whether a table is there and has a column.
    pub(super) fn has(&self, kind: Table, column: &str) -> bool {
        self.table(kind).is_some_and(|table| table.has(column))
    }
}

fn take(tables: &mut Vec<foreign::Table>, name: &str) -> Option<foreign::Table> {
    let index = tables.iter().position(|table| table.name.eq_ignore_ascii_case(name))?;
    Some(tables.remove(index))
}

fn expect_columns(shown: &str, table: &foreign::Table, columns: &[&str]) -> Result<()> {
    match columns.iter().find(|column| !table.has(column)) {
        Some(column) => Err(format!(
            "{shown} is not a database of the Python service: its table {} has no column {column}.",
            table.name
        )
        .into()),
        None => Ok(()),
    }
}

/// The values of one column, of the rows that have a value in another one.
fn version_rows(
    database: &mut ForeignDatabase,
    table: &foreign::Table,
    column: &str,
    only: Option<(&str, &str)>,
) -> Result<Vec<String>> {
    let mut versions = Vec::new();
    database.read(table, &mut |cells| {
        let mut record = Record::new(table, cells);
        if only.is_none_or(|(key, value)| record.text(key).as_deref() == Some(value)) {
            versions.extend(record.text(column));
        }
        Ok::<_, super::super::Error>(())
    })?;
    Ok(versions)
}
