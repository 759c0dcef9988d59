//! An UPDATE that is prepared once for each connection, instead of at each use.

use diesel::expression::{AppearsOnTable, Expression};
use diesel::query_builder::{AsChangeset, AstPass, QueryFragment, QueryId};
use diesel::query_source::Table;
use diesel::result::QueryResult;
use diesel::sql_types::BoolOrNullableBool;

/// `UPDATE table SET values WHERE rows`, for statements whose SQL has few variants, so that the connection can cache them.
///
/// It is equivalent to `diesel::update(table.filter(rows)).set(values)`. Diesel never caches that statement, because a
/// changeset may leave columns out and so has many variants; on MySQL and PostgreSQL that costs a second round trip.
pub fn cached_update<T, V, W>(table: T, values: V, rows: W) -> CachedUpdate<T::FromClause, V::Changeset, W>
where
    T: Table,
    V: AsChangeset<Target = T>,
    W: Expression<SqlType: BoolOrNullableBool> + AppearsOnTable<T>,
{
    CachedUpdate { table: table.from_clause(), values: values.as_changeset(), rows }
}

/// The statement of [`cached_update`].
#[derive(Debug, Clone)]
pub struct CachedUpdate<T, V, W> {
    table: T,
    values: V,
    rows: W,
}

// The number of parameters may depend on the values, so that the type does not identify the SQL.
impl<T, V, W> QueryId for CachedUpdate<T, V, W> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T, V, W, DB> QueryFragment<DB> for CachedUpdate<T, V, W>
where
    DB: diesel::backend::Backend,
    T: QueryFragment<DB>,
    V: QueryFragment<DB>,
    W: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        pass.push_sql("UPDATE ");
        self.table.walk_ast(pass.reborrow())?;
        pass.push_sql(" SET ");
        self.values.walk_ast(pass.reborrow())?;
        pass.push_sql(" WHERE ");
        self.rows.walk_ast(pass)
    }
}

impl<T, V, W, Connection> diesel::RunQueryDsl<Connection> for CachedUpdate<T, V, W> {}
