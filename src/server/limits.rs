//! What the system allows.

use std::fs;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

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

/// How many large bodies are in memory at once. The caller of a request is not known before its body is read.
const LARGE_BODIES: usize = 8;

/// How long a large body waits for room.
const PATIENCE: Duration = Duration::from_secs(2);

/// Room for large bodies.
#[derive(Default)]
pub struct LargeBodies {
    taken: Mutex<usize>,
    left: Condvar,
}

impl LargeBodies {
    /// Room for one, after some waiting; `None` if there is none.
    pub fn enter(&self) -> Option<LargeBody<'_>> {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.left.wait_timeout_while(taken, PATIENCE, |taken| *taken >= LARGE_BODIES);
        let (mut taken, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if *taken >= LARGE_BODIES {
            return None;
        }
        *taken += 1;
        Some(LargeBody(self))
    }
}

/// Room for a large body, until this is dropped.
#[must_use]
pub struct LargeBody<'l>(&'l LargeBodies);

impl Drop for LargeBody<'_> {
    fn drop(&mut self) {
        *self.0.taken.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_bodies_wait_for_each_other() {
        let bodies = LargeBodies::default();
        let mut inside: Vec<_> = (0..LARGE_BODIES).map(|_| bodies.enter().unwrap()).collect();
        assert!(bodies.enter().is_none());
        std::thread::scope(|scope| {
            let next = scope.spawn(|| bodies.enter().is_some());
            inside.pop();
            assert!(next.join().unwrap());
        });
    }

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
