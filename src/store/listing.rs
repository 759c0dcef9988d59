//! Lists: their filters and orders, and how a page is read from an index.
//!
//! Every order ends in (created_at, id), and every sort key has an index of (project, key, created_at, id). A page after a
//! marker is read in phases, each of which is one range of such an index: first the rows with the marker's value that come
//! after it, then the rows with values beyond it. So the last page costs as much as the first one on every backend, without
//! row comparisons, which not every planner turns into a range.

mod budget;
mod condition;
mod keys;
mod page;

pub(crate) use budget::load_page;
pub use budget::{
    Budget, FEW_ROWS, PAGE_BYTES, PAGE_ITEMS, Rows, Weight, empty_document, size_of, sort_by_ids,
};
pub use condition::{Column, Condition, Expression, Order, TypedColumn};
pub(crate) use keys::listing;
pub use keys::{BoxedRows, ColumnValue, ListKey, ListKeys, Part, keys_of};
pub use page::{Listing, collect, count_with, no_marker, with_lookahead, without_lookahead};

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
    /// The JSON pointer of the key in a document, if a search looks for it only there.
    pub place: Option<&'static str>,
    /// What it is, in a sentence.
    pub description: &'static str,
}

impl Key {
    /// A key that is not nullable, that only filters, and that has no fixed place in the documents.
    pub const fn new(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self { name, kind, sorts: false, is_nullable: false, place: None, description }
    }

    /// Whether a search means this key: by its name, or by its place as a dotted path.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.place.is_some_and(|place| place.split('/').skip(1).eq(name.split('.')))
    }
}

/// The default order, and a filter of every list.
pub const CREATED_AT: Key = Key { sorts: true, ..Key::new("created_at", Kind::Time, "When it was created.") };

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

impl Operand {
    fn text(self) -> Option<String> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    fn integer(self) -> Option<i64> {
        if let Self::Integer(number) = self { Some(number) } else { None }
    }

    fn small(self) -> Option<i32> {
        self.integer().and_then(|number| i32::try_from(number).ok())
    }

    fn time(self) -> Option<Time> {
        if let Self::Time(time) = self { Some(time) } else { None }
    }

    fn flag(self) -> Option<bool> {
        if let Self::Flag(flag) = self { Some(flag) } else { None }
    }
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
    /// The values that a column could hold. None holds text with trailing spaces, which MySQL ignores when it compares.
    pub fn storable(&self) -> Vec<Operand> {
        let is_storable = |value: &&Operand| !matches!(value, Operand::Text(text) if text.ends_with(' '));
        self.values.iter().filter(is_storable).cloned().collect()
    }

    /// The text values that a column could hold.
    pub fn texts(&self) -> Vec<String> {
        self.storable().into_iter().filter_map(Operand::text).collect()
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
