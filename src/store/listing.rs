//! Lists: their filters and orders, and how a page is read from an index.
//!
//! Every order ends in (created_at, id), and every sort key has an index of (project, key, created_at, id). A page after a
//! marker is read in phases, each of which is one range of such an index: first the rows with the marker's value that come
//! after it, then the rows with values beyond it. So the last page costs as much as the first one on every backend, without
//! row comparisons, which not every planner turns into a range.

mod budget;
mod condition;
mod page;

pub(crate) use budget::load_page;
pub use budget::{
    Budget, FEW_ROWS, PAGE_BYTES, PAGE_ITEMS, Rows, Weight, empty_document, size_of, sort_by_ids,
};
pub use condition::Condition;
pub(crate) use condition::{by_flag, by_number, by_text, by_time, compared};
pub use page::{
    Listing, Phase, collect, count_with, no_column, no_marker, with_lookahead, without_lookahead,
};
pub(crate) use page::{after, ordered};

use super::types::time::Time;

/// A key by which a list can be filtered, and possibly ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// The parameter's name.
    pub name: &'static str,
    /// Its values.
    pub kind: Kind,
    /// Whether the list can be ordered by it.
    pub sorts: bool,
    /// Whether the column can be null. Null comes first, and last in descending order.
    pub is_nullable: bool,
    /// What it is, in a sentence.
    pub description: &'static str,
}

impl Key {
    /// A key that is not nullable, and that only filters.
    pub const fn new(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self { name, kind, sorts: false, is_nullable: false, description }
    }

    /// The same key, by which the list can also be ordered.
    #[must_use]
    pub const fn sorting(self) -> Self {
        Self { sorts: true, ..self }
    }

    /// The same key, nullable.
    #[must_use]
    pub const fn nullable(self) -> Self {
        Self { is_nullable: true, ..self }
    }
}

/// The default order, and a filter of every list.
pub const CREATED_AT: Key = Key::new("created_at", Kind::Time, "When it was created.").sorting();

/// The values of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An id.
    Id,
    /// Text.
    Text,
    /// One of some words.
    Word(&'static [&'static str]),
    /// An integer of 32 bits.
    Small,
    /// An integer of 64 bits.
    Integer,
    /// A moment.
    Time,
    /// True or false.
    Flag,
}

impl Kind {
    /// Whether the values can be compared by `gt:` and `lt:`.
    pub fn is_ordered(self) -> bool {
        matches!(self, Self::Small | Self::Integer | Self::Time)
    }
}

/// How a key is compared (contract, conventions §6 "Filtering").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// One of the values; `in:`, and a value without an operator.
    In,
    /// None of the values; `nin:` and `neq:`. Null is none of them.
    NotIn,
    /// `gt:`
    Greater,
    /// `gte:`
    GreaterOrEqual,
    /// `lt:`
    Less,
    /// `lte:`
    LessOrEqual,
}

/// A value to compare with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operand {
    /// Of an id, text or word; empty text stands for null, too.
    Text(String),
    /// Of a small or other integer.
    Integer(i64),
    /// Of a moment.
    Time(Time),
    /// Of a flag.
    Flag(bool),
}

/// A condition on every row of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The key's name.
    pub key: &'static str,
    /// How it is compared.
    pub op: Op,
    /// With what; exactly one value unless the operator is [`Op::In`] or [`Op::NotIn`].
    pub values: Vec<Operand>,
}

impl Filter {
    /// The text values that a column could hold.
    pub fn texts(&self) -> Vec<String> {
        let texts = self.values.iter().filter_map(|value| match value {
            Operand::Text(text) => Some(text),
            _ => None,
        });
        // No column holds text with trailing spaces, which MySQL ignores when it compares.
        texts.filter(|text| !text.ends_with(' ')).cloned().collect()
    }

    /// The integers among the values.
    pub fn integers(&self) -> Vec<i64> {
        self.values.iter().filter_map(|v| if let Operand::Integer(n) = v { Some(*n) } else { None }).collect()
    }

    /// The integers among the values that fit in 32 bits.
    pub fn smalls(&self) -> Vec<i32> {
        self.integers().into_iter().filter_map(|n| i32::try_from(n).ok()).collect()
    }

    /// The moments among the values.
    pub fn times(&self) -> Vec<Time> {
        self.values.iter().filter_map(|v| if let Operand::Time(t) = v { Some(*t) } else { None }).collect()
    }

    /// The flags among the values.
    pub fn flags(&self) -> Vec<bool> {
        self.values.iter().filter_map(|v| if let Operand::Flag(f) = v { Some(*f) } else { None }).collect()
    }
}

/// The query of a list, without the page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// All of these hold.
    pub filters: Vec<Filter>,
    /// The sort key; `None` for the order of creation.
    pub sort: Option<&'static Key>,
    /// Whether the order is descending.
    pub is_descending: bool,
    /// The id of the row that the page begins after.
    pub marker: Option<String>,
    /// Whether the rows of all pages are counted.
    pub with_count: bool,
    /// The wanted top-level members of the documents; `None` for all.
    pub members: Option<Vec<String>>,
}

impl Query {
    /// Whether a member of the documents is wanted; the columns of the other members need not be read.
    pub fn wants(&self, member: &str) -> bool {
        self.members.as_ref().is_none_or(|members| members.iter().any(|wanted| wanted == member))
    }

    /// The name of the sort key.
    pub fn order(&self) -> &'static str {
        self.sort.map_or(CREATED_AT.name, |key| key.name)
    }
}
