//! The members of the documents of version 1, and documents that are sent back.

use freezer_api::scope::Scope;
use serde_json::{Value, json};

use super::{Caller, fresh, offering};
use crate::api::Api;
use crate::documents::{action, backup};

on_every_backend! {
    a_patch_merges_objects_and_keeps_absent_keys,
    a_job_that_was_read_can_be_sent_back,
    attaching_to_a_session_shows_its_schedule_and_detaching_asks_the_job_to_stop,
    a_version_is_in_the_answer_for_one_resource_and_not_in_lists_or_clients,
    a_status_in_a_new_backup_stays_in_its_metadata,
}

fn a_patch_merges_objects_and_keeps_absent_keys(api: &Api) {
    let node = offering(api, Scope::Own);
    let (user, project) = (fresh("u"), fresh("p"));
    let alice = Caller::new(&node, &user, &project);
    alice.post("/clients", json!({"client_id": "c"})).expect(201);
    let schedule = json!({"schedule_interval": "1 days"});
    let job = json!({"client_id": "c", "job_schedule": schedule, "job_actions": [action()]});
    let path = format!("/jobs/{}", alice.create("jobs", job));
    alice.patch(&path, json!({"job_schedule": {"status": "running"}})).expect(200);
    let shown = alice.get(&path).expect(200);
    assert_eq!(shown["job_schedule"]["schedule_interval"], "1 days");
    assert_eq!(shown["job_schedule"]["status"], "running");
    alice.patch(&path, json!({"description": "d"})).expect(200);
    assert_eq!(alice.get(&path).expect(200)["job_schedule"], shown["job_schedule"]);
}

fn a_job_that_was_read_can_be_sent_back(api: &Api) {
    let node = offering(api, Scope::Own);
    let (user, project) = (fresh("u"), fresh("p"));
    let alice = Caller::new(&node, &user, &project);
    let path = format!("/jobs/{}", alice.job_on("c"));
    let document = alice.get(&path).expect(200);
    let unversioned = |mut document: Value| {
        document["_version"].take();
        document
    };
    alice.patch(&path, document.clone()).expect(200);
    let mut renamed = document.clone();
    renamed["session_name"] = "old".into();
    alice.patch(&path, renamed).expect(200);
    assert_eq!(unversioned(alice.get(&path).expect(200)), unversioned(document.clone()));
    alice.post(&path, document).expect(201);
}

fn attaching_to_a_session_shows_its_schedule_and_detaching_asks_the_job_to_stop(api: &Api) {
    let node = offering(api, Scope::Own);
    let (user, project) = (fresh("u"), fresh("p"));
    let alice = Caller::new(&node, &user, &project);
    let job = alice.job_on("c");
    let session = alice.create("sessions", json!({"schedule": {"schedule_interval": "7 days"}}));
    let member = format!("/sessions/{session}/jobs/{job}");
    alice.send("PUT", &member, None).expect(204);
    let shown = alice.get(&format!("/jobs/{job}")).expect(200);
    assert_eq!(shown["job_schedule"]["schedule_interval"], "7 days");
    assert_eq!((&shown["session_id"], &shown["session_tag"]), (&json!(session), &json!(0)));
    assert_eq!(alice.get(&format!("/sessions/{session}")).expect(200)["jobs"][&job]["client_id"], "c");
    alice.delete(&member).expect(204);
    let shown = alice.get(&format!("/jobs/{job}")).expect(200);
    assert_eq!((&shown["session_id"], &shown["job_schedule"]["event"]), (&json!(""), &json!("stop")));
    assert_eq!(shown["job_schedule"].get("schedule_interval"), None);
}

fn a_version_is_in_the_answer_for_one_resource_and_not_in_lists_or_clients(api: &Api) {
    let alice = Caller::alone(api);
    let job = alice.job_on("c");
    let session = alice.create("sessions", json!({"schedule": {}}));
    let of_job = alice.get(&format!("/jobs/{job}")).expect(200)["job_actions"][0]["action_id"].clone();
    for (noun, id) in [("jobs", &*job), ("sessions", &*session), ("actions", of_job.as_str().unwrap())] {
        let shown = alice.get(&format!("/{noun}/{id}")).expect(200);
        assert!(shown["_version"].is_i64(), "{noun}");
        let listed = alice.get(&format!("/{noun}")).expect(200)[noun][0].clone();
        assert_eq!(listed.get("_version"), None, "{noun}");
        assert!(listed.get("user_id").is_some(), "{noun}");
    }
    let shown = alice.get("/clients/c").expect(200);
    let listed = alice.get("/clients").expect(200)["clients"][0].clone();
    assert_eq!((shown.get("_version"), listed.get("_version")), (None, None));
}

fn a_status_in_a_new_backup_stays_in_its_metadata(api: &Api) {
    let alice = Caller::alone(api);
    let mut document = backup("b");
    document["status"] = "odd".into();
    let id = alice.create("backups", document);
    let shown = alice.get(&format!("/backups/{id}")).expect(200);
    assert_eq!((&shown["status"], &shown["backup_metadata"]["status"]), (&json!("available"), &json!("odd")));
}
