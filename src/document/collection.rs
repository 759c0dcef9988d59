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
    /// Where its documents have further keys that a search may name, as JSON pointers.
    pub places: &'static [(&'static str, &'static str)],
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

    /// The place, as a JSON pointer, of a key that a search names and that has a fixed place in the documents. A search looks
    /// for such a key only there: a `status` inside an action is not the job's.
    pub fn place(&self, name: &str) -> Option<&'static str> {
        let key = self.keys.iter().find(|key| key.is_called(name)).and_then(|key| key.place);
        key.or_else(|| self.places.iter().find(|(key, _)| *key == name).map(|(_, place)| *place))
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
