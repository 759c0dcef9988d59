//! openrc files: what a shell sources so that the clients know where and as whom to log in.
//!
//! Such a file holds a password. It is made with mode 0600 under another name and moved into place, so that at no
//! moment anybody else can read it, and no link that somebody laid there is followed.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use super::DOMAIN_NAME;
use crate::store::new_id;

/// The first line: by it we know a file of ours, and leave everybody else's alone.
const MARK: &str = "# openrc of freezer-api: source it in a shell; it holds a password, keep it to yourself";
const URL_LINE: &str = "export OS_AUTH_URL=";
/// No file of ours is longer.
const MAX_LENGTH: u64 = 64 * 1024;

/// What an openrc file says.
#[derive(Clone, Copy)]
pub struct Openrc<'a> {
    /// The identity's URL, `http://host:port/identity/v3`.
    pub auth_url: &'a str,
    /// As whom to log in.
    pub username: &'a str,
    /// The password that proves it.
    pub password: &'a str,
    /// Where to work.
    pub project_name: &'a str,
}

/// The content of an openrc file that this service wrote.
pub struct OpenrcFile {
    /// The identity's URL.
    pub auth_url: String,
    /// As whom to log in.
    pub username: String,
    /// The password that proves it.
    pub password: String,
    /// Where to work.
    pub project_name: String,
}

/// Reads an openrc file. `None`: there is none.
///
/// # Errors
/// `AlreadyExists` if there is something at the path that is not ours; whatever the file system says.
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

/// Writes an openrc file, mode 0600. An older file of ours at this path is replaced.
///
/// # Errors
/// `AlreadyExists` if there is something at the path that is not ours; whatever the file system says.
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

/// Brings the `OS_AUTH_URL` of an openrc file of ours up to date and leaves everything else in it, its mode and its
/// owner as they are. `false`: there is no such file, or it says so already.
///
/// # Errors
/// `AlreadyExists` if there is something at the path that is not ours; whatever the file system says.
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

/// The text of a file of ours.
fn read_ours(path: &Path) -> io::Result<(String, fs::Metadata)> {
    let not_ours = || {
        let text = format!("{} is not an openrc file of freezer-api; it is left alone", path.display());
        io::Error::new(io::ErrorKind::AlreadyExists, text)
    };
    // A link, a pipe or a device is never ours, and opening it could do harm.
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

/// Puts a file in place, whole or not at all; with the mode and owner of `like`, or 0600.
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
    // The rename itself is to survive a power cut, where directories can be synced.
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
    Ok(())
}

/// A file that is gone when we are done, unless it was moved into place.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A text as one word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The text of the word at the beginning, if it is in the form of [`quoted`].
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
