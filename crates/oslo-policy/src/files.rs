//! The policy files: finding them, reading them, and noticing changes.

use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::Settings;
use super::yaml::{self, Source};

/// The metadata by which a change of a file is noticed. Different stamps mean that the file has changed; equal stamps
/// mean that it has not, once the file is no longer [recent](`is_recent`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    pub path: PathBuf,
    modified: SystemTime,
    changed: (i64, i64),
    size: u64,
    inode: (u64, u64),
}

/// The resolution of a file system's timestamps, at worst: two writes within this time may leave equal stamps.
const TICK: Duration = Duration::from_secs(1);

impl Stamp {
    fn new(path: PathBuf, metadata: &Metadata) -> Self {
        Self {
            path,
            modified: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            size: metadata.size(),
            inode: (metadata.dev(), metadata.ino()),
        }
    }
}

/// Whether a file was modified so recently that a further change may leave its stamp as it is.
pub fn is_recent(stamps: &[Stamp]) -> bool {
    let now = SystemTime::now();
    stamps.iter().any(|stamp| {
        let age = now.duration_since(stamp.modified).unwrap_or_else(|error| error.duration());
        age < TICK
    })
}

/// Drops the directories that the process may not enter at the start, such as another user's home. Later, a path that
/// cannot be looked up is an error, because it may hold a file that was read before.
pub fn without_forbidden_dirs(mut settings: Settings) -> Settings {
    settings.config_dirs.retain(|directory| match fs::metadata(directory.join(".")) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            log::info!("policy files are not looked for in {}: {error}", directory.display());
            false
        }
        _ => true,
    });
    settings
}

/// The files to read, weakest first: the policy file, then the files of each directory by name.
///
/// # Errors
/// A sentence for the operator: a path cannot be looked up, or is of the wrong type.
pub fn find_all(settings: &Settings) -> Result<Vec<Stamp>, String> {
    let mut stamps = Vec::new();
    if let Some((path, metadata)) = find(settings, &settings.policy_file)? {
        if !metadata.is_file() {
            // Reading a pipe would block, and every request with it.
            return Err(format!("The policy file {} is not a regular file.", path.display()));
        }
        stamps.push(Stamp::new(path, &metadata));
    }
    for directory in &settings.policy_dirs {
        let Some((path, metadata)) = find(settings, directory)? else { continue };
        if !metadata.is_dir() {
            return Err(format!("The policy directory {} is not a directory.", path.display()));
        }
        stamps.extend(find_in_directory(&path)?);
    }
    Ok(stamps)
}

/// Finds a file or directory: the first that exists, in the order of the configuration's directories.
fn find(settings: &Settings, name: &Path) -> Result<Option<(PathBuf, Metadata)>, String> {
    if name.as_os_str().is_empty() {
        return Ok(None);
    }
    let absolute = name.is_absolute().then_some(Path::new("/"));
    for directory in absolute.into_iter().chain(settings.config_dirs.iter().map(PathBuf::as_path)) {
        // Joining an absolute name gives that name.
        let path = directory.join(name);
        if let Some(metadata) = metadata(&path)? {
            return Ok(Some((path, metadata)));
        }
        if absolute.is_some() {
            break;
        }
    }
    Ok(None)
}

fn find_in_directory(directory: &Path) -> Result<Vec<Stamp>, String> {
    let unreadable = |error| format!("Cannot read the policy directory {}: {error}.", directory.display());
    let mut stamps = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        // The file may have been removed since the directory was read.
        let Some(metadata) = metadata(&entry.path())? else { continue };
        if metadata.is_dir() {
            continue;
        }
        if !metadata.is_file() {
            return Err(format!("The policy file {} is not a regular file.", entry.path().display()));
        }
        stamps.push(Stamp::new(entry.path(), &metadata));
    }
    stamps.sort_by(|a, b| a.path.file_name().cmp(&b.path.file_name()));
    Ok(stamps)
}

fn metadata(path: &Path) -> Result<Option<Metadata>, String> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        // The file may exist, so it must not count as missing.
        Err(error) => Err(format!("Cannot look at {}: {error}.", path.display())),
    }
}

/// A file with its text.
pub type Text = (PathBuf, String);

/// Reads the files.
///
/// # Errors
/// A sentence for the operator: a file cannot be read, or is not in UTF-8.
pub fn read(stamps: &[Stamp]) -> Result<Vec<Text>, String> {
    let mut texts = Vec::new();
    for Stamp { path, .. } in stamps {
        match fs::read_to_string(path) {
            Ok(text) => texts.push((path.clone(), text)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(format!("Cannot read the policy file {}: {error}.", path.display())),
        }
    }
    Ok(texts)
}

/// A file with its rules.
pub type RuleFile = (PathBuf, Vec<(String, Source)>);

/// Parses the files.
///
/// # Errors
/// A sentence for the operator that names the file and the place of the mistake.
pub fn parse(texts: &[Text]) -> Result<Vec<RuleFile>, String> {
    let parse = |(path, text): &Text| match yaml::parse(text) {
        Ok(rules) => Ok((path.clone(), rules)),
        Err(why) => Err(format!("The policy file {} cannot be understood: {why}.", path.display())),
    };
    texts.iter().map(parse).collect()
}

/// A `policy.json` (oslo.policy's former default name) that exists where only `policy.yaml` is read.
pub fn ignored_json_file(settings: &Settings) -> Option<PathBuf> {
    let is_default = settings.policy_file == Path::new("policy.yaml");
    if !is_default || find(settings, &settings.policy_file).ok()?.is_some() {
        return None;
    }
    find(settings, Path::new("policy.json")).ok()?.map(|(path, _)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(settings: &Settings) -> Vec<String> {
        let texts = read(&find_all(settings).unwrap()).unwrap();
        texts
            .into_iter()
            .map(|(path, text)| format!("{}={text}", path.file_name().unwrap().display()))
            .collect()
    }

    #[test]
    fn files_are_found_as_oslo_finds_them() {
        let root = tempfile::tempdir().unwrap();
        let (first, second) = (root.path().join("first"), root.path().join("second"));
        let put = |path: PathBuf, text: &str| {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let settings = Settings {
            policy_dirs: vec!["policy.d".into(), root.path().join("more")],
            config_dirs: vec![first.clone(), second.clone()],
            ..Settings::default()
        };
        assert_eq!(paths(&settings), [""; 0]);
        put(second.join("policy.yaml"), "2");
        put(second.join("policy.d/20-b.yaml"), "b");
        put(second.join("policy.d/10-a.json"), "a");
        put(second.join("policy.d/.10-hidden.yaml"), "no");
        put(second.join("policy.d/sub/x.yaml"), "no");
        put(root.path().join("more/00.yaml"), "c");
        std::os::unix::fs::symlink("nowhere", second.join("policy.d/30-gone.yaml")).unwrap();
        let all = ["policy.yaml=2", "10-a.json=a", "20-b.yaml=b", "00.yaml=c"];
        assert_eq!(paths(&settings), all);
        // Each name is taken from the first directory that has it.
        put(first.join("policy.yaml"), "1");
        assert_eq!(paths(&settings)[..2], ["policy.yaml=1", "10-a.json=a"]);
        let absolute = Settings { policy_file: second.join("policy.yaml"), ..settings };
        assert_eq!(paths(&absolute)[0], "policy.yaml=2");
    }

    #[test]
    fn a_path_of_the_wrong_type_or_encoding_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let settings = Settings { config_dirs: vec![root.path().to_owned()], ..Settings::default() };
        fs::write(root.path().join("policy.d"), "").unwrap();
        assert!(find_all(&settings).unwrap_err().contains("policy.d is not a directory"));
        fs::remove_file(root.path().join("policy.d")).unwrap();
        fs::create_dir(root.path().join("policy.yaml")).unwrap();
        assert!(find_all(&settings).unwrap_err().contains("policy.yaml is not a regular file"));
        fs::remove_dir(root.path().join("policy.yaml")).unwrap();
        fs::create_dir(root.path().join("policy.d")).unwrap();
        let pipe = root.path().join("policy.d/pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert!(find_all(&settings).unwrap_err().contains("pipe is not a regular file"));
        fs::remove_file(pipe).unwrap();
        fs::write(root.path().join("policy.yaml"), b"\"a\": \"\xff\"").unwrap();
        assert!(read(&find_all(&settings).unwrap()).unwrap_err().contains("Cannot read"));
    }

    #[test]
    fn a_file_of_the_old_name_is_noticed() {
        let root = tempfile::tempdir().unwrap();
        let settings = Settings { config_dirs: vec![root.path().to_owned()], ..Settings::default() };
        assert_eq!(ignored_json_file(&settings), None);
        fs::write(root.path().join("policy.json"), "{}").unwrap();
        assert_eq!(ignored_json_file(&settings), Some(root.path().join("policy.json")));
        fs::write(root.path().join("policy.yaml"), "{}").unwrap();
        assert_eq!(ignored_json_file(&settings), None);
    }
}
