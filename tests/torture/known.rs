//! The possible values of a row: the last acknowledged one, or one that was sent since then and got no answer.

use std::fmt::Debug;

/// The possible values of a row.
#[derive(Debug, Clone)]
pub struct Known<T> {
    acknowledged: T,
    /// Values sent later, without an answer: each may be stored or not.
    perhaps: Vec<T>,
}

impl<T: Clone + PartialEq + Debug> Known<T> {
    pub fn new(acknowledged: T) -> Self {
        Self { acknowledged, perhaps: Vec::new() }
    }

    pub fn is_certain(&self) -> bool {
        self.perhaps.is_empty()
    }

    /// The value that was sent last, whether it is stored or not.
    pub fn last(&self) -> &T {
        self.perhaps.last().unwrap_or(&self.acknowledged)
    }

    /// Records a value that was sent, and whether it was acknowledged.
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
