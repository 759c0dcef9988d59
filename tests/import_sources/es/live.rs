use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use freezer_api::import::elasticsearch::{Options, open};
use freezer_api::import::legacy::Row;

use super::{content, counts, expected, fixture, from, read, refusal, text};
use crate::fake_es::{Doc, FakeEs, Server, documents};

fn stored() -> Vec<Doc> {
    documents(&text("es-15.0.0-v1/scroll-2.4.6.ndjson"))
}

fn es(release: &'static str) -> FakeEs {
    FakeEs::new(release, stored())
}

fn dump() -> Vec<serde_json::Value> {
    content(&read(&from(&fixture("es-15.0.0-v1/elasticdump-2.4.6.data.ndjson"))).unwrap())
}

/// Each document once, and the server has nothing left open.
fn expect_everything(server: &Server, rows: &[Row], what: &str) {
    assert_eq!(counts(rows), expected("es-15.0.0-v1"), "{what}");
    assert_eq!(content(rows), dump(), "{what}");
    let ids: BTreeSet<String> = rows.iter().map(|row| row.raw["_id"].to_string()).collect();
    assert_eq!(ids.len(), rows.len(), "{what}");
    assert_eq!(server.open(), 0, "{what}: {:?}", server.requests());
}

#[test]
fn every_release_is_read_by_scroll() {
    for release in ["1.7.6", "2.4.6", "5.6.16", "6.8.23", "7.17.0", "8.15.0", "9.0.1"] {
        let server = es(release).start();
        let rows = read(&from(&server.url())).unwrap();
        expect_everything(&server, &rows, release);
        let versions: Vec<i64> = rows.iter().map(|row| row.version.unwrap()).collect();
        assert!(versions.iter().any(|version| *version > 1), "{release}");
    }
    let server = FakeEs { is_opensearch: true, ..es("2.11.0") }.start();
    expect_everything(&server, &read(&from(&server.url())).unwrap(), "OpenSearch");
    let description = open(&from(&server.url())).unwrap().describe().unwrap();
    assert!(description.lines[0].starts_with("OpenSearch 2.11.0 at http://127.0.0.1:"), "{description:?}");
}

#[test]
fn a_server_without_scrolls_is_read_at_a_point_in_time() {
    for fake in [es("8.15.0"), es("7.17.0"), FakeEs { is_opensearch: true, ..es("2.11.0") }] {
        let server = FakeEs { has_scroll: false, ..fake }.start();
        let rows = read(&from(&server.url())).unwrap();
        expect_everything(&server, &rows, "a point in time");
    }
    let server = FakeEs { has_scroll: false, ..es("6.8.0") }.start();
    let why = refusal(&from(&server.url()));
    assert!(
        why.contains("scroll is not available") && why.contains("Nor does it give a point in time"),
        "{why}"
    );
}

#[test]
fn a_server_that_is_busy_is_asked_again() {
    let server = FakeEs { busy: vec![1, 3, 4, 5, 6, 7], ..es("7.17.0") }.start();
    expect_everything(&server, &read(&from(&server.url())).unwrap(), "busy");
    let server = FakeEs { busy: (3..20).collect(), ..es("2.4.6") }.start();
    let why = refusal(&from(&server.url()));
    assert!(why.contains("answered 503: unavailable_shards_exception: primary shard is not active"), "{why}");
    assert_eq!(server.open(), 0, "the scroll is given back after a failure, too");
    let asked = server.requests().iter().filter(|request| *request == "POST /_search/scroll").count();
    assert_eq!(asked, 1 + 6, "once, and five times again");
}

#[test]
fn a_read_that_the_server_forgets_begins_anew_and_gives_no_document_twice() {
    for (what, fake) in [
        ("forgotten", FakeEs { forgets: vec![3, 6], ..es("7.17.0") }),
        ("forgotten by 1.x", FakeEs { forgets: vec![2], ..es("1.7.6") }),
        ("a forgotten point in time", FakeEs { forgets: vec![3], has_scroll: false, ..es("8.15.0") }),
        ("a shard that failed", FakeEs { failing_shards: vec![2], ..es("2.4.6") }),
        ("a page that was lost on its way", FakeEs { lost: vec![4], ..es("5.6.16") }),
    ] {
        let server = fake.start();
        let rows = read(&from(&server.url())).unwrap();
        // What was forgotten or lost cannot be given back; it ends by itself.
        assert_eq!(content(&rows), dump(), "{what}");
        let ids: BTreeSet<String> = rows.iter().map(|row| row.raw["_id"].to_string()).collect();
        assert_eq!(ids.len(), 187, "{what}");
    }
}

#[test]
fn fewer_documents_than_the_server_has_are_an_error() {
    let server = FakeEs { short_page: Some(2), ..es("7.17.0") }.start();
    // The order turns with each read, so that two reads together have every document; in each one is missing all the same.
    let error = read(&from(&server.url())).unwrap_err();
    assert_eq!(error.status, 4);
    assert!(error.why.contains("186 documents were read, and the search has found 187"), "{error}");

    let server = es("7.17.0").start();
    let error = read(&Options { expect: Some(200), ..from(&server.url()) }).unwrap_err();
    assert_eq!((error.status, error.why.contains("--expect says 200")), (4, true), "{error}");
}

#[test]
fn an_index_that_is_written_to_is_read_all_the_same() {
    let server = FakeEs { growth: 1, ..es("7.17.0") }.start();
    assert_eq!(read(&from(&server.url())).unwrap().len(), 187);
}

#[test]
fn credentials_are_sent_and_never_shown() {
    let fake = || FakeEs { authorization: Some("Basic ZWxhc3RpYzpzM2NyZXQ=".to_owned()), ..es("8.15.0") };
    let server = fake().start();
    let in_url = format!("http://elastic:s3cret@{}", server.address);
    assert_eq!(read(&from(&in_url)).unwrap().len(), 187);
    let in_file =
        Options { authorization: Some("Basic ZWxhc3RpYzpzM2NyZXQ=".to_owned()), ..from(&server.url()) };
    assert_eq!(read(&in_file).unwrap().len(), 187);
    assert!(!format!("{:?}", Options { from: vec![in_url], ..in_file }).contains("s3cret"));

    let wrong = format!("http://elastic:s3cret2@{}", server.address);
    let why = refusal(&from(&wrong));
    assert!(why.contains("answered 401: the user, password, key or token is not accepted"), "{why}");
    assert!(!why.contains("s3cret") && !why.contains("elastic:"), "{why}");

    for header in ["ApiKey abc==", "Bearer abc"] {
        let server = FakeEs { authorization: Some(header.to_owned()), ..es("8.15.0") }.start();
        let options = Options { authorization: Some(header.to_owned()), ..from(&server.url()) };
        assert_eq!(read(&options).unwrap().len(), 187, "{header}");
    }
    let nothing_listens = "http://elastic:s3cret@127.0.0.1:9";
    assert!(!refusal(&from(nothing_listens)).contains("s3cret"));
}

#[test]
fn a_user_that_may_not_ask_for_the_release_can_read_all_the_same() {
    for release in ["2.4.6", "6.8.23", "8.15.0"] {
        let server = FakeEs { has_public_root: false, ..es(release) }.start();
        expect_everything(&server, &read(&from(&server.url())).unwrap(), release);
    }
}

#[test]
fn kinds_may_have_indices_of_their_own() {
    let mut fake = es("8.15.0");
    let all = fake.indices.remove("freezer").unwrap();
    for doc in all {
        fake.indices.entry(format!("freezer-{}", doc.kind)).or_default().push(doc);
    }
    let server = fake.start();
    let indices =
        ["clients", "actions", "jobs", "sessions", "backups"].map(|kind| format!("{kind}=freezer-{kind}"));
    let rows = read(&Options { indices: indices.to_vec(), ..from(&server.url()) }).unwrap();
    expect_everything(&server, &rows, "indices of their own");
}

#[test]
fn an_index_that_is_missing_or_empty_names_the_usual_one() {
    let mut fake = es("2.4.6");
    fake.indices.insert("backup".to_owned(), Vec::new());
    let server = fake.start();
    let with = |index: &str| Options { indices: vec![index.to_owned()], ..from(&server.url()) };
    let hint = "The index freezer has 187 documents: releases up to 18.0.0 wrote there";
    let why = refusal(&with("freezer-prod"));
    assert!(
        why.contains("There is no index freezer-prod on http://127.0.0.1:") && why.contains(hint),
        "{why}"
    );
    let warnings = open(&with("backup")).unwrap().describe().unwrap().warnings.join(" ");
    assert!(warnings.contains("The index backup is empty.") && warnings.contains(hint), "{warnings}");
}

#[test]
fn a_description_names_the_server_and_counts_by_type_where_there_are_types() {
    let server = es("2.4.6").start();
    let description = open(&from(&server.url())).unwrap().describe().unwrap();
    assert_eq!(description.lines[1], "index freezer: 187 documents");
    assert_eq!(description.counts, expected("es-15.0.0-v1"));
    let server = es("8.15.0").start();
    assert!(open(&from(&server.url())).unwrap().describe().unwrap().counts.is_empty());
}

#[test]
fn a_rate_is_kept() {
    let server = es("7.17.0").start();
    let begun = Instant::now();
    read(&Options { rate: Some(200), ..from(&server.url()) }).unwrap();
    assert!(begun.elapsed() > Duration::from_millis(900), "{:?}", begun.elapsed());
}
