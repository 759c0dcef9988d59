//! The size of a page: at most 16 MiB of JSON. It is read in parts, so that the database's result and the rows are not both
//! in memory as a whole.

use std::collections::HashMap;

use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::sql_types::BigInt;

use crate::store::engine::connection::AnyConnection;
use crate::store::engine::dialect::octets;
use crate::store::types::json::Document;

/// The most bytes of JSON in a page; its `next` link leads to the rest.
pub const PAGE_BYTES: usize = 16 * 1024 * 1024;

/// A page has at least this many items, if there are as many, whatever their size. Schedulers page by offset, and take a
/// page with fewer items for the last one.
pub const PAGE_ITEMS: usize = 10;

/// Up to this many rows are read without reading their sizes first.
pub const FEW_ROWS: i64 = 20;

/// One statement reads at most this many bytes of documents, or one row.
const PART_BYTES: usize = 4 * 1024 * 1024;

/// The estimated size of a document without its large columns, in bytes of JSON.
const REST: usize = 512;

/// Rows of a list.
#[derive(Debug)]
pub struct Rows<R> {
    /// The rows.
    pub rows: Vec<R>,
    /// Whether further rows were requested that exceed the budget.
    pub is_cut: bool,
}

/// A row of a list whose documents may be large.
pub trait Weight {
    /// The row's id.
    fn row_id(&self) -> &str;

    /// The size of its large columns, in bytes of JSON.
    fn weight(&self) -> usize;
}

/// Sorts rows into the order of `ids`.
pub fn sort_by_ids<R: Weight>(rows: &mut [R], ids: &[String]) {
    let places: HashMap<&str, usize> = ids.iter().enumerate().map(|(place, id)| (&**id, place)).collect();
    rows.sort_by_key(|row| places.get(row.row_id()).copied());
}

/// The items and bytes that a page has so far.
#[derive(Debug, Default)]
pub struct Budget {
    items: usize,
    bytes: usize,
}

impl Budget {
    /// Adds an item of this weight, if the page has room for it.
    pub fn take(&mut self, weight: usize) -> bool {
        let bytes = self.bytes.saturating_add(weight).saturating_add(REST);
        if self.items >= PAGE_ITEMS && bytes > PAGE_BYTES {
            return false;
        }
        self.items += 1;
        self.bytes = bytes;
        true
    }

    /// The rows up to the end of the budget.
    pub fn trim<R: Weight>(&mut self, mut rows: Vec<R>) -> Rows<R> {
        let fit = rows.iter().take_while(|row| self.take(row.weight())).count();
        let is_cut = fit < rows.len();
        rows.truncate(fit);
        Rows { rows, is_cut }
    }

    /// The ids of the rows within the budget, in parts that one statement each reads, and whether further rows exceed the
    /// budget.
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

/// The total size of some columns in bytes; null counts as 0.
pub fn size_of(connection: &AnyConnection, columns: &[&str]) -> SqlLiteral<BigInt> {
    sql(&octets(connection, columns))
}

/// An empty document, in place of a column that is not wanted.
pub fn empty_document(connection: &AnyConnection) -> SqlLiteral<Document> {
    match connection {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(_) => sql("CAST('{}' AS jsonb)"),
        _ => sql("'{}'"),
    }
}

/// Loads the rows of a boxed query, as far as the budget allows. One statement reads a few rows, or rows without their large
/// columns (`$light`). Otherwise a first statement reads the ids and sizes of the rows.
macro_rules! load_page {
    (
        $tx:ident, $budget:ident, $rows:expr, $limit:ident,
        $table:ident[$($column:ident),+], $select:expr, if $is_light:expr => $light:expr
    ) => {{
        use diesel::prelude::*;
        use $crate::store::engine::dialect::in_list;
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
                    .filter(in_list($table::id, ids.clone()))
                    .select($select)
                    .load($tx.connection)?;
                $crate::store::listing::sort_by_ids(&mut some, &ids);
                rows.append(&mut some);
            }
            Rows { rows, is_cut }
        }
    }};
}
pub(crate) use load_page;
