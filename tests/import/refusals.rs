//! Imports that are refused: each prints an error, exits with the status of its kind of failure, and changes nothing.

use crate::databases::Database;
use crate::on_every_backend;
use crate::program::{Directory, Source, said, sync};

on_every_backend! {
    a_target_without_a_schema_is_refused
    a_target_with_other_rows_is_refused_without_into_existing
    invalid_sources_are_named_and_nothing_is_written
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn a_target_without_a_schema_is_refused(new: fn() -> Database) {
    let (directory, target) = (Directory::new(), new());
    let said = directory.import(&target, &Source::sqlite(), &[]);
    assert_eq!(said.status, 1, "{}", said.stderr);
    assert!(said.stderr.contains("db sync"), "{}", said.stderr);
}

fn a_target_with_other_rows_is_refused_without_into_existing(new: fn() -> Database) {
    let (directory, target) = (Directory::new(), new());
    sync(&target);
    directory.import(&target, &Source::elasticsearch("es-15.0.0-v1", "elasticdump-8.15.0.data.ndjson"), &[]);
    let refused = directory.import(&target, &Source::sqlite(), &[]);
    assert_eq!((refused.status, refused.stdout.as_str()), (1, ""), "{}", refused.stderr);
    assert!(refused.stderr.contains("--into-existing"), "{}", refused.stderr);
    let said = directory.import(&target, &Source::sqlite(), &["--into-existing"]);
    assert_eq!(said.status, 3, "{}", said.stderr);
    assert!(said.tables()["backups"]["imported"].as_u64().unwrap() > 30);
}

fn invalid_sources_are_named_and_nothing_is_written(new: fn() -> Database) {
    let (directory, target) = (Directory::new(), new());
    sync(&target);
    let password = "hunter2";
    std::fs::write(directory.path("no.ndjson"), "no document\n").unwrap();
    std::fs::write(directory.path("count.json"), "{\"count\": 7}").unwrap();
    let dump = crate::program::fixture("es-15.0.0-v1", "elasticdump-8.15.0.data.ndjson");
    let dump = dump.to_str().unwrap();
    let own = format!("--from={}", target.url);
    for (status, says, line) in [
        (1, "", &["sql", "--from", "missing.sqlite"][..]),
        (1, "copy", &["sql", &own]),
        (1, "", &["elasticsearch", "--from", "http://user:hunter2@127.0.0.1:1/"]),
        (1, "", &["elasticsearch", "--from", "missing.ndjson"]),
        (3, "bad-line", &["elasticsearch", "--from", "no.ndjson"]),
        (2, "--from", &["sql"]),
        (2, "", &["sql", "--from", "oracle://user:hunter2@h/d"]),
        (2, "--delete-missing", &["elasticsearch", "--from", dump, "--delete-missing"]),
        (2, "", &["sql", "--from", "a", "--from-env", "B"]),
        (1, "NOT_SET", &["sql", "--from-env", "NOT_SET"]),
        (4, "", &["elasticsearch", "--from", dump, "--count-file", "count.json"]),
        (4, "", &["elasticsearch", "--from", dump, "--expect", "7"]),
    ] {
        let said = said(directory.command(&target, &words(line), &[]).output().unwrap());
        assert_eq!(said.status, status, "{line:?} {}", said.stderr);
        assert!(said.stderr.contains(says), "{line:?} {}", said.stderr);
        assert!(!said.stderr.contains(password), "{line:?} {}", said.stderr);
    }
    // Everything is new to it.
    let said = directory.import(&target, &Source::sqlite(), &[]);
    assert_eq!(said.tables()["clients"]["imported"], 46, "{}", said.stderr);
}

#[test]
fn a_check_says_what_an_import_would_do_without_a_target() {
    let (directory, target) = (Directory::new(), Database::sqlite());
    for source in [Source::sqlite(), Source::elasticsearch("es-3.0.0", "elasticdump.data.ndjson")] {
        let mut line = source.words.clone();
        line[0] = "check".to_owned();
        let said = said(directory.command(&target, &line, &["--json", "--no-target"]).output().unwrap());
        assert!([0, 3].contains(&said.status), "{}", said.stderr);
        assert!(said.stderr.contains("--no-target") && said.stderr.contains("Projects: "), "{}", said.stderr);
        assert!(said.tables()["clients"]["imported"].as_u64().unwrap() > 0);
    }
    assert!(std::fs::metadata(&target.url).is_err(), "the check has made a database");
}
