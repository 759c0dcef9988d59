//! What connections keep: a prepared statement lives as long as its connection, and MySQL has a number of them for
//! the whole server. Clients must not be able to use it up. And how many statements there are at all, where their number
//! must not grow with what they are about.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod operations;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use freezer_api::document::{self, search};
use freezer_api::store::engine::migrations;
use freezer_api::store::engine::url::DatabaseUrl;
use freezer_api::store::job_attachments::{self, AttachmentChange, JobAttachment};
use freezer_api::store::jobs::{NewId, PlaceSpec};
use freezer_api::store::listing::{Filter, Op, Operand, Query};
use freezer_api::store::page::Page;
use freezer_api::store::reports::{self, FinishedRun};
use freezer_api::store::types::json::Json;
use freezer_api::store::{Owner, Store, actions, backups, clients, jobs, sessions};
use serde_json::{Map, Value, json};

static KEPT: AtomicUsize = AtomicUsize::new(0);
static SENT: AtomicUsize = AtomicUsize::new(0);
/// What is counted is counted for all: one test at a time.
static COUNTING: Mutex<()> = Mutex::new(());

fn counting() -> Option<Box<dyn Instrumentation>> {
    let count = |event: InstrumentationEvent<'_>| match event {
        InstrumentationEvent::CacheQuery { .. } => drop(KEPT.fetch_add(1, Ordering::SeqCst)),
        InstrumentationEvent::StartQuery { .. } => drop(SENT.fetch_add(1, Ordering::SeqCst)),
        _ => {}
    };
    Some(Box::new(count))
}

/// A new database, and its directory.
fn store() -> (Store, tempfile::TempDir) {
    set_default_instrumentation(counting).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::parse(directory.path().join("f.sqlite").to_str().unwrap()).unwrap();
    migrations::sync(&url).unwrap();
    (Store::new(url, 1), directory)
}

/// Searches each list for this.
fn search_everywhere(store: &Store, body: &Value) {
    let search = search::parse(body.clone()).unwrap();
    let (query, page) = (Query::default(), Page { limit: 10, offset: 0 });
    store
        .read(|tx| {
            clients::list(tx, Some("p"), (&query, &search), page, (tx.now, tx.now), None)?;
            actions::list(tx, Some("p"), (&query, &search), page, None)?;
            jobs::list(tx, Some("p"), (&query, &search), page, None)?;
            sessions::list(tx, Some("p"), (&query, &search), page, None)?;
            backups::list(tx, Some("p"), (&query, &search), page, None)?;
            Ok(())
        })
        .unwrap();
}

#[test]
fn ever_new_searches_leave_no_statements_behind() {
    let _alone = COUNTING.lock().unwrap_or_else(PoisonError::into_inner);
    let (store, _directory) = store();
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

#[test]
fn ever_new_filters_leave_no_statements_behind() {
    let _alone = COUNTING.lock().unwrap_or_else(PoisonError::into_inner);
    let (store, _directory) = store();
    let (search, page) = (search::parse(json!({})).unwrap(), Page { limit: 10, offset: 0 });
    let filtered = |number: usize| {
        let filter = |key| Filter {
            key,
            op: if number.is_multiple_of(2) { Op::In } else { Op::NotIn },
            values: (0..number % 7).map(|value| Operand::Text(value.to_string())).collect(),
        };
        let query = |keys: &[&'static str]| Query {
            filters: keys.iter().map(|key| filter(key)).collect(),
            with_count: true,
            ..Query::default()
        };
        let (of_clients, of_jobs) =
            (query(&["client_id", "hostname", "state"]), query(&["client_id", "session_id"]));
        store
            .read(|tx| {
                clients::list(tx, Some("p"), (&of_clients, &search), page, (tx.now, tx.now), None)?;
                jobs::list(tx, Some("p"), (&of_jobs, &search), page, None)?;
                Ok(())
            })
            .unwrap();
    };
    filtered(0);
    let before = KEPT.load(Ordering::SeqCst);
    (1..30).for_each(filtered);
    assert_eq!(KEPT.load(Ordering::SeqCst), before);
}

#[test]
fn what_a_scheduler_says_of_a_run_is_always_the_same_statement() {
    let _alone = COUNTING.lock().unwrap_or_else(PoisonError::into_inner);
    let (store, _directory) = store();
    statements_of_a_run(&store, 1);
    let change = |change: AttachmentChange| {
        let changed = store.write(|tx| {
            let attachment = job_attachments::find(tx, "p", "job-1")?.unwrap();
            job_attachments::update(tx, &attachment, &change)
        });
        changed.unwrap();
        KEPT.load(Ordering::SeqCst)
    };
    let none = AttachmentChange::default;
    let before = change(none());
    let status = change(AttachmentChange { status: Some("running".into()), ..none() });
    assert_eq!(status, before + 1, "the statement is not kept");
    assert_eq!(change(AttachmentChange { time_ended: Some(Some(1)), ..none() }), status);
    assert_eq!(change(AttachmentChange { result: Some("fail".into()), ..none() }), status);
}

/// What it takes to read the jobs that a search wants, in some order and with the clients.
fn statements_of_lists(store: &Store, sort: Option<&str>, body: &Value) -> (usize, usize) {
    let search = search::parse(body.clone()).unwrap();
    let query = |keys: &'static freezer_api::document::collection::Collection| Query {
        sort: sort.and_then(|sort| keys.key(sort)),
        with_count: sort.is_some(),
        ..Query::default()
    };
    let (of_jobs, of_clients) = (query(&document::jobs::COLLECTION), query(&document::clients::COLLECTION));
    let page = Page { limit: 10, offset: 0 };
    let before = SENT.load(Ordering::SeqCst);
    store.read(|tx| jobs::list(tx, Some("p"), (&of_jobs, &search), page, None)).map(drop).unwrap();
    let between = SENT.load(Ordering::SeqCst);
    store
        .read(|tx| clients::list(tx, Some("p"), (&of_clients, &search), page, (tx.now, tx.now), None))
        .map(drop)
        .unwrap();
    (between - before, SENT.load(Ordering::SeqCst) - between)
}

#[test]
fn lists_take_as_many_statements_however_much_there_is() {
    let _alone = COUNTING.lock().unwrap_or_else(PoisonError::into_inner);
    let (store, _directory) = store();
    statements_of_a_run(&store, 1);
    let poll = json!({"match": [{"client_id": "a"}], "match_not": [{"status": "completed"}]});
    let lists = || {
        [
            statements_of_lists(&store, None, &poll),
            statements_of_lists(&store, None, &json!({})),
            statements_of_lists(&store, Some("created_at"), &json!({})),
        ]
    };
    let few = lists();
    // A poll: begin, the client, which jobs, those with what belongs to them, the places of their actions, each action
    // once, commit.
    assert_eq!(few[0].0, 7);
    // Clients: begin, the project's, the central ones, commit.
    assert_eq!(few[1].1, 4);
    for count in 2..9 {
        statements_of_a_run(&store, count);
    }
    assert_eq!(lists(), few);
}

/// A job of so many actions on a client, and what it takes to write down one run of it.
fn statements_of_a_run(store: &Store, count: usize) -> usize {
    let id = format!("job-{count}");
    let owner = Owner::new("p", "u");
    let action = json!({"freezer_action": {"action": "backup"}});
    let attachment = store
        .write(|tx| {
            let spec = document::actions::parse(action.clone())?.spec;
            let action = actions::new(tx, "p", "u", &format!("action-{count}"), spec);
            actions::insert_all(tx, &[action])?;
            let place = PlaceSpec {
                action_id: format!("action-{count}"),
                retries: 0,
                retry_interval: 0,
                mandatory: false,
            };
            let job_id =
                jobs::insert(tx, owner, NewId::Given(&id), None, Map::new().into(), &vec![place; count])?;
            let client = document::clients::parse(json!({"client_id": "a", "uuid": "a"}))?;
            clients::register(tx, "p", "u", &client)?;
            let attachment = JobAttachment::new(&id, owner, &job_id, "a", tx.now);
            job_attachments::insert(tx, &attachment)?;
            Ok(attachment)
        })
        .unwrap();
    let before = SENT.load(Ordering::SeqCst);
    let metadata = Json::from(json!({}));
    let (result, client_name) = ("success".to_owned(), "a".to_owned());
    let run = FinishedRun { started: Some(1), ended: 2, result, client_name, metadata };
    store.write(|tx| reports::write(tx, &attachment, "u", &run)).unwrap();
    SENT.load(Ordering::SeqCst) - before
}

#[test]
fn a_run_takes_as_many_statements_whatever_the_number_of_its_actions() {
    let _alone = COUNTING.lock().unwrap_or_else(PoisonError::into_inner);
    let (store, _directory) = store();
    let one = statements_of_a_run(&store, 1);
    assert!(one >= 3, "no longer counted: {one}");
    assert_eq!(statements_of_a_run(&store, 2), one);
    assert_eq!(statements_of_a_run(&store, 1000), one);
}
