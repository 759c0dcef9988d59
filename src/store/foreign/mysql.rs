//! MySQL and MariaDB as a source.

use diesel::connection::SimpleConnection;
use diesel::mysql::MysqlConnection;
use diesel::result::QueryResult;
use diesel::sql_types::Binary;
use diesel::{RunQueryDsl, sql_query};

use super::{Cells, Column, RowCells, Stopped, Table, cannot_open, in_backticks};
use crate::store::engine::connection::AnyConnection;
use crate::store::engine::manager::open_unconfigured;
use crate::store::engine::url::DatabaseUrl;

/// The most rows of a page.
const PAGE_ROWS: u64 = 2000;
/// The most bytes of a page, which the client library keeps until all its rows are handed on. A single row may have more.
const PAGE_BYTES: u64 = 16 << 20;

/// Times in UTC and texts in UTF-8, one snapshot, and a server that refuses every write of this session.
const SESSION: &str = "SET SESSION time_zone = '+00:00'; SET NAMES utf8mb4; \
    SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ; \
    START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";

pub(super) fn open(url: &DatabaseUrl) -> Result<AnyConnection, String> {
    let shown = url.redacted();
    let mut connection = open_unconfigured(url).map_err(|error| cannot_open(shown, &error))?;
    connection.batch_execute(SESSION).map_err(|error| format!("{shown} cannot be read: {error}."))?;
    Ok(connection)
}

pub(super) fn tables(c: &mut MysqlConnection) -> QueryResult<Vec<Table>> {
    let columns: Vec<RowCells> = sql_query(
        "SELECT CAST(c.table_name AS BINARY), CAST(c.column_name AS BINARY), CAST(c.data_type AS BINARY), \
         CAST(c.character_maximum_length AS BINARY), CAST(c.character_set_name AS BINARY), \
         CAST(c.collation_name AS BINARY), CAST(c.column_key AS BINARY) \
         FROM information_schema.columns c JOIN information_schema.tables t \
         ON t.table_schema = c.table_schema AND t.table_name = c.table_name \
         WHERE c.table_schema = DATABASE() AND t.table_type = 'BASE TABLE' \
         ORDER BY c.table_name, c.ordinal_position",
    )
    .load(c)?;
    let mut tables: Vec<Table> = Vec::new();
    for row in columns {
        let name = row.text(0);
        let kind = row.text(2).to_ascii_lowercase();
        let column = Column {
            name: row.text(1),
            is_number: kind.ends_with("int") || matches!(&*kind, "integer" | "decimal" | "float" | "double"),
            length: row.text(3).parse().ok(),
            // The JSON type of MySQL is text that has no character set of its own to be asked for.
            charset: if kind == "json" { Some("json".to_owned()) } else { row.some_text(4) },
            collation: row.some_text(5),
            is_key: row.text(6) == "PRI",
        };
        match tables.last_mut() {
            Some(table) if table.name == name => table.columns.push(column),
            _ => tables.push(Table { name, columns: vec![column] }),
        }
    }
    Ok(tables)
}

pub(super) fn without_snapshot(c: &mut MysqlConnection) -> QueryResult<Vec<String>> {
    let rows: Vec<RowCells> = sql_query(
        "SELECT CAST(table_name AS BINARY) FROM information_schema.tables \
         WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND engine <> 'InnoDB' ORDER BY table_name",
    )
    .load(c)?;
    Ok(rows.iter().map(|row| row.text(0)).collect())
}

/// Reads page by page, each after the last key of the one before.
pub(super) fn read<E>(
    c: &mut MysqlConnection,
    table: &Table,
    each: &mut dyn FnMut(Cells) -> Result<(), E>,
) -> Result<(), Stopped<E>> {
    let name = in_backticks(&table.name);
    let columns: Vec<String> = table.columns.iter().map(value).collect();
    let columns = columns.join(", ");
    let page = page_rows(c, table)?;
    let Some(key) = Key::of(table) else { return read_by_offset(c, &name, &columns, page, each) };
    let Key { name: id, constant } = &key;
    let mut last: Option<Vec<u8>> = None;
    loop {
        let after = if last.is_some() { format!("WHERE {id} > {constant}") } else { String::new() };
        let sql =
            format!("SELECT {columns}, CAST({id} AS BINARY) FROM {name} {after} ORDER BY {id} LIMIT {page}");
        let rows: Vec<RowCells> = match &last {
            Some(last) => sql_query(sql).bind::<Binary, _>(last).load(c)?,
            None => sql_query(sql).load(c)?,
        };
        let is_last = (rows.len() as u64) < page;
        for RowCells(mut cells) in rows {
            last = cells.pop().flatten();
            each(cells).map_err(Stopped::Caller)?;
        }
        if is_last {
            return Ok(());
        }
    }
}

/// For a table without a key of one text column: a scan in the order of the rows on the disk, which is the same for every
/// page of a snapshot.
fn read_by_offset<E>(
    c: &mut MysqlConnection,
    table: &str,
    columns: &str,
    page: u64,
    each: &mut dyn FnMut(Cells) -> Result<(), E>,
) -> Result<(), Stopped<E>> {
    let mut offset = 0;
    loop {
        let sql = format!("SELECT {columns} FROM {table} LIMIT {page} OFFSET {offset}");
        let rows: Vec<RowCells> = sql_query(sql).load(c)?;
        let count = rows.len() as u64;
        for RowCells(cells) in rows {
            each(cells).map_err(Stopped::Caller)?;
        }
        if count < page {
            return Ok(());
        }
        offset += count;
    }
}

/// The column that pages are read by.
struct Key {
    /// Its name, quoted.
    name: String,
    /// The last key, as a constant of the column's own character set and collation: only then are the rows after it
    /// those that come later in the order of the index.
    constant: String,
}

impl Key {
    /// The only column of the primary key, if that is text.
    fn of(table: &Table) -> Option<Self> {
        let mut columns = table.columns.iter().filter(|column| column.is_key);
        let (Some(column), None) = (columns.next(), columns.next()) else { return None };
        let is_word = |name: &&String| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let charset = column.charset.as_ref().filter(is_word)?;
        let collation = column.collation.as_ref().filter(is_word)?;
        let constant = format!("CONVERT(CAST(? AS BINARY) USING {charset}) COLLATE {collation}");
        Some(Self { name: in_backticks(&column.name), constant })
    }
}

/// How many rows a page may have, by the largest row of the table.
fn page_rows(c: &mut MysqlConnection, table: &Table) -> QueryResult<u64> {
    let sizes = table
        .columns
        .iter()
        .map(|column| format!("COALESCE(OCTET_LENGTH({}), 0)", in_backticks(&column.name)));
    let sizes = sizes.collect::<Vec<_>>().join(" + ");
    let sql = format!("SELECT CAST(MAX({sizes}) AS BINARY) FROM {}", in_backticks(&table.name));
    let rows: Vec<RowCells> = sql_query(sql).load(c)?;
    let largest = rows.first().and_then(|row| row.text(0).parse().ok()).unwrap_or(0_u64);
    Ok((PAGE_BYTES / largest.max(1)).clamp(1, PAGE_ROWS))
}

/// A value as bytes: text in UTF-8 whatever the column's character set, and a number, date or BLOB as it is.
fn value(column: &Column) -> String {
    let name = in_backticks(&column.name);
    match column.charset.as_deref() {
        None | Some("utf8" | "utf8mb3" | "utf8mb4" | "ascii" | "binary") => format!("CAST({name} AS BINARY)"),
        Some(_) => format!("CAST(CONVERT({name} USING utf8mb4) AS BINARY)"),
    }
}
