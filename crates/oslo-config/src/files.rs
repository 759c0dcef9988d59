//! Finds and reads the configuration files, in order of precedence (contract, conventions §4 "Sources").

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::ini::{self, Entry};

/// A file that was read.
pub struct File {
    /// The file's path.
    pub path: PathBuf,
    /// The file's entries.
    pub entries: Vec<Entry>,
}

/// The files that were read, and the directories of further ones.
pub struct Files {
    /// The files; a later one takes precedence.
    pub read: Vec<File>,
    /// The directories in which further configuration files are looked for, in this order.
    pub directories: Vec<PathBuf>,
}

impl Files {
    /// Reads the files that the command line names; without any, those found in the default places under `names`, the
    /// project's and the program's. A named file takes precedence over a found one, and a directory over a file.
    ///
    /// # Errors
    /// A sentence for the operator: a named file or directory does not exist, a file cannot be read or parsed, or a
    /// place for files cannot be searched.
    pub fn load(names: [&str; 2], config_files: &[PathBuf], config_dirs: &[PathBuf]) -> Result<Self, String> {
        let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
        let places = places(names[0], home.as_deref());
        Self::load_from(&Search { names, places: &places, home: home.as_deref() }, config_files, config_dirs)
    }

    fn load_from(
        search: &Search<'_>,
        config_files: &[PathBuf],
        config_dirs: &[PathBuf],
    ) -> Result<Self, String> {
        let Search { places, home, .. } = *search;
        let given = |paths: &[PathBuf]| paths.iter().map(|path| absolute(path, home)).collect::<Vec<_>>();
        let (files, named) = match given(config_files) {
            given if given.is_empty() => (search.existing(".conf")?, Vec::new()),
            given => (Vec::new(), given),
        };
        let directories = given(config_dirs);
        let mut paths = files.clone();
        if directories.is_empty() {
            for directory in search.existing(".conf.d")? {
                paths.extend(in_directory(&directory)?);
            }
        }
        paths.extend(named.iter().cloned());
        for directory in &directories {
            paths.extend(in_directory(directory)?);
        }
        let read = paths.into_iter().map(File::read).collect::<Result<_, _>>()?;

        let beside = files.iter().chain(&named).rev().filter_map(|file| file.parent());
        let mut all: Vec<PathBuf> = Vec::new();
        for directory in
            directories.iter().map(PathBuf::as_path).chain(beside).chain(places.iter().map(PathBuf::as_path))
        {
            if !all.iter().any(|known| known == directory) {
                all.push(directory.to_owned());
            }
        }
        Ok(Self { read, directories: all })
    }
}

impl File {
    fn read(path: PathBuf) -> Result<Self, String> {
        let bytes = fs::read(&path).map_err(|error| {
            let why = match error.kind() {
                ErrorKind::NotFound => "there is no such file".to_owned(),
                _ => error.to_string(),
            };
            format!("The configuration file {} cannot be read: {why}.", path.display())
        })?;
        let malformed = |line, reason| {
            format!(
                "The configuration file {} cannot be understood at line {line}: {reason}.",
                path.display()
            )
        };
        let text = String::from_utf8(bytes).map_err(|error| {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            malformed(1 + good.iter().filter(|byte| **byte == b'\n').count(), "it is not in UTF-8")
        })?;
        let entries = ini::parse(&text).map_err(|error| malformed(error.line, error.reason))?;
        Ok(Self { path, entries })
    }
}

/// The directories in which the files of a project are looked for.
fn places(project: &str, home: Option<&Path>) -> Vec<PathBuf> {
    let own = home.into_iter().flat_map(|home| [home.join(format!(".{project}")), home.to_owned()]);
    own.chain([Path::new("/etc").join(project), "/etc".into()]).collect()
}

/// The places that are searched, and the names that are searched for.
struct Search<'s> {
    names: [&'s str; 2],
    places: &'s [PathBuf],
    home: Option<&'s Path>,
}

impl Search<'_> {
    /// For each name, the first path that exists. A dangling symbolic link counts as existing, so that reading it fails:
    /// without its file the service would serve an empty database.
    ///
    /// # Errors
    /// A sentence for the operator: a place of the system cannot be searched. A home directory that cannot be searched
    /// belongs to another user, and is skipped.
    fn existing(&self, extension: &str) -> Result<Vec<PathBuf>, String> {
        let mut found = Vec::new();
        for name in self.names {
            for place in self.places {
                let path = place.join(format!("{name}{extension}"));
                match fs::symlink_metadata(&path) {
                    Ok(_) => {
                        found.push(path);
                        break;
                    }
                    Err(error)
                        if error.kind() == ErrorKind::PermissionDenied
                            && !self.home.is_some_and(|home| place.starts_with(home)) =>
                    {
                        return Err(format!(
                            "It cannot be told whether there is a configuration file {}: {error}.",
                            path.display()
                        ));
                    }
                    Err(_) => {}
                }
            }
        }
        Ok(found)
    }
}

/// The files `*.conf` of a directory, sorted by name, without hidden ones.
fn in_directory(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let unreadable = |error: std::io::Error| {
        let why = match error.kind() {
            ErrorKind::NotFound => "there is no such directory".to_owned(),
            _ => error.to_string(),
        };
        format!("The configuration directory {} cannot be read: {why}.", directory.display())
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".conf") && !name.starts_with('.') {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// The absolute path, with `~` replaced by the home directory.
fn absolute(path: &Path, home: Option<&Path>) -> PathBuf {
    let expanded = match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    };
    std::path::absolute(&expanded).unwrap_or(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Loads with `home` and `etc` below `root` as the only places.
    fn load(root: &Path, config_file: &[&str], config_dir: &[&str]) -> Result<Files, String> {
        let paths = |names: &[&str]| names.iter().map(|name| root.join(name)).collect::<Vec<_>>();
        let places = [root.join("home/.freezer"), root.join("home"), root.join("etc")];
        let names = ["freezer", "freezer-api"];
        let search = Search { names, places: &places, home: Some(&root.join("home")) };
        Files::load_from(&search, &paths(config_file), &paths(config_dir))
    }

    fn write(root: &Path, name: &str, text: &str) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn names(root: &Path, files: &Files) -> Vec<String> {
        let relative = |file: &File| file.path.strip_prefix(root).unwrap().display().to_string();
        files.read.iter().map(relative).collect()
    }

    #[test]
    fn the_first_file_of_each_name_is_read_and_directories_come_after_files() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        for name in [
            "etc/freezer.conf",
            "etc/freezer-api.conf",
            "home/freezer-api.conf",
            "etc/freezer.conf.d/b.conf",
            "etc/freezer.conf.d/a.conf",
            "etc/freezer.conf.d/.hidden.conf",
            "etc/freezer.conf.d/a.conf.rpmsave",
            "etc/freezer-api.conf.d/z.conf",
            "home/.freezer/freezer-api.conf.d/y.conf",
        ] {
            write(root, name, "");
        }
        let files = load(root, &[], &[]).unwrap();
        let expected = [
            "etc/freezer.conf",
            "home/freezer-api.conf",
            "etc/freezer.conf.d/a.conf",
            "etc/freezer.conf.d/b.conf",
            "home/.freezer/freezer-api.conf.d/y.conf",
        ];
        assert_eq!(names(root, &files), expected);
        let directories = ["home", "etc", "home/.freezer"].map(|name| root.join(name));
        assert_eq!(files.directories, directories);
    }

    #[test]
    fn named_files_replace_found_files_and_override_found_directories() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        for name in
            ["etc/freezer.conf", "etc/freezer.conf.d/a.conf", "x/1.conf", "x/2.conf", "y/2.conf", "y/1.conf"]
        {
            write(root, name, "");
        }
        let files = load(root, &["x/2.conf", "x/1.conf"], &[]).unwrap();
        assert_eq!(names(root, &files), ["etc/freezer.conf.d/a.conf", "x/2.conf", "x/1.conf"]);
        let files = load(root, &["x/1.conf"], &["y"]).unwrap();
        assert_eq!(names(root, &files), ["x/1.conf", "y/1.conf", "y/2.conf"]);
        assert_eq!(files.directories[..2], [root.join("y"), root.join("x")]);
        let files = load(root, &[], &["y"]).unwrap();
        assert_eq!(names(root, &files), ["etc/freezer.conf", "y/1.conf", "y/2.conf"]);
    }

    #[test]
    fn a_dangling_link_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        fs::create_dir(root.join("etc")).unwrap();
        std::os::unix::fs::symlink("gone.conf", root.join("etc/freezer-api.conf")).unwrap();
        let why = load(root, &[], &[]).err().unwrap();
        assert!(why.contains("etc/freezer-api.conf cannot be read: there is no such file"), "{why}");
    }

    #[test]
    fn named_files_and_directories_must_exist_and_be_readable() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        write(root, "bad.conf", "[DEFAULT]\npassword secret\n");
        fs::write(root.join("latin.conf"), b"[DEFAULT]\n\na = \xe9\n").unwrap();
        assert!(load(root, &[], &[]).unwrap().read.is_empty());
        for (files, directories, says) in [
            (&["none.conf"][..], &[][..], "none.conf cannot be read: there is no such file."),
            (&[], &["none"], "none cannot be read: there is no such directory."),
            (&["bad.conf"], &[], "bad.conf cannot be understood at line 2: there is neither"),
            (&["latin.conf"], &[], "latin.conf cannot be understood at line 3: it is not in UTF-8."),
            (&["bad.conf/x"], &[], "cannot be read"),
        ] {
            let error = load(root, files, directories).err().unwrap();
            assert!(error.contains(says) && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_tilde_is_the_home_directory() {
        assert_eq!(absolute(Path::new("~/x.conf"), Some(Path::new("/h"))), Path::new("/h/x.conf"));
        assert_eq!(absolute(Path::new("/~/x"), Some(Path::new("/h"))), Path::new("/~/x"));
        assert_eq!(places("freezer", None), [Path::new("/etc/freezer"), Path::new("/etc")]);
    }
}
