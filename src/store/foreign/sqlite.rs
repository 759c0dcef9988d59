//! An SQLite file as a source.
//!
//! A connection that only reads may still create a log and its index beside a database in WAL mode. So a database whose
//! log is empty is opened as one that does not change, and that is checked at the end; one with a log, or a journal, that
//! no process has open is copied together with it, and the copy is read.

use std::fs::File as FsFile;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use diesel::connection::{Connection, SimpleConnection};
use diesel::result::QueryResult;
use diesel::sqlite::SqliteConnection;
use diesel::{RunQueryDsl, sql_query};
use percent_encoding::{AsciiSet, CONTROLS, percent_encode};
use tempfile::TempDir;

use super::{Cells, Column, RowCells, Stopped, Table, cannot_open};
use crate::store::engine::connection::AnyConnection;
use crate::store::engine::dialect::BUSY_TIMEOUT;
use crate::store::engine::sqlite_file::{JOURNAL, SHM, WAL, beside};
use crate::store::engine::url::DatabaseUrl;

const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// The byte of the header that says whether the database is in WAL mode, and its value then.
const WRITE_VERSION: (usize, u8) = (18, 2);
/// What has a meaning in the path of an SQLite URI.
const IN_URI: &AsciiSet = &CONTROLS.add(b'?').add(b'#').add(b'%').add(b' ');

/// What belongs to the file while it is read.
pub(super) struct File {
    /// The file as it was, if nothing keeps others from changing it meanwhile.
    unlocked: Option<(PathBuf, Stamp)>,
    /// The directory of the copy that is read in its place.
    _copy: Option<TempDir>,
}

type Stamp = (u64, Option<SystemTime>, bool);

impl File {
    pub(super) fn check_unchanged(&self) -> Result<(), String> {
        match &self.unlocked {
            Some((path, before)) if stamp(path).as_ref() != Some(before) => Err(format!(
                "{} was changed while it was read. Stop the service that writes to it, and start again.",
                path.display()
            )),
            _ => Ok(()),
        }
    }
}

pub(super) fn open(url: &DatabaseUrl) -> Result<(AnyConnection, File), String> {
    let shown = url.redacted();
    let path = url.sqlite_path().unwrap_or_else(|| Path::new(""));
    let is_wal = check_header(path, shown)?;
    let path = path.canonicalize().map_err(|error| format!("{shown} cannot be opened: {error}."))?;
    let has = |suffix: &str| beside(&path, suffix).metadata().is_ok_and(|log| log.len() > 0);
    let mut file = File { unlocked: None, _copy: None };
    let mut copied = |suffix: &str| {
        let (directory, copied) =
            copy(&path, suffix).map_err(|error| format!("{shown} cannot be copied: {error}."))?;
        file._copy = Some(directory);
        connect(&copied, "mode=rw", shown)
    };
    let connection = match (is_wal, has(WAL), has(SHM)) {
        // The journal of a process that has ended must be rolled back, which a connection that only reads refuses.
        (false, ..) => match connect(&path, "mode=ro", shown) {
            Err(_) if has(JOURNAL) => copied(JOURNAL)?,
            outcome => outcome?,
        },
        (true, true, true) => connect(&path, "mode=ro", shown)?,
        (true, true, false) => copied(WAL)?,
        (true, false, _) => {
            file.unlocked = stamp(&path).map(|stamp| (path.clone(), stamp));
            connect(&path, "mode=ro&immutable=1", shown)?
        }
    };
    Ok((AnyConnection::Sqlite(connection), file))
}

/// Opens a file and begins to read, which is when SQLite looks into it.
fn connect(path: &Path, options: &str, shown: &str) -> Result<SqliteConnection, String> {
    let mut connection =
        SqliteConnection::establish(&uri(path, options)).map_err(|error| cannot_open(shown, &error))?;
    let begin = format!("{BUSY_TIMEOUT}; PRAGMA query_only = ON; BEGIN; SELECT count(*) FROM sqlite_master");
    connection.batch_execute(&begin).map_err(|error| format!("{shown} cannot be read: {error}."))?;
    Ok(connection)
}

pub(super) fn tables(c: &mut SqliteConnection) -> QueryResult<Vec<Table>> {
    let columns: Vec<RowCells> = sql_query(
        "SELECT CAST(t.name AS BLOB), CAST(c.name AS BLOB), CAST(lower(c.type) AS BLOB), CAST(c.pk AS BLOB) \
         FROM sqlite_master t JOIN pragma_table_info(t.name) c \
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY t.name, c.cid",
    )
    .load(c)?;
    let mut tables: Vec<Table> = Vec::new();
    for row in columns {
        let (name, kind) = (row.text(0), row.text(2));
        let is_number =
            ["int", "bool", "real", "floa", "doub", "num", "dec"].iter().any(|part| kind.contains(part));
        let length = kind.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')?.trim().parse().ok());
        let column = Column {
            name: row.text(1),
            is_number,
            length,
            charset: None,
            collation: None,
            is_key: row.text(3) != "0",
        };
        match tables.last_mut() {
            Some(table) if table.name == name => table.columns.push(column),
            _ => tables.push(Table { name, columns: vec![column] }),
        }
    }
    Ok(tables)
}

/// Reads row by row, so that no more than one is in memory.
pub(super) fn read<E>(
    c: &mut SqliteConnection,
    table: &Table,
    each: &mut dyn FnMut(Cells) -> Result<(), E>,
) -> Result<(), Stopped<E>> {
    let columns = table.columns.iter().map(|column| format!("CAST({} AS BLOB)", quoted(&column.name)));
    let columns = columns.collect::<Vec<_>>().join(", ");
    let sql = format!("SELECT {columns} FROM {}", quoted(&table.name));
    for row in sql_query(sql).load_iter::<RowCells, _>(c)? {
        each(row?.0).map_err(Stopped::Caller)?;
    }
    Ok(())
}

pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Whether the database is in WAL mode. Fails if the file is no SQLite database: SQLite would create a missing one, and
/// notices a wrong one only later.
fn check_header(path: &Path, shown: &str) -> Result<bool, String> {
    let cannot = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => format!("There is no file {}.", path.display()),
        _ => format!("{shown} cannot be opened: {error}."),
    };
    let mut header = Vec::new();
    let file = FsFile::open(path).map_err(cannot)?;
    if !file.metadata().map_err(cannot)?.is_file() {
        return Err(format!("{} is not a file.", path.display()));
    }
    file.take(100).read_to_end(&mut header).map_err(cannot)?;
    if header.is_empty() {
        return Err(format!("{} is empty.", path.display()));
    }
    if !header.starts_with(MAGIC) || header.len() < 100 {
        return Err(format!(
            "{} is not an SQLite database. A dump (.sql) has to be loaded into a database first.",
            path.display()
        ));
    }
    Ok(header.get(WRITE_VERSION.0) == Some(&WRITE_VERSION.1))
}

fn uri(path: &Path, options: &str) -> String {
    use std::os::unix::ffi::OsStrExt;
    format!("file:{}?{options}", percent_encode(path.as_os_str().as_bytes(), IN_URI))
}

/// Copies the database with a log of it. One that is merged into the database meanwhile changes that, which is noticed.
fn copy(path: &Path, suffix: &str) -> std::io::Result<(TempDir, PathBuf)> {
    let directory = tempfile::tempdir()?;
    let copied = directory.path().join("source.sqlite");
    let before = stamp(path);
    std::fs::copy(path, &copied)?;
    std::fs::copy(beside(path, suffix), beside(&copied, suffix))?;
    if stamp(path) != before {
        return Err(std::io::Error::other("it is being changed; stop the service that writes to it"));
    }
    Ok((directory, copied))
}

/// What tells whether a file was changed: its size, its time, and whether it has a log.
fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = path.metadata().ok()?;
    let has_log = beside(path, WAL).metadata().is_ok_and(|log| log.len() > 0);
    Some((metadata.len(), metadata.modified().ok(), has_log))
}
