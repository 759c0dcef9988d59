//! Sessions (contract, api-v2 §8): their documents, members and runs.

mod members;
mod runs;

use serde_json::{Value, json};

use crate::api::Api;
use crate::documents::session;

on_every_backend! {
    a_session_is_created_and_shown,
    a_session_keeps_the_keys_of_its_body,
    read_only_keys_are_ignored,
    an_invalid_session_is_refused,
    a_patch_changes_the_keys_that_it_has,
    a_replacement_resets_absent_fields,
    a_replacement_creates_a_missing_session,
    a_deleted_session_is_gone,
    an_invalid_session_action_is_refused,
}

fn a_session_is_created_and_shown(api: &Api) {
    let alice = api.project();
    let answer = alice.post("/sessions/", session());
    let id = answer.expect(201)["session_id"].as_str().unwrap().to_owned();
    assert_eq!(answer.json(), json!({"session_id": id}));
    assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    let place = format!("{}/v2/{}/sessions/{id}", api.url(), alice.project);
    assert_eq!(answer.header("Location"), Some(&*place));

    let document = alice.show("sessions", &id);
    assert_eq!(
        document,
        json!({
            "session_id": id,
            "project_id": alice.project,
            "user_id": alice.user,
            "description": "weekly",
            "schedule": {"schedule_interval": "7 days"},
            "session_tag": 0,
            "hold_off": 30,
            "policy": "all",
            "status": "active",
            "result": "",
            "time_start": -1,
            "time_end": -1,
            "time_started": -1,
            "time_ended": -1,
            "jobs": {},
            "last_start": "",
            "_version": 1,
        })
    );
    assert_eq!(alice.list("sessions"), [document], "the list shows the same document");
}

fn a_session_keeps_the_keys_of_its_body(api: &Api) {
    let alice = api.project();
    let body = json!({
        "schedule": {"schedule_start_date": "2026-01-02T03:04:05", "status": "stop", "time_created": 5},
        "description": null, "hold_off": 5, "session_tag": 7, "policy": "any", "result": "success",
        "time_start": 1, "time_end": 2, "time_started": 3, "time_ended": 4,
        "interval_unit": "days", "colour": {"of": ["choice"]},
    });
    let id = alice.create("sessions", body.clone());
    let document = alice.show("sessions", &id);
    for key in body.as_object().unwrap().keys() {
        assert_eq!(document[key], body[key], "{key}");
    }
    let nulls = json!({
        "schedule": {}, "description": null, "hold_off": null, "session_tag": null, "policy": null, "status": null,
        "result": null, "time_start": null, "time_end": "", "time_started": null, "time_ended": "",
    });
    let id = alice.create("sessions", nulls);
    let document = alice.show("sessions", &id);
    assert_eq!((&document["hold_off"], &document["session_tag"]), (&json!(30), &json!(0)));
    assert_eq!((&document["time_start"], &document["time_end"]), (&json!(-1), &json!(-1)));
}

fn read_only_keys_are_ignored(api: &Api) {
    let (alice, bob) = (api.project(), api.project());
    let mut body = session();
    let more = json!({
        "session_id": "mine", "project_id": bob.project, "user_id": bob.user, "status": "completed", "_version": 41,
        "last_start": "yesterday", "jobs": {"j": {"client_id": "c", "status": "completed", "result": "success"}},
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let id = alice.create("sessions", body.clone());
    assert_eq!(id.len(), 32, "the server makes the id");
    assert_eq!(alice.show("sessions", &id)["status"], "active");
    let path = format!("/sessions/{id}");
    let untouched = || {
        let document = alice.show("sessions", &id);
        assert_eq!((&document["session_id"], &document["project_id"]), (&json!(id), &json!(alice.project)));
        assert_eq!((&document["user_id"], &document["last_start"]), (&json!(alice.user), &json!("")));
        assert_eq!(document["jobs"], json!({}));
        assert!(document["_version"].as_i64().unwrap() < 20);
    };
    untouched();
    alice.colleague().patch(&path, body.clone()).expect(200);
    untouched();
    body["session_tag"] = json!(0);
    alice.colleague().post(&path, body).expect(201);
    untouched();
    assert!(bob.list("sessions").is_empty());
}

fn an_invalid_session_is_refused(api: &Api) {
    let alice = api.project();
    let with = |key: &str, value: Value| {
        let mut body = session();
        body[key] = value;
        body
    };
    for body in [
        json!({}),
        json!({"description": "no schedule"}),
        with("schedule", json!(null)),
        with("schedule", json!([])),
        with("schedule", json!({"colour": "red"})),
        with("schedule", json!({"schedule_interval": "often"})),
        with("hold_off", json!(-1)),
        with("hold_off", json!("30")),
        with("session_tag", json!(1.0)),
        with("session_tag", json!(2_147_483_648_i64)),
        with("policy", json!("most")),
        with("status", json!("lost")),
        with("result", json!(1)),
        with("time_start", json!("now")),
        with("description", json!(1)),
    ] {
        assert_eq!(alice.post("/sessions", body).expect(400)["title"], "Bad request format");
    }
    alice.send("POST", "/sessions", None).expect(400);
    assert!(alice.list("sessions").is_empty());
}

fn a_patch_changes_the_keys_that_it_has(api: &Api) {
    let alice = api.project();
    let id = alice.create("sessions", session());
    let path = format!("/sessions/{id}");
    let before = alice.show("sessions", &id);
    let answer = alice.patch(&path, json!({"schedule": {"schedule_interval": "1 days"}, "colour": "red"}));
    assert_eq!(answer.expect(200), json!({"session_id": id, "version": 2}));
    alice.patch(&path, json!({"shape": "round"})).expect(200);
    let mut expected = before.clone();
    expected["schedule"] = json!({"schedule_interval": "1 days"});
    expected["colour"] = json!("red");
    expected["shape"] = json!("round");
    expected["_version"] = json!(3);
    assert_eq!(alice.show("sessions", &id), expected);

    // The same patch again changes nothing.
    assert_eq!(alice.patch(&path, expected.clone()).expect(200)["version"], 3);
    assert_eq!(alice.show("sessions", &id), expected);
    for bad in [
        json!({}),
        json!({"schedule": null}),
        json!({"schedule": {"schedule_interval": 1}}),
        json!({"policy": "x"}),
    ] {
        alice.patch(&path, bad).expect(400);
    }
    assert_eq!(alice.show("sessions", &id), expected);
    alice.patch("/sessions/unknown", json!({"description": "x"})).expect(404);
}

fn a_replacement_resets_absent_fields(api: &Api) {
    let alice = api.project();
    let mut body = session();
    body["hold_off"] = json!(5);
    body["policy"] = json!("any");
    body["colour"] = json!("red");
    let id = alice.create("sessions", body);
    let job = alice.job_on("a");
    alice.put(&format!("/sessions/{id}/jobs/{job}")).expect(204);
    let path = format!("/sessions/{id}");
    let answer = alice.post(&path, json!({"schedule": {}, "session_tag": 4})).expect(201);
    let document = alice.show("sessions", &id);
    assert_eq!(answer, json!({"session_id": id, "version": document["_version"]}));
    assert_eq!((&document["description"], &document["schedule"]), (&json!(null), &json!({})));
    assert_eq!((&document["hold_off"], &document["policy"]), (&json!(30), &json!("all")));
    assert_eq!(document["session_tag"], 4);
    assert!(document.get("colour").is_none());
    assert!(document["jobs"].get(&job).is_some(), "a replacement keeps the members");
    alice.post(&path, json!({"schedule": {}})).expect(400);
    alice.post(&path, json!({"session_tag": 1})).expect(400);
}

fn a_replacement_creates_a_missing_session(api: &Api) {
    let (alice, bob) = (api.project(), api.project());
    let id = format!("new-{}", alice.project);
    let path = format!("/sessions/{id}");
    let body = json!({"schedule": {}, "session_tag": 0});
    assert_eq!(alice.post(&path, body.clone()).expect(201), json!({"session_id": id, "version": 1}));
    bob.post(&path, body.clone()).expect(409);
    alice.post("/sessions/not%20an%20id", body).expect(400);
    assert_eq!(alice.list("sessions").len(), 1);
}

fn a_deleted_session_is_gone(api: &Api) {
    let alice = api.project();
    let id = alice.create("sessions", session());
    for _ in 0..2 {
        alice.delete(&format!("/sessions/{id}")).expect(204);
        alice.get(&format!("/sessions/{id}")).expect(404);
    }
    assert!(alice.list("sessions").is_empty());
}

fn an_invalid_session_action_is_refused(api: &Api) {
    let alice = api.project();
    let id = alice.create("sessions", session());
    let job = alice.job_on("a");
    alice.put(&format!("/sessions/{id}/jobs/{job}")).expect(204);
    let path = format!("/sessions/{id}/action");
    let before = alice.show("sessions", &id);
    for body in [
        json!({}),
        json!([]),
        json!({"pause": {}}),
        json!({"start": null}),
        json!({"start": {}}),
        json!({"start": {"job_id": job}}),
        json!({"start": {"current_tag": 0}}),
        json!({"start": {"job_id": job, "current_tag": null}}),
        json!({"start": {"job_id": job, "current_tag": "zero"}}),
        json!({"start": {"job_id": job, "current_tag": -1}}),
        json!({"start": {"job_id": job, "current_tag": 0.5}}),
        json!({"start": {"job_id": 1, "current_tag": 0}}),
        json!({"end": {"job_id": job}}),
        json!({"end": {"job_id": job, "result": "fine"}}),
        json!({"end": {"job_id": job, "result": null}}),
        json!({"end": {"job_id": job, "result": "fail", "current_tag": []}}),
    ] {
        alice.post(&path, body).expect(400);
    }
    assert_eq!(alice.show("sessions", &id), before);
    // So is an action for a job that is not in the session, or for an unknown session.
    let outside = alice.job_on("b");
    for job in [&outside, "unknown", "not an id"] {
        let ask = json!({"start": {"job_id": job, "current_tag": 0}});
        assert_eq!(alice.post(&path, ask.clone()).expect(400)["description"], "job_id not found in session");
        alice.post("/sessions/unknown/action", ask).expect(404);
    }
}
