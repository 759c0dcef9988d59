//! Searches that scan the documents: their limits, and that they find each row once.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use freezer_api::store::scan::{Limits, Permits};
use serde_json::{Value, json};

use super::body;
use crate::api::{Api, Caller, Node};
use crate::documents::{action, backup, job};
use crate::http::{self, Answer};

on_every_backend! {
    a_search_scans_a_limited_number_of_documents,
    a_search_of_all_projects_names_the_keys_that_narrow_it,
    a_search_by_columns_scans_no_documents,
    a_search_that_takes_too_long_is_stopped,
    a_long_search_finds_each_document_once,
}

/// A node with these limits of a search.
fn node_with_limits(api: &Api, limits: Limits) -> Node {
    api.node_with(|app| app.scan_permits = Permits::for_store(&app.store, limits))
}

fn search(node: &Node, caller: &Caller<'_>, path: &str, body: &Value) -> Answer {
    let target = format!("/v2/{}{path}", caller.project);
    let body = body.to_string();
    http::send(node.address, "GET", &target, &headers(caller), Some(body.as_bytes()))
}

fn headers<'c>(caller: &'c Caller<'_>) -> [(&'static str, &'c str); 3] {
    [("X-User-Id", &caller.user), ("X-Project-Id", &caller.project), ("X-Roles", "member,admin")]
}

fn a_search_scans_a_limited_number_of_documents(api: &Api) {
    let alice = api.project();
    let node = node_with_limits(api, Limits { rows: 5, ..Limits::default() });
    alice.register("a");
    let absent = json!({"match": [{"_all": "absent"}]});
    for (noun, key) in
        [("actions", "backup_name"), ("jobs", "client_id"), ("sessions", "status"), ("backups", "hostname")]
    {
        let path = format!("/{noun}");
        let count =
            |body: &Value| search(&node, &alice, &path, body).expect(200)[noun].as_array().unwrap().len();
        let before = alice.list(noun).len();
        (before..5).for_each(|_| drop(alice.create(noun, body(noun))));
        assert_eq!(count(&absent), 0, "{noun}");
        alice.create(noun, body(noun));
        let refusal = search(&node, &alice, &path, &absent).expect(400);
        let text = refusal["description"].as_str().unwrap();
        assert!(text.contains("may look into 5 documents") && text.contains(key), "{text}");
        // The search succeeds if the page is full before the limit, or if a filter narrows the list.
        let present = json!({"match_not": [{"_all": "absent"}]});
        let path = format!("/{noun}?limit=5");
        assert_eq!(search(&node, &alice, &path, &present).expect(200)[noun].as_array().unwrap().len(), 5);
        let path = format!("/{noun}?limit=5&offset=1");
        search(&node, &alice, &path, &present).expect(400);
        let path = format!("/{noun}?created_at=gt:2999-01-01");
        assert_eq!(search(&node, &alice, &path, &absent).expect(200)[noun], json!([]));
    }
    // Clients are checked apart, as central ones of other tests count.
    (0..5).for_each(|n| drop(alice.register(&format!("b{n}"))));
    search(&node, &alice, "/clients", &absent).expect(400);
    assert_eq!(search(&node, &alice, "/clients?hostname=b1", &absent).expect(200)["clients"], json!([]));
}

fn a_search_of_all_projects_names_the_keys_that_narrow_it(api: &Api) {
    let alice = api.project();
    let node = node_with_limits(api, Limits { rows: 1, ..Limits::default() });
    alice.job_on("a");
    let id = alice.job_on("a");
    let absent = json!({"match": [{"_all": "absent"}]});
    let refusal = search(&node, &alice, "/jobs?all_projects=true", &absent).expect(400);
    let text = refusal["description"].as_str().unwrap();
    assert!(text.ends_with("which have indexes: job_id, client_id, created_at."), "{text}");
    search(&node, &alice, &format!("/jobs?all_projects=true&job_id={id}"), &absent).expect(200);
}

fn a_search_by_columns_scans_no_documents(api: &Api) {
    let alice = api.project();
    let node = node_with_limits(api, Limits { rows: 0, time: Duration::ZERO, ..Limits::default() });
    for _ in 0..12 {
        alice.job_on("a");
        alice.create("backups", backup("b"));
    }
    let poll = json!({"match": [{"client_id": "a"}], "match_not": [{"status": "completed"}]});
    for (offset, count) in [(0, 10), (10, 2)] {
        let page = search(&node, &alice, &format!("/jobs?limit=10&offset={offset}"), &poll).expect(200);
        assert_eq!(page["jobs"].as_array().unwrap().len(), count);
    }
    let by_name = json!({"match": [{"backup_name": "b"}]});
    let found = search(&node, &alice, "/backups?limit=20", &by_name).expect(200);
    assert_eq!(found["backups"].as_array().unwrap().len(), 12);
    search(&node, &alice, "/jobs", &json!({"match": [{"_all": "a"}]})).expect(400);
}

fn a_search_that_takes_too_long_is_stopped(api: &Api) {
    let alice = api.project();
    let node = node_with_limits(api, Limits { time: Duration::ZERO, ..Limits::default() });
    let anything = json!({"match": [{"_all": "nightly"}]});
    assert_eq!(search(&node, &alice, "/actions", &anything).expect(200)["actions"], json!([]));
    alice.create("actions", action());
    let (target, body) = (format!("/v2/{}/actions", alice.project), anything.to_string());
    let ask = || http::exchange(node.address, "GET", &target, &headers(&alice), Some(body.as_bytes()));
    let answer = ask();
    let refusal = answer.expect(503);
    assert!(refusal["description"].as_str().unwrap().contains("Narrow it"), "{refusal}");
    assert!(answer.header("Retry-After").is_some(), "{answer}");
    // The next search is not blocked.
    ask().expect(503);
    ask().expect(503);
}

fn a_long_search_finds_each_document_once(api: &Api) {
    let alice = api.project();
    alice.register("a");
    // More rows than one batch; some have no name to sort by.
    let ids: Vec<String> = (0..410)
        .map(|n| {
            let mut body = action();
            body["freezer_action"]["colour"] = json!(if n % 3 == 0 { "red" } else { "green" });
            body["freezer_action"]["backup_name"] = json!((n % 5 > 0).then(|| format!("name-{}", n % 5)));
            alice.create("actions", body)
        })
        .collect();
    let red = json!({"match": [{"colour": "red"}]});
    let found = |query: &str| -> Vec<String> {
        let answer = alice.search(&format!("/actions?{query}"), red.clone()).expect(200);
        let actions = answer["actions"].as_array().unwrap().iter();
        actions.map(|action| action["action_id"].as_str().unwrap().to_owned()).collect()
    };
    let expected: Vec<String> = ids.iter().step_by(3).cloned().collect();
    assert_eq!(found("limit=500"), expected);
    assert_eq!(found("limit=500&offset=100"), expected[100..]);
    assert_eq!(found("limit=20&offset=110"), expected[110..130]);
    assert_eq!(found(&format!("limit=500&marker={}", ids[250])), expected[84..]);
    let mut backwards = expected.clone();
    backwards.reverse();
    assert_eq!(found("limit=500&sort=created_at:desc"), backwards);
    for sort in ["backup_name", "backup_name:desc", "mode", "action:desc"] {
        let mut sorted = found(&format!("limit=500&sort={sort}"));
        sorted.sort_by_key(|id| ids.iter().position(|other| other == id));
        assert_eq!(sorted, expected, "{sort}");
    }
    // The same for jobs, whose documents span several rows.
    let jobs: Vec<String> = (0..205).map(|_| alice.create("jobs", job("a"))).collect();
    let answer = alice.search("/jobs?limit=500", json!({"match": [{"_all": "nightly"}]})).expect(200);
    let shown = answer["jobs"].as_array().unwrap().iter();
    assert_eq!(shown.map(|job| job["job_id"].as_str().unwrap()).collect::<Vec<_>>(), jobs);
}

/// The default limit of rows, without a limit of time. SQLite inserts that many rows in one statement.
#[test]
fn a_search_scans_fifty_thousand_documents() {
    let api = crate::api::sqlite();
    let alice = api.project();
    let node = node_with_limits(api, Limits { time: Duration::from_secs(300), ..Limits::default() });
    // Inserts rows numbered `first` to `last`, created on a day: more than the project's quota allows.
    let statement = |first: u32, last: u32, day: &str| {
        format!(
            "WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last}) \
         INSERT INTO sessions (id, project_id, user_id, scheduling, policy, hold_off, session_tag, status, result, \
         metadata, created_at, updated_at, version) \
         SELECT '{0}-' || i, '{0}', 'u', '{{}}', 'all', 30, 0, 'active', '', '{{}}', '{day} 00:00:00', \
         '{day} 00:00:00', 1 FROM n",
            alice.project
        )
    };
    api.database().batch_execute(&statement(1, 50_000, "2026-01-01")).unwrap();
    let absent = json!({"match": [{"description": "absent"}]});
    assert_eq!(search(&node, &alice, "/sessions", &absent).expect(200)["sessions"], json!([]));
    api.database().batch_execute(&statement(50_001, 50_001, "2026-02-01")).unwrap();
    let refusal = search(&node, &alice, "/sessions", &absent).expect(400);
    let text = refusal["description"].as_str().unwrap();
    assert!(
        text.contains("50000 documents") && text.contains("session_id, status, result, created_at"),
        "{text}"
    );
    let path = "/sessions?created_at=gt:2026-01-02";
    assert_eq!(search(&node, &alice, path, &absent).expect(200)["sessions"], json!([]));
}
