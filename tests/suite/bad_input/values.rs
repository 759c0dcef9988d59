//! Documents in which any key has any value.

use serde_json::{Value, json};

use super::state;
use crate::api::{Api, Caller};
use crate::documents::{action, backup, client, job, session};

on_every_backend! {
    any_value_in_a_client_gets_an_answer,
    any_value_in_an_action_gets_an_answer,
    any_value_in_a_job_gets_an_answer,
    any_value_in_a_session_gets_an_answer,
    any_value_in_a_session_action_gets_an_answer,
    any_value_in_a_backup_gets_an_answer,
    any_value_in_an_attachment_gets_an_answer,
    any_value_in_a_search_gets_an_answer,
}

/// JSON texts, most of them invalid in one way or another.
const VALUES: &[&str] = &[
    "null",
    "0",
    "-1",
    "1.5",
    "1e308",
    "1e999",
    "2147483648",
    "9223372036854775807",
    "18446744073709551616",
    "\"\"",
    "\"x\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\u{1f980}\"",
    "\"a\\nb\"",
    "[]",
    "[null]",
    "{}",
    "{\"a\":{\"b\":null}}",
];

fn any_value_in_a_client_gets_an_answer(api: &Api) {
    let alice = api.project();
    let mut body = client("a");
    let lists = json!({
        "uuid": "", "config_id": "c", "is_central": false, "supported_actions": ["backup"], "supported_modes": ["fs"],
        "supported_storages": ["local"], "supported_engines": ["tar"],
    });
    body.as_object_mut().unwrap().extend(lists.as_object().unwrap().clone());
    try_all(&alice, &[("POST", "/clients")], &body);
}

fn any_value_in_an_action_gets_an_answer(api: &Api) {
    let alice = api.project();
    let id = alice.create("actions", action());
    let mut body = action();
    body["action_id"] = json!("");
    body["user_id"] = json!("u");
    body["freezer_action"]["restore_abs_path"] = json!("/r");
    body["freezer_action"]["log_file"] = json!("/l");
    body["freezer_action"]["timeout"] = json!(5);
    body["freezer_action"]["priority"] = json!(5);
    body["freezer_action"]["mandatory"] = json!(false);
    body["freezer_action"]["cindernative_freezer_only"] = json!(true);
    body["freezer_action"]["nested"] = json!({"a": [1]});
    let path = format!("/actions/{id}");
    try_all(&alice, &[("POST", "/actions"), ("PATCH", &path), ("POST", &path)], &body);
}

fn any_value_in_a_job_gets_an_answer(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    let session = alice.create("sessions", session());
    let mut body = job("a");
    body["job_schedule"] = whole_schedule();
    body["job_id"] = json!("");
    body["session_id"] = json!(session);
    body["session_tag"] = json!(0);
    body["session_name"] = json!("n");
    body["user_id"] = json!("u");
    body["project_id"] = json!("p");
    body["_version"] = json!(3);
    body["user_credentials"] = json!({"trust_id": "t", "trustor_user_id": "u"});
    body["action_defaults"] = json!({"mode": "fs", "more": {"a": 1}});
    body["job_actions"][0]["action_id"] = json!("");
    let path = format!("/jobs/{id}");
    try_all(&alice, &[("POST", "/jobs"), ("PATCH", &path), ("POST", &path)], &body);
    let event = format!("{path}/event");
    try_all(&alice, &[("POST", &event)], &json!({"start": null}));
}

fn any_value_in_a_session_gets_an_answer(api: &Api) {
    let alice = api.project();
    let id = alice.create("sessions", session());
    let mut body = session();
    body["schedule"] = whole_schedule();
    let more = json!({
        "session_id": "s", "session_tag": 2, "hold_off": 5, "policy": "any", "status": "active", "result": "success",
        "time_start": 1, "time_end": 2, "time_started": 3, "time_ended": 4, "jobs": {"j": {}}, "last_start": "",
        "user_id": "u", "project_id": "p", "_version": 3, "more": {"a": [1]},
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let path = format!("/sessions/{id}");
    try_all(&alice, &[("POST", "/sessions"), ("PATCH", &path), ("POST", &path)], &body);
}

fn any_value_in_a_session_action_gets_an_answer(api: &Api) {
    let alice = api.project();
    let id = alice.create("sessions", session());
    let job = alice.job_on("a");
    alice.put(&format!("/sessions/{id}/jobs/{job}")).expect(204);
    let path = format!("/sessions/{id}/action");
    try_all(&alice, &[("POST", &path)], &json!({"start": {"job_id": job, "current_tag": 0, "more": 1}}));
    try_all(
        &alice,
        &[("POST", &path)],
        &json!({"end": {"job_id": job, "current_tag": 0, "result": "fail"}, "more": 1}),
    );
}

fn any_value_in_a_backup_gets_an_answer(api: &Api) {
    let alice = api.project();
    let id = alice.create("backups", backup("etc"));
    let mut body = backup("etc");
    body["status"] = json!("available");
    body["job_id"] = json!("j");
    body["more"] = json!({"a": [1]});
    let path = format!("/backups/{id}");
    try_all(&alice, &[("POST", "/backups"), ("PATCH", &path)], &body);
    let nested = json!({"status": "error", "backup_metadata": backup("etc"), "more": 1});
    try_all(&alice, &[("PATCH", &path)], &nested);
}

fn any_value_in_an_attachment_gets_an_answer(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    alice.register("b");
    let session = alice.create("sessions", session());
    let mut body = alice.show("job-attachments", &id);
    body["client_id"] = json!("b");
    body["session_id"] = json!(session);
    body["event"] = json!("stop");
    body["status"] = json!("stop");
    try_all(&alice, &[("POST", "/job-attachments")], &body);
    body["client_id"] = json!("a");
    body["result"] = json!("fail");
    body["current_pid"] = json!(7);
    body["time_started"] = json!(5);
    body["time_ended"] = json!(9);
    try_all(&alice, &[("PATCH", &format!("/job-attachments/{id}"))], &body);

    let place = alice.places(&id)[0].clone();
    let mut body = alice.show("action-attachments", &place);
    body["priority"] = json!(7);
    let path = format!("/action-attachments/{place}");
    try_all(&alice, &[("POST", "/action-attachments")], &body);
    try_all(&alice, &[("PATCH", &path)], &body);
}

fn any_value_in_a_search_gets_an_answer(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    alice.create("sessions", session());
    alice.create("backups", backup("etc"));
    let search = json!({
        "match": [
            {"_all": "x"}, {"client_id": "a", "job_id": id}, {"status": ""}, {"session_id": ""}, {"action_id": "a"},
            {"backup_name": "b"}, {"job_schedule.event": "start"}, {"uuid": "u"}, {"any": {"a": [1]}},
        ],
        "match_not": [{"_all": "y"}, {"result": "fail"}, {"client_id": "b"}, {"session_id": "s"}, {"mode": "fs"}],
        "time_after": 1, "time_before": 2,
    });
    for noun in ["clients", "actions", "jobs", "sessions", "backups"] {
        try_all(&alice, &[("GET", &format!("/{noun}"))], &search);
    }
}

/// Sends the body to each of the routes, with every value in it replaced by each of [`VALUES`] and left out. Then
/// sends the refused bodies once more, which must change nothing. At last every stored document must be readable.
fn try_all(caller: &Caller<'_>, routes: &[(&str, &str)], body: &Value) {
    let mut refused: Vec<(&str, &str, String)> = Vec::new();
    for mutation in mutations(body) {
        for (method, path) in routes {
            let answer = caller.send(method, path, Some(mutation.as_bytes()));
            let impossible = ["\\u0000", "\\ud800", "1e999"].iter().any(|text| mutation.contains(text));
            assert!(!impossible || answer.status == 400, "{answer}");
            if answer.status >= 400 && *method != "GET" {
                refused.push((method, path, mutation.clone()));
            }
        }
    }
    let before = state(caller);
    for (method, path, mutation) in &refused {
        let answer = caller.send(method, path, Some(mutation.as_bytes()));
        assert!(answer.status >= 400, "{answer}");
    }
    assert_eq!(state(caller), before);
}

/// The body as texts, with every value in it replaced and left out.
fn mutations(body: &Value) -> Vec<String> {
    const HERE: &str = "\"@here@\"";
    let mut texts = Vec::new();
    for pointer in pointers(body, String::new()) {
        let mut whole = body.clone();
        *whole.pointer_mut(&pointer).unwrap() = json!("@here@");
        let text = whole.to_string();
        assert_eq!(text.matches(HERE).count(), 1);
        texts.extend(VALUES.iter().map(|value| text.replace(HERE, value)));
        texts.push(text.replace(HERE, &json!("x".repeat(20_000)).to_string()));
        let (parent, key) = pointer.rsplit_once('/').unwrap_or_default();
        if let Some(Value::Object(object)) = body.clone().pointer_mut(parent)
            && !pointer.is_empty()
        {
            let mut whole = body.clone();
            object.remove(key);
            *whole.pointer_mut(parent).unwrap() = Value::Object(object.clone());
            texts.push(whole.to_string());
        }
    }
    texts
}

/// The JSON pointers of every value in a document.
fn pointers(value: &Value, here: String) -> Vec<String> {
    let mut all = Vec::new();
    match value {
        Value::Object(object) => {
            for (key, inner) in object {
                all.extend(pointers(inner, format!("{here}/{key}")));
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                all.extend(pointers(inner, format!("{here}/{index}")));
            }
        }
        _ => {}
    }
    all.push(here);
    all
}

fn whole_schedule() -> Value {
    json!({
        "time_created": 1, "time_started": 2, "time_ended": 3, "event": "stop", "status": "stop", "result": "fail",
        "schedule_date": "2026-01-02T03:04:05", "schedule_start_date": "2026-01-02T03:04:05",
        "schedule_end_date": "2026-01-02T03:04:05", "schedule_interval": "1 days", "schedule_year": "2026",
        "schedule_hour": "1", "current_pid": 1,
    })
}
