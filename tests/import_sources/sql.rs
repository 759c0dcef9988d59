//! The database of the Python service, of every release and kind that there is a fixture of.

mod documents;
mod fixture;
#[cfg(feature = "mysql")]
mod mysql;
mod sqlite;

use std::collections::BTreeMap;

use freezer_api::import::legacy::{Body, Row, State};
use freezer_api::import::sql::SqlSource;
use freezer_api::import::{Error, Source};
use freezer_api::store::engine::url::DatabaseUrl;

/// Rows by table and state.
type Counts = BTreeMap<String, BTreeMap<String, u64>>;

fn open(url: &DatabaseUrl) -> SqlSource {
    SqlSource::open(url, true).unwrap_or_else(|error| panic!("{error}"))
}

fn refusal(url: &DatabaseUrl) -> Error {
    SqlSource::open(url, false).err().unwrap()
}

fn read(source: &mut SqlSource) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut keep = |row| {
        rows.push(row);
        Ok(())
    };
    source.read(&mut keep).unwrap_or_else(|error| panic!("{error}"));
    rows
}

fn by_state(rows: &[Row]) -> Counts {
    let mut counts = Counts::new();
    for row in rows {
        let state = match row.state {
            State::Live => "live",
            State::Deleted => "deleted",
            State::Null => "null",
        };
        *counts.entry(row.table.name().into()).or_default().entry(state.into()).or_default() += 1;
    }
    counts
}

/// Every row of the fixture is read, in the state that it has there, and the source counts as many.
fn expect_every_row(fixture: &str, source: &mut SqlSource) -> Vec<Row> {
    let expected = fixture::counts(fixture);
    let rows = read(source);
    assert_eq!(by_state(&rows), expected, "{fixture}");
    let sums = expected.iter().map(|(table, states)| (table.clone(), states.values().sum()));
    let mut sums: BTreeMap<String, u64> = sums.collect();
    for table in source.counts().unwrap().into_keys() {
        sums.entry(table).or_default();
    }
    assert_eq!(source.counts().unwrap(), sums, "{fixture}");
    assert_eq!(source.describe().unwrap().counts, sums, "{fixture}");
    rows
}

fn find<'r>(rows: &'r [Row], table: &str, id: &str) -> &'r Row {
    rows.iter()
        .find(|row| row.table.name() == table && row.id == id)
        .unwrap_or_else(|| panic!("{table} {id}"))
}

fn reasons(row: &Row) -> Vec<&str> {
    row.problems.iter().map(|problem| problem.reason.as_str()).collect()
}

fn is_broken(row: &Row) -> bool {
    matches!(row.body, Body::Broken)
}
