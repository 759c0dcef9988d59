//! How much of a list is one page: at most 16 MiB of JSON, and read in parts, so that the database's answer is never all in
//! memory beside the rows.

use std::collections::HashMap;

use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::sql_types::BigInt;

use crate::store::connection::AnyConnection;
use crate::store::dialect::octets;
use crate::store::document_type::Document;

/// A page ends after this many bytes of JSON, and its `next` link leads on.
pub const PAGE_BYTES: usize = 16 * 1024 * 1024;

/// A page has at least this many items, if there are as many. Schedulers page by offset, and take the first page with
/// fewer items for the last one.
pub const PAGE_ITEMS: usize = 10;

/// Up to this many rows are read without asking for their sizes first.
pub const FEW_ROWS: i64 = 20;

/// One statement reads this many bytes of documents.
const PART_BYTES: usize = 4 * 1024 * 1024;

/// The JSON of a document beside that of its large columns, in bytes; the page's end need not be exact.
const REST: usize = 512;

/// Rows of a list.
#[derive(Debug)]
pub struct Rows<R> {
    /// The rows.
    pub rows: Vec<R>,
    /// Whether there are more of those that were asked for, for which the page has no room.
    pub is_cut: bool,
}

/// A row of a list whose documents may be large.
pub trait Weight {
    /// The row's id.
    fn row_id(&self) -> &str;

    /// About how many bytes of JSON it is: those of its large columns.
    fn weight(&self) -> usize;
}

/// Sorts rows by the order of their ids.
pub fn in_order<R: Weight>(rows: &mut [R], ids: &[String]) {
    let places: HashMap<&str, usize> = ids.iter().enumerate().map(|(place, id)| (&**id, place)).collect();
    rows.sort_by_key(|row| places.get(row.row_id()).copied());
}

/// The room that is left on a page.
#[derive(Debug, Default)]
pub struct Budget {
    items: usize,
    bytes: usize,
}

impl Budget {
    /// Takes the room for an item, if there is any.
    pub fn take(&mut self, weight: usize) -> bool {
        let bytes = self.bytes.saturating_add(weight).saturating_add(REST);
        if self.items >= PAGE_ITEMS && bytes > PAGE_BYTES {
            return false;
        }
        self.items += 1;
        self.bytes = bytes;
        true
    }

    /// As many of some rows as there is room for.
    pub fn trim<R: Weight>(&mut self, mut rows: Vec<R>) -> Rows<R> {
        let fit = rows.iter().take_while(|row| self.take(row.weight())).count();
        let is_cut = fit < rows.len();
        rows.truncate(fit);
        Rows { rows, is_cut }
    }

    /// The ids, out of some with their sizes, that there is room for: in parts, each of which is one statement. And whether
    /// those are not all.
    pub fn parts(&mut self, sizes: Vec<(String, i64)>) -> (Vec<Vec<String>>, bool) {
        let (mut parts, mut bytes) = (Vec::<Vec<String>>::new(), 0);
        for (id, size) in sizes {
            let size = usize::try_from(size).unwrap_or_default();
            if !self.take(size) {
                return (parts, true);
            }
            match parts.last_mut() {
                Some(part) if bytes + size <= PART_BYTES => {
                    part.push(id);
                    bytes += size;
                }
                _ => {
                    parts.push(vec![id]);
                    bytes = size;
                }
            }
        }
        (parts, false)
    }
}

/// The sizes of some columns in bytes, added up; null counts as 0.
pub fn size_of(connection: &AnyConnection, columns: &[&str]) -> SqlLiteral<BigInt> {
    sql(&octets(connection, columns))
}

/// An empty document in place of a column that is not asked for.
pub fn no_document(connection: &AnyConnection) -> SqlLiteral<Document> {
    match connection {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(_) => sql("CAST('{}' AS jsonb)"),
        _ => sql("'{}'"),
    }
}

/// A page of a boxed query, as much of it as the budget has room for. Where only a few rows are asked for, or none of what
/// makes rows large (`$light`), one statement reads them. Else the first one reads which rows, and how large they are.
macro_rules! load_page {
    (
        $tx:ident, $budget:ident, $rows:expr, $limit:ident,
        $table:ident[$($column:ident),+], $select:expr, if $is_light:expr => $light:expr
    ) => {{
        use diesel::prelude::*;
        use $crate::store::dialect::one_of;
        use $crate::store::listing::{FEW_ROWS, Rows, size_of};
        let rows = $rows;
        if $is_light {
            let rows = rows.select($light).load($tx.connection)?;
            Rows { rows, is_cut: false }
        } else if $limit <= FEW_ROWS {
            $budget.trim(rows.select($select).load($tx.connection)?)
        } else {
            let size = size_of($tx.connection, &[$(concat!(stringify!($table), ".", stringify!($column))),+]);
            let (parts, is_cut) = $budget.parts(rows.select(($table::id, size)).load($tx.connection)?);
            let mut rows = Vec::new();
            for ids in parts {
                let mut some: Vec<_> = $table::table
                    .filter(one_of($table::id, ids.clone()))
                    .select($select)
                    .load($tx.connection)?;
                $crate::store::listing::in_order(&mut some, &ids);
                rows.append(&mut some);
            }
            Rows { rows, is_cut }
        }
    }};
}
pub(crate) use load_page;
