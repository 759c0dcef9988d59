//! Lists: what they can be filtered by and ordered by, and how a page is read out of an index.
//!
//! Every order ends in (created_at, id), and every key that is offered has an index that begins with the project and
//! the key and ends in the same two. A page that begins at a marker is read in phases, each of which is one range of
//! such an index: first what has the marker's value and comes later, then what has values beyond it. So the last page
//! costs what the first one does, on every backend, whatever the planner makes of rows compared with rows.

mod budget;
mod condition;
mod page;

pub(crate) use budget::load_page;
pub use budget::{Budget, FEW_ROWS, PAGE_BYTES, PAGE_ITEMS, Rows, Weight, in_order, no_document, size_of};
pub use condition::Condition;
pub(crate) use condition::{by_flag, by_number, by_text, by_time, compared};
pub use page::{Listing, Phase, collect, count_with, cut, no_column, no_marker, one_more};
pub(crate) use page::{after, ordered};

use super::moment_type::Time;
use crate::document::shape::Shape;

/// A collection of the API: what its lists offer.
pub struct Collection {
    /// The name of the list in an answer, as `action_reports`.
    pub noun: &'static str,
    /// The last part of its path, as `action-reports`.
    pub path: &'static str,
    /// What it can be filtered by and ordered by.
    pub keys: &'static [Key],
    /// What else its list takes.
    pub extras: &'static [Extra],
    /// Whether a parameter that it does not know is refused; the collections of old ignore it (contract, api-v2 §2).
    pub is_strict: bool,
    /// One of its documents; where it is known which members one has, `fields` takes no other.
    pub document: Option<&'static Shape>,
}

impl Collection {
    /// The key of that name.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

/// A parameter of one collection's list that is no plain filter.
pub struct Extra {
    /// Its name.
    pub name: &'static str,
    /// Its values.
    pub kind: Kind,
    /// What it does, in a sentence.
    pub description: &'static str,
}

/// Something that a list can be filtered by, and perhaps ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// The parameter's name.
    pub name: &'static str,
    /// Its values.
    pub kind: Kind,
    /// Whether the list can be ordered by it.
    pub sorts: bool,
    /// Whether the column can be null. What is null comes first, and last in descending order.
    pub is_nullable: bool,
    /// What it is, in a sentence.
    pub description: &'static str,
}

impl Key {
    /// A key of which every row has a value, and which only filters.
    pub const fn new(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self { name, kind, sorts: false, is_nullable: false, description }
    }

    /// The same key, as one that the list can be ordered by.
    #[must_use]
    pub const fn sorting(self) -> Self {
        Self { sorts: true, ..self }
    }

    /// The same key, as one that not every row has a value of.
    #[must_use]
    pub const fn nullable(self) -> Self {
        Self { is_nullable: true, ..self }
    }
}

/// The order of a list that names none, and a filter of every list.
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
    /// Whether "more" and "less" mean something.
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

/// What must hold of every row of a list.
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
    /// The text values that a column could hold and every backend compares as they are.
    pub fn texts(&self) -> Vec<String> {
        let texts = self.values.iter().filter_map(|value| match value {
            Operand::Text(text) => Some(text),
            _ => None,
        });
        // MySQL ignores blanks at the end when it compares; no value that has any is in a column.
        texts.filter(|text| !text.ends_with(' ')).cloned().collect()
    }

    /// The integers among the values.
    pub fn integers(&self) -> Vec<i64> {
        self.values.iter().filter_map(|v| if let Operand::Integer(n) = v { Some(*n) } else { None }).collect()
    }

    /// The integers among the values that have 32 bits.
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

/// What a list is asked for, apart from how much of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// All of these hold.
    pub filters: Vec<Filter>,
    /// The order, unless it is that of creation.
    pub sort: Option<&'static Key>,
    /// Whether the order is turned round.
    pub is_descending: bool,
    /// The id of the row that the page begins after.
    pub marker: Option<String>,
    /// Whether all the rows are to be counted.
    pub with_count: bool,
    /// The members of the documents that are wanted, where not all are; the names at their top.
    pub members: Option<Vec<String>>,
}

impl Query {
    /// Whether a member of the documents is wanted; the columns of others need not be read.
    pub fn wants(&self, member: &str) -> bool {
        self.members.as_ref().is_none_or(|members| members.iter().any(|wanted| wanted == member))
    }

    /// The name of the key that the list is ordered by.
    pub fn order(&self) -> &'static str {
        self.sort.map_or(CREATED_AT.name, |key| key.name)
    }
}
