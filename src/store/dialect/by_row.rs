//! Another value for each row, in one UPDATE.

use std::marker::PhantomData;

use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression, ValidGrouping, is_aggregate};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, SingleValue, SqlType, Text};

/// `CASE id WHEN .. THEN .. END`: the value that goes with each id.
pub fn by_row<ST, C, V>(id: C, values: Vec<(String, V)>) -> ByRow<ST, C, V> {
    ByRow { id, values, sql_type: PhantomData }
}

/// What [`by_row`] says.
#[derive(Debug, Clone)]
pub struct ByRow<ST, C, V> {
    id: C,
    values: Vec<(String, V)>,
    sql_type: PhantomData<ST>,
}

impl<ST: SqlType + SingleValue, C, V> Expression for ByRow<ST, C, V> {
    type SqlType = ST;
}

impl<ST, C, V> ValidGrouping<()> for ByRow<ST, C, V> {
    type IsAggregate = is_aggregate::No;
}

impl<ST, C: AppearsOnTable<T>, V, T> AppearsOnTable<T> for ByRow<ST, C, V> where Self: Expression {}

impl<ST, C, V> QueryId for ByRow<ST, C, V> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST, C, V, DB> QueryFragment<DB> for ByRow<ST, C, V>
where
    DB: Backend + HasSqlType<ST> + HasSqlType<Text>,
    C: QueryFragment<DB>,
    V: ToSql<ST, DB>,
    String: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        // There are as many of these as there are numbers of rows.
        pass.unsafe_to_cache_prepared();
        pass.push_sql("CASE ");
        self.id.walk_ast(pass.reborrow())?;
        for (id, value) in &self.values {
            pass.push_sql(" WHEN ");
            pass.push_bind_param::<Text, String>(id)?;
            pass.push_sql(" THEN ");
            pass.push_bind_param::<ST, V>(value)?;
        }
        pass.push_sql(" END");
        Ok(())
    }
}
