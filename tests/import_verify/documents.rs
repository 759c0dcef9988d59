//! The documents that are made of rows are those that the old service answered.

use std::collections::BTreeMap;

use freezer_api::import::legacy::{Body, Row, State};
use freezer_api::import::verify::old::{JobRows, document};
use freezer_api::import::verify::{Kind, id_of};
use serde_json::{Value, json};

use crate::fixture;

/// What stands in other tables and is shown in a job.
fn around(job: &Row, rows: &[Row]) -> JobRows {
    let mut around = JobRows::default();
    for row in rows {
        match &row.body {
            Body::JobAction(place) if place.job_id == job.id => {
                let is_it =
                    |other: &&Row| matches!(other.body, Body::Action(_)) && other.id == place.action_id;
                around.places.push((row.clone(), rows.iter().find(is_it).cloned()));
            }
            Body::Trust(trust) if trust.job_id == job.id => around.trusts.push(row.clone()),
            _ => {}
        }
    }
    around
}

/// The documents of all rows, by collection and id.
fn made(rows: &[Row]) -> BTreeMap<(&'static str, String), Value> {
    let mut made = BTreeMap::new();
    for kind in Kind::ALL {
        for row in rows.iter().filter(|row| row.table == kind.table()) {
            if let Some(document) = document(row, &around(row, rows)) {
                made.insert((kind.name(), id_of(kind, &document).unwrap()), document);
            }
        }
    }
    made
}

/// A reader does not tell null, empty and missing ones apart.
fn plain(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(plain);
            members.retain(|key, value| {
                let is_time = key.starts_with("time_") && *value == json!(-1);
                let is_empty = [json!(null), json!("")].contains(value)
                    || (["jobs", "schedule"].contains(&key.as_str()) && value == &json!({}))
                    || (key.starts_with("supported_") && value == &json!([]));
                !(is_time || is_empty)
            });
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        _ => {}
    }
}

fn expect_truth(truth: &Value, rows: &[Row]) {
    let mut made = made(rows);
    let live = rows
        .iter()
        .filter(|row| row.state == State::Live && Kind::ALL.iter().any(|kind| kind.table() == row.table));
    assert_eq!(made.len(), live.count());
    let mut compared = 0;
    for view in truth["views"].as_array().unwrap() {
        for kind in Kind::ALL {
            for document in view["lists"][kind.name()].as_array().into_iter().flatten() {
                let id = id_of(kind, document).unwrap();
                let mut made = made
                    .get_mut(&(kind.name(), id.clone()))
                    .unwrap_or_else(|| panic!("{kind:?} {id}"))
                    .clone();
                let mut shown = document.clone();
                // Not every release shows these.
                for document in [&mut made, &mut shown] {
                    let place = if kind == Kind::Client { &mut document["client"] } else { document };
                    let members = place.as_object_mut().unwrap();
                    members.retain(|key, value| {
                        !["is_central", "mandatory"].contains(&key.as_str()) || value != &json!(false)
                    });
                }
                plain(&mut made);
                plain(&mut shown);
                assert_eq!(made, shown, "{kind:?} {id}");
                compared += 1;
            }
        }
    }
    assert!(compared > 100, "{compared}");
}

#[test]
fn the_rows_of_release_19_in_sqlite_are_the_documents_that_it_answered() {
    let copy = fixture::sqlite();
    expect_truth(&fixture::truth("sql-19.0.0-sqlite"), &fixture::rows(&copy.url));
}
