//! openrc files: a shell sources one to tell the clients where to log in, and as which user.
//!
//! Such a file holds a password. It is written with mode 0600 under a temporary name and moved into place, so that no
//! other user can read it at any moment, and no link that another user has put there is followed.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use super::DOMAIN_NAME;
use crate::store::new_id;

/// The first line, by which a file of this service is recognised. Other files are never overwritten.
const MARK: &str = "# openrc of freezer-api: source it in a shell; it holds a password, keep it to yourself";
const URL_LINE: &str = "export OS_AUTH_URL=";
/// Longer than any file that this service writes, in bytes.
const MAX_LENGTH: u64 = 64 * 1024;

/// The content of an openrc file to write.
#[derive(Clone, Copy)]
pub struct Openrc<'a> {
    /// The identity's URL, `http://host:port/identity/v3`.
    pub auth_url: &'a str,
    /// The user's name.
    pub username: &'a str,
    /// The user's password.
    pub password: &'a str,
    /// The project's name.
    pub project_name: &'a str,
}

/// The content of an openrc file that this service wrote.
pub struct OpenrcFile {
    /// The identity's URL.
    pub auth_url: String,
    /// The user's name.
    pub username: String,
    /// The user's password.
    pub password: String,
    /// The project's name.
    pub project_name: String,
}

/// Reads an openrc file; `None` if there is none.
///
/// # Errors
/// `AlreadyExists` if the path holds anything but an openrc file of this service; errors of the file system.
pub fn read_openrc(path: &Path) -> io::Result<Option<OpenrcFile>> {
    let text = match read_ours(path) {
        Ok((text, _)) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let value = |name: &str| {
        let line = format!("\nexport {name}=");
        text.find(&line).and_then(|at| unquoted(&text[at + line.len()..])).unwrap_or_default()
    };
    Ok(Some(OpenrcFile {
        auth_url: value("OS_AUTH_URL"),
        username: value("OS_USERNAME"),
        password: value("OS_PASSWORD"),
        project_name: value("OS_PROJECT_NAME"),
    }))
}

/// Writes an openrc file with mode 0600. Replaces an older openrc file of this service at this path.
///
/// # Errors
/// `AlreadyExists` if the path holds anything but an openrc file of this service; errors of the file system.
pub fn write_openrc(path: &Path, openrc: &Openrc<'_>) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
        Ok(_) => drop(read_ours(path)?),
    }
    let settings = [
        ("OS_USERNAME", openrc.username),
        ("OS_PASSWORD", openrc.password),
        ("OS_PROJECT_NAME", openrc.project_name),
        ("OS_USER_DOMAIN_NAME", DOMAIN_NAME),
        ("OS_PROJECT_DOMAIN_NAME", DOMAIN_NAME),
        ("OS_IDENTITY_API_VERSION", "3"),
        ("OS_REGION_NAME", "RegionOne"),
    ];
    let mut text = format!("{MARK}\n{URL_LINE}{}\n", quoted(openrc.auth_url));
    for (name, value) in settings {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "export {name}={}", quoted(value));
    }
    replace(path, &text, None)
}

/// Updates `OS_AUTH_URL` in an openrc file of this service. The rest of its content, its mode and its owner stay as they
/// are. Returns whether the file has changed: false if it does not exist or has this URL already.
///
/// # Errors
/// `AlreadyExists` if the path holds anything but an openrc file of this service; errors of the file system.
pub fn refresh_openrc_url(path: &Path, url: &str) -> io::Result<bool> {
    let (text, metadata) = match read_ours(path) {
        Ok(ours) => ours,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let line = format!("{URL_LINE}{}", quoted(url));
    let fresh: String = text
        .split_inclusive('\n')
        .map(|old| if old.starts_with(URL_LINE) { format!("{line}\n") } else { old.to_owned() })
        .collect();
    if fresh == text {
        return Ok(false);
    }
    replace(path, &fresh, Some(&metadata))?;
    Ok(true)
}

/// The text of an openrc file of this service.
fn read_ours(path: &Path) -> io::Result<(String, fs::Metadata)> {
    let not_ours = || {
        let text = format!("{} is not an openrc file of freezer-api; it is left alone", path.display());
        io::Error::new(io::ErrorKind::AlreadyExists, text)
    };
    // A link, a pipe or a device is not an openrc file, and opening it could block or have side effects.
    let seen = fs::symlink_metadata(path)?;
    if !seen.is_file() {
        return Err(not_ours());
    }
    let file = File::open(path)?;
    let opened = file.metadata()?;
    if (opened.dev(), opened.ino()) != (seen.dev(), seen.ino()) || opened.len() > MAX_LENGTH {
        return Err(not_ours());
    }
    let mut bytes = Vec::new();
    file.take(MAX_LENGTH).read_to_end(&mut bytes)?;
    match String::from_utf8(bytes) {
        Ok(text) if text.lines().next() == Some(MARK) => Ok((text, opened)),
        _ => Err(not_ours()),
    }
}

/// Replaces a file atomically. The new one gets the mode and owner of `like`, or mode 0600.
fn replace(path: &Path, text: &str, like: Option<&fs::Metadata>) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let temporary = Temporary(directory.join(format!(".openrc-{}", new_id())));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary.0)?;
    if let Some(like) = like {
        let made = file.metadata()?;
        if (made.uid(), made.gid()) != (like.uid(), like.gid()) {
            fchown(&file, Some(like.uid()), Some(like.gid()))?;
        }
        file.set_permissions(Permissions::from_mode(like.mode() & 0o777))?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary.0, path)?;
    // Syncing the directory makes the rename survive a power cut. Not every file system can do it.
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
    Ok(())
}

/// Removes the file when dropped, unless it was moved away.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Quotes a text as one word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Parses the word at the beginning, if it has the form of [`quoted`].
fn unquoted(word: &str) -> Option<String> {
    let mut rest = word.strip_prefix('\'')?;
    let mut text = String::new();
    loop {
        let (part, after) = rest.split_once('\'')?;
        text.push_str(part);
        let Some(more) = after.strip_prefix(r"\''") else { return Some(text) };
        text.push('\'');
        rest = more;
    }
}
