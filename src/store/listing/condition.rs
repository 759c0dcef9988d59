//! Conditions on a column, and its order.

use diesel::expression::expression_types::NotSelectable;
use diesel::prelude::*;
use diesel::sql_types::is_nullable::NotNull;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, SqlType, Text};

use super::{Op, Operand};
use crate::store::engine::connection::MultiBackend;
use crate::store::types::time::{Moment, Time};

/// An expression over a row of table `T`.
pub type Expression<T, S> = Box<dyn BoxableExpression<T, MultiBackend, SqlType = S>>;

/// A condition on a row of table `T`.
pub type Condition<T> = Expression<T, Nullable<Bool>>;

/// An expression in an ORDER BY, with its direction.
pub type Order<T> = Expression<T, NotSelectable>;

/// A column of table `T` with SQL type `S` and values `V`. A column that is never null is taken for a nullable one, which is
/// the same SQL.
pub struct TypedColumn<T, S: SqlType<IsNull = NotNull>, V> {
    /// The column.
    pub column: fn() -> Expression<T, Nullable<S>>,
    /// The condition that the column has one of these values. Diesel needs the column's own type for it.
    pub is_one_of: fn(Vec<V>) -> Condition<T>,
}

/// A column of table `T` by the type of its values.
pub enum Column<T> {
    /// Text, also of ids and words.
    Text(TypedColumn<T, Text, String>),
    /// INTEGER.
    Small(TypedColumn<T, Integer, i32>),
    /// BIGINT.
    Integer(TypedColumn<T, BigInt, i64>),
    /// A moment.
    Time(TypedColumn<T, Moment, Time>),
    /// True or false.
    Flag(TypedColumn<T, Bool, bool>),
}

/// Evaluates an expression for a column of any type.
macro_rules! with_column {
    ($any:expr, $column:ident => $value:expr) => {
        match $any {
            Column::Text(TypedColumn { column: $column, .. }) => $value,
            Column::Small(TypedColumn { column: $column, .. }) => $value,
            Column::Integer(TypedColumn { column: $column, .. }) => $value,
            Column::Time(TypedColumn { column: $column, .. }) => $value,
            Column::Flag(TypedColumn { column: $column, .. }) => $value,
        }
    };
}

impl<T: Table + 'static> Column<T> {
    /// The order by this column.
    pub fn order(&self, is_descending: bool) -> Order<T> {
        match is_descending {
            false => with_column!(self, column => Box::new(column().asc())),
            true => with_column!(self, column => Box::new(column().desc())),
        }
    }
}

/// The condition that a column is null, or is not.
pub fn is_null<T: Table + 'static>(column: &Column<T>, wanted: bool) -> Condition<T> {
    match wanted {
        true => with_column!(column, column => Box::new(column().is_null().nullable())),
        false => with_column!(column, column => Box::new(column().is_not_null().nullable())),
    }
}

/// The condition that a column has this text, or does not have it; null does not.
pub fn equals<T: Table + 'static>(
    column: &Column<T>,
    text: &str,
    wanted: bool,
    is_nullable: bool,
) -> Condition<T> {
    let Column::Text(TypedColumn { column, .. }) = column else { return is_null(column, !wanted) };
    let text = text.to_owned();
    match (wanted, is_nullable) {
        (true, _) => Box::new(column().eq(text)),
        (false, false) => Box::new(column().ne(text)),
        (false, true) => Box::new(column().ne(text).or(column().is_null().nullable())),
    }
}

/// Compares a column with values by an operator; `$null` is whether null is among the values.
///
/// `NotIn` becomes the ranges between the values, because an index can serve ranges, but not a negation.
macro_rules! compared {
    ($column:expr, $op:expr, $null:expr, $values:expr) => {{
        let (TypedColumn { column, is_one_of }, null): (_, bool) = ($column, $null);
        let mut values: Vec<_> = $values.collect();
        values.sort();
        values.dedup();
        let first = values.first().cloned();
        match ($op, first) {
            // For a list of one value, PostgreSQL does not use the order of the next columns of the index.
            (Op::In, Some(value)) if !null && values.len() == 1 => Box::new(column().eq(value)),
            (Op::In, _) if null => Box::new(is_one_of(values).or(column().is_null().nullable())),
            (Op::In, _) => is_one_of(values),
            (Op::NotIn, None) if null => Box::new(column().is_not_null().nullable()),
            (Op::NotIn, None) => Box::new(column().is_null().or(column().is_not_null()).nullable()),
            (Op::NotIn, Some(first)) => {
                let mut ranges: Condition<_> = Box::new(column().lt(first));
                for between in values.windows(2) {
                    if let [low, high] = between {
                        let range = column().gt(low.clone()).and(column().lt(high.clone()));
                        ranges = Box::new(ranges.or(range));
                    }
                }
                if let Some(last) = values.pop() {
                    ranges = Box::new(ranges.or(column().gt(last)));
                }
                if !null {
                    ranges = Box::new(ranges.or(column().is_null().nullable()));
                }
                ranges
            }
            (Op::Greater, Some(value)) => Box::new(column().gt(value)),
            (Op::GreaterOrEqual, Some(value)) => Box::new(column().ge(value)),
            (Op::Less, Some(value)) => Box::new(column().lt(value)),
            (Op::LessOrEqual, Some(value)) => Box::new(column().le(value)),
            // A comparison with a value that no column can hold matches no row.
            (_, None) => Box::new(column().is_null().and(column().is_not_null()).nullable()),
        }
    }};
}

/// Compares a column with values; those of another type than the column's are left out.
pub fn compare<T: Table + 'static>(
    column: &Column<T>,
    op: Op,
    values: Vec<Operand>,
    with_null: bool,
) -> Condition<T> {
    let values = values.into_iter();
    match column {
        Column::Text(column) => compared!(column, op, with_null, values.filter_map(Operand::text)),
        Column::Small(column) => compared!(column, op, with_null, values.filter_map(Operand::small)),
        Column::Integer(column) => compared!(column, op, with_null, values.filter_map(Operand::integer)),
        Column::Time(column) => compared!(column, op, with_null, values.filter_map(Operand::time)),
        Column::Flag(column) => compared!(column, op, with_null, values.filter_map(Operand::flag)),
    }
}
