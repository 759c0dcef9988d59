//! Copies a database that is in use.
//!
//! It uses `VACUUM INTO`, which reads in one transaction and writes a new database without a log. SQLite's online backup API
//! restarts whenever another process changes the database, and Diesel does not support it.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use diesel::RunQueryDsl;
use diesel::sql_query;
use diesel::sql_types::Text;

use super::{beside, is_missing};
use crate::store::engine::connection::AnyConnection;
use crate::store::engine::dialect::on_each;
use crate::store::engine::manager::establish;
use crate::store::engine::url::DatabaseUrl;

/// Copies the database into a new file with mode 0600. Returns the size of the copy in bytes.
///
/// # Errors
/// A sentence for the operator: the file exists, or the copy cannot be made. Then there is no file.
pub fn backup(url: &DatabaseUrl, file: &Path) -> Result<u64, String> {
    if is_missing(url) {
        return Err(format!("There is no database {url:?}."));
    }
    let mut connection =
        establish(url).map_err(|error| format!("The database {url:?} cannot be opened: {error}."))?;
    let cannot =
        |error: &dyn std::fmt::Display| format!("The backup {} cannot be made: {error}.", file.display());
    // An empty file reserves the name until the copy is complete.
    let place = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    place.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            format!("The file {} exists; a backup goes into a new file.", file.display())
        }
        _ => cannot(&error),
    })?;
    let partial = beside(file, &format!(".partial-{}", std::process::id()));
    let outcome = copy(&mut connection, &partial).map_err(|error| cannot(&error)).and_then(|()| {
        let finish = || {
            let copy = File::open(&partial)?;
            copy.sync_all()?;
            fs::rename(&partial, file)?;
            let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty());
            File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
            Ok(copy.metadata()?.len())
        };
        finish().map_err(|error: std::io::Error| cannot(&error))
    });
    if outcome.is_err() {
        let _ = fs::remove_file(&partial);
        let _ = fs::remove_file(file);
    }
    outcome
}

fn copy(connection: &mut AnyConnection, file: &Path) -> Result<(), String> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    made.map_err(|error| error.to_string())?;
    let name = file.to_str().ok_or("its path is not UTF-8")?;
    // With a directory before it, a name that begins with `file:` is not read as a URI.
    let name = if file.is_absolute() { name.to_owned() } else { format!("./{name}") };
    let copy = sql_query("VACUUM INTO ?").bind::<Text, _>(name);
    on_each!(connection, c => copy.execute(c)).map(drop).map_err(|error| error.to_string())
}
