//! Every operation, with lists of different lengths in it or behind it: none sends more statements for a longer one.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use freezer_api::app::App;
use freezer_api::auth::Strategy;
use freezer_api::routes;
use freezer_api::store::Store;
use front::server::{Settings, respond};
use oslo_policy::Policy;
use serde_json::{Value, json};

use super::{COUNTING, SENT, store};

/// The service without its sockets, and how many statements each operation has sent.
struct Service {
    app: App,
    project: String,
    sent: BTreeMap<&'static str, usize>,
}

impl Service {
    fn new(store: &Store, project: &str) -> Self {
        let policy = Policy::new(oslo_policy::Settings::default(), freezer_api::rules::DEFAULTS).unwrap();
        let app = App::new(store.clone(), Strategy::Noauth, policy);
        Self { app, project: project.to_owned(), sent: BTreeMap::new() }
    }

    fn send(&mut self, operation: &'static str, method: &str, path: &str, body: Value) -> Value {
        let headers =
            [("X-Project-Id", self.project.as_str()), ("X-User-Id", "u"), ("X-Roles", "admin,member,reader")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(&body).unwrap() };
        let target = format!("/v2/{}{path}", self.project);
        let request = rouille::Request::fake_http(method, target, headers, body);
        let before = SENT.load(Ordering::SeqCst);
        let response = respond(&Settings::default(), &|call| routes::dispatch(&self.app, call), &request);
        let sent = SENT.load(Ordering::SeqCst) - before;
        let mut answer = Vec::new();
        response.data.into_reader_and_size().0.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        assert!(response.status_code < 300, "{operation}: {} {answer}", response.status_code);
        self.sent.insert(operation, sent);
        if answer.is_empty() { Value::Null } else { serde_json::from_str(&answer).unwrap() }
    }
}

fn actions(count: usize, retries: usize) -> Vec<Value> {
    let action = |place: usize| {
        json!({
            "freezer_action": {"action": "backup", "backup_name": format!("b{place}")},
            "max_retries": retries + place,
            "max_retries_interval": 60,
        })
    };
    (0..count).map(action).collect()
}

fn run(tag: i64, status: &str, result: &str, ended: i64) -> Value {
    json!({"job_schedule": {
        "status": status, "result": result, "time_started": 1_000_000 + tag, "time_ended": ended,
    }})
}

/// Every operation with `count` actions in the job, `count` jobs in the session and on the client, and so on.
fn operations(store: &Store, count: usize) -> BTreeMap<&'static str, usize> {
    let mut service = Service::new(store, &format!("p{count}"));
    let s = &mut service;
    s.send("POST client", "POST", "/clients", json!({"client_id": "a"}));
    s.send("POST client", "POST", "/clients", json!({"client_id": "b"}));
    let backup = json!({
        "backup_name": "n", "hostname": "h", "container": "c", "time_stamp": 1, "curr_backup_level": 0,
    });
    s.send("POST first backup", "POST", "/backups", backup.clone());
    s.send("POST backup", "POST", "/backups", backup);

    // A job of many actions.
    let job = json!({"client_id": "a", "job_actions": actions(count, 1)});
    let created = s.send("POST job of new actions", "POST", "/jobs", job);
    let path = format!("/jobs/{}", created["job_id"].as_str().unwrap());
    let document = s.send("GET job", "GET", &path, Value::Null);
    let known = document["job_actions"].clone();
    assert_eq!(known.as_array().unwrap().len(), count);
    let job = json!({"client_id": "a", "job_actions": known});
    s.send("POST job of known actions", "POST", "/jobs", job.clone());
    s.send("PATCH job as it is", "PATCH", &path, document);
    let mut changed = known.clone();
    for (place, entry) in changed.as_array_mut().unwrap().iter_mut().enumerate() {
        entry["max_retries"] = json!(100 + place);
        entry["mandatory"] = json!(place % 2 == 0);
    }
    s.send("PATCH job's settings", "PATCH", &path, json!({"job_actions": changed}));
    let shown = s.send("GET job", "GET", &path, Value::Null);
    assert_eq!(shown["job_actions"], changed);
    let mut turned = known.clone();
    turned.as_array_mut().unwrap().reverse();
    s.send("PATCH job's order", "PATCH", &path, json!({"job_actions": turned}));
    s.send("PATCH job's actions", "PATCH", &path, json!({"job_actions": actions(count, 5)}));
    s.send("POST job again", "POST", &path, job);
    s.send("PATCH job's start", "PATCH", &path, run(0, "running", "", -1));
    s.send("PATCH job's end", "PATCH", &path, run(0, "completed", "success", 1_000_100));
    s.send("DELETE job", "DELETE", &path, Value::Null);

    let poll = json!({"match": [{"client_id": "a"}], "match_not": [{"status": "completed"}]});
    s.send("GET jobs of a client", "GET", "/jobs?limit=10", poll.clone());
    s.send("GET jobs of a client", "GET", "/jobs?limit=10", poll);

    // Many jobs of one action, on one client and in one session.
    let action = s.send("POST action", "POST", "/actions", actions(1, 1)[0].clone());
    let session = s.send("POST session", "POST", "/sessions", json!({"schedule": {}, "hold_off": 0}));
    let session = format!("/sessions/{}", session["session_id"].as_str().unwrap());
    let action = action["action_id"].as_str().unwrap();
    let mut jobs = Vec::new();
    for _ in 0..count {
        let job = json!({"client_id": "b", "job_actions": [{"action_id": action}]});
        let job = s.send("POST job", "POST", "/jobs", job)["job_id"].as_str().unwrap().to_owned();
        s.send("PUT session's job", "PUT", &format!("{session}/jobs/{job}"), Value::Null);
        s.send("POST event", "POST", &format!("/jobs/{job}/event"), json!({"start": null}));
        jobs.push(job);
    }
    s.send("GET session", "GET", &session, Value::Null);
    s.send("GET sessions", "GET", "/sessions?limit=500", Value::Null);
    s.send("GET jobs", "GET", "/jobs?limit=500", Value::Null);
    s.send("GET page of jobs", "GET", "/jobs?limit=20&sort=created_at:desc", Value::Null);
    s.send("GET jobs, sorted and counted", "GET", "/jobs?limit=500&sort=status&with_count=true", Value::Null);
    let words = json!({"match": [{"_all": "backup"}]});
    s.send("GET jobs with words", "GET", "/jobs?limit=500", words);
    let poll = json!({"match": [{"client_id": "b"}], "match_not": [{"status": "completed"}]});
    s.send("GET jobs with events", "GET", "/jobs?limit=500", poll.clone());
    s.send("GET jobs without events", "GET", "/jobs?limit=500", poll);
    for path in ["actions", "clients", "backups", "action-attachments", "job-attachments", "action-reports"] {
        s.send("GET others", "GET", &format!("/{path}?limit=500"), Value::Null);
    }
    let start = json!({"start": {"job_id": jobs[0], "current_tag": 0}});
    s.send("start of session", "POST", &format!("{session}/action"), start);
    for job in &jobs {
        let end = json!({"end": {"job_id": job, "current_tag": 1, "result": "success"}});
        s.send("last end of session", "POST", &format!("{session}/action"), end);
    }
    s.send("PATCH session", "PATCH", &session, json!({"schedule": {"schedule_interval": "2 days"}}));
    s.send("DELETE session's job", "DELETE", &format!("{session}/jobs/{}", jobs[0]), Value::Null);
    s.send("PATCH action", "PATCH", &format!("/actions/{action}"), json!({"freezer_action": {"mode": "fs"}}));
    s.send("DELETE session", "DELETE", &session, Value::Null);
    s.send("DELETE action", "DELETE", &format!("/actions/{action}"), Value::Null);
    s.send("DELETE client", "DELETE", "/clients/b?cascade=true", Value::Null);
    service.sent
}

#[test]
fn no_operation_sends_more_statements_for_a_longer_list() {
    let _alone = COUNTING.lock().unwrap_or_else(PoisonError::into_inner);
    let (store, _directory) = store();
    // From twelve actions on a job, and from forty on the jobs of a client, are read in another way.
    let few = operations(&store, 48);
    assert!(few["GET job"] >= 3, "no longer counted: {few:?}");
    assert_eq!(operations(&store, 60), few);
    let usual = operations(&store, 1);
    assert_eq!(usual["GET job"], 1);
    // Which client, and its jobs.
    assert_eq!(usual["GET jobs of a client"], 2);
    // Which jobs, and these.
    assert_eq!(usual["GET page of jobs"], 2);
    // The project's first has its backups counted, for the quota.
    assert_eq!((usual["POST first backup"], usual["POST backup"]), (2, 1));
    // The job, and the change.
    assert_eq!(usual["PATCH job's start"], 2);
    // The job, and in a transaction the change, the places with whether the run is recorded already, and the reports.
    assert_eq!(usual["PATCH job's end"], 6);
    // Begin, the job, the places, the actions, the description (shown as "" and stored as null), the bound on the size,
    // commit.
    assert_eq!(usual["PATCH job as it is"], 7);
    // Begin, the session, the part, the session's run, all parts, commit.
    assert_eq!(usual["start of session"], 6);
    // Begin, the session, all parts, the session's run, the part, commit.
    assert_eq!(usual["last end of session"], 6);
    for (operation, sent) in &usual {
        // That way comes after the usual one. It reads the sizes of a long page first, and each action once, however many
        // places name it: a statement of its own for either, so that no answer takes much memory.
        assert!(few[operation] <= sent + 8, "{operation}: {} and not {sent}", few[operation]);
    }
}
