//! "Is one of these", in a statement that can be kept.

use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Bool, Text};

/// That a text column has one of some values, of which there is at least one.
///
/// As `column.eq_any(values)`, which says this with as many parameters as there are values: as many statements as there
/// are lengths of lists, so that MySQL and SQLite are made to forget each after use, and to read and plan it anew each
/// time. Here the last value is repeated up to a power of two, and the few statements that can then be are kept.
pub fn one_of<C>(column: C, values: Vec<String>) -> OneOf<C> {
    OneOf { column, values }
}

/// What [`one_of`] says.
#[derive(Debug, Clone)]
pub struct OneOf<C> {
    column: C,
    values: Vec<String>,
}

impl<C> Expression for OneOf<C> {
    type SqlType = Bool;
}

impl<C> ValidGrouping<()> for OneOf<C> {
    type IsAggregate = is_aggregate::No;
}

impl<C: AppearsOnTable<T>, T> AppearsOnTable<T> for OneOf<C> {}

impl<C: AppearsOnTable<T>, T> SelectableExpression<T> for OneOf<C> {}

// Its SQL has as many parameters as there are values.
impl<C> QueryId for OneOf<C> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C, DB> QueryFragment<DB> for OneOf<C>
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
            return Err(diesel::result::Error::QueryBuilderError("one of nothing".into()));
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
