//! Refused jobs: invalid bodies, and clients that are unknown or lack a capability.

use serde_json::{Value, json};

use super::schedule_unit;
use crate::api::Api;
use crate::documents::{action, client, job};

on_every_backend! {
    the_client_of_a_job_must_exist,
    the_client_of_a_job_must_support_its_actions,
    a_refused_job_leaves_nothing_behind,
    an_invalid_job_is_refused,
    an_invalid_schedule_is_refused,
}

fn the_client_of_a_job_must_exist(api: &Api) {
    let (alice, bob) = (api.project(), api.project());
    bob.register("bobs");
    for name in ["unknown", "bobs"] {
        let refusal = alice.post("/jobs", job(name)).expect(422);
        assert_eq!(refusal["description"], json!(format!("Client not found with ID {name}")));
        alice.post("/jobs/some-id", job(name)).expect(422);
    }
    alice.post("/jobs", job("bad%project$id_host")).expect(400);
    alice.post("/jobs", job("a/b")).expect(400);
}

fn the_client_of_a_job_must_support_its_actions(api: &Api) {
    let alice = api.project();
    let mut able = client("a");
    able["supported_actions"] = json!(["backup"]);
    able["supported_modes"] = json!(["fs"]);
    able["supported_storages"] = json!(["local"]);
    able["supported_engines"] = json!(["tar"]);
    alice.create("clients", able);
    let body = |key: &str, value: &str| {
        let mut body = job("a");
        body["job_actions"][0]["freezer_action"][key] = json!(value);
        body
    };
    for (key, lacks, value) in [
        ("action", "action", "restore"),
        ("mode", "mode", "mysql"),
        ("storage", "storage", "swift"),
        ("engine", "engine", "rsync"),
        ("engine_name", "engine", "rsync"),
    ] {
        let refusal = alice.post("/jobs", body(key, value)).expect(422);
        assert_eq!(refusal["description"], json!(format!("Client a does not support {lacks}: {value}")));
        alice.post("/jobs/new", body(key, value)).expect(422);
        // An existing action is refused too.
        let id = alice.create("actions", body(key, value)["job_actions"][0].clone());
        alice.post("/jobs", json!({"client_id": "a", "job_actions": [{"action_id": id}]})).expect(422);
        // So is a patch.
        let fine = alice.create("jobs", job("a"));
        let patch = json!({"job_actions": body(key, value)["job_actions"]});
        alice.patch(&format!("/jobs/{fine}"), patch).expect(422);
    }
    alice.create("jobs", body("storage", ""));
}

fn a_refused_job_leaves_nothing_behind(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let unknown = json!({"action_id": "unknown"});
    alice.post("/jobs", json!({"client_id": "a", "job_actions": [action(), unknown]})).expect(422);
    alice.post("/jobs", job("unknown")).expect(422);
    let mut in_no_session = job("a");
    in_no_session["session_id"] = json!("unknown");
    alice.post("/jobs", in_no_session).expect(422);
    assert!(alice.list("jobs").is_empty());
    assert!(alice.list("actions").is_empty());
}

fn an_invalid_job_is_refused(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let with = |key: &str, value: Value| {
        let mut body = job("a");
        body[key] = value;
        body
    };
    for body in [
        json!({}),
        json!({"client_id": "a"}),
        json!({"job_actions": []}),
        with("client_id", json!(null)),
        with("job_actions", json!(null)),
        with("job_actions", json!({})),
        with("job_actions", json!(["x"])),
        with("job_actions", json!([{}])),
        with("job_actions", json!([{"freezer_action": {}}])),
        with("job_actions", json!([{"freezer_action": {"action": "destroy"}}])),
        with("job_actions", json!([{"freezer_action": {"action": "backup", "mode": "oracle"}}])),
        with("job_schedule", json!([])),
        with("session_tag", json!("1")),
        with("description", json!(5)),
        with("user_credentials", json!("x")),
        with("action_defaults", json!([])),
        with("action_defaults", json!(null)),
        with("colour", json!("red")),
    ] {
        assert_eq!(alice.post("/jobs", body.clone()).expect(400)["title"], "Bad request format", "{body}");
        alice.post("/jobs/an-id", body).expect(400);
    }
    assert!(alice.list("jobs").is_empty());
}

fn an_invalid_schedule_is_refused(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    let path = format!("/jobs/{id}");
    let before = alice.show("jobs", &id);
    for (key, value) in [
        ("event", json!("restart")),
        ("event", json!(null)),
        ("status", json!("lost")),
        ("result", json!("ok")),
        ("time_started", json!("now")),
        ("time_ended", json!(1.0)),
        ("current_pid", json!("12")),
        ("schedule_date", json!("2026-02-03")),
        ("schedule_start_date", json!("2026-13-03T00:00:00")),
        ("schedule_end_date", json!("2026-02-03T00:00:00\n")),
        ("schedule_interval", json!("1 fortnights")),
        ("schedule_interval", json!("days")),
        ("schedule_year", json!("26")),
        ("schedule_month", json!(1)),
        ("schedule_colour", json!("red")),
        ("colour", json!("red")),
    ] {
        let refusal = alice.patch(&path, json!({"job_schedule": {key: value}})).expect(400);
        assert!(refusal["description"].as_str().unwrap().contains("job_schedule"), "{refusal}");
        let mut body = job("a");
        body["job_schedule"] = json!({key: value});
        alice.post("/jobs", body).expect(400);
    }
    assert_eq!(alice.show("jobs", &id), before);

    let unit = json!({
        "schedule_date": "2026-02-03T04:05:06", "schedule_start_date": "2026-02-03T04:05:06Z",
        "schedule_end_date": "2027-02-03T04:05:06.5+01:00", "schedule_interval": "continuous",
        "schedule_year": "2026", "schedule_month": "1-6, 9-12", "schedule_day": "1st mon", "schedule_week": "*/2",
        "schedule_day_of_week": "mon-fri", "schedule_hour": "3", "schedule_minute": "0,30", "schedule_second": "",
    });
    alice.patch(&path, json!({"job_schedule": unit})).expect(200);
    assert_eq!(schedule_unit(&alice, &id), unit);
}
