//! `IN (...)` with a padded list, so that the statement can be cached.

use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Bool, Text};

/// `column IN (values)` for a text column. There must be at least one value.
///
/// `column.eq_any(values)` has one parameter for each value on MySQL and SQLite. Each length of the list is another
/// statement there, which Diesel does not cache, so that it is parsed and planned anew each time. Here the last value is
/// repeated up to a power of two, and the few statements that result are cached.
pub fn in_list<C>(column: C, values: Vec<String>) -> InList<C> {
    InList { column, values }
}

/// The expression of [`in_list`].
#[derive(Debug, Clone)]
pub struct InList<C> {
    column: C,
    values: Vec<String>,
}

impl<C> Expression for InList<C> {
    type SqlType = Bool;
}

impl<C> ValidGrouping<()> for InList<C> {
    type IsAggregate = is_aggregate::No;
}

impl<C: AppearsOnTable<T>, T> AppearsOnTable<T> for InList<C> {}

impl<C: AppearsOnTable<T>, T> SelectableExpression<T> for InList<C> {}

// The number of parameters depends on the values, so that the type does not identify the SQL.
impl<C> QueryId for InList<C> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C, DB> QueryFragment<DB> for InList<C>
where
    C: QueryFragment<DB>,
    DB: diesel::backend::Backend,
    DB: diesel::sql_types::HasSqlType<Text>,
    String: diesel::serialize::ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.column.walk_ast(pass.reborrow())?;
        pass.push_sql(" IN (");
        let Some(last) = self.values.last() else {
            return Err(diesel::result::Error::QueryBuilderError("an IN list without values".into()));
        };
        for place in 0..self.values.len().next_power_of_two() {
            if place > 0 {
                pass.push_sql(", ");
            }
            pass.push_bind_param::<Text, String>(self.values.get(place).unwrap_or(last))?;
        }
        pass.push_sql(")");
        Ok(())
    }
}
