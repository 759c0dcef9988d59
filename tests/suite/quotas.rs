//! Quotas: the number of rows of a kind that one project may have.

use std::sync::Arc;
use std::time::{Duration, Instant};

use freezer_api::quotas::{Limits, Quotas};
use freezer_api::store::engine::url::DatabaseUrl;
use front::health;
use front::server::Settings;
use serde_json::{Value, json};

use crate::api::{self, Api, Caller, Node};
use crate::documents::{action, backup, client, job, session};
use crate::http::{self, Answer};
use crate::races::at_once;

on_every_backend! {
    every_resource_has_a_quota,
    rows_of_other_projects_do_not_count,
    minus_one_means_unlimited,
    existing_rows_can_be_changed_at_the_quota,
    a_run_ends_with_reports_at_the_quota,
    actions_that_a_job_brings_count,
    a_job_on_another_client_counts,
    a_refused_job_changes_nothing,
    a_delete_makes_room,
    rows_of_another_process_count,
    concurrent_creations_stay_within_the_quota,
    a_bad_body_is_refused_as_such_at_the_quota,
}

/// A member of a project, on a node with other quotas than those of the suite.
struct Member<'a> {
    node: &'a Node,
    project: &'a str,
}

impl Member<'_> {
    fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        let headers = [("X-User-Id", "u"), ("X-Project-Id", self.project), ("X-Roles", "member,reader")];
        let target = format!("/v2/{}{path}", self.project);
        http::send(self.node.address, method, &target, &headers, Some(body.to_string().as_bytes()))
    }

    fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, &body)
    }

    /// Posts until the quota accepts: another process may take up to a minute to notice free quota.
    fn post_until_accepted(&self, path: &str, body: Value) -> Answer {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let answer = self.post(path, body.clone());
            if answer.status != 403 || Instant::now() > until {
                return answer;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A job without actions.
fn job_without_actions() -> Value {
    json!({"client_id": "web1", "job_actions": []})
}

/// The body of a session that is created under a chosen id.
fn replacement_session() -> Value {
    json!({"session_tag": 0, "schedule": {"schedule_interval": "7 days"}})
}

fn node(api: &Api, limits: Limits) -> Node {
    api.node_with(|app| app.quotas = Quotas::new(limits))
}

fn member<'a>(node: &'a Node, caller: &'a Caller<'_>) -> Member<'a> {
    Member { node, project: &caller.project }
}

#[track_caller]
fn assert_exceeded(answer: &Answer, noun: &str, limit: i64) {
    let body = answer.expect(403);
    assert_eq!(body["title"], "Quota Exceeded", "{answer}");
    let says = format!("Quota exceeded for {noun}: this project may have {limit} and has ");
    assert!(body["description"].as_str().unwrap().starts_with(&says), "{answer}");
}

fn every_resource_has_a_quota(api: &Api) {
    let alice = api.project();
    alice.register("web1");
    let node = node(api, Limits { clients: 3, actions: 2, jobs: 2, sessions: 2, backups: 2, reports: 2 });
    let there = member(&node, &alice);
    for (path, noun, limit, body) in [
        ("/clients", "clients", 3, client("name")),
        ("/actions", "actions", 2, action()),
        ("/jobs", "jobs", 2, job_without_actions()),
        ("/sessions", "sessions", 2, session()),
        ("/backups", "backups", 2, backup("etc")),
        ("/action-reports", "reports", 2, json!({"result": "success"})),
    ] {
        for number in 0..2 {
            let mut body = body.clone();
            if noun == "clients" {
                body = client(&format!("name-{number}"));
            }
            there.post(path, body).expect(201);
        }
        assert_exceeded(&there.post(path, body.clone()), noun, limit);
        let rows = alice.rows();
        assert_exceeded(&there.post(path, body), noun, limit);
        assert_eq!(alice.rows(), rows, "{noun}");
    }
    // This also holds for a chosen id.
    assert_exceeded(&there.post("/actions/mine", action()), "actions", 2);
    assert_exceeded(&there.post("/jobs/mine", job_without_actions()), "jobs", 2);
    assert_exceeded(&there.post("/sessions/mine", replacement_session()), "sessions", 2);
    let rows = alice.rows();
    assert_eq!((rows.clients, rows.job_attachments, rows.sessions), (3, 2, 2));
    assert_eq!((rows.backups, rows.reports, alice.list("actions").len()), (2, 2, 2));
}

fn rows_of_other_projects_do_not_count(api: &Api) {
    let (alice, bob) = (api.project(), api.project());
    let node = node(api, Limits { backups: 1, ..Limits::default() });
    for caller in [&alice, &bob] {
        member(&node, caller).post("/backups", backup("etc")).expect(201);
        assert_exceeded(&member(&node, caller).post("/backups", backup("etc")), "backups", 1);
    }
}

fn minus_one_means_unlimited(api: &Api) {
    let alice = api.project();
    let node = node(api, Limits { sessions: -1, backups: 0, ..Limits::default() });
    let there = member(&node, &alice);
    for _ in 0..5 {
        there.post("/sessions", session()).expect(201);
    }
    assert_exceeded(&there.post("/backups", backup("etc")), "backups", 0);
}

/// Every quota is zero.
const NOTHING: Limits = Limits { clients: 0, actions: 0, jobs: 0, sessions: 0, backups: 0, reports: 0 };

fn existing_rows_can_be_changed_at_the_quota(api: &Api) {
    let alice = api.project();
    let job_id = alice.job_on("web1");
    let action_id = alice.create("actions", action());
    let session_id = alice.create("sessions", session());
    let backup_id = alice.create("backups", backup("etc"));
    let report = alice.post("/action-reports", json!({"result": "success"})).expect(201);
    let node = node(api, NOTHING);
    let there = member(&node, &alice);
    there.post("/clients", client("web1")).expect(201);
    there.send("PATCH", "/clients/web1", &json!({"description": "other"})).expect(200);
    there.send("PATCH", &format!("/actions/{action_id}"), &json!({"max_retries": 9})).expect(200);
    there.post(&format!("/actions/{action_id}"), action()).expect(201);
    there.send("PATCH", &format!("/sessions/{session_id}"), &json!({"description": "other"})).expect(200);
    there.post(&format!("/sessions/{session_id}"), replacement_session()).expect(201);
    there.send("PATCH", &format!("/backups/{backup_id}"), &json!({"hostname": "other"})).expect(200);
    let report = format!("/action-reports/{}", report["id"].as_str().unwrap());
    there.send("PATCH", &report, &json!({"result": "fail"})).expect(200);
    let path = format!("/jobs/{job_id}");
    there.send("PATCH", &path, &json!({"description": "other"})).expect(200);
    let document = alice.show("jobs", &job_id);
    there.send("PATCH", &path, &document).expect(200);
    there.post(&path, document).expect(201);
    there.post(&format!("{path}/event"), json!({"start": null})).expect(202);
    there.send("PUT", &format!("/sessions/{session_id}/jobs/{job_id}"), &json!({}));
    assert_eq!(alice.show("jobs", &job_id)["session_id"], session_id);
}

fn a_run_ends_with_reports_at_the_quota(api: &Api) {
    let alice = api.project();
    let job = alice.job_on("web1");
    let node = node(api, NOTHING);
    let there = member(&node, &alice);
    let run = |status: &str, result: &str, ended: i64| json!({"job_schedule": {"status": status, "result": result, "time_started": 1000, "time_ended": ended}});
    there.send("PATCH", &format!("/jobs/{job}"), &run("running", "", -1)).expect(200);
    there.send("PATCH", &format!("/jobs/{job}"), &run("completed", "success", 2000)).expect(200);
    assert_eq!(alice.reports().len(), 1);
    assert_exceeded(&there.post("/action-reports", json!({"result": "success"})), "reports", 0);
}

fn actions_that_a_job_brings_count(api: &Api) {
    let alice = api.project();
    alice.register("web1");
    let node = node(api, Limits { actions: 3, ..Limits::default() });
    let there = member(&node, &alice);
    let of = |count: usize| json!({"client_id": "web1", "job_actions": vec![action(); count]});
    assert_exceeded(&there.post("/jobs", of(4)), "actions", 3);
    let id = there.post("/jobs", of(2)).expect(201)["job_id"].as_str().unwrap().to_owned();
    assert_exceeded(&there.post("/jobs", of(2)), "actions", 3);
    assert_exceeded(&there.post("/jobs/mine", of(2)), "actions", 3);
    // Actions that the job already has do not count twice.
    let mut actions = alice.show("jobs", &id)["job_actions"].as_array().unwrap().clone();
    actions.push(action());
    there.send("PATCH", &format!("/jobs/{id}"), &json!({ "job_actions": actions })).expect(200);
    assert_exceeded(&there.send("PATCH", &format!("/jobs/{id}"), &of(1)), "actions", 3);
    assert_exceeded(&there.post(&format!("/jobs/{id}"), of(1)), "actions", 3);
    assert_eq!(alice.list("actions").len(), 3);
    let known = alice.show("jobs", &id)["job_actions"].clone();
    there.post("/jobs", json!({"client_id": "web1", "job_actions": known})).expect(201);
}

fn a_job_on_another_client_counts(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("web1");
    let job_id = alice.get(&format!("/job-attachments/{id}")).expect(200)["job_id"].clone();
    let node = node(api, Limits { jobs: 2, ..Limits::default() });
    let there = member(&node, &alice);
    for name in ["web2", "web3"] {
        alice.register(name);
    }
    let on = |name: &str| json!({"job_id": job_id, "client_id": name});
    there.post("/job-attachments", on("web2")).expect(201);
    assert_exceeded(&there.post("/job-attachments", on("web3")), "jobs", 2);
    assert_eq!(alice.rows().job_attachments, 2);
}

fn a_refused_job_changes_nothing(api: &Api) {
    let alice = api.project();
    alice.register("web1");
    let rows = alice.rows();
    let node = node(api, Limits { jobs: 0, ..Limits::default() });
    assert_exceeded(&member(&node, &alice).post("/jobs", job("web1")), "jobs", 0);
    assert_eq!((alice.rows(), alice.list("actions").len()), (rows, 0));
}

fn a_delete_makes_room(api: &Api) {
    let alice = api.project();
    let node = node(api, Limits { backups: 2, jobs: 1, ..Limits::default() });
    let there = member(&node, &alice);
    let id = there.post("/backups", backup("etc")).expect(201)["backup_id"].as_str().unwrap().to_owned();
    there.post("/backups", backup("etc")).expect(201);
    assert_exceeded(&there.post("/backups", backup("etc")), "backups", 2);
    there.send("DELETE", &format!("/backups/{id}"), &json!({}));
    there.post_until_accepted("/backups", backup("etc")).expect(201);
    assert_exceeded(&there.post("/backups", backup("etc")), "backups", 2);
    // A delete with its client makes room too, and so does one by another process.
    alice.register("web1");
    there.post("/jobs", job_without_actions()).expect(201);
    assert_exceeded(&there.post("/jobs", job_without_actions()), "jobs", 1);
    assert_eq!(alice.delete("/clients/web1?cascade=true").status, 204);
    alice.register("web1");
    there.post_until_accepted("/jobs", job_without_actions()).expect(201);
}

fn rows_of_another_process_count(api: &Api) {
    let alice = api.project();
    for _ in 0..3 {
        alice.create("sessions", session());
    }
    let limits = Limits { sessions: 4, ..Limits::default() };
    let (first, second) = (node(api, limits), node(api, limits));
    member(&first, &alice).post("/sessions", session()).expect(201);
    assert_exceeded(&member(&second, &alice).post("/sessions", session()), "sessions", 4);
}

fn concurrent_creations_stay_within_the_quota(api: &Api) {
    let alice = api.project();
    let node = node(api, Limits { backups: 40, actions: 40, ..Limits::default() });
    let there = member(&node, &alice);
    let made = at_once(16, |n| {
        let (path, body) = if n % 2 == 0 { ("/backups", backup("etc")) } else { ("/actions", action()) };
        (0..10).filter(|_| there.post(path, body.clone()).status == 201).count()
    });
    let of = |odd: usize| made.iter().skip(odd).step_by(2).sum::<usize>();
    let rows = || (alice.list("backups").len(), alice.list("actions").len());
    assert_eq!(rows(), (of(0), of(1)));
    assert!(of(0) <= 40 && of(1) <= 40, "{made:?}");
    // Failed requests reserve nothing: the rest of the quota is free.
    for _ in of(0)..40 {
        there.post_until_accepted("/backups", backup("etc")).expect(201);
    }
    for _ in of(1)..40 {
        there.post_until_accepted("/actions", action()).expect(201);
    }
    assert_eq!(rows(), (40, 40));
    assert_exceeded(&there.post("/backups", backup("etc")), "backups", 40);
}

fn a_bad_body_is_refused_as_such_at_the_quota(api: &Api) {
    let alice = api.project();
    let taken = alice.create("actions", action());
    let node = node(api, NOTHING);
    let there = member(&node, &alice);
    there.post("/backups", json!([])).expect(400);
    there.post("/jobs", job("unknown")).expect(422);
    let mut again = action();
    again["action_id"] = json!(taken);
    there.post("/actions", again).expect(409);
}

#[test]
fn a_failed_count_is_an_outage_and_not_a_refusal() {
    for url in [
        "sqlite:////nonexistent/freezer.sqlite",
        #[cfg(feature = "mysql")]
        "mysql://user:password@127.0.0.1:1/freezer",
        #[cfg(feature = "postgres")]
        "postgres://user:password@127.0.0.1:1/freezer",
    ] {
        let mut app = api::app(&DatabaseUrl::parse(url).unwrap(), health::Settings::default());
        app.quotas = Quotas::new(NOTHING);
        let address = api::serve(app, Settings::default(), Arc::default());
        let headers = [("X-User-Id", "u"), ("X-Project-Id", "p"), ("X-Roles", "member")];
        let body = backup("etc").to_string();
        let answer = http::exchange(address, "POST", "/v2/p/backups", &headers, Some(body.as_bytes()));
        assert_eq!(answer.status, 503, "{answer}");
    }
}
