//! In what words an order is asked for, so that the planner sees the index that has it.

use diesel::expression::{AppearsOnTable, Expression};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;

use crate::store::connection::MultiBackend;

/// One order in two wordings, of which PostgreSQL is given the first.
///
/// Among the rows that have nothing in a column, an index on that column is in the order of what comes after it. MySQL
/// and MariaDB see that, unless they are asked to order by the column first; PostgreSQL sees it only if it is asked so.
#[derive(Debug, Clone, Copy, QueryId)]
pub struct Worded<P, O> {
    /// For PostgreSQL.
    pub postgres: P,
    /// For the others.
    pub others: O,
}

impl<P: Expression, O> Expression for Worded<P, O> {
    type SqlType = P::SqlType;
}

impl<P, O, Table> AppearsOnTable<Table> for Worded<P, O>
where
    P: AppearsOnTable<Table>,
    O: AppearsOnTable<Table>,
{
}

impl<P, O> QueryFragment<MultiBackend> for Worded<P, O>
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
