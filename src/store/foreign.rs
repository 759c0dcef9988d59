//! A database of another program, opened for reading only: its tables and columns, and rows of bytes.
//!
//! Everything is read in one snapshot, and the database is the same afterwards, byte for byte. What a value means is
//! left to the caller: which columns there are is known only at run time, so every value comes as the bytes of its text.

#[cfg(feature = "mysql")]
mod mysql;
mod sqlite;

use diesel::RunQueryDsl;
use diesel::backend::Backend as DieselBackend;
use diesel::deserialize::{self, FromSql, QueryableByName};
use diesel::result::{ConnectionError, Error as DieselError};
use diesel::row::{Field, NamedRow, Row};
use diesel::sql_types::Binary;

use super::engine::connection::AnyConnection;
use super::engine::dialect::{FailureKind, classify, on_each};
use super::engine::url::{Backend, DatabaseUrl};

/// The values of a row, in the order of the columns: the bytes of a value's text, or of a BLOB.
pub type Cells = Vec<Option<Vec<u8>>>;

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The name, as the database has it.
    pub name: String,
    /// Whether its values are numbers.
    pub is_number: bool,
    /// The length of its declaration in characters, as in `VARCHAR(36)`.
    pub length: Option<u64>,
    /// The character set, where columns have one.
    pub charset: Option<String>,
    /// The collation, where columns have one.
    collation: Option<String>,
    /// Whether it is, or is part of, the primary key.
    is_key: bool,
}

/// A table that is there.
#[derive(Debug, Clone)]
pub struct Table {
    /// The name, as the database has it.
    pub name: String,
    /// Its columns.
    pub columns: Vec<Column>,
}

/// A connection to the database, with a snapshot that lasts as long as this value.
pub struct ForeignDatabase {
    connection: AnyConnection,
    shown: String,
    /// What belongs to an SQLite file while it is read.
    file: Option<sqlite::File>,
}

impl ForeignDatabase {
    /// Opens the database and begins the snapshot.
    ///
    /// # Errors
    /// A sentence for the operator: the database is away, or is none.
    pub fn open(url: &DatabaseUrl) -> Result<Self, String> {
        let shown = url.redacted().to_owned();
        let (connection, file) = match url.backend() {
            #[cfg(feature = "mysql")]
            Backend::Mysql => (mysql::open(url)?, None),
            Backend::Sqlite => {
                let (connection, file) = sqlite::open(url)?;
                (connection, Some(file))
            }
            #[allow(unreachable_patterns)] // without MySQL, its URLs are refused when they are parsed
            _ => return Err(format!("{shown} is no database of a kind that can be read.")),
        };
        Ok(Self { connection, shown, file })
    }

    /// The database for messages: no user, no password.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The program that keeps the database, and its version.
    ///
    /// # Errors
    /// The database is away.
    pub fn server(&mut self) -> Result<String, String> {
        let (name, function) = match self.file {
            Some(_) => ("SQLite", "sqlite_version()"),
            None => ("MySQL", "version()"),
        };
        let version = self.text(&format!("SELECT {}", self.bytes_of(function)))?.unwrap_or_default();
        Ok(match version.to_ascii_lowercase().contains("mariadb") {
            true => format!("MariaDB {version}"),
            false => format!("{name} {version}"),
        })
    }

    /// The tables, in order of their names.
    ///
    /// # Errors
    /// The database is away, or the file is damaged.
    pub fn tables(&mut self) -> Result<Vec<Table>, String> {
        let tables = match &mut self.connection {
            #[cfg(feature = "mysql")]
            AnyConnection::Mysql(c) => mysql::tables(c),
            AnyConnection::Sqlite(c) => sqlite::tables(c),
            #[cfg(feature = "postgres")]
            AnyConnection::Postgres(_) => Ok(Vec::new()),
        };
        tables.map_err(|error| self.sentence("its tables", &error))
    }

    /// Tables of which there is no snapshot, because their engine has no transactions.
    ///
    /// # Errors
    /// As [`ForeignDatabase::tables`].
    pub fn tables_without_snapshot(&mut self) -> Result<Vec<String>, String> {
        #[cfg(feature = "mysql")]
        if let AnyConnection::Mysql(c) = &mut self.connection {
            let tables = mysql::without_snapshot(c);
            return tables.map_err(|error| self.sentence("its tables", &error));
        }
        Ok(Vec::new())
    }

    /// How many rows a table has.
    ///
    /// # Errors
    /// As [`ForeignDatabase::tables`].
    pub fn count(&mut self, table: &Table) -> Result<u64, String> {
        self.count_where(table, "1 = 1")
    }

    /// How many rows fulfil a condition that every SQL database understands.
    ///
    /// # Errors
    /// As [`ForeignDatabase::tables`].
    pub fn count_where(&mut self, table: &Table, condition: &str) -> Result<u64, String> {
        let count = self.bytes_of("COUNT(*)");
        let sql = format!("SELECT {count} FROM {} WHERE {condition}", self.quoted(&table.name));
        let text = self.text(&sql)?.unwrap_or_default();
        text.parse().map_err(|_| format!("{}: a count is `{text}`.", self.shown))
    }

    /// How many values, other than NULL and '', a column has, over several tables.
    ///
    /// # Errors
    /// As [`ForeignDatabase::tables`].
    pub fn count_distinct(&mut self, tables: &[&Table], column: &str) -> Result<u64, String> {
        // Columns of tables with different character sets cannot be put into one list but as bytes.
        let value = self.bytes_of(&self.quoted(column));
        let selects = tables.iter().filter(|table| table.has(column)).map(|table| {
            let name = self.quoted(&table.name);
            format!("SELECT {value} AS v FROM {name} WHERE {} <> ''", self.quoted(column))
        });
        let union = selects.collect::<Vec<_>>().join(" UNION ");
        if union.is_empty() {
            return Ok(0);
        }
        let sql = format!("SELECT {} FROM ({union}) AS found", self.bytes_of("COUNT(*)"));
        Ok(self.text(&sql)?.and_then(|text| text.parse().ok()).unwrap_or_default())
    }

    /// Gives every row of a table to `each`, which may fail with an error of its own.
    ///
    /// # Errors
    /// As [`ForeignDatabase::tables`]; what `each` fails with.
    pub fn read<E: From<String>>(
        &mut self,
        table: &Table,
        each: &mut dyn FnMut(Cells) -> Result<(), E>,
    ) -> Result<(), E> {
        let outcome = match &mut self.connection {
            #[cfg(feature = "mysql")]
            AnyConnection::Mysql(c) => mysql::read(c, table, each),
            AnyConnection::Sqlite(c) => sqlite::read(c, table, each),
            #[cfg(feature = "postgres")]
            AnyConnection::Postgres(_) => Ok(()),
        };
        outcome.map_err(|error| match error {
            Stopped::Database(error) => E::from(self.sentence(&format!("table {}", table.name), &error)),
            Stopped::Caller(error) => error,
        })
    }

    /// Fails if the database was changed under the snapshot, which only a file that could not be locked can be.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn check_unchanged(&self) -> Result<(), String> {
        self.file.as_ref().map_or(Ok(()), sqlite::File::check_unchanged)
    }

    fn text(&mut self, sql: &str) -> Result<Option<String>, String> {
        let rows: Result<Vec<RowCells>, _> =
            on_each!(&mut self.connection, c => diesel::sql_query(sql).load(c));
        let mut rows = rows.map_err(|error| self.sentence("it", &error))?;
        let cell = rows.pop().and_then(|row| row.0.into_iter().next().flatten());
        Ok(cell.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn bytes_of(&self, expression: &str) -> String {
        format!("CAST({expression} AS {})", if self.file.is_some() { "BLOB" } else { "BINARY" })
    }

    fn quoted(&self, name: &str) -> String {
        if self.file.is_some() { sqlite::quoted(name) } else { in_backticks(name) }
    }

    fn sentence(&self, what: &str, error: &DieselError) -> String {
        let shown = &self.shown;
        match classify(error) {
            FailureKind::Connection => {
                format!("The connection to {shown} was lost while {what} was read: {error}.")
            }
            _ => format!("{shown} cannot be read ({what}): {error}."),
        }
    }
}

impl Table {
    /// Whether it has a column.
    pub fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|c| c.name.eq_ignore_ascii_case(column))
    }
}

/// Why reading stops.
enum Stopped<E> {
    Database(DieselError),
    Caller(E),
}

impl<E> From<DieselError> for Stopped<E> {
    fn from(error: DieselError) -> Self {
        Self::Database(error)
    }
}

/// A row of any width.
struct RowCells(Cells);

impl<DB> QueryableByName<DB> for RowCells
where
    DB: DieselBackend,
    Vec<u8>: FromSql<Binary, DB>,
{
    fn build<'a>(row: &impl NamedRow<'a, DB>) -> deserialize::Result<Self> {
        let cell = |index: usize| {
            let field = Row::get(row, index).ok_or("a row is shorter than it says")?;
            field.value().map(|value| <Vec<u8> as FromSql<Binary, DB>>::from_sql(value)).transpose()
        };
        (0..row.field_count()).map(cell).collect::<deserialize::Result<Cells>>().map(Self)
    }
}

impl RowCells {
    /// A value as text; empty for NULL.
    fn text(&self, index: usize) -> String {
        let bytes = self.0.get(index).and_then(Option::as_deref).unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// A value as text, if it is neither NULL nor empty.
    #[cfg(feature = "mysql")]
    fn some_text(&self, index: usize) -> Option<String> {
        Some(self.text(index)).filter(|text| !text.is_empty())
    }
}

fn cannot_open(shown: &str, error: &ConnectionError) -> String {
    format!("{shown} cannot be opened: {error}.")
}

/// A name in the words of MySQL.
fn in_backticks(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
