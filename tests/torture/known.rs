//! What must be there: what was acknowledged last, or something sent since then that got no answer.

use std::fmt::Debug;

/// A value as far as it is known.
#[derive(Debug, Clone)]
pub struct Known<T> {
    acknowledged: T,
    /// Sent later, and not answered: done or not.
    perhaps: Vec<T>,
}

impl<T: Clone + PartialEq + Debug> Known<T> {
    pub fn new(acknowledged: T) -> Self {
        Self { acknowledged, perhaps: Vec::new() }
    }

    pub fn is_certain(&self) -> bool {
        self.perhaps.is_empty()
    }

    /// What was last sent, done or not.
    pub fn last(&self) -> &T {
        self.perhaps.last().unwrap_or(&self.acknowledged)
    }

    /// Another value was sent, and acknowledged or not.
    pub fn sent(&mut self, value: T, acknowledged: bool) {
        if acknowledged {
            *self = Self::new(value);
        } else {
            self.perhaps.push(value);
        }
    }

    /// Records an observed value. Returns false if it is impossible.
    #[must_use]
    pub fn settle(&mut self, seen: &T) -> bool {
        let possible = self.acknowledged == *seen || self.perhaps.contains(seen);
        *self = Self::new(seen.clone());
        possible
    }
}
