//! An UPDATE that is prepared once for each connection.

use diesel::expression::{AppearsOnTable, Expression};
use diesel::query_builder::{AsChangeset, AstPass, QueryFragment, QueryId};
use diesel::query_source::Table;
use diesel::result::QueryResult;
use diesel::sql_types::BoolOrNullableBool;

/// `UPDATE table SET values WHERE rows`, for statements of which there are few texts, so that the connection can keep
/// them.
///
/// As `diesel::update(table.filter(rows)).set(values)`, which Diesel has prepared and forgotten at each use, because a
/// change may leave columns out and so have as many texts as there are sets of columns. That is two round trips in place
/// of one on MySQL and PostgreSQL.
pub fn update_kept<T, V, W>(table: T, values: V, rows: W) -> UpdateKept<T::FromClause, V::Changeset, W>
where
    T: Table,
    V: AsChangeset<Target = T>,
    W: Expression<SqlType: BoolOrNullableBool> + AppearsOnTable<T>,
{
    UpdateKept { table: table.from_clause(), values: values.as_changeset(), rows }
}

/// What [`update_kept`] says.
#[derive(Debug, Clone)]
pub struct UpdateKept<T, V, W> {
    table: T,
    values: V,
    rows: W,
}

// Some conditions have as many parameters as there are values.
impl<T, V, W> QueryId for UpdateKept<T, V, W> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T, V, W, DB> QueryFragment<DB> for UpdateKept<T, V, W>
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

impl<T, V, W, Connection> diesel::RunQueryDsl<Connection> for UpdateKept<T, V, W> {}
