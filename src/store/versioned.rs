//! What the tables of resources have in common: a row has an id, a project and a version, and is changed only as it was
//! read.

use diesel::result::QueryResult;

use super::{Outcome, expect_one_row};

/// Declares a change of some columns of a row: a struct with an option per column, where `None` keeps the column.
///
/// `beside` lists columns of the table that the row's struct does not have.
///
/// ```ignore
/// change! {
///     /// A change of a session.
///     pub struct SessionChange of sessions: Session {
///         policy: String,
///         description: Option<String>,
///     }
/// }
/// ```
macro_rules! change {
    (
        $(#[$about:meta])*
        pub struct $change:ident of $table:ident: $row:ident { $($column:ident: $type:ty,)+ }
        $(beside { $($other:ident: $other_type:ty,)+ })?
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Default, PartialEq, diesel::AsChangeset)]
        #[diesel(table_name = $table)]
        #[allow(missing_docs, reason = "the columns; docs/DATABASE.md describes them")]
        pub struct $change {
            $(pub $column: Option<$type>,)+
            $($(pub $other: Option<$other_type>,)+)?
        }

        impl $change {
            /// Whether it changes nothing.
            pub fn is_empty(&self) -> bool {
                *self == Self::default()
            }

            /// The change without the values that the row has already, so that a repeated request changes nothing.
            #[must_use]
            pub fn without_repeats(self, row: &$row) -> Self {
                Self {
                    $($column: self.$column.filter(|value| *value != row.$column),)+
                    $($($other: self.$other,)+)?
                }
            }

            /// The row after the change at `now`; an empty change is none.
            #[must_use]
            pub fn applied_to(&self, row: &$row, now: $crate::store::types::time::Time) -> $row {
                let mut row = row.clone();
                if !self.is_empty() {
                    $(if let Some(value) = &self.$column {
                        row.$column.clone_from(value);
                    })+
                    (row.updated_at, row.version) = (now, row.version + 1);
                }
                row
            }
        }
    };
}

/// Changes columns of a row with a compare-and-set of its version, and returns the new version. Without columns it
/// increments the version only. With `cached`, the connection keeps the prepared statement, which is for statements
/// that are always the same.
///
/// ```ignore
/// let version = bump!(tx, actions, action, actions::mode.eq("fs"))?;
/// bump!(cached tx, sessions, session)?;
/// ```
macro_rules! bump {
    (cached $tx:expr, $table:ident, $row:expr $(, $columns:expr)?) => {
        $crate::store::versioned::bump!(@ $tx, $table, $row, [$($columns)?], |columns, as_read| {
            $crate::store::engine::dialect::on_each!($tx.connection, c => {
                $crate::store::engine::dialect::cached_update($table::table, columns, as_read).execute(c)
            })
        })
    };
    ($tx:expr, $table:ident, $row:expr $(, $columns:expr)?) => {
        $crate::store::versioned::bump!(@ $tx, $table, $row, [$($columns)?], |columns, as_read| {
            diesel::update($table::table.filter(as_read)).set(columns).execute($tx.connection)
        })
    };
    (@ $tx:expr, $table:ident, $row:expr, [$($columns:expr)?], |$set:ident, $as_read:ident| $update:expr) => {{
        let version = $row.version + 1;
        let $set = ($($columns,)? $table::updated_at.eq($tx.now), $table::version.eq(version));
        let $as_read = $table::id.eq(&$row.id).and($table::version.eq($row.version));
        $crate::store::versioned::expect_one($update).map(|()| version)
    }};
}

/// Increments the version of rows, whatever it is, so that a transaction that has read one of them is retried.
///
/// ```ignore
/// bump_all!(tx, jobs, jobs::id.eq_any(job_ids))?;
/// ```
macro_rules! bump_all {
    ($tx:expr, $table:ident, $rows:expr $(, $columns:expr)?) => {
        diesel::update($table::table.filter($rows))
            .set(($($columns,)? $table::updated_at.eq($tx.now), $table::version.eq($table::version + 1)))
            .execute($tx.connection)
    };
}

/// Deletes a row if it still has the version that was read.
///
/// ```ignore
/// remove!(tx, clients, client)
/// ```
macro_rules! remove {
    ($tx:expr, $table:ident, $row:expr) => {{
        let as_read = $table::id.eq(&$row.id).and($table::version.eq($row.version));
        $crate::store::versioned::expect_one(
            diesel::delete($table::table.filter(as_read)).execute($tx.connection),
        )
    }};
}

/// Writes the look-ups of a table's rows by id that are named.
///
/// ```ignore
/// lookups!(sessions: Session { find, exists_in_other_project });
/// ```
macro_rules! lookups {
    ($table:ident: $row:ty { $($name:ident),+ }) => {
        $($crate::store::versioned::lookups!(@$name $table: $row);)+
    };
    (@find $table:ident: $row:ty) => {
        /// The row of this id in the project. A text that cannot be an id finds nothing.
        pub fn find(tx: &mut Tx<'_>, project: &str, id: &str) -> Outcome<Option<$row>> {
            // MySQL refuses to compare such text with an id.
            if !$crate::store::is_id(id) {
                return Ok(None);
            }
            Ok($table::table
                .filter($table::id.eq(id))
                .filter($table::project_id.eq(project))
                .select(<$row>::as_select())
                .first(tx.connection)
                .optional()?)
        }
    };
    (@exists_in_other_project $table:ident: $row:ty) => {
        /// Whether another project has a row of this id.
        pub fn exists_in_other_project(tx: &mut Tx<'_>, project: &str, id: &str) -> Outcome<bool> {
            let in_others = $table::table.filter($table::id.eq(id)).filter($table::project_id.ne(project));
            Ok(diesel::select(diesel::dsl::exists(in_others)).get_result(tx.connection)?)
        }
    };
    (@is_taken $table:ident: $row:ty) => {
        /// Whether a row of any project has this id.
        pub fn is_taken(tx: &mut Tx<'_>, id: &str) -> Outcome<bool> {
            let with_id = $table::table.filter($table::id.eq(id));
            Ok(diesel::select(diesel::dsl::exists(with_id)).get_result(tx.connection)?)
        }
    };
}

/// Checks that a statement has changed the row that it was for.
pub(super) fn expect_one(changed: QueryResult<usize>) -> Outcome<()> {
    expect_one_row(changed?)
}

pub(super) use {bump, bump_all, change, lookups, remove};
