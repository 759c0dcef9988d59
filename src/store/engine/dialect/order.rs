//! An ORDER BY for each backend, so that its planner recognizes the index that has this order.

use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;

use crate::store::engine::connection::MultiBackend;

/// One order, written in two ways: the first for PostgreSQL, the second for the other backends.
///
/// Among the rows with null in a column, an index on that column is ordered by its next columns. MySQL and MariaDB use it
/// unless the ORDER BY begins with the column itself; PostgreSQL uses it only if the ORDER BY begins so.
#[derive(Debug, Clone, Copy, QueryId)]
pub struct OrderPerBackend<P, O> {
    /// PostgreSQL's.
    pub postgres: P,
    /// The other backends'.
    pub others: O,
}

impl<P, O: Expression> Expression for OrderPerBackend<P, O> {
    type SqlType = O::SqlType;
}

impl<P, O> ValidGrouping<()> for OrderPerBackend<P, O> {
    type IsAggregate = is_aggregate::No;
}

impl<P, O, Table> AppearsOnTable<Table> for OrderPerBackend<P, O>
where
    P: AppearsOnTable<Table>,
    O: AppearsOnTable<Table>,
{
}

impl<P, O, Table> SelectableExpression<Table> for OrderPerBackend<P, O> where Self: AppearsOnTable<Table> {}

impl<P, O> QueryFragment<MultiBackend> for OrderPerBackend<P, O>
where
    P: QueryFragment<MultiBackend>,
    O: QueryFragment<MultiBackend>,
{
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        match pass.backend() {
            #[cfg(feature = "postgres")]
            MultiBackend::Postgres(_) => self.postgres.walk_ast(pass),
            _ => self.others.walk_ast(pass),
        }
    }
}
