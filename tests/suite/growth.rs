//! Documents that many small requests, or one clever one, would make large.

use serde_json::json;

use crate::api::Api;
use crate::documents::{action, session};

/// Sends ever more keys until they are refused, and returns how many were taken.
fn taken(mut send: impl FnMut(&str, &str) -> u16) -> usize {
    let much = "x".repeat(100_000);
    (0..8).take_while(|number| send(&format!("key{number}"), &much) == 200).count()
}

fn patches_do_not_add_up_without_end(api: &Api) {
    let project = api.project();
    let id = project.create("actions", action());
    let patches = taken(|key, much| {
        project.patch(&format!("/actions/{id}"), json!({"freezer_action": {key: much}})).status
    });
    assert_eq!(patches, 5);
    // It stays as it was, and can be made smaller again.
    assert!(project.show("actions", &id)["freezer_action"]["key5"].is_null());
    project.patch(&format!("/actions/{id}"), json!({"freezer_action": {"key0": 1}})).expect(200);

    let id = project.create("sessions", session());
    assert_eq!(taken(|key, much| project.patch(&format!("/sessions/{id}"), json!({key: much})).status), 5);
    project.patch(&format!("/sessions/{id}"), json!({"description": "still useful"})).expect(200);
}

fn defaults_are_not_copied_without_end(api: &Api) {
    let project = api.project();
    project.register("web1");
    let job = |actions: usize| {
        let entry = json!({"freezer_action": {"action": "backup"}});
        json!({
            "client_id": "web1",
            "action_defaults": {"note": "x".repeat(20_000)},
            "job_actions": vec![entry; actions],
        })
    };
    project.post("/jobs", job(1000)).expect(400);
    assert!(project.list("jobs").is_empty() && project.list("actions").is_empty());
    project.post("/jobs", job(20)).expect(201);
}

on_every_backend!(patches_do_not_add_up_without_end, defaults_are_not_copied_without_end);
