//! What connections keep: a prepared statement lives as long as its connection, and MySQL has a number of them for
//! the whole server. Clients must not be able to use it up.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use freezer_api::document::search;
use freezer_api::store::listing::Query;
use freezer_api::store::page::Page;
use freezer_api::store::url::DatabaseUrl;
use freezer_api::store::{Store, actions, backups, clients, jobs, migrations, sessions};
use serde_json::{Value, json};

static KEPT: AtomicUsize = AtomicUsize::new(0);

fn counting() -> Option<Box<dyn Instrumentation>> {
    let count = |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::CacheQuery { .. } = event {
            KEPT.fetch_add(1, Ordering::SeqCst);
        }
    };
    Some(Box::new(count))
}

/// Searches each list for this.
fn search_everywhere(store: &Store, body: &Value) {
    let search = search::parse(body.clone()).unwrap();
    let (query, page) = (Query::default(), Page { limit: 10, offset: 0 });
    store
        .read(|tx| {
            clients::list(tx, "p", (&query, &search), page, tx.now, |_, _| true)?;
            actions::list(tx, "p", (&query, &search), page, |_, _| true)?;
            jobs::list(tx, Some("p"), (&query, &search), page, |_, _| true)?;
            sessions::list(tx, "p", (&query, &search), page, |_, _| true)?;
            backups::list(tx, "p", (&query, &search), page, |_, _| true)?;
            Ok(())
        })
        .unwrap();
}

#[test]
fn ever_new_searches_leave_no_statements_behind() {
    set_default_instrumentation(counting).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::parse(directory.path().join("f.sqlite").to_str().unwrap()).unwrap();
    migrations::sync(&url).unwrap();
    let store = Store::new(url, 1);
    // The lists themselves are kept, and what finds a client by its name.
    search_everywhere(&store, &json!({}));
    search_everywhere(&store, &json!({"match": [{"client_id": "a"}]}));
    let before = KEPT.load(Ordering::SeqCst);
    assert!(before >= 5, "no longer counted: {before}");
    for number in 0..81_usize {
        let keys = ["status", "client_id", "backup_name"];
        let key = |power: u32| keys[number / 3_usize.pow(power) % 3];
        let conditions: Vec<Value> = (0..4).map(|place| json!({key(place): "a"})).collect();
        search_everywhere(&store, &json!({ "match_not": conditions }));
    }
    assert_eq!(KEPT.load(Ordering::SeqCst), before);
}
