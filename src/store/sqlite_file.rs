//! The file of an SQLite database: it holds password hashes and everybody's backups, so that it is nobody's but ours.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;

use super::url::DatabaseUrl;

/// Creates the file with mode 0600, if there is none; SQLite gives the files beside it the same mode. For other
/// databases there is nothing to do.
///
/// # Errors
/// A sentence for the operator: the file cannot be created.
pub fn create(url: &DatabaseUrl) -> Result<(), String> {
    let Some(path) = url.sqlite_path() else { return Ok(()) };
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(format!("The database {url:?} cannot be created: {error}.")),
    }
}

/// Whether this is an SQLite database whose file is not there.
pub fn is_missing(url: &DatabaseUrl) -> bool {
    url.sqlite_path().is_some_and(|path| !path.exists())
}
