//! Rows that take the place of others, after everything was read.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};
use serde_json::Value;

use super::table::{bodies, kind, members, staged};
use super::{Staging, failed, fill};
use crate::import::Result;
use crate::import::legacy::{Row, Table};

/// What the source has in the place of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::import) enum Taken {
    /// The same row.
    Same,
    /// Another one, of that number.
    By(i64),
    /// Several, of which none is the one that is meant.
    Ambiguous,
    /// None.
    Free,
}

#[derive(QueryableByName)]
struct Raw {
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Text)]
    raw: String,
}

impl Staging {
    /// What the source has under a table and id. Documents of Elasticsearch can share an id of the API's; their `_index`
    /// and `_id` tell them apart.
    pub(in crate::import) fn taken(&mut self, table: Table, id: &str, raw: &Value) -> Result<Taken> {
        let sql = "SELECT s.number, b.raw FROM staged s JOIN bodies b ON b.number = s.number \
                   WHERE s.kind = ? AND s.id = ? ORDER BY s.number";
        let rows: Vec<Raw> = diesel::sql_query(sql)
            .bind::<Integer, _>(kind(table))
            .bind::<Text, _>(id)
            .load(&mut self.connection)
            .map_err(|error| failed(&error))?;
        let mut found = Vec::new();
        for Raw { number, raw } in rows {
            let raw: Value = serde_json::from_str(&raw).map_err(|error| failed(&error))?;
            found.push((number, raw));
        }
        if found.iter().any(|(_, other)| other == raw) {
            return Ok(Taken::Same);
        }
        let document = |raw: &Value| Some((raw.get("_index").cloned(), raw.get("_id")?.clone()));
        let is_it = |other: &Value| document(other).is_some_and(|other| Some(other) == document(raw));
        Ok(match found.as_slice() {
            [] => Taken::Free,
            [(number, _)] => Taken::By(*number),
            several => match several.iter().find(|(_, other)| is_it(other)) {
                Some((number, _)) => Taken::By(*number),
                None => Taken::Ambiguous,
            },
        })
    }

    /// Keeps a row in the place of another one.
    pub(in crate::import) fn replace(&mut self, number: i64, row: &Row) -> Result<()> {
        let connection = &mut self.connection;
        diesel::delete(members::table.filter(members::number.eq(number)))
            .execute(connection)
            .and_then(|_| diesel::delete(bodies::table.find(number)).execute(connection))
            .and_then(|_| diesel::delete(staged::table.find(number)).execute(connection))
            .map_err(|error| failed(&error))?;
        fill::add(connection, number, row)
    }
}
