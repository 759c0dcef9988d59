//! The description of the database for the operator, before it is read.

use super::super::legacy::Table;
use super::super::{Description, Result};
use super::schema::Schema;
use crate::store::foreign::{self, ForeignDatabase};

pub(super) fn describe(database: &mut ForeignDatabase, schema: &Schema) -> Result<Description> {
    let mut description = Description { warnings: warnings(database, schema)?, ..Description::default() };
    let lines = &mut description.lines;
    lines.push(format!("{}, {}", database.shown().to_owned(), database.server()?));
    lines.push(format!("The database of the Python service with the columns of {}", schema.columns.era()));
    lines.push(format!("Columns: {}", schema.columns.list()));
    lines.push(format!("Version rows: {}", versions(schema)));
    for (kind, table) in &schema.tables {
        let all = database.count(table)?;
        description.counts.insert(kind.name().to_owned(), all);
        lines.push(format!("{}: {}", kind.name(), states(database, table, all)?));
    }
    let tables: Vec<&foreign::Table> = schema.tables.iter().map(|(_, table)| table).collect();
    let projects = database.count_distinct(&tables, "project_id")?;
    let users = database.count_distinct(&tables, "user_id")?;
    lines.push(format!("Projects: {projects}; users: {users}"));
    if !schema.others.is_empty() {
        lines.push(format!("Tables that are not read: {}", schema.others.join(", ")));
    }
    Ok(description)
}

fn states(database: &mut ForeignDatabase, table: &foreign::Table, all: u64) -> Result<String> {
    if !table.has("deleted") {
        return Ok(format!("{all} rows"));
    }
    let live = database.count_where(table, "deleted = 0")?;
    let null = database.count_where(table, "deleted IS NULL")?;
    let deleted = all.saturating_sub(live).saturating_sub(null);
    Ok(format!("{all} rows: {live} live, {deleted} deleted, {null} neither (deleted is NULL)"))
}

fn versions(schema: &Schema) -> String {
    let alembic = schema.alembic.iter().map(|head| format!("alembic_version {head}"));
    let migrate = schema.migrate.iter().map(|version| format!("migrate_version {version}"));
    let rows: Vec<String> = alembic.chain(migrate).collect();
    if rows.is_empty() { "none".to_owned() } else { rows.join(", ") }
}

fn warnings(database: &mut ForeignDatabase, schema: &Schema) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    let columns = &schema.columns;
    // An upgraded database keeps migrate_version, which says nothing then.
    let fits = match (&schema.alembic[..], &schema.migrate) {
        ([], None) => true,
        ([], Some(version)) => columns.fit_migrate(version),
        (heads, _) => heads.iter().any(|head| columns.fit_alembic(head)),
    };
    if !fits {
        warnings.push(format!(
            "The schema is half-upgraded: the version rows ({}) do not fit the columns, which are those of {}. The \
             columns decide.",
            versions(schema),
            columns.era()
        ));
    }
    if schema.has(Table::Jobs, "job_actions") && schema.table(Table::JobActions).is_some() {
        warnings.push(
            "There is a table job_actions, and a column of that name in jobs, too: an upgrade stopped between them. \
             The column counts for the jobs that have no rows in the table."
                .to_owned(),
        );
    }
    for (kind, table) in &schema.tables {
        let is_utf8 =
            |charset: &str| charset.starts_with("utf8") || matches!(charset, "ascii" | "binary" | "json");
        let other =
            table.columns.iter().filter_map(|column| column.charset.as_deref()).find(|name| !is_utf8(name));
        if let Some(charset) = other {
            warnings.push(format!(
                "Table {} has texts in the character set {charset}: what was beyond it was lost when it was written.",
                kind.name()
            ));
        }
    }
    let names: Vec<&str> = schema.tables.iter().map(|(_, table)| table.name.as_str()).collect();
    let loose = database.tables_without_snapshot()?;
    let loose: Vec<&str> = loose.iter().map(String::as_str).filter(|name| names.contains(name)).collect();
    if !loose.is_empty() {
        warnings.push(format!(
            "Tables {} are not InnoDB, and have no snapshot: stop the old service before the import.",
            loose.join(", ")
        ));
    }
    Ok(warnings)
}
