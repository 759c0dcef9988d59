//! The collections of the API: what their lists can be filtered and ordered by.

use super::shape::Shape;
use crate::store::listing::{Key, Kind};

/// A collection of the API, and the parameters of its list.
pub struct Collection {
    /// The name of the list in an answer, as `action_reports`.
    pub noun: &'static str,
    /// The last part of its path, as `action-reports`.
    pub path: &'static str,
    /// The keys by which it can be filtered and ordered.
    pub keys: &'static [Key],
    /// Other parameters of its list.
    pub extras: &'static [Extra],
    /// Whether an unknown parameter is refused; the old collections ignore it (contract, api-v2 §2).
    pub is_strict: bool,
    /// The shape of its documents; if it is known, `fields` accepts only its members.
    pub document: Option<&'static Shape>,
}

impl Collection {
    /// The key of that name.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

/// A parameter of one collection's list that is not a filter.
pub struct Extra {
    /// Its name.
    pub name: &'static str,
    /// Its values.
    pub kind: Kind,
    /// What it does, in a sentence.
    pub description: &'static str,
}
