//! Reads the staging file: batches of rows, and look-ups for all rows of a batch at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::prelude::*;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{BigInt, Integer, Text};
use diesel::sqlite::Sqlite;
use serde_json::{Value, json};

use super::table::{Head, kind};
use super::{Staging, failed};
use crate::import::Result;
use crate::import::legacy::{Row, Table};
use crate::import::unit::Note;

/// The position after which the next batch begins.
#[derive(Debug, Clone, Default)]
pub struct Key {
    parent: String,
    position: i64,
    id: String,
    number: i64,
    is_begun: bool,
}

impl Key {
    /// After this row.
    pub fn after(head: &Head) -> Self {
        Self {
            parent: head.parent.clone().unwrap_or_default(),
            position: head.position,
            id: head.id.clone(),
            number: head.number,
            is_begun: true,
        }
    }
}

/// A staged row with its content.
pub struct Body {
    /// Its columns.
    pub head: Head,
    /// Its content; `raw` is empty.
    pub row: Row,
}

/// A session's entry about one of its jobs.
#[derive(QueryableByName)]
pub struct Member {
    /// The session.
    #[diesel(sql_type = BigInt)]
    pub number: i64,
    /// The job.
    #[diesel(sql_type = Text)]
    pub job: String,
    #[diesel(sql_type = Text)]
    part: String,
}

impl Member {
    /// The entry.
    pub fn part(&self) -> Value {
        serde_json::from_str(&self.part).unwrap_or_default()
    }
}

#[derive(QueryableByName)]
struct Content {
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Text)]
    content: String,
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    asked: String,
    #[diesel(embed)]
    head: Head,
}

#[derive(QueryableByName)]
struct Sum {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = BigInt)]
    rows: i64,
    #[diesel(sql_type = BigInt)]
    size: i64,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = Text)]
    id: String,
}

/// Most rows of a batch.
const MOST_ROWS: usize = 500;

/// Most bytes of a batch; a row that has more is a batch of its own.
const MOST_BYTES: i64 = 4 * 1024 * 1024;

/// A list of values as the one parameter of a statement, whatever their number.
fn list<'v>(values: impl IntoIterator<Item = &'v str>) -> String {
    let distinct: BTreeSet<&str> = values.into_iter().collect();
    json!(distinct).to_string()
}

impl Staging {
    fn load<T: diesel::deserialize::QueryableByName<Sqlite> + 'static>(
        &mut self,
        query: BoxedSqlQuery<'_, Sqlite, SqlQuery>,
    ) -> Result<Vec<T>> {
        query.load(&mut self.connection).map_err(|error| failed(&error))
    }

    /// The next rows of a table: deleted ones, or all others.
    pub(in crate::import) fn batch(&mut self, of: Table, is_deleted: bool, after: &Key) -> Result<Vec<Body>> {
        let states = if is_deleted { "s.state IN (1, 2)" } else { "s.state NOT IN (1, 2)" };
        let columns = Head::COLUMNS;
        let kind = kind(of);
        let is_place = of == Table::JobActions;
        let (key, order) = match is_place {
            true => (
                "(s.parent, s.position, s.id, s.number) > (?, ?, ?, ?)",
                "s.parent, s.position, s.id, s.number",
            ),
            false => ("(s.id, s.number) > (?, ?)", "s.id, s.number"),
        };
        let key = if after.is_begun { key } else { "1" };
        let mut query = diesel::sql_query(format!(
            "SELECT {columns} FROM staged s WHERE s.kind = {kind} AND {states} AND {key} ORDER BY {order} LIMIT {MOST_ROWS}"
        ))
        .into_boxed::<Sqlite>();
        if after.is_begun {
            if is_place {
                query = query.bind::<Text, _>(after.parent.clone()).bind::<BigInt, _>(after.position);
            }
            query = query.bind::<Text, _>(after.id.clone()).bind::<BigInt, _>(after.number);
        }
        let mut heads: Vec<Head> = self.load(query)?;
        let mut bytes = 0_i64;
        let fitting = heads
            .iter()
            .take_while(|head| {
                bytes = bytes.saturating_add(head.size);
                bytes <= MOST_BYTES
            })
            .count();
        heads.truncate(fitting.max(1));
        let numbers: Vec<i64> = heads.iter().map(|head| head.number).collect();
        let mut contents = self.contents("row", &numbers)?;
        heads
            .into_iter()
            .map(|head| {
                let text = contents.remove(&head.number).unwrap_or_default();
                let row = serde_json::from_str(&text).map_err(|error| failed(&error))?;
                Ok(Body { head, row })
            })
            .collect()
    }

    fn contents(&mut self, column: &str, numbers: &[i64]) -> Result<HashMap<i64, String>> {
        let query = diesel::sql_query(format!(
            "SELECT number, {column} AS content FROM bodies WHERE number IN (SELECT value FROM json_each(?))"
        ))
        .into_boxed::<Sqlite>()
        .bind::<Text, _>(json!(numbers).to_string());
        let contents: Vec<Content> = self.load(query)?;
        Ok(contents.into_iter().map(|content| (content.number, content.content)).collect())
    }

    /// The contents of some rows.
    pub(in crate::import) fn rows(&mut self, numbers: &[i64]) -> Result<HashMap<i64, Row>> {
        self.contents("row", numbers)?
            .into_iter()
            .map(|(number, text)| Ok((number, serde_json::from_str(&text).map_err(|error| failed(&error))?)))
            .collect()
    }

    /// Some rows verbatim.
    pub(in crate::import) fn raws(&mut self, numbers: &[i64]) -> Result<HashMap<i64, Value>> {
        let raws = self.contents("raw", numbers)?;
        Ok(raws
            .into_iter()
            .map(|(number, text)| (number, serde_json::from_str(&text).unwrap_or(Value::String(text))))
            .collect())
    }

    /// The rows of these ids.
    pub(in crate::import) fn by_ids<'v>(
        &mut self,
        of: Table,
        ids: impl IntoIterator<Item = &'v str>,
    ) -> Result<HashMap<String, Head>> {
        let (columns, kind) = (Head::COLUMNS, kind(of));
        // Of several rows of one id that is the last which is kept.
        let query = diesel::sql_query(format!(
            "SELECT {columns} FROM staged s WHERE s.kind = {kind} AND s.id IN (SELECT value FROM json_each(?))
             AND s.state <> 4 ORDER BY s.fate = 0, s.number"
        ))
        .into_boxed::<Sqlite>()
        .bind::<Text, _>(list(ids));
        let heads: Vec<Head> = self.load(query)?;
        Ok(heads.into_iter().map(|head| (head.id.clone(), head)).collect())
    }

    /// The clients that jobs of these projects mean with these names: the project's own, or else a central one.
    pub(in crate::import) fn clients(
        &mut self,
        names: &BTreeSet<(String, String)>,
    ) -> Result<HashMap<(String, String), Head>> {
        let columns = Head::COLUMNS;
        let mut found = HashMap::new();
        for whose in ["s.is_central", "s.project = json_extract(e.value, '$[0]')"] {
            let query = diesel::sql_query(format!(
                "SELECT e.value AS asked, {columns} FROM json_each(?) e JOIN staged s
                 ON s.kind = 0 AND s.name = json_extract(e.value, '$[1]') AND {whose}
                 WHERE s.state IN (0, 3, 5) AND s.fate <> 1 ORDER BY s.fate DESC, s.id DESC"
            ))
            .into_boxed::<Sqlite>()
            .bind::<Text, _>(json!(names).to_string());
            let named: Vec<Named> = self.load(query)?;
            for client in named {
                if let Ok(asked) = serde_json::from_str(&client.asked) {
                    found.insert(asked, client.head);
                }
            }
        }
        Ok(found)
    }

    /// The rows that are merged into these, lowest number first.
    pub(in crate::import) fn merged_into(&mut self, numbers: &[i64]) -> Result<BTreeMap<i64, Vec<i64>>> {
        #[derive(QueryableByName)]
        struct Pair {
            #[diesel(sql_type = BigInt)]
            into_number: i64,
            #[diesel(sql_type = BigInt)]
            number: i64,
        }
        let query = diesel::sql_query(
            "SELECT into_number, number FROM staged WHERE into_number IN (SELECT value FROM json_each(?)) AND fate = 1
             ORDER BY COALESCE(version, -1) DESC, stamp DESC NULLS LAST, sort, number",
        )
        .into_boxed::<Sqlite>()
        .bind::<Text, _>(json!(numbers).to_string());
        let pairs: Vec<Pair> = self.load(query)?;
        let mut merged: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for pair in pairs {
            merged.entry(pair.into_number).or_default().push(pair.number);
        }
        Ok(merged)
    }

    /// The entries of sessions about their jobs.
    pub(in crate::import) fn members(&mut self, sessions: &[i64]) -> Result<Vec<Member>> {
        let query = diesel::sql_query(
            "SELECT number, job, part FROM members WHERE number IN (SELECT value FROM json_each(?)) ORDER BY number, job",
        )
        .into_boxed::<Sqlite>()
        .bind::<Text, _>(json!(sessions).to_string());
        self.load(query)
    }

    /// The entries of sessions about these jobs.
    pub(in crate::import) fn memberships<'v>(
        &mut self,
        jobs: impl IntoIterator<Item = &'v str>,
    ) -> Result<Vec<Member>> {
        let query = diesel::sql_query(
            "SELECT number, job, part FROM members WHERE job IN (SELECT value FROM json_each(?)) ORDER BY number, job",
        )
        .into_boxed::<Sqlite>()
        .bind::<Text, _>(list(jobs));
        self.load(query)
    }

    /// How many live jobs these sessions have.
    pub(in crate::import) fn jobs_in<'v>(
        &mut self,
        sessions: impl IntoIterator<Item = &'v str>,
    ) -> Result<HashMap<String, i64>> {
        let query = diesel::sql_query(
            "SELECT s.parent AS id, count(*) AS rows, 0 AS size FROM staged s WHERE s.kind = 4 AND s.state = 0
             AND s.parent IN (SELECT value FROM json_each(?)) GROUP BY s.parent",
        )
        .into_boxed::<Sqlite>()
        .bind::<Text, _>(list(sessions));
        let sums: Vec<Sum> = self.load(query)?;
        Ok(sums.into_iter().map(|sum| (sum.id, sum.rows)).collect())
    }

    /// How many places these jobs have, and how large the actions there are together.
    pub(in crate::import) fn places_of<'v>(
        &mut self,
        jobs: impl IntoIterator<Item = &'v str>,
    ) -> Result<HashMap<String, (i64, i64)>> {
        let query = diesel::sql_query(
            "SELECT s.parent AS id, count(*) AS rows, SUM(a.size) AS size FROM staged s
             JOIN staged a ON a.kind = 1 AND a.id = s.name AND a.state = 0 WHERE s.kind = 5 AND s.state = 0
             AND s.parent IN (SELECT value FROM json_each(?)) GROUP BY s.parent",
        )
        .into_boxed::<Sqlite>()
        .bind::<Text, _>(list(jobs));
        let sums: Vec<Sum> = self.load(query)?;
        Ok(sums.into_iter().map(|sum| (sum.id, (sum.rows, sum.size))).collect())
    }

    /// The trust that each of these jobs keeps: the newest one.
    pub(in crate::import) fn trusts_of<'v>(
        &mut self,
        jobs: impl IntoIterator<Item = &'v str>,
    ) -> Result<HashMap<String, i64>> {
        let query = diesel::sql_query(
            "SELECT s.parent AS id, s.number AS rows, 0 AS size FROM staged s WHERE s.kind = 6 AND s.state = 0
             AND s.fate = 0 AND s.parent IN (SELECT value FROM json_each(?))
             ORDER BY s.stamp NULLS FIRST, s.id DESC, s.number DESC",
        )
        .into_boxed::<Sqlite>()
        .bind::<Text, _>(list(jobs));
        let sums: Vec<Sum> = self.load(query)?;
        Ok(sums.into_iter().map(|sum| (sum.id, sum.rows)).collect())
    }

    /// The actions, of these, that were made again for a job.
    pub(in crate::import) fn restored<'v>(
        &mut self,
        ids: impl IntoIterator<Item = &'v str>,
    ) -> Result<BTreeSet<String>> {
        let query = diesel::sql_query("SELECT id FROM restored WHERE id IN (SELECT value FROM json_each(?))")
            .into_boxed::<Sqlite>()
            .bind::<Text, _>(list(ids));
        let ids: Vec<Id> = self.load(query)?;
        Ok(ids.into_iter().map(|id| id.id).collect())
    }

    /// Records that actions were made again for a job.
    pub(in crate::import) fn restore<'v>(&mut self, ids: impl IntoIterator<Item = &'v str>) -> Result<()> {
        diesel::sql_query("INSERT OR IGNORE INTO restored (id) SELECT value FROM json_each(?)")
            .bind::<Text, _>(list(ids))
            .execute(&mut self.connection)
            .map_err(|error| failed(&error))?;
        Ok(())
    }

    /// The ids, of these, that rows of the source have in the target, including deleted rows.
    pub(in crate::import) fn knows<'v>(
        &mut self,
        of: Table,
        ids: impl IntoIterator<Item = &'v str>,
    ) -> Result<BTreeSet<String>> {
        let kind = kind(of);
        let query = diesel::sql_query(format!(
            "WITH asked AS (SELECT value AS id FROM json_each(?))
             SELECT a.id AS id FROM asked a WHERE EXISTS (SELECT 1 FROM staged s WHERE s.kind = {kind} AND s.id = a.id)
             OR EXISTS (SELECT 1 FROM staged s WHERE s.kind = {kind} AND s.target = a.id)"
        ))
        .into_boxed::<Sqlite>()
        .bind::<Text, _>(list(ids));
        let ids: Vec<Id> = self.load(query)?;
        Ok(ids.into_iter().map(|id| id.id).collect())
    }

    /// Records the fate of a row: it is not imported, or is merged into another target row.
    pub(in crate::import) fn settle(
        &mut self,
        number: i64,
        fate: i32,
        reason: Option<&str>,
        target: Option<&str>,
    ) -> Result<()> {
        diesel::sql_query(
            "UPDATE staged SET fate = ?, reason = COALESCE(?, reason), target = COALESCE(?, target) WHERE number = ?",
        )
        .bind::<Integer, _>(fate)
        .bind::<diesel::sql_types::Nullable<Text>, _>(reason)
        .bind::<diesel::sql_types::Nullable<Text>, _>(target)
        .bind::<BigInt, _>(number)
        .execute(&mut self.connection)
        .map_err(|error| failed(&error))?;
        Ok(())
    }

    /// Notes on projects with rows of several users.
    pub(in crate::import) fn shared_projects(&mut self) -> Result<Vec<Note>> {
        let query = diesel::sql_query(
            "SELECT project AS id, count(DISTINCT user) AS rows, 0 AS size FROM staged WHERE state = 0
             AND kind IN (0, 1, 3, 4, 7) AND project IS NOT NULL GROUP BY project HAVING count(DISTINCT user) > 1",
        )
        .into_boxed::<Sqlite>();
        let sums: Vec<Sum> = self.load(query)?;
        Ok(sums
            .into_iter()
            .map(|sum| Note {
                table: "projects",
                project_id: Some(sum.id.clone()),
                id: sum.id,
                outcome: crate::import::Outcome::Imported,
                reason: "many-users",
                into: None,
                detail: format!("{} users have rows here; from now on each of them sees all.", sum.rows),
            })
            .collect())
    }
}
