//! Finds the files of a dump, including the other parts of a split dump.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::import::Result;

/// The files to read, each once. A dump in parts (`NAME.split-N.EXT`) is read in order, and found by its first part or
/// by the name that it would have in one part.
pub fn all(named: &[String]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut seen = BTreeSet::new();
    for name in named {
        for path in parts(Path::new(name))? {
            let same = path.canonicalize().unwrap_or_else(|_| path.clone());
            if seen.insert(same) {
                files.push(path);
            }
        }
    }
    Ok(files)
}

fn parts(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_dir() {
        return Err(format!("{} is a directory; name the files in it.", path.display()).into());
    }
    let file_name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let (stem, extension) = match split_name(file_name) {
        Some((stem, _, extension)) => (stem, extension),
        None if path.exists() => return Ok(vec![path.to_owned()]),
        None => file_name.split_once('.').unwrap_or((file_name, "")),
    };
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => return Err(format!("Cannot read {}: {error}.", directory.display()).into()),
    };
    let mut found = BTreeMap::new();
    for entry in entries.flatten() {
        let name = entry.file_name();
        if let Some((other, number, ending)) = name.to_str().and_then(split_name)
            && other == stem
            && ending.trim_end_matches(".gz") == extension.trim_end_matches(".gz")
        {
            found.entry(number).or_insert_with(|| path.with_file_name(&name));
        }
    }
    match (found.first_key_value(), found.last_key_value()) {
        (Some((first, _)), Some((last, _))) if *first <= 1 => {
            if let Some(missing) = (*first..=*last).find(|number| !found.contains_key(number)) {
                let name = format!("{stem}.split-{missing}.{extension}");
                return Err(format!("{}: the part {name} is missing.", directory.display()).into());
            }
            Ok(found.into_values().collect())
        }
        (Some((first, _)), _) => {
            let why =
                format!("{}: the parts of {stem} before number {first} are missing.", directory.display());
            Err(why.into())
        }
        _ => Err(format!("There is no file {}.", path.display()).into()),
    }
}

/// The name, the number and the extension of a part.
fn split_name(name: &str) -> Option<(&str, u64, &str)> {
    let (stem, rest) = name.rsplit_once(".split-")?;
    let (number, extension) = rest.split_once('.').unwrap_or((rest, ""));
    Some((stem, number.parse().ok()?, extension))
}
