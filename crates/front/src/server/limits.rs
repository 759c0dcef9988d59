//! Limits on connections and large bodies.

use std::fs;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The maximum number of connections, up to `most`, that leaves enough open files for the database, other services
/// and the log. With the usual limits for a process, 1024 and more, it is `most`.
pub fn max_connections(most: usize, workers: usize) -> usize {
    let Some(files) = open_files() else { return most };
    let possible = affordable(files, workers);
    if possible < most {
        log::warn!("at most {possible} connections instead of {most}: the system allows {files} open files");
    }
    most.min(possible)
}

/// The number of connections for this limit of open files. Each worker may need four files: up to three for a
/// connection to SQLite, and one for a call to another service.
fn affordable(files: usize, workers: usize) -> usize {
    files.saturating_sub(workers.saturating_mul(4).saturating_add(32)).max(files / 4)
}

/// The limit of open files for this process, if the system has `/proc`.
fn open_files() -> Option<usize> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The maximum number of large bodies in memory. It is low because the body is read before the caller is authenticated.
const LARGE_BODIES: usize = 8;

/// How long a request with a large body waits for a slot.
const PATIENCE: Duration = Duration::from_secs(2);

/// The slots for large bodies.
#[derive(Default)]
pub struct LargeBodies {
    taken: Mutex<usize>,
    left: Condvar,
}

impl LargeBodies {
    /// Takes a slot, and waits for one if necessary; `None` if none becomes free in time.
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

/// A slot for a large body, which is free again when this is dropped.
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
    fn a_large_body_waits_for_a_slot() {
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
    fn open_files_are_left_for_other_uses() {
        assert_eq!(affordable(1024, 16), 928);
        assert_eq!(affordable(96, 16), 24);
        assert_eq!(affordable(1024, usize::MAX), 256);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_has_a_limit_of_open_files() {
        assert!(open_files().is_some_and(|files| files > 3));
    }
}
