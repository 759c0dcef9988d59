//! Whole rows of every table, for a copy into another database. The tables and their columns are one list ([`tables`]);
//! everything else is the same for all of them.

mod tables;
mod verbatim;

use diesel::dsl::{select, sql};
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel::sql_types::Text;

use super::engine::connection::AnyConnection;
use super::engine::url::Backend;
use super::types::time::Time;
use super::{Outcome, Tx};
pub use tables::each_table;
use verbatim::Verbatim;

/// The most rows of one statement: with as many parameters as their columns need, all three backends take it.
const ROWS: i64 = 500;

/// The most bytes of large columns that one statement reads or writes, unless a single row has more.
const BYTES: i64 = 4 * 1024 * 1024;

/// The values of the columns of a primary key.
pub type Key = Vec<String>;

/// A column of a table.
#[derive(Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it can hold.
    pub form: Form,
}

/// What a column can hold, where the backends differ in that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// An id or a part of a key, of at most this many characters, which are ASCII on MySQL.
    Key(usize),
    /// Text of at most this many characters, which are ASCII on MySQL.
    Ascii(usize),
    /// Text of at most this many characters.
    Varchar(usize),
    /// Text of any length; of at most 65,535 bytes on MySQL.
    Text,
    /// JSON.
    Document,
    /// Bytes of any number.
    Bytes,
    /// A number, a time or a boolean.
    Plain,
}

impl Form {
    fn is_large(self) -> bool {
        matches!(self, Self::Text | Self::Document | Self::Bytes)
    }
}

/// A value of a column.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs)] // the types
pub enum Value<'r> {
    Null,
    Bool(bool),
    Integer(i64),
    Time(Time),
    Text(&'r str),
    /// The text as the database has it.
    Json(&'r str),
    Bytes(&'r [u8]),
}

/// A row of one of the tables.
pub trait Copied: Clone {
    /// The table's name.
    const TABLE: &'static str;
    /// Its columns.
    const COLUMNS: &'static [Column];

    /// The values, in the order of the columns.
    fn values(&self) -> Vec<Value<'_>>;

    /// The primary key.
    fn key(&self) -> Key;

    /// What further unique keys the row has, by their names.
    fn unique(&self) -> Vec<(&'static str, Key)> {
        Vec::new()
    }

    /// The value by which [`twins`] finds the rows that may have the same unique keys.
    fn name(&self) -> Option<&str> {
        None
    }

    /// Some rows in the order of their keys, from the first one after a key.
    ///
    /// # Errors
    /// The database's.
    fn select(connection: &mut AnyConnection, after: Option<&Key>, limit: i64) -> QueryResult<Vec<Self>>;

    /// The keys of the same rows.
    ///
    /// # Errors
    /// The database's.
    fn keys(connection: &mut AnyConnection, after: Option<&Key>, limit: i64) -> QueryResult<Vec<Key>>;

    /// How many bytes the large columns of the same rows have.
    ///
    /// # Errors
    /// The database's.
    fn sizes(connection: &mut AnyConnection, after: Option<&Key>, limit: i64) -> QueryResult<Vec<i64>>;

    /// The rows whose first column of the key is one of these.
    ///
    /// # Errors
    /// The database's.
    fn with_first(connection: &mut AnyConnection, firsts: Vec<String>) -> QueryResult<Vec<Self>>;

    /// The rows whose name is one of these.
    ///
    /// # Errors
    /// The database's.
    fn with_name(_: &mut AnyConnection, _: Vec<String>) -> QueryResult<Vec<Self>> {
        Ok(Vec::new())
    }

    /// Inserts rows by one statement.
    ///
    /// # Errors
    /// The database's.
    fn insert(connection: &mut AnyConnection, rows: &[Self]) -> QueryResult<()>;

    /// The number of all rows.
    ///
    /// # Errors
    /// The database's.
    fn count(connection: &mut AnyConnection) -> QueryResult<i64>;
}

/// What is done with each table ([`each_table`]).
pub trait Visitor {
    /// Why it stops.
    type Error;

    /// Does it with one table.
    ///
    /// # Errors
    /// No further table is visited.
    fn visit<T: Copied>(&mut self) -> Result<(), Self::Error>;
}

/// Some rows in the order of their keys.
pub struct Page<T> {
    /// Those that can be read.
    pub rows: Vec<T>,
    /// The keys of the others, and why they cannot be read.
    pub unreadable: Vec<(Key, String)>,
    /// The last key; nothing at the end of the table.
    pub last: Option<Key>,
}

/// The rows after a key: as many as one statement should write.
///
/// # Errors
/// The database's.
pub fn page<T: Copied>(tx: &mut Tx<'_>, after: Option<&Key>) -> Outcome<Page<T>> {
    let limit = limit::<T>(tx, after)?;
    match T::select(tx.connection, after, limit) {
        Ok(rows) => Ok(Page { last: rows.last().map(T::key), rows, unreadable: Vec::new() }),
        Err(DieselError::DeserializationError(_)) => one_by_one(tx, after, limit),
        Err(error) => Err(error.into()),
    }
}

/// How many rows have no more than [`BYTES`] in their large columns; one at least.
fn limit<T: Copied>(tx: &mut Tx<'_>, after: Option<&Key>) -> Outcome<i64> {
    if !T::COLUMNS.iter().any(|column| column.form.is_large()) {
        return Ok(ROWS);
    }
    let (mut rows, mut bytes) = (0, 0);
    for size in T::sizes(tx.connection, after, ROWS)? {
        bytes += size;
        if rows > 0 && bytes > BYTES {
            return Ok(rows);
        }
        rows += 1;
    }
    Ok(rows)
}

/// The same rows as [`page`], where one of them cannot be read.
fn one_by_one<T: Copied>(tx: &mut Tx<'_>, after: Option<&Key>, limit: i64) -> Outcome<Page<T>> {
    let mut page = Page { rows: Vec::new(), unreadable: Vec::new(), last: after.cloned() };
    for key in T::keys(tx.connection, after, limit)? {
        match T::select(tx.connection, page.last.as_ref(), 1) {
            Ok(rows) => page.rows.extend(rows),
            Err(DieselError::DeserializationError(why)) => {
                page.unreadable.push((key.clone(), why.to_string()))
            }
            Err(error) => return Err(error.into()),
        }
        page.last = Some(key);
    }
    Ok(page)
}

/// The rows that have one of some keys.
///
/// # Errors
/// The database's.
pub fn with_keys<T: Copied>(tx: &mut Tx<'_>, keys: &[Key]) -> Outcome<Vec<T>> {
    let mut firsts: Vec<String> = keys.iter().filter_map(|key| key.first().cloned()).collect();
    firsts.dedup();
    if firsts.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows = T::with_first(tx.connection, firsts)?;
    // MySQL finds `web1 ` as well when it is asked for `web1`; and of a key of several columns it was asked for one.
    let keys: std::collections::HashSet<&Key> = keys.iter().collect();
    rows.retain(|row| keys.contains(&row.key()));
    Ok(rows)
}

/// The rows that may have the same unique keys as rows with one of some names.
///
/// # Errors
/// The database's.
pub fn twins<T: Copied>(tx: &mut Tx<'_>, mut names: Vec<String>) -> Outcome<Vec<T>> {
    names.sort();
    names.dedup();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    Ok(T::with_name(tx.connection, names)?)
}

/// Inserts rows as they are.
///
/// # Errors
/// The database's.
pub fn insert<T: Copied>(tx: &mut Tx<'_>, rows: &[T]) -> Outcome<()> {
    if rows.is_empty() {
        return Ok(());
    }
    Ok(T::insert(tx.connection, rows)?)
}

/// The number of rows of a table.
///
/// # Errors
/// The database's.
pub fn count<T: Copied>(tx: &mut Tx<'_>) -> Outcome<u64> {
    Ok(T::count(tx.connection)?.unsigned_abs())
}

/// A database, as far as it decides what a row may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Server {
    /// The backend.
    pub backend: Backend,
    /// Whether it is MariaDB, whose JSON is text, and not MySQL, whose JSON is parsed.
    pub is_mariadb: bool,
}

/// Which server a transaction is on.
///
/// # Errors
/// The database's.
pub fn server(tx: &mut Tx<'_>, backend: Backend) -> Outcome<Server> {
    let is_mariadb = backend == Backend::Mysql
        && select(sql::<Text>("VERSION()")).get_result::<String>(tx.connection)?.contains("MariaDB");
    Ok(Server { backend, is_mariadb })
}
