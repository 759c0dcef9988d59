//! Conditions on a column from a filter. They are macros, because the trait bounds of generic functions would be longer than
//! the functions.

use diesel::BoxableExpression;
use diesel::sql_types::{Bool, Nullable};

use crate::store::engine::connection::MultiBackend;

/// A condition on the rows of table `T`.
pub type Condition<T> = Box<dyn BoxableExpression<T, MultiBackend, SqlType = Nullable<Bool>>>;

/// Compares a column with values by an operator; `$null` is whether null is among the values.
///
/// `NotIn` becomes the ranges between the values, because an index can serve ranges, but not a negation.
macro_rules! compared {
    ($column:expr, $filter:expr, $values:expr, $null:expr) => {{
        use diesel::prelude::*;
        use $crate::store::listing::{Condition, Op};
        let mut values = $values;
        let null: bool = $null;
        values.sort();
        values.dedup();
        let first = values.first().cloned();
        match ($filter.op, first) {
            // For a list of one value, PostgreSQL does not use the order of the next columns of the index.
            (Op::In, Some(value)) if !null && values.len() == 1 => {
                Box::new($column.nullable().eq(value)) as Condition<_>
            }
            (Op::In, _) if null => {
                Box::new($column.nullable().eq_any(values).or($column.is_null().nullable()))
            }
            (Op::In, _) => Box::new($column.nullable().eq_any(values)),
            (Op::NotIn, None) if null => Box::new($column.is_not_null().nullable()),
            (Op::NotIn, None) => Box::new($column.is_null().or($column.is_not_null()).nullable()),
            (Op::NotIn, Some(first)) => {
                let mut ranges: Condition<_> = Box::new($column.nullable().lt(first));
                for between in values.windows(2) {
                    if let [low, high] = between {
                        let range =
                            $column.nullable().gt(low.clone()).and($column.nullable().lt(high.clone()));
                        ranges = Box::new(ranges.or(range));
                    }
                }
                if let Some(last) = values.pop() {
                    ranges = Box::new(ranges.or($column.nullable().gt(last)));
                }
                if !null {
                    ranges = Box::new(ranges.or($column.is_null().nullable()));
                }
                ranges
            }
            (Op::Greater, Some(value)) => Box::new($column.nullable().gt(value)),
            (Op::GreaterOrEqual, Some(value)) => Box::new($column.nullable().ge(value)),
            (Op::Less, Some(value)) => Box::new($column.nullable().lt(value)),
            (Op::LessOrEqual, Some(value)) => Box::new($column.nullable().le(value)),
            // A comparison with a value that no column can hold matches no row.
            (_, None) => Box::new($column.is_null().and($column.is_not_null()).nullable()),
        }
    }};
}

/// A filter of ids, text or words, on a column of text.
macro_rules! by_text {
    ($column:expr, $filter:expr) => {{
        let texts = $filter.texts();
        let null = texts.iter().any(String::is_empty);
        $crate::store::listing::compared!($column, $filter, texts, null)
    }};
}

/// A filter of integers, on a column of BIGINT (`integers`) or INTEGER (`smalls`).
macro_rules! by_number {
    ($column:expr, $filter:expr, $values:ident) => {
        $crate::store::listing::compared!($column, $filter, $filter.$values(), false)
    };
}

/// A filter of moments.
macro_rules! by_time {
    ($column:expr, $filter:expr) => {
        $crate::store::listing::compared!($column, $filter, $filter.times(), false)
    };
}

/// A filter of flags.
macro_rules! by_flag {
    ($column:expr, $filter:expr) => {
        $crate::store::listing::compared!($column, $filter, $filter.flags(), false)
    };
}

pub(crate) use {by_flag, by_number, by_text, by_time, compared};
