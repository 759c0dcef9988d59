//! Every row is accounted for, and a second run finds all rows unchanged.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::databases::Database;
use crate::on_every_backend;
use crate::program::{Directory, Said, Source, json, sync};

on_every_backend! {
    every_row_of_every_fixture_is_accounted_for_and_a_second_run_finds_all_of_it
    a_dry_run_gives_the_same_account_and_writes_nothing
}

fn number(figures: &Value, name: &str) -> u64 {
    figures[name].as_u64().unwrap()
}

/// Rows by table, as `counts.json` has them: by state, or a number.
fn counts(source: &Source) -> BTreeMap<String, u64> {
    let Value::Object(tables) = json(source.name, "counts.json") else { panic!("{}", source.name) };
    let rows = |value: &Value| match value {
        Value::Object(states) => states.values().map(|rows| rows.as_u64().unwrap()).sum(),
        value => value.as_u64().unwrap_or_default(),
    };
    tables.iter().map(|(table, value)| (table.clone(), rows(value))).filter(|(_, rows)| *rows > 0).collect()
}

/// Checks that the account adds up, and has as many rows as the fixture.
#[track_caller]
fn expect_account(said: &Said, source: &Source) {
    let tables = said.tables();
    for (name, figures) in &tables {
        let settled = ["imported", "merged", "skipped", "quarantined"].map(|part| number(figures, part));
        assert_eq!(number(figures, "read"), settled.iter().sum::<u64>(), "{} {name}: {figures}", source.name);
    }
    for (table, rows) in counts(source).iter().filter(|(table, _)| !table.contains("version")) {
        assert_eq!(
            tables.get(table).map_or(0, |figures| number(figures, "read")),
            *rows,
            "{} {table}",
            source.name
        );
    }
    let quarantined: u64 = tables.values().map(|figures| number(figures, "quarantined")).sum();
    assert_eq!(said.status, if quarantined > 0 { 3 } else { 0 }, "{} {}", source.name, said.stderr);
}

fn every_row_of_every_fixture_is_accounted_for_and_a_second_run_finds_all_of_it(new: fn() -> Database) {
    for source in Source::all() {
        let (directory, target) = (Directory::new(), new());
        sync(&target);
        let first = directory.import(&target, &source, &[]);
        expect_account(&first, &source);
        expect_reasons(&directory, &source);
        let (notes, side) = (directory.lines("report"), directory.lines("quarantine"));

        let second = directory.import(&target, &source, &[]);
        expect_account(&second, &source);
        for (name, figures) in &second.tables() {
            let before = &first.tables()[name];
            let gone = ["skipped", "quarantined"].map(|part| (number(figures, part), number(before, part)));
            assert!(
                gone.iter().all(|(now, before)| now == before),
                "{} {name}: {figures} {before}",
                source.name
            );
            assert_eq!(number(figures, "imported"), 0, "{} {name}: {figures}", source.name);
        }
        assert_eq!(directory.lines("report").len(), notes.len(), "{}", source.name);
        assert_eq!(directory.lines("quarantine"), side, "{}", source.name);
        let same = directory.import(&target, &source, &["--allow-quarantine"]);
        assert_eq!(same.status, 0, "{}", same.stderr);
    }
}

/// Of the fixture `sql-19.0.0-damaged`.
const PLACE_OF_A_JOB_WITHOUT_A_PROJECT: &str = "50a8e63ed14f421698b5d6ff97723274";

/// The report gives the reasons that `expected.json` has for its rows.
fn expect_reasons(directory: &Directory, source: &Source) {
    if !crate::program::fixture(source.name, "expected.json").is_file() {
        return;
    }
    let mut given: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for note in directory.lines("report") {
        let [reason, id] = ["reason", "id"].map(|key| note[key].as_str().unwrap().to_owned());
        given.entry(reason).or_default().insert(id);
    }
    let Value::Object(expected) = json(source.name, "expected.json") else { panic!("{}", source.name) };
    let homeless = given.get("no-project").cloned().unwrap_or_default();
    let mut wrong = Vec::new();
    // Reports with content are simply imported.
    for (reason, ids) in expected.iter().filter(|(reason, _)| *reason != "report") {
        let Some(ids) = ids.as_array() else { continue };
        let mut ids: BTreeSet<String> = ids.iter().filter_map(Value::as_str).map(own_id).collect();
        if *reason != "no-project" {
            // `expected.json` looks for the client and the actions of a job without a project in no project; the import
            // gives it the one that its client's name has.
            ids.retain(|id| !homeless.contains(id) && id != PLACE_OF_A_JOB_WITHOUT_A_PROJECT);
        }
        let given = given.get(reason).cloned().unwrap_or_default();
        let missing: Vec<&String> = ids.difference(&given).collect();
        if !missing.is_empty() {
            wrong.push(format!(
                "{reason}: no {missing:?}, but {:?}",
                given.difference(&ids).collect::<Vec<_>>()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", source.name, wrong.join("\n"));
}

/// `table:id` or an id, with a remark behind it.
fn own_id(text: &str) -> String {
    let id = text.split_once(':').map_or(text, |(_, id)| id);
    id.split(' ').next().unwrap().to_owned()
}

fn a_dry_run_gives_the_same_account_and_writes_nothing(new: fn() -> Database) {
    let (directory, source, target) = (Directory::new(), Source::sqlite(), new());
    sync(&target);
    let dry = directory.import(&target, &source, &["--dry-run"]);
    let notes = directory.lines("report");
    let real = directory.import(&target, &source, &[]);
    assert_eq!(dry.tables(), real.tables());
    assert_eq!((dry.status, notes), (real.status, directory.lines("report")));
    // A dry run that wrote anything would have written this.
    assert!(real.tables()["jobs"]["imported"].as_u64().unwrap() > 30);
    expect_account(&directory.import(&target, &source, &[]), &source);
}
