//! A different value for each row, in one UPDATE.

use std::marker::PhantomData;

use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression, ValidGrouping, is_aggregate};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, SingleValue, SqlType, Text};

/// `CASE id WHEN .. THEN .. END`: each id has its own value.
pub fn case_by_id<ST, C, V>(id: C, values: Vec<(String, V)>) -> CaseById<ST, C, V> {
    CaseById { id, values, sql_type: PhantomData }
}

/// The expression of [`case_by_id`].
#[derive(Debug, Clone)]
pub struct CaseById<ST, C, V> {
    id: C,
    values: Vec<(String, V)>,
    sql_type: PhantomData<ST>,
}

impl<ST: SqlType + SingleValue, C, V> Expression for CaseById<ST, C, V> {
    type SqlType = ST;
}

impl<ST, C, V> ValidGrouping<()> for CaseById<ST, C, V> {
    type IsAggregate = is_aggregate::No;
}

impl<ST, C: AppearsOnTable<T>, V, T> AppearsOnTable<T> for CaseById<ST, C, V> where Self: Expression {}

impl<ST, C, V> QueryId for CaseById<ST, C, V> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST, C, V, DB> QueryFragment<DB> for CaseById<ST, C, V>
where
    DB: Backend + HasSqlType<ST> + HasSqlType<Text>,
    C: QueryFragment<DB>,
    V: ToSql<ST, DB>,
    String: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        // Each number of rows is another statement.
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
