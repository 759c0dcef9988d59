//! PATCH of a job: the keys that it changes, and those that it keeps.

use serde_json::json;

use super::schedule_unit;
use crate::api::Api;
use crate::documents::{action, client, job, session};

on_every_backend! {
    a_patch_changes_the_keys_that_it_has,
    the_schedule_is_one_unit,
    the_run_is_set_key_by_key,
    extra_keys_of_a_form_are_dropped,
    a_client_is_checked_when_it_changes,
    a_client_that_has_lost_a_capability_can_still_report,
    a_schedulers_reports_are_accepted,
    a_report_that_names_a_deleted_session_is_accepted,
    a_capability_that_is_not_text_is_unsupported,
}

fn a_patch_changes_the_keys_that_it_has(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    let path = format!("/jobs/{id}");
    let before = alice.show("jobs", &id);
    let answer = alice.patch(&path, json!({"description": "weekly"})).expect(200);
    let after = alice.show("jobs", &id);
    assert_eq!(answer, json!({"job_id": id, "version": after["_version"]}));
    assert!(after["_version"].as_i64() > before["_version"].as_i64());
    let mut expected = before.clone();
    expected["description"] = json!("weekly");
    expected["_version"] = after["_version"].clone();
    assert_eq!(after, expected, "schedule, status and actions stay");

    alice.patch(&path, json!({"description": null})).expect(200);
    assert_eq!(alice.show("jobs", &id)["description"], "");
    alice.patch(&path, json!({"job_actions": [action(), action()]})).expect(200);
    assert_eq!(alice.show("jobs", &id)["job_actions"].as_array().unwrap().len(), 2);
    assert_eq!(alice.list("actions").len(), 3);
    alice.patch("/jobs/unknown", json!({"description": "x"})).expect(404);
    alice.patch(&path, json!({})).expect(400);
    alice.patch(&path, json!({"job_actions": null})).expect(400);
    alice.patch(&path, json!({"colour": "red"})).expect(400);
}

fn the_schedule_is_one_unit(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    let path = format!("/jobs/{id}");
    alice.report(&id, json!({"status": "scheduled", "current_pid": 7}));
    let whole = json!({"schedule_interval": "1 days", "schedule_start_date": "2026-01-02T03:04:05"});
    assert_eq!(schedule_unit(&alice, &id), whole, "no schedule key, no change");
    alice.patch(&path, json!({"job_schedule": {}})).expect(200);
    assert_eq!(schedule_unit(&alice, &id), whole);
    // A form leaves out a field that was cleared.
    alice.patch(&path, json!({"job_schedule": {"schedule_interval": "2 hours"}})).expect(200);
    assert_eq!(schedule_unit(&alice, &id), json!({"schedule_interval": "2 hours"}));
    let run = alice.show("jobs", &id)["job_schedule"].clone();
    assert_eq!((&run["status"], &run["current_pid"]), (&json!("scheduled"), &json!(7)));
}

fn the_run_is_set_key_by_key(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    let created = alice.show("jobs", &id)["job_schedule"]["time_created"].clone();
    let mut expected = json!({
        "schedule_interval": "1 days", "schedule_start_date": "2026-01-02T03:04:05", "time_created": created,
        "time_started": -1, "time_ended": -1, "event": "", "status": "", "result": "",
    });
    for (key, value) in [
        ("status", json!("running")),
        ("time_started", json!(1_767_323_045)),
        ("current_pid", json!(12)),
        ("result", json!("aborted")),
        ("time_ended", json!(1_767_323_999)),
        ("event", json!("abort")),
        ("time_ended", json!(-1)),
        ("result", json!("")),
        ("status", json!("")),
    ] {
        expected[key] = value.clone();
        alice.report(&id, json!({key: value, "time_created": 1}));
        assert_eq!(alice.show("jobs", &id)["job_schedule"], expected);
    }
}

fn extra_keys_of_a_form_are_dropped(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    let form = json!({"schedule_interval": "3 days", "interval_uint": "days", "interval_value": 3});
    alice.report(&id, form);
    assert_eq!(schedule_unit(&alice, &id), json!({"schedule_interval": "3 days"}));
    assert!(alice.show("jobs", &id)["job_schedule"].get("interval_value").is_none());
}

fn a_client_is_checked_when_it_changes(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    let path = format!("/jobs/{id}");
    let mut unable = client("unable");
    unable["supported_modes"] = json!(["mysql"]);
    alice.create("clients", unable);
    alice.register("b");

    alice.patch(&path, json!({"client_id": "unknown"})).expect(422);
    alice.patch(&path, json!({"client_id": "unable"})).expect(422);
    assert_eq!(alice.show("jobs", &id)["client_id"], "a");
    alice.patch(&path, json!({"client_id": "b"})).expect(200);
    assert_eq!(alice.show("jobs", &id)["client_id"], "b");
    assert!(alice.poll("a").is_empty());
    assert_eq!(alice.poll("b").len(), 1);
}

fn a_client_that_has_lost_a_capability_can_still_report(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    let mut unable = client("a");
    unable["supported_modes"] = json!(["mysql"]);
    alice.create("clients", unable);
    // The document as it was read has no new action, so the capabilities are not checked.
    let mut document = alice.show("jobs", &id);
    document["job_schedule"]["status"] = json!("running");
    alice.patch(&format!("/jobs/{id}"), document).expect(200);
    assert_eq!(alice.show("jobs", &id)["job_schedule"]["status"], "running");
    alice.post(&format!("/jobs/{id}/event"), json!({"stop": null})).expect(202);
    // New actions are checked.
    alice.patch(&format!("/jobs/{id}"), json!({"job_actions": [action()]})).expect(422);
}

fn a_schedulers_reports_are_accepted(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    let path = format!("/jobs/{id}");
    alice.post(&format!("{path}/event"), json!({"start": null})).expect(202);

    // A scheduler of release 19 sends the schedule and the session, an older one the whole document.
    let polled = alice.poll("a")[0].clone();
    let mut short = json!({
        "job_schedule": polled["job_schedule"], "session_id": polled["session_id"], "session_tag": polled["session_tag"],
    });
    short["job_schedule"]["event"] = json!("");
    short["job_schedule"]["status"] = json!("scheduled");
    alice.patch(&path, short.clone()).expect(200);
    short["job_schedule"]["status"] = json!("running");
    short["job_schedule"]["time_started"] = json!(100);
    short["session_id"] = json!(null);
    alice.patch(&path, short).expect(200);

    let mut whole = alice.poll("a")[0].clone();
    whole["job_schedule"]["status"] = json!("completed");
    whole["job_schedule"]["result"] = json!("success");
    whole["job_schedule"]["time_ended"] = json!(160);
    whole["user_credentials"] = json!({"trust_id": "t", "trustor_user_id": "u"});
    whole["job_actions"][0]["exit_status"] = json!("success");
    alice.patch(&path, whole).expect(200);

    let document = alice.show("jobs", &id);
    let run = &document["job_schedule"];
    assert_eq!((&run["status"], &run["result"]), (&json!("completed"), &json!("success")));
    assert_eq!((&run["time_started"], &run["time_ended"]), (&json!(100), &json!(160)));
    assert_eq!(run["event"], "");
    assert_eq!(alice.list("actions").len(), 1);
    assert!(alice.poll("a").is_empty(), "a completed job is no longer polled");
}

fn a_report_that_names_a_deleted_session_is_accepted(api: &Api) {
    let alice = api.project();
    let (session, id) = (alice.create("sessions", session()), alice.job_on("a"));
    alice.put(&format!("/sessions/{session}/jobs/{id}")).expect(204);
    let polled = alice.poll("a")[0].clone();
    alice.delete(&format!("/sessions/{session}")).expect(204);

    // First the whole document of releases before 19, then the form of release 19.
    let mut whole = polled.clone();
    whole["job_schedule"]["status"] = json!("running");
    whole["job_schedule"]["time_started"] = json!(100);
    alice.patch(&format!("/jobs/{id}"), whole).expect(200);
    let mut short = json!({"job_schedule": polled["job_schedule"], "session_id": session, "session_tag": 1});
    short["job_schedule"]["status"] = json!("completed");
    short["job_schedule"]["result"] = json!("success");
    short["job_schedule"]["time_ended"] = json!(160);
    alice.patch(&format!("/jobs/{id}"), short).expect(200);

    let document = alice.show("jobs", &id);
    let run = &document["job_schedule"];
    assert_eq!((&run["status"], &run["result"]), (&json!("completed"), &json!("success")));
    assert_eq!((&document["session_id"], &document["session_tag"]), (&json!(""), &json!(0)));
    // Both sent the session's schedule. The stop for leaving the session is not delivered yet.
    assert_eq!((&run["schedule_interval"], &run["event"]), (&json!("1 days"), &json!("stop")));
}

fn a_capability_that_is_not_text_is_unsupported(api: &Api) {
    let alice = api.project();
    alice.register("a");
    for key in ["storage", "engine", "engine_name"] {
        let with = |value| {
            let mut body = job("a");
            body["job_actions"][0]["freezer_action"][key] = value;
            body
        };
        for value in [json!(1), json!(["local"]), json!({"local": true}), json!(true)] {
            alice.post("/jobs", with(value)).expect(422);
        }
        for value in [json!(null), json!(""), json!(false)] {
            alice.post("/jobs", with(value)).expect(201);
        }
    }
}
