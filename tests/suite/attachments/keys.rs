//! Each foreign key of the two tables over HTTP: a child of an unknown parent, a child of another project's parent,
//! and a parent with children. `tests/migrations/rows.rs` checks the database itself.

use serde_json::{Value, json};

use super::Plan;
use crate::api::Api;
use crate::documents::{action, session};

on_every_backend! {
    an_action_attachment_refers_to_its_action,
    an_action_attachment_refers_to_its_job,
    a_job_attachment_refers_to_its_client,
    a_job_attachment_refers_to_its_job,
    a_job_attachment_refers_to_its_session,
}

/// `fk_action_attachments_action`
fn an_action_attachment_refers_to_its_action(api: &Api) {
    let (Plan { alice, job, .. }, bob) = (Plan::new(api.project()), Plan::new(api.project()));
    for action in ["nothing", &bob.action] {
        alice.post("/action-attachments", json!({"job_id": job, "action_id": action})).expect(422);
    }
    // Deleting the parent deletes its children.
    let action = alice.create("actions", action());
    let place = alice.create_document("action-attachments", json!({"job_id": job, "action_id": action}));
    alice.delete(&format!("/actions/{action}")).expect(204);
    alice.get(&format!("/action-attachments/{}", place["id"].as_str().unwrap())).expect(404);
    assert_eq!(alice.rows().action_attachments, 1);
}

/// `fk_action_attachments_job`
fn an_action_attachment_refers_to_its_job(api: &Api) {
    let (Plan { alice, job, action }, bob) = (Plan::new(api.project()), Plan::new(api.project()));
    for job in ["nothing", &bob.job] {
        alice.post("/action-attachments", json!({"job_id": job, "action_id": action})).expect(422);
    }
    let place = alice.places(&job)[0].clone();
    alice.delete(&format!("/job-attachments/{job}")).expect(204);
    alice.get(&format!("/action-attachments/{place}")).expect(404);
    assert_eq!((alice.rows().jobs, alice.rows().action_attachments), (0, 0));
}

/// `fk_job_attachments_client`
fn a_job_attachment_refers_to_its_client(api: &Api) {
    let (Plan { alice, job, .. }, bob) = (Plan::new(api.project()), Plan::new(api.project()));
    let anothers = bob.alice.show("clients", "a")["client"]["uuid"].clone();
    for client in [json!("nothing"), anothers] {
        alice.post("/job-attachments", json!({"job_id": job, "client_id": client})).expect(422);
    }
    let refusal = alice.delete("/clients/a").expect(409);
    assert!(refusal["description"].as_str().unwrap().contains(&job), "{refusal}");
    alice.delete("/clients/a?cascade=true").expect(204);
    alice.get(&format!("/job-attachments/{job}")).expect(404);
}

/// `fk_job_attachments_job`
fn a_job_attachment_refers_to_its_job(api: &Api) {
    let (Plan { alice, job, .. }, bob) = (Plan::new(api.project()), Plan::new(api.project()));
    alice.register("b");
    for job in ["nothing", &bob.job] {
        alice.post("/job-attachments", json!({"job_id": job, "client_id": "b"})).expect(422);
    }
    // The definition stays as long as any of its children.
    let other = alice.put_on(&job, "b");
    alice.delete(&format!("/jobs/{job}")).expect(204);
    assert_eq!(alice.show("job-attachments", &other)["job_id"], json!(job));
    alice.delete(&format!("/job-attachments/{other}")).expect(204);
    alice.post("/job-attachments", json!({"job_id": job, "client_id": "b"})).expect(422);
}

/// `fk_job_attachments_session`
fn a_job_attachment_refers_to_its_session(api: &Api) {
    let (Plan { alice, job, .. }, bob) = (Plan::new(api.project()), Plan::new(api.project()));
    alice.register("b");
    let anothers = bob.alice.create("sessions", session());
    for session in ["nothing", &anothers] {
        let body = json!({"job_id": job, "client_id": "b", "session_id": session});
        alice.post("/job-attachments", body).expect(422);
        alice.patch(&format!("/job-attachments/{job}"), json!({"session_id": session})).expect(422);
    }
    let hers = alice.create("sessions", session());
    alice.patch_document("job-attachments", &job, json!({"session_id": hers}));
    alice.delete(&format!("/sessions/{hers}")).expect(204);
    assert_eq!(alice.show("job-attachments", &job)["session_id"], Value::Null);
}
