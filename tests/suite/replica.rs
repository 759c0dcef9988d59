//! A lagging replica (`[database] slave_connection`). The tests use another database with other rows, so that every
//! answer shows which of the two it comes from.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use freezer_api::store::Settings;
use freezer_api::store::engine::migrations;
use freezer_api::store::engine::url::DatabaseUrl;
use front::health;
use front::server;
use serde_json::{Value, json};

use crate::api::{self, Api, Caller, Node};
use crate::database;
use crate::documents::{action, backup, client, job, session};
use crate::http::{self, Answer};

on_every_backend! {
    lists_come_from_the_replica_and_all_else_from_the_primary,
    a_poll_reads_from_the_primary,
    writes_go_to_the_primary,
    a_marker_unknown_to_the_replica_is_looked_up_in_the_primary,
    a_replica_without_our_schema_is_not_read_from,
    a_replica_that_appears_later_is_used,
}

/// Longer than the service waits before it tries a failed replica again.
const PATIENCE: Duration = Duration::from_secs(60);

/// A node that reads from a replica, and the address of a server on that replica.
struct Lagging {
    node: Node,
    replica: SocketAddr,
}

fn lagging_node(api: &Api) -> Lagging {
    let url = database::sqlite();
    let replica =
        api::serve(api::app(&url, health::Settings::default()), server::Settings::default(), Arc::default());
    Lagging { node: node_with_replica(api, url), replica }
}

fn node_with_replica(api: &Api, replica: DatabaseUrl) -> Node {
    let settings = Settings { max_connections: 8, ..Settings::default() };
    api.node_with(|app| app.store = app.store.clone().with_replica(replica, &settings))
}

/// Sends a request of the caller to another server.
fn send(to: SocketAddr, caller: &Caller<'_>, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let headers =
        [("X-User-Id", &*caller.user), ("X-Project-Id", &*caller.project), ("X-Roles", "member,reader")];
    let body = body.map(Value::to_string);
    let target = format!("/v2/{}{path}", caller.project);
    http::send(to, method, &target, &headers, body.as_ref().map(String::as_bytes))
}

fn get(to: SocketAddr, caller: &Caller<'_>, path: &str) -> Answer {
    send(to, caller, "GET", path, None)
}

fn length(answer: &Answer, noun: &str) -> usize {
    answer.expect(200)[noun].as_array().unwrap().len()
}

fn lists_come_from_the_replica_and_all_else_from_the_primary(api: &Api) {
    let Lagging { node, replica } = lagging_node(api);
    let alice = api.project();
    alice.register("a");
    for (noun, body) in
        [("actions", action()), ("sessions", session()), ("backups", backup("etc")), ("jobs", job("a"))]
    {
        let id = alice.create(noun, body.clone());
        let path = format!("/{noun}");
        assert_eq!(length(&get(node.address, &alice, &path), noun), 0, "{noun}: the replica has none yet");
        get(node.address, &alice, &format!("{path}/{id}")).expect(200);
        if noun == "jobs" {
            send(replica, &alice, "POST", "/clients", Some(&client("a"))).expect(201);
        }
        send(replica, &alice, "POST", &path, Some(&body)).expect(201);
        send(replica, &alice, "POST", &path, Some(&body)).expect(201);
        assert_eq!(length(&get(node.address, &alice, &path), noun), 2, "{noun}: the replica has two");
        assert_eq!(alice.list(noun).len(), 1, "{noun}: no other node reads from it");
    }
    let clients = get(node.address, &alice, "/clients").expect(200);
    assert_eq!(clients["clients"].as_array().unwrap().len(), 1);
    let job = alice.list("jobs")[0]["job_id"].as_str().unwrap().to_owned();
    alice.report(&job, json!({"time_started": 1, "time_ended": 2, "result": "success"}));
    assert_eq!(alice.reports().len(), 1);
    assert_eq!(length(&get(node.address, &alice, "/action-reports"), "action_reports"), 0);
    get(node.address, &alice, &format!("/action-reports/{}", alice.reports()[0].id)).expect(200);
    // Lists of attachments come from the primary, as their callers need the current state.
    assert_eq!(length(&get(node.address, &alice, "/job-attachments"), "job_attachments"), 1);
}

fn a_poll_reads_from_the_primary(api: &Api) {
    let Lagging { node, .. } = lagging_node(api);
    let alice = api.project();
    alice.register("a");
    let id = alice.create("jobs", job("a"));
    alice.post(&format!("/jobs/{id}/event"), json!({"stop": null})).expect(202);
    let poll = json!({"match": [{"client_id": "a"}], "match_not": [{"status": "completed"}]});
    let answer = send(node.address, &alice, "GET", "/jobs", Some(&poll)).expect(200);
    assert_eq!(answer["jobs"][0]["job_schedule"]["event"], "stop");
    // The poll delivered the event, so that the scheduler may clear it.
    alice.report(&id, json!({"event": ""}));
    assert_eq!(alice.show("jobs", &id)["job_schedule"]["event"], "");
}

fn writes_go_to_the_primary(api: &Api) {
    let Lagging { node, replica } = lagging_node(api);
    let alice = api.project();
    let made = send(node.address, &alice, "POST", "/actions", Some(&action())).expect(201);
    let path = format!("/actions/{}", made["action_id"].as_str().unwrap());
    send(node.address, &alice, "PATCH", &path, Some(&json!({"freezer_action": {"key": 1}}))).expect(200);
    assert_eq!(alice.get(&path).expect(200)["freezer_action"]["key"], 1);
    assert_eq!(length(&get(replica, &alice, "/actions"), "actions"), 0);
}

fn a_marker_unknown_to_the_replica_is_looked_up_in_the_primary(api: &Api) {
    let Lagging { node, .. } = lagging_node(api);
    let alice = api.project();
    let ids: Vec<String> = (0..3).map(|_| alice.create("actions", action())).collect();
    // The walk began on another node, which reads from the primary.
    let page = get(node.address, &alice, &format!("/actions?marker={}", ids[0]));
    assert_eq!(length(&page, "actions"), 2);
    get(node.address, &alice, "/actions?marker=nothing").expect(400);
    get(node.address, &alice, "/action-reports/nothing").expect(404);
}

fn a_replica_without_our_schema_is_not_read_from(api: &Api) {
    let alice = api.project();
    alice.create("actions", action());
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("empty.sqlite");
    std::fs::write(&file, "").unwrap();
    let missing = directory.path().join("missing.sqlite");
    for path in [&file, &missing] {
        let node = node_with_replica(api, DatabaseUrl::parse(path.to_str().unwrap()).unwrap());
        for _ in 0..3 {
            assert_eq!(length(&get(node.address, &alice, "/actions"), "actions"), 1);
        }
    }
    assert!(!missing.exists(), "reading from a missing replica must not create its file");
}

fn a_replica_that_appears_later_is_used(api: &Api) {
    let alice = api.project();
    alice.create("actions", action());
    let directory = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::parse(directory.path().join("later.sqlite").to_str().unwrap()).unwrap();
    let node = node_with_replica(api, url.clone());
    assert_eq!(length(&get(node.address, &alice, "/actions"), "actions"), 1);
    migrations::sync(&url).unwrap();
    let until = Instant::now() + PATIENCE;
    while length(&get(node.address, &alice, "/actions"), "actions") != 0 {
        assert!(Instant::now() < until, "the replica exists, but is not read from");
        std::thread::sleep(Duration::from_millis(100));
    }
}
