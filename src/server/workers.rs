//! How many requests are served at once.

use std::sync::{Condvar, Mutex, PoisonError};

/// A fixed number of places to work in. The database pool has as many connections, so that no request waits for both.
pub struct Workers {
    free: Mutex<usize>,
    freed: Condvar,
}

impl Workers {
    /// `count` places, at least one.
    pub fn new(count: usize) -> Self {
        Self { free: Mutex::new(count.max(1)), freed: Condvar::new() }
    }

    /// Waits for a place; it is free again when the result is dropped, a panic included.
    pub fn take(&self) -> Place<'_> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self.freed.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Place(self)
    }
}

/// A place to work in, taken.
pub struct Place<'a>(&'a Workers);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}
