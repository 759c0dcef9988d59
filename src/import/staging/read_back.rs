//! Reads the staged rows back unchanged, independently of the plan.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};
use diesel::sqlite::Sqlite;

use super::table::kind;
use super::{Staging, failed};
use crate::import::Result;
use crate::import::legacy::{Body, Row, Table};

#[derive(QueryableByName)]
struct StagedRow {
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Text)]
    body: String,
    #[diesel(sql_type = Text)]
    raw: String,
}

#[derive(QueryableByName)]
struct Member {
    #[diesel(sql_type = Text)]
    job: String,
    #[diesel(sql_type = Text)]
    part: String,
}

impl Staging {
    /// The rows of a table after the row of that number, in the order in which they were read, with their numbers.
    pub(in crate::import) fn page(
        &mut self,
        table: Table,
        after: i64,
        limit: i64,
    ) -> Result<Vec<(i64, Row)>> {
        // In the order of the primary key: the rows of a table come one after the other in most sources.
        self.load_rows(
            start("WHERE +s.kind = ? AND s.number > ? ORDER BY s.number LIMIT ?")
                .bind::<Integer, _>(kind(table))
                .bind::<BigInt, _>(after)
                .bind::<BigInt, _>(limit),
        )
    }

    /// The rows of `job_actions` of a job, each with the action that it names.
    pub(in crate::import) fn places_read(&mut self, job: &str) -> Result<Vec<(Row, Option<Row>)>> {
        let places = self.of_parent(Table::JobActions, job)?;
        let mut found = Vec::new();
        for place in places {
            let action = match &place.body {
                Body::JobAction(at) => self.action(&at.action_id.clone())?,
                _ => None,
            };
            found.push((place, action));
        }
        Ok(found)
    }

    /// The rows of `user_credentials` of a job.
    pub(in crate::import) fn trusts_read(&mut self, job: &str) -> Result<Vec<Row>> {
        self.of_parent(Table::UserCredentials, job)
    }

    fn of_parent(&mut self, table: Table, job: &str) -> Result<Vec<Row>> {
        // The indexes are those of one table each, and are found by its number in the statement.
        let sql = format!("WHERE s.kind = {} AND s.parent = ?", kind(table));
        let rows = self.load_rows(start(&sql).bind::<Text, _>(job.to_owned()))?;
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    }

    fn action(&mut self, id: &str) -> Result<Option<Row>> {
        let rows = self.load_rows(
            start("WHERE s.kind = ? AND s.id = ? ORDER BY s.number LIMIT 1")
                .bind::<Integer, _>(kind(Table::Actions))
                .bind::<Text, _>(id.to_owned()),
        )?;
        Ok(rows.into_iter().next().map(|(_, row)| row))
    }

    fn load_rows(&mut self, query: Query<'_>) -> Result<Vec<(i64, Row)>> {
        let staged: Vec<StagedRow> = query.load(&mut self.connection).map_err(|error| failed(&error))?;
        let mut rows = Vec::new();
        for StagedRow { number, body, raw } in staged {
            let mut row: Row = serde_json::from_str(&body).map_err(|error| failed(&error))?;
            row.raw = serde_json::from_str(&raw).map_err(|error| failed(&error))?;
            if let Body::Session(session) = &mut row.body {
                let members: Vec<Member> =
                    diesel::sql_query("SELECT job, part FROM members WHERE number = ?")
                        .bind::<BigInt, _>(number)
                        .load(&mut self.connection)
                        .map_err(|error| failed(&error))?;
                for Member { job, part } in members {
                    session.jobs.insert(job, serde_json::from_str(&part).map_err(|error| failed(&error))?);
                }
            }
            rows.push((number, row));
        }
        Ok(rows)
    }
}

type Query<'q> = diesel::query_builder::BoxedSqlQuery<'q, Sqlite, diesel::query_builder::SqlQuery>;

/// A statement before its values.
fn start<'q>(which: &str) -> Query<'q> {
    let sql = format!(
        "SELECT s.number, b.row AS body, b.raw FROM staged s JOIN bodies b ON b.number = s.number {which}"
    );
    diesel::sql_query(sql).into_boxed()
}
