//! Detects when the paths of a database no longer name the open files.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::OnceLock;

use front::error::Error;
use rustix::fs::{CWD, Mode, OFlags};

use super::{SHM, WAL};

/// The open files of a database, by their paths.
pub struct Watch {
    files: Vec<WatchedFile>,
    /// Set for ever when a file was found changed: even if the file comes back, it may have missed changes.
    changed: OnceLock<()>,
}

struct WatchedFile {
    path: PathBuf,
    identity: Identity,
    /// The database itself never becomes empty; its log does.
    has_content: bool,
    /// Keeps the inode in use, so that no other file gets its number. It is opened with `O_PATH`, because closing any other
    /// descriptor of the file would drop SQLite's POSIX locks.
    _pin: File,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl From<&Metadata> for Identity {
    fn from(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

impl Watch {
    /// Watches the files that are at these paths now.
    ///
    /// # Errors
    /// The status of a file cannot be read.
    pub fn new(paths: impl IntoIterator<Item = PathBuf>) -> io::Result<Self> {
        let files = paths.into_iter().map(|path| {
            let pin = rustix::fs::openat(CWD, &path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
            let pin = File::from(pin);
            let metadata = pin.metadata()?;
            let is_log =
                [WAL, SHM].iter().any(|suffix| path.as_os_str().as_bytes().ends_with(suffix.as_bytes()));
            let has_content = !is_log && metadata.len() > 0;
            Ok(WatchedFile { path, identity: (&metadata).into(), has_content, _pin: pin })
        });
        Ok(Self { files: files.collect::<io::Result<_>>()?, changed: OnceLock::new() })
    }

    /// Checks each file by stat(2).
    ///
    /// # Errors
    /// 503 once a file was found replaced, removed or emptied; the reason is logged once.
    pub fn check(&self) -> Result<(), Error> {
        if self.changed.get().is_some() {
            return Err(refusal());
        }
        for file in &self.files {
            let what = match file.path.metadata() {
                Ok(now) if file.has_content && now.len() == 0 => "emptied",
                Ok(now) if file.identity == Identity::from(&now) => continue,
                Ok(_) => "replaced",
                Err(error) if error.kind() == ErrorKind::NotFound => "removed",
                Err(error) => {
                    let log = format!("{}: {error}", file.path.display());
                    return Err(Error::unavailable("The database file cannot be looked at.", log));
                }
            };
            if self.changed.set(()).is_ok() {
                log::error!(
                    "{} was {what} while it was served. All requests are refused from now on, because what they write \
                     would be lost. Stop the service, put the database in its place, with `freezer-api db restore` if it \
                     is a backup, and start the service again",
                    file.path.display()
                );
            }
            return Err(refusal());
        }
        Ok(())
    }
}

fn refusal() -> Error {
    Error::unavailable_already_logged(
        "The database file was replaced or removed while the service was running. The service needs its administrator, \
         and a restart.",
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_that_comes_back_stays_changed() {
        let directory = tempfile::tempdir().unwrap();
        let (path, away) = (directory.path().join("f"), directory.path().join("away"));
        fs::write(&path, "a").unwrap();
        let watch = Watch::new([path.clone()]).unwrap();
        fs::write(&path, "b").unwrap();
        assert!(watch.check().is_ok(), "its content may change");
        let emptied = Watch::new([path.clone()]).unwrap();
        fs::write(&path, "").unwrap();
        assert_eq!(emptied.check().unwrap_err().status(), 503);
        fs::write(&path, "b").unwrap();
        fs::rename(&path, &away).unwrap();
        assert_eq!(watch.check().unwrap_err().status(), 503);
        fs::rename(&away, &path).unwrap();
        assert_eq!(watch.check().unwrap_err().status(), 503);
        assert!(Watch::new([path]).unwrap().check().is_ok());
    }

    #[test]
    fn a_new_file_of_the_same_name_is_another() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        for _ in 0..20 {
            fs::write(&path, "a").unwrap();
            let watch = Watch::new([path.clone()]).unwrap();
            fs::remove_file(&path).unwrap();
            fs::write(&path, "a").unwrap();
            assert!(watch.check().is_err());
        }
    }
}
