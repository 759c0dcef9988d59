//! Reads a document only if it is small.

use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::Nullable;

use crate::store::types::json::Document;

/// The size of the largest small document, in bytes.
const LARGE: u32 = 16_384;

/// A document column; null if the document is large.
pub fn if_small<C>(column: C) -> IfSmall<C> {
    IfSmall { column }
}

/// The expression of [`if_small`].
#[derive(Debug, Clone, Copy, QueryId)]
pub struct IfSmall<C> {
    column: C,
}

impl<C> Expression for IfSmall<C> {
    type SqlType = Nullable<Document>;
}

impl<C> ValidGrouping<()> for IfSmall<C> {
    type IsAggregate = is_aggregate::No;
}

impl<C: AppearsOnTable<T>, T> AppearsOnTable<T> for IfSmall<C> {}

impl<C: AppearsOnTable<T>, T> SelectableExpression<T> for IfSmall<C> {}

/// The cheapest SQL for the length of a document.
pub trait Length {
    /// The SQL before and after the column.
    const LENGTH: (&'static str, &'static str);
}

impl Length for diesel::sqlite::Sqlite {
    const LENGTH: (&'static str, &'static str) = ("octet_length(", ")");
}

#[cfg(feature = "mysql")]
impl Length for diesel::mysql::Mysql {
    const LENGTH: (&'static str, &'static str) = ("OCTET_LENGTH(", ")");
}

#[cfg(feature = "postgres")]
impl Length for diesel::pg::Pg {
    const LENGTH: (&'static str, &'static str) = ("octet_length(CAST(", " AS text))");
}

impl<C, DB> QueryFragment<DB> for IfSmall<C>
where
    C: QueryFragment<DB>,
    DB: Backend + Length,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        pass.push_sql(&format!("CASE WHEN {}", DB::LENGTH.0));
        self.column.walk_ast(pass.reborrow())?;
        pass.push_sql(&format!("{} <= {LARGE} THEN ", DB::LENGTH.1));
        self.column.walk_ast(pass.reborrow())?;
        pass.push_sql(" END");
        Ok(())
    }
}
