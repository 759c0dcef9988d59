//! The lock beside the database: one process serves it or restores it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{beside, real_path, unmerged_log};

/// The suffix of the lock file. The file stays when the lock is released: if it were removed, two processes could lock two
/// files of this name.
const SUFFIX: &str = ".lock";

/// How long to wait for the lock: another command holds it for a moment while it checks the database.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(20);

/// The content of the lock file while a restore exchanges the files of the database.
const RESTORING: &str = "restoring";

/// An exclusive lock on a database, until it is dropped.
///
/// The lock is an flock(2), which belongs to the open lock file: it is independent of the POSIX locks by which SQLite
/// orders its own connections.
pub struct Lock {
    file: File,
    /// The real path of the database, which may not exist.
    path: PathBuf,
}

impl Lock {
    /// Locks the database at `path`, which may be a symbolic link.
    ///
    /// # Errors
    /// A sentence for the operator: another process has the lock, the file has several names, or the lock file cannot
    /// be made.
    pub fn exclusive(path: &Path) -> Result<Self, String> {
        let path = real_path(path)?;
        refuse_hard_links(&path)?;
        let lock = beside(&path, SUFFIX);
        let cannot = |error| {
            format!("The database {} cannot be locked: {error} ({}).", path.display(), lock.display())
        };
        let open =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&lock);
        let file = open.map_err(cannot)?;
        if !acquire(|| file.try_lock()).map_err(cannot)? {
            return Err(format!(
                "The database {} is in use: another `freezer-api serve` or `freezer-api db restore` holds the lock {}.",
                path.display(),
                lock.display()
            ));
        }
        Ok(Self { file, path })
    }

    /// The real path of the database.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses a database whose restore was interrupted, or whose log was written for another file.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn check(&self) -> Result<(), String> {
        check(&self.path, &self.file)
    }

    /// Records that a restore exchanges the files of the database, until [`Lock::record_file`] is called.
    pub fn record_restore(&self) -> io::Result<()> {
        self.write(RESTORING)
    }

    /// Records the inode of the database file, to which the log beside it belongs.
    pub fn record_file(&self) -> io::Result<()> {
        self.write(&self.path.metadata()?.ino().to_string())
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let mut file = &self.file;
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    }
}

/// Runs `look` under a shared lock, unless a process serves or restores the database. It creates no lock file, because that
/// would belong to the user of the command, and the service could not open it.
pub(super) fn unless_locked(path: &Path, look: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    let file = match File::open(beside(path, SUFFIX)) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return look(),
        Err(error) => {
            return Err(format!("The lock of the database {} cannot be read: {error}.", path.display()));
        }
    };
    match file.try_lock_shared() {
        Ok(()) => check(path, &file).and_then(|()| look()),
        // The database is in use, or the file system has no locks, which `serve` reports.
        Err(_) => Ok(()),
    }
}

/// Refuses a file with several hard links: it could be opened by two names, and its log is beside one of them only.
pub fn refuse_hard_links(path: &Path) -> Result<(), String> {
    match path.metadata() {
        Ok(metadata) if metadata.nlink() > 1 => Err(format!(
            "The database {} has {} hard links, and SQLite's log of it would belong to one of these names only. Remove \
             the others, or copy the file.",
            path.display(),
            metadata.nlink()
        )),
        _ => Ok(()),
    }
}

fn acquire(mut attempt: impl FnMut() -> Result<(), TryLockError>) -> io::Result<bool> {
    let until = Instant::now() + PATIENCE;
    loop {
        match attempt() {
            Ok(()) => return Ok(true),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if Instant::now() >= until => return Ok(false),
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
        }
    }
}

fn check(path: &Path, mut lock: &File) -> Result<(), String> {
    let mut text = String::new();
    let read = lock.rewind().and_then(|()| lock.read_to_string(&mut text));
    read.map_err(|error| format!("The lock of the database {} cannot be read: {error}.", path.display()))?;
    if text == RESTORING {
        return Err(format!(
            "A restore of the database {} was not finished. Run `freezer-api db restore` again; what was there before \
             is beside it.",
            path.display()
        ));
    }
    let (Ok(served), Ok(metadata), Some(log)) =
        (text.trim().parse::<u64>(), path.metadata(), unmerged_log(path))
    else {
        return Ok(());
    };
    if metadata.ino() == served {
        return Ok(());
    }
    Err(format!(
        "The database {} is another file than the one that was served last, whose log {} is still there, and would be \
         written into this one. If the file is a backup that was put in its place, run `freezer-api db restore` with \
         the backup. If file and log belong together, remove {}.",
        path.display(),
        log.display(),
        beside(path, SUFFIX).display()
    ))
}
