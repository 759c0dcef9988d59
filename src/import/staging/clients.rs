//! Merges clients that become one, and adds missing clients that jobs name.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::table::fate;
use super::{Staging, failed};
use crate::import::Result;
use crate::import::ids;
use crate::import::legacy::{Body, Client, Row, State, Table};
use crate::import::plan::text;

/// The clients that can be merged.
const LIVE: &str = "kind = 0 AND state = 0 AND fate = 0";

/// Which of several is kept: what Elasticsearch wrote last, what was changed last, what says what it can do, the
/// smallest id. Rows of a table have no `version`, and documents no `stamp`.
const NEWEST: &str = "COALESCE(version, -1) DESC, stamp DESC NULLS LAST,
    CASE WHEN stamp IS NULL THEN is_full ELSE 0 END DESC, sort, number";

#[derive(QueryableByName)]
struct Renamed {
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Text)]
    project: String,
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Wanted {
    #[diesel(sql_type = BigInt)]
    rowid: i64,
    #[diesel(sql_type = Text)]
    project: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    user: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    stamp: Option<i64>,
}

/// How many clients are added at a time.
const AT_A_TIME: i64 = 500;

impl Staging {
    /// Merges clients of one name in a project, and central ones of one name and host.
    pub(in crate::import) fn merge_clients(&mut self) -> Result<()> {
        self.execute(&format!(
            "WITH ranked AS (SELECT number, FIRST_VALUE(number) OVER
                 (PARTITION BY name, COALESCE(parent, '') ORDER BY {NEWEST}) AS winner
                 FROM staged WHERE {LIVE} AND is_central)
             UPDATE staged SET fate = 1, reason = 'central-duplicate', into_number = ranked.winner FROM ranked
             WHERE staged.number = ranked.number AND ranked.winner <> ranked.number;
             WITH ranked AS (SELECT number, FIRST_VALUE(number) OVER one AS winner,
                 FIRST_VALUE(is_central) OVER one > is_central AS is_private
                 FROM staged WHERE {LIVE}
                 WINDOW one AS (PARTITION BY project, name ORDER BY is_central DESC, {NEWEST}))
             UPDATE staged SET fate = 1, into_number = ranked.winner,
                 reason = CASE WHEN ranked.is_private THEN 'central-and-private' ELSE 'duplicate-client' END FROM ranked
             WHERE staged.number = ranked.number AND ranked.winner <> ranked.number"
        ))
    }

    /// Merges rows of one id that are equal, and keeps one of those that are not. Only documents have such: several
    /// indices, or files that were read twice.
    pub(in crate::import) fn merge_ids(&mut self) -> Result<()> {
        self.execute(
            "CREATE TABLE twice AS SELECT kind, id FROM staged WHERE state <> 4 AND fate <> 1 AND kind <> 8
                 GROUP BY kind, id HAVING count(*) > 1;
             WITH ranked AS (SELECT s.number, FIRST_VALUE(s.number) OVER one AS winner,
                 FIRST_VALUE(s.same) OVER one = s.same AS is_same
                 FROM twice t JOIN staged s ON s.kind = t.kind AND s.id = t.id WHERE s.state <> 4 AND s.fate <> 1
                 WINDOW one AS (PARTITION BY s.kind, s.id ORDER BY s.state, COALESCE(s.version, -1) DESC, s.number DESC))
             UPDATE staged SET fate = CASE WHEN ranked.is_same THEN 1 ELSE 2 END, into_number = ranked.winner,
                 reason = CASE WHEN ranked.is_same THEN 'same' ELSE 'duplicate-id' END FROM ranked
             WHERE staged.number = ranked.number AND ranked.winner <> ranked.number;
             DROP TABLE twice",
        )?;
        // Two clients of other names or projects are two schedulers all the same, and one of them gets another id.
        let clients: Vec<Renamed> = diesel::sql_query(
            "SELECT number, project, name FROM staged WHERE kind = 0 AND reason = 'duplicate-id' AND fate = 2",
        )
        .load(&mut self.connection)
        .map_err(|error| failed(&error))?;
        for client in clients {
            let id = ids::made("client", &[&client.project, &client.name]);
            self.settle(client.number, fate::KEPT, None, Some(&id))?;
        }
        Ok(())
    }

    /// Restores deleted clients that jobs name, and adds those that are missing.
    pub(in crate::import) fn provide_clients(&mut self) -> Result<()> {
        self.execute(
            "INSERT INTO wanted (project, name, user, stamp)
             SELECT project, name, MIN(user), MIN(stamp) FROM staged j
             WHERE kind = 4 AND state = 0 AND fate = 0 AND name <> '' AND length(name) <= 255
             AND NOT EXISTS (SELECT 1 FROM staged c
                 WHERE c.kind = 0 AND c.state = 0 AND c.fate <> 1 AND c.name = j.name AND c.project = j.project)
             AND NOT EXISTS (SELECT 1 FROM staged c
                 WHERE c.kind = 0 AND c.state = 0 AND c.fate <> 1 AND c.name = j.name AND c.is_central)
             GROUP BY project, name ORDER BY project, name",
        )?;
        // First those of the project, then central ones of any.
        for (whose, partition) in [("s.project = w.project", "w.project, w.name"), ("s.is_central", "w.name")]
        {
            self.execute(&format!(
                "UPDATE staged SET state = 3 WHERE number IN (SELECT number FROM (
                     SELECT s.number, ROW_NUMBER() OVER (PARTITION BY {partition}
                         ORDER BY s.stamp DESC NULLS LAST, s.sort, s.number) AS place
                     FROM wanted w JOIN staged s ON s.kind = 0 AND s.name = w.name AND {whose}
                     WHERE s.state IN (1, 2) AND s.fate = 0) WHERE place = 1);
                 DELETE FROM wanted WHERE EXISTS (SELECT 1 FROM staged s WHERE s.kind = 0 AND s.state = 3
                     AND s.name = wanted.name AND (s.project = wanted.project OR s.is_central))"
            ))?;
        }
        let mut after = 0;
        loop {
            let wanted: Vec<Wanted> = diesel::sql_query(
                "SELECT rowid, project, name, user, stamp FROM wanted WHERE rowid > ? ORDER BY rowid LIMIT ?",
            )
            .bind::<BigInt, _>(after)
            .bind::<BigInt, _>(AT_A_TIME)
            .load(&mut self.connection)
            .map_err(|error| failed(&error))?;
            let Some(last) = wanted.last() else { return Ok(()) };
            after = last.rowid;
            for client in wanted {
                let number = -client.rowid;
                super::fill::add(&mut self.connection, number, &made(client))?;
                // Negative numbers are those of clients that no row of the source stands for.
                self.execute(&format!("UPDATE staged SET state = 5 WHERE number = {number}"))?;
            }
        }
    }
}

/// A client that a job names, and that the source does not have.
fn made(wanted: Wanted) -> Row {
    let Wanted { project, name, user, stamp, .. } = wanted;
    let host = name.split_once('_').map_or(name.as_str(), |(_, host)| host);
    let client = Client {
        hostname: Some(text::first(host, 255).to_owned()),
        description: Some("imported: named by a job".to_owned()),
        name: name.clone(),
        ..Client::default()
    };
    Row {
        table: Table::Clients,
        id: ids::made("client", &[&project, &name]),
        state: State::Live,
        project: Some(project),
        user,
        created: stamp.and_then(chrono::DateTime::from_timestamp_micros).map(|time| time.naive_utc()),
        updated: None,
        version: None,
        body: Body::Client(client),
        problems: Vec::new(),
        raw: serde_json::Value::Null,
    }
}
