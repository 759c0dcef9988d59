//! The log file: appended to, and created again after it was moved away.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// `log_file`.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    /// Device and inode.
    identity: (u64, u64),
    /// The last record was written only in part.
    is_cut_off: bool,
}

impl LogFile {
    /// Opens the file; creates it if there is none, with mode 0640 less the umask.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn open(path: &Path) -> Result<Self, String> {
        let open = Open::new(path)
            .map_err(|error| format!("[DEFAULT] log_file: cannot open {}: {error}.", path.display()))?;
        Ok(Self { path: path.to_owned(), open: Mutex::new(open) })
    }

    /// Appends lines in one write.
    ///
    /// # Errors
    /// The lines are not in the file, or the file was moved away and cannot be created again; then the old file has them.
    pub fn write(&self, lines: &str) -> io::Result<()> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // As Python's `WatchedFileHandler` does, because log rotation does not notify the service.
        let reopened =
            if open.is_at(&self.path) { Ok(()) } else { Open::new(&self.path).map(|new| *open = new) };
        open.append(lines)?;
        reopened
    }
}

impl Open {
    fn new(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).mode(0o640).open(path)?;
        let identity = identity(&file.metadata()?);
        Ok(Self { file, identity, is_cut_off: false })
    }

    fn is_at(&self, path: &Path) -> bool {
        path.metadata().is_ok_and(|found| identity(&found) == self.identity)
    }

    fn append(&mut self, lines: &str) -> io::Result<()> {
        // A record that was cut off by a full disk must not run into the next one.
        if self.is_cut_off {
            self.file.write_all(b"\n")?;
            self.is_cut_off = false;
        }
        let mut rest = lines.as_bytes();
        while !rest.is_empty() {
            match self.file.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.is_cut_off = rest.len() < lines.len();
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::thread;

    use super::*;

    #[test]
    fn a_file_is_appended_to_and_not_world_readable() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("api.log");
        LogFile::open(&path).unwrap().write("one\n").unwrap();
        LogFile::open(&path).unwrap().write("two\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o137, 0);
    }

    #[test]
    fn a_file_that_was_moved_away_or_deleted_is_created_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("api.log");
        let moved = directory.path().join("api.log.1");
        let log = LogFile::open(&path).unwrap();
        log.write("one\n").unwrap();
        fs::rename(&path, &moved).unwrap();
        log.write("two\n").unwrap();
        assert_eq!(fs::read_to_string(&moved).unwrap(), "one\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");
        fs::remove_file(&path).unwrap();
        log.write("three\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "three\n");
        // logrotate's copytruncate: the file is the same, and shorter.
        fs::write(&path, "").unwrap();
        log.write("four\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "four\n");
    }

    #[test]
    fn without_a_new_file_the_old_one_is_written_to() {
        let directory = tempfile::tempdir().unwrap();
        let (inside, elsewhere) = (directory.path().join("log"), directory.path().join("old"));
        fs::create_dir(&inside).unwrap();
        let log = LogFile::open(&inside.join("api.log")).unwrap();
        fs::rename(&inside, &elsewhere).unwrap();
        log.write("one\n").unwrap_err();
        assert_eq!(fs::read_to_string(elsewhere.join("api.log")).unwrap(), "one\n");
        fs::create_dir(&inside).unwrap();
        log.write("two\n").unwrap();
        assert_eq!(fs::read_to_string(inside.join("api.log")).unwrap(), "two\n");
    }

    #[test]
    fn a_full_disk_is_an_error() {
        LogFile::open(Path::new("/dev/full")).unwrap().write("one\n").unwrap_err();
    }

    #[test]
    fn an_error_names_the_file() {
        let refusal = LogFile::open(Path::new("/nowhere/api.log")).unwrap_err();
        assert!(refusal.contains("/nowhere/api.log") && refusal.contains("log_file"), "{refusal}");
    }

    #[test]
    fn records_of_many_threads_stay_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("api.log");
        let log = LogFile::open(&path).unwrap();
        let line = "x".repeat(5000) + "\n";
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..50).for_each(|_| log.write(&line).unwrap()));
            }
        });
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 400);
        assert!(text.lines().all(|found| found.len() == 5000));
    }
}
