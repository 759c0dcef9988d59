//! The search of a list, after the request was parsed.

use diesel::expression::SqlLiteral;
use diesel::sql_types::Bool;
use serde_json::Value;

/// A key that must, or must not, have a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The key as the client wrote it: a name, or a dotted path.
    pub key: String,
    /// The value, with its type.
    pub value: Value,
}

impl Condition {
    /// The value as text, when an ASCII column could hold it.
    pub fn word(&self) -> Option<&str> {
        self.value.as_str().filter(|text| is_word(text))
    }
}

/// Whether an ASCII column could hold a text. MySQL would refuse to compare other text, or ignore a trailing space in it.
pub fn is_word(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_graphic())
}

/// A search (contract, api-v2 §10): everything must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Search {
    /// Each of these must be found in the document.
    pub wanted: Vec<Condition>,
    /// None of these may be found in the document.
    pub unwanted: Vec<Condition>,
    /// Each of these words (lower case) must be in some value of the document.
    pub words: Vec<String>,
    /// None of these texts' words may all be in the document.
    pub unwanted_words: Vec<Vec<String>>,
    /// Backups only: taken at this time (epoch seconds) or later.
    pub time_after: Option<i64>,
    /// Backups only: taken at this time (epoch seconds) or earlier.
    pub time_before: Option<i64>,
}

impl Search {
    /// Whether everything is wanted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Search {
    /// Every condition, each with whether it is wanted.
    pub fn conditions(&self) -> impl Iterator<Item = (&Condition, bool)> {
        self.wanted.iter().map(|c| (c, true)).chain(self.unwanted.iter().map(|c| (c, false)))
    }
}

impl Search {
    /// A condition that always holds and keeps Diesel from caching the statement, for a list whose conditions the client
    /// chose.
    ///
    /// Diesel caches every statement it prepares for as long as the connection lives, unless it contains literal SQL.
    /// Clients can cause any number of different searches, and above `max_prepared_stmt_count` MySQL prepares no more
    /// statements for any connection of the server.
    pub fn uncached() -> SqlLiteral<Bool> {
        diesel::dsl::sql("1 = 1")
    }

    /// The search without the conditions that are `pushed` down to the database. Times are always pushed down.
    pub fn without(&self, pushed: impl Fn(&Condition) -> bool) -> Self {
        let left = |conditions: &[Condition]| conditions.iter().filter(|c| !pushed(c)).cloned().collect();
        Self {
            wanted: left(&self.wanted),
            unwanted: left(&self.unwanted),
            words: self.words.clone(),
            unwanted_words: self.unwanted_words.clone(),
            time_after: None,
            time_before: None,
        }
    }
}
