//! Look-ups for the writing of a batch.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::table::{kind, state};
use super::{Staging, failed};
use crate::import::Result;
use crate::import::legacy::Table;

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = Text)]
    id: String,
}

#[derive(QueryableByName)]
struct Bytes {
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

impl Staging {
    /// The ids, of these in the target, of places that the source has and did not delete.
    pub(in crate::import) fn live_places(&mut self, ids: &[String]) -> Result<BTreeSet<String>> {
        let (kind, live) = (kind(Table::JobActions), state::LIVE);
        let ids: Vec<Id> = diesel::sql_query(format!(
            "WITH asked AS (SELECT value AS id FROM json_each(?))
             SELECT a.id AS id FROM asked a
             WHERE EXISTS (SELECT 1 FROM staged s WHERE s.kind = {kind} AND s.state = {live} AND s.id = a.id)
             OR EXISTS (SELECT 1 FROM staged s WHERE s.kind = {kind} AND s.state = {live} AND s.target = a.id)"
        ))
        .bind::<Text, _>(serde_json::json!(ids).to_string())
        .load(&mut self.connection)
        .map_err(|error| failed(&error))?;
        Ok(ids.into_iter().map(|id| id.id).collect())
    }

    /// The ids, of these, of actions inside the source's jobs. The plan makes such an action if no other has its id.
    pub(in crate::import) fn inline_actions(&mut self, ids: &[String]) -> Result<BTreeSet<String>> {
        if !self.has_inline_actions {
            self.execute(&format!(
                "CREATE TEMP TABLE inline_actions AS SELECT DISTINCT json_extract(e.value, '$.action_id') AS id
                 FROM staged s JOIN bodies b ON b.number = s.number, json_each(b.row, '$.body.job.entries') e
                 WHERE s.kind = {} AND json_type(e.value, '$.action_id') = 'text';
                 CREATE INDEX inline_actions_id ON inline_actions (id)",
                kind(Table::Jobs)
            ))?;
            self.has_inline_actions = true;
        }
        let ids: Vec<Id> =
            diesel::sql_query("SELECT id FROM inline_actions WHERE id IN (SELECT value FROM json_each(?))")
                .bind::<Text, _>(serde_json::json!(ids).to_string())
                .load(&mut self.connection)
                .map_err(|error| failed(&error))?;
        Ok(ids.into_iter().map(|id| id.id).collect())
    }

    /// The size of the file, in bytes.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn bytes(&mut self) -> Result<u64> {
        let bytes: Bytes = diesel::sql_query(
            "SELECT c.page_count * s.page_size AS bytes FROM pragma_page_count() c, pragma_page_size() s",
        )
        .get_result(&mut self.connection)
        .map_err(|error| failed(&error))?;
        Ok(u64::try_from(bytes.bytes).unwrap_or_default())
    }
}
