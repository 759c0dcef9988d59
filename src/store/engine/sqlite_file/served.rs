//! The file of the database that a process serves.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use diesel::connection::SimpleConnection;
use front::error::Error;

use super::lock::{self, Lock};
use super::space::FreeSpace;
use super::watch::Watch;
use super::{SHM, WAL, beside, check, create, real_path};
use crate::store::engine::connection::AnyConnection;
use crate::store::engine::manager::establish;
use crate::store::engine::migrations::SchemaError;
use crate::store::engine::url::DatabaseUrl;

/// An SQLite database that belongs to this process: locked against others that would serve it, and watched.
pub struct ServedFile {
    /// A connection that is never used. While it is open, SQLite neither removes the log nor creates a new one, so that a
    /// different log file means that the log was replaced. It is closed before the lock is released.
    _anchor: Mutex<AnyConnection>,
    watch: Watch,
    space: FreeSpace,
    is_new: bool,
    lock: Lock,
}

impl ServedFile {
    /// Locks the database, creates it if it is missing, checks it if it was not closed cleanly, and calls `migrate` to
    /// migrate its schema. `None` for other databases.
    ///
    /// # Errors
    /// A sentence for the operator: another process serves it, it is damaged, or cannot be used.
    pub fn open(
        url: &DatabaseUrl,
        migrate: impl FnOnce() -> Result<(), SchemaError>,
    ) -> Result<Option<Self>, SchemaError> {
        let Some(path) = url.sqlite_path() else { return Ok(None) };
        let real = real_path(path).map_err(SchemaError::lasting)?;
        lock::refuse_hard_links(&real).map_err(SchemaError::lasting)?;
        let lock = Lock::exclusive(path)?;
        lock.check().map_err(SchemaError::lasting)?;
        let created = create(url)?;
        match &created {
            Some(path) => log::warn!("there was no database {}: a new, empty one is made", path.display()),
            None => check::if_not_closed(lock.path()).map_err(SchemaError::lasting)?,
        }
        migrate()?;
        let cannot =
            |error: &dyn std::fmt::Display| format!("The database {url:?} cannot be opened: {error}.");
        let mut anchor = establish(url).map_err(|error| cannot(&error))?;
        // The first statement opens the log.
        anchor.batch_execute("SELECT count(*) FROM sqlite_master").map_err(|error| cannot(&error))?;
        let real = lock.path();
        let mut paths = vec![real.to_owned(), beside(real, WAL), beside(real, SHM)];
        if path != real {
            paths.push(path.to_owned());
        }
        let watch = Watch::new(paths).map_err(|error| cannot(&error))?;
        lock.record_file().map_err(|error| cannot(&error))?;
        let space = FreeSpace::new(real);
        Ok(Some(Self { _anchor: Mutex::new(anchor), watch, space, is_new: created.is_some(), lock }))
    }

    /// Its real path.
    pub fn path(&self) -> &Path {
        self.lock.path()
    }

    /// Its real path, if this process has created it.
    pub fn created(&self) -> Option<PathBuf> {
        self.is_new.then(|| self.path().to_owned())
    }

    /// Whether it is still the file that was opened.
    ///
    /// # Errors
    /// 503: it was replaced or removed.
    pub fn check(&self) -> Result<(), Error> {
        self.watch.check()
    }

    /// The free space of its file system.
    pub fn space(&self) -> &FreeSpace {
        &self.space
    }
}
