//! Documents of Elasticsearch, out of files and of a server.

mod files;
mod live;
mod rows;

use std::collections::BTreeMap;

use freezer_api::import::Error;
use freezer_api::import::elasticsearch::{Options, open};
use freezer_api::import::legacy::Row;
use serde_json::Value;

/// The path of a file of the fixtures.
fn fixture(name: &str) -> String {
    format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn text(name: &str) -> String {
    std::fs::read_to_string(fixture(name)).unwrap()
}

/// What is read out of a source.
fn read(options: &Options) -> Result<Vec<Row>, Error> {
    let mut rows = Vec::new();
    open(options)?.read(&mut |row| {
        rows.push(row);
        Ok(())
    })?;
    Ok(rows)
}

fn from(source: &str) -> Options {
    Options { from: vec![source.to_owned()], ..Options::default() }
}

fn refusal(options: &Options) -> String {
    match open(options) {
        Err(error) => error.why,
        Ok(mut source) => source.read(&mut |_| Ok(())).unwrap_err().why,
    }
}

fn counts(rows: &[Row]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(row.table.name().to_owned()).or_default() += 1;
    }
    counts
}

/// `counts.json` of a fixture.
fn expected(folder: &str) -> BTreeMap<String, u64> {
    serde_json::from_str(&text(&format!("{folder}/counts.json"))).unwrap()
}

/// The rows without what differs between the forms of a dump: the order, `_version`, and the document as it was read.
fn content(rows: &[Row]) -> Vec<Value> {
    let mut content: Vec<Value> = rows
        .iter()
        .map(|row| {
            let mut row = serde_json::to_value(row).unwrap();
            row["raw"] = Value::Null;
            row["version"] = Value::Null;
            row
        })
        .collect();
    content.sort_by_key(ToString::to_string);
    content
}

fn reasons(row: &Row) -> Vec<&str> {
    row.problems.iter().map(|problem| problem.reason.as_str()).collect()
}
