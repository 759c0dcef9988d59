//! The file of an SQLite database. One process serves it, and detects when the file is replaced.
//!
//! The file holds password hashes and the backups of all projects, so that only its owner may read it. SQLite keeps the
//! newest changes in a log beside it (`-wal`), with an index in shared memory (`-shm`). The three belong together: a log
//! beside another database file damages that file.

pub mod backup;
pub mod check;
mod lock;
pub mod restore;
mod served;
mod space;
mod watch;

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::url::DatabaseUrl;
pub use served::ServedFile;

/// The log of a database in WAL mode.
pub(in crate::store) const WAL: &str = "-wal";
/// The index of the WAL, which processes share.
pub(in crate::store) const SHM: &str = "-shm";
/// The rollback journal of a database in any other mode.
pub(in crate::store) const JOURNAL: &str = "-journal";

/// Creates the file with mode 0600 if it is missing; SQLite gives the files beside it the same mode. Returns the path of a
/// new file. Does nothing for other databases.
///
/// # Errors
/// A sentence for the operator: the file cannot be created, or a log without its database exists.
pub fn create(url: &DatabaseUrl) -> Result<Option<PathBuf>, String> {
    let Some(path) = url.sqlite_path() else { return Ok(None) };
    let real = real_path(path)?;
    // An empty file is a new database, or one that was truncated while it had a log.
    if real.metadata().is_ok_and(|metadata| metadata.len() > 0) {
        return Ok(None);
    }
    if let Some(log) = unmerged_log(&real) {
        return Err(format!(
            "There is no database {}, but its log {}, which holds changes that were made to it. Put the database back \
             in its place; or, if it is gone for good, remove the log, or run `freezer-api db restore` with a backup.",
            real.display(),
            log.display()
        ));
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&real) {
        Ok(_) => Ok(Some(real)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Some(real)),
        Err(error) => Err(format!("The database {url:?} cannot be created: {error}.")),
    }
}

/// Whether this is an SQLite database whose file is missing.
pub fn is_missing(url: &DatabaseUrl) -> bool {
    url.sqlite_path().is_some_and(|path| !path.exists())
}

/// The path without symbolic links, of a file that may not exist yet. SQLite creates the log beside this path.
fn real_path(path: &Path) -> Result<PathBuf, String> {
    let cannot = |error| format!("The database {} cannot be opened: {error}.", path.display());
    match path.canonicalize() {
        Ok(real) if real.is_file() => Ok(real),
        Ok(_) => Err(format!("The database {} is not a regular file.", path.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if path.is_symlink() {
                return Err(format!(
                    "The database {} is a symbolic link to a file that does not exist.",
                    path.display()
                ));
            }
            let name = path.file_name().ok_or_else(|| cannot(error))?;
            let directory = match path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent,
                _ => Path::new("."),
            };
            let created = |error| format!("The database {} cannot be created: {error}.", path.display());
            Ok(directory.canonicalize().map_err(created)?.join(name))
        }
        Err(error) => Err(cannot(error)),
    }
}

/// The path of a file beside the database.
pub(in crate::store) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// A log beside the database with changes that are not in the database yet. A cleanly closed database has none.
fn unmerged_log(path: &Path) -> Option<PathBuf> {
    let logs = [WAL, JOURNAL].map(|suffix| beside(path, suffix));
    logs.into_iter().find(|log| log.metadata().is_ok_and(|metadata| metadata.len() > 0))
}
