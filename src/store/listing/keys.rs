//! The keys of a list, and the columns that answer them: one table per noun, made by [`listing`].

use diesel::prelude::*;
use diesel::query_dsl::methods::{FilterDsl, ThenOrderDsl};
use front::error::Error;

use super::condition::{Column, Condition, Expression, Order, compare, equals, is_null};
use super::{CREATED_AT, Filter, Key, Kind, Op, Operand, Query, Weight};
use crate::store::Outcome;
use crate::store::engine::dialect::OrderPerBackend;
use crate::store::search::{self, Search};
use crate::store::types::time::{Moment, Time};

/// A key of a list of `R`, which are rows of table `T`.
pub struct ListKey<T, R> {
    /// What the API says of it.
    key: Key,
    /// `None` if the noun has a condition of its own for it.
    column: Option<Column<T>>,
    /// The column's value in a row, if the list can be ordered by it; `None` for null.
    value: fn(&R) -> Option<Operand>,
    /// Which texts of a search the column can be compared with.
    is_searched: fn(&str) -> bool,
}

impl<T, R> ListKey<T, R> {
    /// A key that is not nullable, and that only filters.
    pub const fn new(key: Key, column: Option<Column<T>>) -> Self {
        Self { key, column, value: |_| None, is_searched: |_| false }
    }

    /// The same key, by which the list can also be ordered; `value` is the column's value in a row.
    #[must_use]
    pub const fn sorting(self, value: fn(&R) -> Option<Operand>) -> Self {
        Self { value, key: Key { sorts: true, ..self.key }, ..self }
    }

    /// The same key, nullable.
    #[must_use]
    pub const fn nullable(self) -> Self {
        Self { key: Key { is_nullable: true, ..self.key }, ..self }
    }

    /// The same key, which documents have at this JSON pointer.
    #[must_use]
    pub const fn at(self, place: &'static str) -> Self {
        Self { key: Key { place: Some(place), ..self.key }, ..self }
    }

    /// The same key; for the texts for which `is_searched` holds, the column answers a search exactly as the document would.
    #[must_use]
    pub const fn searched(self, is_searched: fn(&str) -> bool) -> Self {
        Self { is_searched, ..self }
    }

    /// The parameter's name.
    pub fn name(&self) -> &'static str {
        self.key.name
    }

    /// The condition that the column has this text, or does not have it; null does not. `None` without a column.
    pub fn has(&self, text: &str, wanted: bool) -> Option<Condition<T>>
    where
        T: Table + 'static,
    {
        self.column.as_ref().map(|column| equals(column, text, wanted, self.key.is_nullable))
    }
}

/// The keys without their columns.
pub const fn keys_of<T, R, const N: usize>(rows: &[ListKey<T, R>]) -> [Key; N] {
    let mut keys = [CREATED_AT; N];
    let mut index = 0;
    while index < N {
        keys[index] = rows[index].key;
        index += 1;
    }
    keys
}

/// The keys by which the lists of a noun filter, sort and search. [`listing`] makes them.
pub struct ListKeys<T: 'static, R: 'static> {
    /// What the API says of them.
    pub keys: &'static [Key],
    /// The same keys with their columns.
    pub rows: &'static [ListKey<T, R>],
    /// The column of the row's id.
    pub id: fn() -> Expression<T, diesel::sql_types::Text>,
    /// The column of the row's project.
    pub project_id: Column<T>,
    /// The column of the user who created the row, by which lists of version 1 filter.
    pub user_id: Column<T>,
    /// The column of the row's creation.
    pub created_at: fn() -> Expression<T, Moment>,
    /// When a row was created.
    pub created: fn(&R) -> Time,
}

/// The rows of table `T` as a boxed query.
pub trait BoxedRows<T>:
    FilterDsl<Condition<T>, Output = Self> + ThenOrderDsl<Order<T>, Output = Self> + Sized
{
}

impl<T, Q> BoxedRows<T> for Q where Q: FilterDsl<Condition<T>, Output = Q> + ThenOrderDsl<Order<T>, Output = Q>
{}

/// One range of the index that a list is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// All rows.
    Whole,
    /// The rows without a value of the sort key.
    Nulls,
    /// The rows with one.
    Values,
    /// The rows with the same value as the last row (or null, as it has), that come after it.
    Same,
    /// The rows with a value beyond the last row's.
    Further,
}

/// A part of a page: the rows of one phase after a row, in the page's order.
pub struct Part<'p, T: 'static, R: 'static> {
    /// The keys of the list.
    pub(super) keys: &'p ListKeys<T, R>,
    /// The query of the list.
    pub(super) query: &'p Query,
    /// The phase.
    pub(super) phase: Phase,
    /// The row that the page begins after.
    pub(super) last: Option<&'p R>,
}

impl<T: Table + 'static, R: Weight> Part<'_, T, R> {
    /// Restricts the rows of a list to this part, and orders them by the sort key and (created_at, id).
    pub fn of<Q: BoxedRows<T>>(&self, rows: Q) -> Q {
        let Self { keys, query, phase, last } = *self;
        let is_descending = query.is_descending;
        let last_created = last.map(|last| ((keys.created)(last), last.row_id()));
        let Some((key, column)) = keys.sort_key(query).and_then(|key| Some((key, key.column.as_ref()?)))
        else {
            return keys.in_creation_order(rows, is_descending, last_created);
        };
        let value: Vec<Operand> = last.and_then(key.value).into_iter().collect();
        let has_value = !value.is_empty();
        let within = match phase {
            Phase::Whole => None,
            Phase::Nulls => Some(is_null(column, true)),
            Phase::Values => Some(is_null(column, false)),
            Phase::Same if !has_value => Some(is_null(column, true)),
            Phase::Same => Some(compare(column, Op::In, value, false)),
            Phase::Further if is_descending => Some(compare(column, Op::Less, value, false)),
            Phase::Further => Some(compare(column, Op::Greater, value, false)),
        };
        let after = last_created.filter(|_| phase == Phase::Same);
        let after = after.map(|last| keys.after(is_descending, last));
        let rows = within.into_iter().chain(after.into_iter().flatten()).fold(rows, FilterDsl::filter);
        let [by_creation, by_id] = keys.order_of_creation(is_descending);
        let rows = match phase {
            // With one value of the column, the index is in the order of creation.
            Phase::Same if has_value => rows.then_order_by(by_creation),
            Phase::Nulls | Phase::Same => {
                let [again, _] = keys.order_of_creation(is_descending);
                let postgres = (column.order(is_descending), again);
                rows.then_order_by(Box::new(OrderPerBackend { postgres, others: by_creation }))
            }
            _ => rows.then_order_by(column.order(is_descending)).then_order_by(by_creation),
        };
        rows.then_order_by(by_id)
    }
}

impl<T: Table + 'static, R: Weight> ListKeys<T, R> {
    /// The key by which a query sorts; `None` for the order of creation.
    fn sort_key(&self, query: &Query) -> Option<&'static ListKey<T, R>> {
        self.rows.iter().find(|row| row.name() == query.order() && query.order() != CREATED_AT.name)
    }

    /// Whether a row has a value of the sort key.
    pub fn has_value(&self, query: &Query, row: &R) -> bool {
        self.sort_key(query).is_none_or(|key| (key.value)(row).is_some())
    }

    /// The key that a search means by this name.
    pub fn called(&self, name: &str) -> Option<&'static ListKey<T, R>> {
        self.rows.iter().find(|row| row.key.is_called(name))
    }

    /// The key whose column answers a condition of a search exactly, and the text that it is compared with.
    pub fn answering<'s>(
        &self,
        condition: &'s search::Condition,
    ) -> Option<(&'static ListKey<T, R>, &'s str)> {
        let row = self.called(&condition.key)?;
        condition.value.as_str().filter(|text| (row.is_searched)(text)).map(|text| (row, text))
    }

    /// The part of a search that no column answers.
    pub fn residual(&self, search: &Search) -> Search {
        search.without(|condition| self.answering(condition).is_some())
    }

    /// The rows of a project, or of every project, that match a list's filters and the part of its search that columns answer.
    ///
    /// # Errors
    /// 500 for a filter without a column.
    pub fn matching<Q: BoxedRows<T>>(
        &self,
        rows: Q,
        project: Option<&str>,
        (query, search): (&Query, &Search),
    ) -> Outcome<Q> {
        Ok(self.searched(self.filtered(rows, project, (query, search))?, search))
    }

    /// The rows of a project, or of every project, that match a list's filters.
    ///
    /// # Errors
    /// 500 for a filter without a column.
    pub fn filtered<Q: BoxedRows<T>>(
        &self,
        mut rows: Q,
        project: Option<&str>,
        (query, search): (&Query, &Search),
    ) -> Outcome<Q> {
        if let Some(project) = project {
            rows = rows.filter(equals(&self.project_id, project, true, false));
        }
        if !search.is_empty() || !query.filters.is_empty() {
            rows = rows.filter(Box::new(Search::uncached().nullable()));
        }
        for filter in &query.filters {
            rows = rows.filter(self.condition(filter)?);
        }
        Ok(rows)
    }

    /// The rows that match the part of a search that columns answer.
    pub fn searched<Q: BoxedRows<T>>(&self, rows: Q, search: &Search) -> Q {
        let conditions = search.conditions().filter_map(|(condition, wanted)| {
            self.answering(condition).and_then(|(key, text)| key.has(text, wanted))
        });
        conditions.fold(rows, FilterDsl::filter)
    }

    /// The condition of a filter.
    ///
    /// # Errors
    /// 500 if there is no column for it.
    pub fn condition(&self, filter: &Filter) -> Outcome<Condition<T>> {
        let row = self.rows.iter().find(|row| row.name() == filter.key);
        let (column, kind) = match row.map(|row| (&row.column, row.key.kind)) {
            Some((Some(column), kind)) => (column, kind),
            None if filter.key == "user_id" => (&self.user_id, Kind::Text),
            _ => return Err(Error::internal(format!("no column is filtered by {}", filter.key)).into()),
        };
        let values = filter.storable();
        // An empty word is a value like any other; any other empty text stands for null, too.
        let with_null = !matches!(kind, Kind::Word(_)) && values.contains(&Operand::Text(String::new()));
        Ok(compare(column, filter.op, values, with_null))
    }

    /// The rows in the order of (created_at, id), after the row with these values.
    pub fn in_creation_order<Q: BoxedRows<T>>(
        &self,
        rows: Q,
        is_descending: bool,
        last: Option<(Time, &str)>,
    ) -> Q {
        let after = last.map(|last| self.after(is_descending, last));
        let rows = after.into_iter().flatten().fold(rows, FilterDsl::filter);
        self.order_of_creation(is_descending).into_iter().fold(rows, ThenOrderDsl::then_order_by)
    }

    /// The conditions of the rows after the one with these values in the order of creation.
    fn after(&self, is_descending: bool, (created, last): (Time, &str)) -> [Condition<T>; 2] {
        let (created_at, id, last) = (self.created_at, self.id, last.to_owned());
        // The first condition lets the index scan begin at the row; with the OR alone it would begin at the first row.
        match is_descending {
            false => [
                Box::new(created_at().ge(created).nullable()),
                Box::new(created_at().gt(created).or(id().gt(last)).nullable()),
            ],
            true => [
                Box::new(created_at().le(created).nullable()),
                Box::new(created_at().lt(created).or(id().lt(last)).nullable()),
            ],
        }
    }

    /// The order by created_at, and by the id.
    fn order_of_creation(&self, is_descending: bool) -> [Order<T>; 2] {
        match is_descending {
            false => [Box::new((self.created_at)().asc()), Box::new((self.id)().asc())],
            true => [Box::new((self.created_at)().desc()), Box::new((self.id)().desc())],
        }
    }
}

/// The value of a column in a row.
pub trait ColumnValue {
    /// The value; `None` for null.
    fn operand(&self) -> Option<Operand>;
}

impl<V: ColumnValue> ColumnValue for Option<V> {
    fn operand(&self) -> Option<Operand> {
        self.as_ref().and_then(V::operand)
    }
}

impl ColumnValue for String {
    fn operand(&self) -> Option<Operand> {
        Some(Operand::Text(self.clone()))
    }
}

impl ColumnValue for i32 {
    fn operand(&self) -> Option<Operand> {
        Some(Operand::Integer((*self).into()))
    }
}

impl ColumnValue for i64 {
    fn operand(&self) -> Option<Operand> {
        Some(Operand::Integer(*self))
    }
}

impl ColumnValue for Time {
    fn operand(&self) -> Option<Operand> {
        Some(Operand::Time(*self))
    }
}

/// Makes the [`ListKeys`] of a noun: after the table and the type of a listed row, each key with its kind, its column, what it
/// is, and the methods of [`ListKey`] that apply to it. A key has `_` for a column if the noun has a condition of its own for
/// it. `created_at` is in every list, and need not be named.
///
/// ```ignore
/// listing! {
///     /// The keys of a list of houses.
///     KEYS: houses, House, |house| house.created_at;
///     house_id: Id = id, "The house's id.", at("/house_id"), searched(is_word);
///     street: Text = street, "Where it stands.", nullable(), sorting(|house| house.street.operand());
/// }
/// ```
macro_rules! listing {
    (
        $(#[$doc:meta])* $name:ident: $table:ident, $row:ty, $created:expr;
        $($key:ident: $kind:ident $(($words:expr))? = $column:tt, $description:expr
            $(, $method:ident($($argument:expr)?))*;)+
    ) => {
        $(#[$doc])*
        pub static $name: $crate::store::listing::ListKeys<$table::table, $row> = {
            #[allow(unused_imports, reason = "some lists have a single order")]
            use $crate::store::listing::{Column, ColumnValue, Key, Kind, ListKey, ListKeys, TypedColumn, keys_of, listing};
            use diesel::{ExpressionMethods, NullableExpressionMethods};
            const CREATED: fn(&$row) -> $crate::store::types::time::Time = $created;
            const ROWS: &[ListKey<$table::table, $row>] = &[
                $(ListKey::new(
                    Key::new(stringify!($key), Kind::$kind $(($words))?, $description),
                    listing!(@column $kind $table $column),
                )$(.$method($($argument)?))*,)+
                ListKey::new($crate::store::listing::CREATED_AT, listing!(@column Time $table created_at)),
            ];
            const KEYS: [Key; ROWS.len()] = keys_of(ROWS);
            ListKeys {
                keys: &KEYS,
                rows: ROWS,
                id: || Box::new($table::id),
                project_id: listing!(@typed Text $table project_id),
                user_id: listing!(@typed Text $table user_id),
                created_at: || Box::new($table::created_at),
                created: CREATED,
            }
        };
    };
    (@column $kind:ident $table:ident _) => { None };
    (@column Id $table:ident $column:ident) => { listing!(@column Text $table $column) };
    (@column Word $table:ident $column:ident) => { listing!(@column Text $table $column) };
    (@column $kind:ident $table:ident $column:ident) => {
        Some(listing!(@typed $kind $table $column))
    };
    (@typed $kind:ident $table:ident $column:ident) => {
        Column::$kind(TypedColumn {
            column: || Box::new($table::$column.nullable()),
            is_one_of: |values| Box::new($table::$column.nullable().eq_any(values)),
        })
    };
}
pub(crate) use listing;
