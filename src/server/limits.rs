//! What the system allows.

use std::fs;

/// How many connections of the `most` wished for there may be, so that open files are left for everything else: the
/// database, other services, the log. With the limits that systems have for a process, 1024 and more, that is all.
pub fn connections(most: usize, workers: usize) -> usize {
    let Some(files) = open_files() else { return most };
    let possible = affordable(files, workers);
    if possible < most {
        log::warn!("at most {possible} connections instead of {most}: the system allows {files} open files");
    }
    most.min(possible)
}

/// Each worker may need several: SQLite has up to three for a connection, and another service is asked meanwhile.
fn affordable(files: usize, workers: usize) -> usize {
    files.saturating_sub(workers.saturating_mul(4).saturating_add(32)).max(files / 4)
}

/// The open files that this process may have, where the system says so.
fn open_files() -> Option<usize> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_left_for_others() {
        assert_eq!(affordable(1024, 16), 928);
        assert_eq!(affordable(96, 16), 24);
        assert_eq!(affordable(1024, usize::MAX), 256);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_says_how_many() {
        assert!(open_files().is_some_and(|files| files > 3));
    }
}
