//! Replaces the database by a backup.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};

use super::lock::Lock;
use super::{JOURNAL, SHM, WAL, beside, check, unmerged_log};
use crate::store::engine::migrations;
use crate::store::engine::url::DatabaseUrl;

/// The copy of the backup that becomes the database.
const COPY: &str = ".restoring";
/// The files that may be beside a database.
const LOGS: [&str; 3] = [WAL, SHM, JOURNAL];

/// The result of a restore.
pub struct RestoreOutcome {
    /// The database, without symbolic links.
    pub path: PathBuf,
    /// The new path of the previous database, if there was one; its logs are beside it.
    pub kept: Option<PathBuf>,
    /// Whether the schema is older than this release's.
    pub is_old: bool,
}

/// Replaces the database at `path` by a copy of the backup `file`. No process may serve the database. The previous database
/// is kept under another name, with its logs.
///
/// # Errors
/// A sentence for the operator: the backup is damaged, is no database of this service or a newer one, or the database
/// is in use. Then the database is as it was.
pub fn restore(path: &Path, file: &Path) -> Result<RestoreOutcome, String> {
    let cannot =
        |error: &dyn std::fmt::Display| format!("The backup {} cannot be restored: {error}.", file.display());
    let backup = file.canonicalize().map_err(|error| cannot(&error))?;
    if !backup.is_file() {
        return Err(cannot(&"it is not a regular file"));
    }
    let lock = Lock::exclusive(path)?;
    let real = lock.path();
    if is_same(&backup, real) {
        return Err(cannot(&"it is the database itself"));
    }
    if let Some(log) = unmerged_log(&backup) {
        return Err(cannot(&format_args!(
            "beside it is {}, so that it is not the whole database; `freezer-api db backup` makes a copy that is whole",
            log.display()
        )));
    }
    let copy = beside(real, COPY);
    let outcome = copied(&backup, &copy, real).map_err(|error| cannot(&error)).and_then(|()| {
        let is_old = accept(&copy, file)?;
        let kept = exchange(&lock, &copy).map_err(|error| cannot(&error))?;
        Ok(RestoreOutcome { path: real.to_owned(), kept, is_old })
    });
    remove(&copy);
    outcome
}

/// Whether both paths name one file.
fn is_same(one: &Path, other: &Path) -> bool {
    match (one.metadata(), other.metadata()) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    }
}

/// Copies the backup to a file beside the database that belongs to the owner of the database, so that the service can open
/// it.
fn copied(backup: &Path, copy: &Path, real: &Path) -> io::Result<()> {
    remove(copy);
    let mut target = OpenOptions::new().write(true).create_new(true).mode(0o600).open(copy)?;
    let directory = real.parent().unwrap_or(Path::new("."));
    let owner = real.metadata().or_else(|_| directory.metadata())?;
    let lock = beside(real, ".lock");
    for file in [copy, &lock] {
        let metadata = file.metadata()?;
        if (metadata.uid(), metadata.gid()) != (owner.uid(), owner.gid())
            && let Err(error) = chown(file, Some(owner.uid()), Some(owner.gid()))
            && metadata.uid() != owner.uid()
        {
            return Err(error);
        }
    }
    io::copy(&mut File::open(backup)?, &mut target)?;
    target.sync_all()
}

/// Refuses a copy that is damaged or no database of this service. Returns whether its schema is older than this release.
fn accept(copy: &Path, file: &Path) -> Result<bool, String> {
    let shown = |why: String| why.replace(&*copy.to_string_lossy(), &file.to_string_lossy());
    let name = copy.to_str().ok_or("The path of the database is not UTF-8.")?;
    let refused = |why: &str| format!("The backup {} is not restored: {why}.", file.display());
    check::damage(copy).map_err(|why| refused(&shown(why)))?;
    let state = migrations::state(&DatabaseUrl::parse(name)?)
        .map_err(|why| refused(shown(why.into()).trim_end_matches('.')))?;
    if state.current.is_none() || !(state.pending.is_empty() || state.unknown.is_empty()) {
        return Err(refused("it is no database of this service"));
    }
    if !state.unknown.is_empty() {
        let unknown = state.unknown.join(", ");
        return Err(refused(&format!("its schema is newer than this release ({unknown})")));
    }
    Ok(!state.pending.is_empty())
}

/// Moves the database and its logs away, and the copy into its place. Returns the new path of the previous database.
fn exchange(lock: &Lock, copy: &Path) -> io::Result<Option<PathBuf>> {
    let real = lock.path();
    let kept = beside(real, &format!(".{}", chrono::Utc::now().format("%Y%m%dT%H%M%S%.3fZ")));
    let mut moves: Vec<(PathBuf, PathBuf)> = Vec::new();
    for suffix in [""].iter().chain(&LOGS) {
        let (from, to) = (beside(real, suffix), beside(&kept, suffix));
        if from.symlink_metadata().is_ok() {
            moves.push((from, to));
        }
    }
    let was_there = real.exists();
    lock.record_restore()?;
    moves.push((copy.to_owned(), real.to_owned()));
    for (done, (from, to)) in moves.iter().enumerate() {
        if let Err(error) = fs::rename(from, to) {
            for (from, to) in moves[..done].iter().rev() {
                fs::rename(to, from)?;
            }
            if was_there {
                lock.record_file()?;
            }
            return Err(error);
        }
    }
    File::open(real.parent().unwrap_or(Path::new(".")))?.sync_all()?;
    lock.record_file()?;
    Ok(was_there.then_some(kept))
}

/// Removes a copy, complete or partial.
fn remove(copy: &Path) {
    for suffix in [""].iter().chain(&LOGS) {
        let _ = fs::remove_file(beside(copy, suffix));
    }
}
