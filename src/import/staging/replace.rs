//! Replaces rows, after everything was read.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};
use serde_json::Value;

use super::table::{bodies, kind, members, staged};
use super::{Staging, failed, fill};
use crate::import::Result;
use crate::import::legacy::{Row, Table};

/// The row that the source has under the table and id of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::import) enum Existing {
    /// An equal row.
    Same,
    /// A different row, with this number.
    Other(i64),
    /// Several rows, and none can be told to be the right one.
    Ambiguous,
    /// No row.
    None,
}

#[derive(QueryableByName)]
struct Raw {
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Text)]
    raw: String,
}

impl Staging {
    /// Finds the row with this table and id. Documents of Elasticsearch can share an id of the API; then `_index` and `_id`
    /// decide.
    pub(in crate::import) fn existing(&mut self, table: Table, id: &str, raw: &Value) -> Result<Existing> {
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
            return Ok(Existing::Same);
        }
        let document = |raw: &Value| Some((raw.get("_index").cloned(), raw.get("_id")?.clone()));
        let is_it = |other: &Value| document(other).is_some_and(|other| Some(other) == document(raw));
        Ok(match found.as_slice() {
            [] => Existing::None,
            [(number, _)] => Existing::Other(*number),
            several => match several.iter().find(|(_, other)| is_it(other)) {
                Some((number, _)) => Existing::Other(*number),
                None => Existing::Ambiguous,
            },
        })
    }

    /// Replaces a row.
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::import::legacy::{Backup, Body, State};

    fn row(raw: Value) -> Row {
        Row {
            table: Table::Backups,
            id: "b".to_owned(),
            state: State::Live,
            project: None,
            user: String::new(),
            created: None,
            updated: None,
            version: None,
            body: Body::Backup(Backup::default()),
            problems: Vec::new(),
            raw,
        }
    }

    #[test]
    fn documents_that_share_an_id_are_told_apart_by_theirs() {
        let hit = |id: &str, text: &str| json!({"_index": "freezer", "_id": id, "_source": {"text": text}});
        let mut staging = Staging::new().unwrap();
        staging.add(&row(hit("x", "one"))).unwrap();
        let taken = |staging: &mut Staging, raw| staging.existing(Table::Backups, "b", &raw).unwrap();
        assert_eq!(taken(&mut staging, hit("x", "one")), Existing::Same);
        assert_eq!(taken(&mut staging, json!({})), Existing::Other(1));
        staging.add(&row(hit("y", "two"))).unwrap();
        assert_eq!(taken(&mut staging, hit("y", "mended")), Existing::Other(2));
        assert_eq!(taken(&mut staging, hit("z", "mended")), Existing::Ambiguous);
        assert_eq!(staging.existing(Table::Jobs, "b", &json!({})).unwrap(), Existing::None);

        staging.replace(2, &row(hit("y", "mended"))).unwrap();
        assert_eq!(taken(&mut staging, hit("y", "mended")), Existing::Same);
        assert_eq!(staging.counts().unwrap()["backups"], 2);
    }
}
