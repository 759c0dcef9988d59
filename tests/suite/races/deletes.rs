//! Deletes beside requests that refer to the deleted row.

use serde_json::json;

use super::{among, at_once};
use crate::api::Api;
use crate::documents::{action, job, session};
use crate::http::Answer;

on_every_backend! {
    a_job_joins_a_session_that_is_being_deleted,
    a_job_is_created_on_a_client_that_is_being_deleted,
    a_job_is_created_with_an_action_that_is_being_deleted,
    all_documents_of_a_fleet_are_deleted_at_once,
}

fn a_job_joins_a_session_that_is_being_deleted(api: &Api) {
    let alice = api.project();
    let jobs: Vec<String> = (0..4).map(|n| alice.job_on(&format!("host-{n}"))).collect();
    for _ in 0..8 {
        let id = alice.create("sessions", session());
        at_once(5, |n| match jobs.get(n) {
            Some(job) => among(&alice.put(&format!("/sessions/{id}/jobs/{job}")), &[204, 404]),
            None => among(&alice.delete(&format!("/sessions/{id}")), &[204]),
        });
        alice.get(&format!("/sessions/{id}")).expect(404);
        for job in &jobs {
            let document = alice.show("jobs", job);
            assert_eq!((&document["session_id"], &document["session_tag"]), (&json!(""), &json!(0)));
        }
    }
}

fn a_job_is_created_on_a_client_that_is_being_deleted(api: &Api) {
    let alice = api.project();
    for round in 0..8 {
        let name = alice.register(&format!("host-{round}"));
        let answers = at_once(4, |n| match n {
            0 => alice.delete(&format!("/clients/{name}")),
            _ => alice.post("/jobs", job(&name)),
        });
        among(&answers[0], &[204, 409]);
        let created: Vec<&Answer> = answers[1..].iter().filter(|answer| answer.status == 201).collect();
        answers[1..].iter().for_each(|answer| among(answer, &[201, 422]));
        let is_there = alice.get(&format!("/clients/{name}")).status == 200;
        assert_eq!(is_there, answers[0].status == 409);
        assert_eq!(is_there, !created.is_empty(), "a client with jobs stays, and one without is deleted");
        for answer in created {
            assert_eq!(
                alice.show("jobs", answer.json()["job_id"].as_str().unwrap())["client_id"],
                json!(name)
            );
        }
    }
}

fn a_job_is_created_with_an_action_that_is_being_deleted(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let standing = alice.create("jobs", job("a"));
    for _ in 0..8 {
        let id = alice.create("actions", action());
        let entries = json!([{"action_id": id}]);
        at_once(4, |n| match n {
            0 => among(&alice.delete(&format!("/actions/{id}")), &[204]),
            1 => among(
                &alice.patch(&format!("/jobs/{standing}"), json!({"job_actions": entries})),
                &[200, 422],
            ),
            _ => among(&alice.post("/jobs", json!({"client_id": "a", "job_actions": entries})), &[201, 422]),
        });
        alice.get(&format!("/actions/{id}")).expect(404);
        assert!(!alice.list("jobs").iter().any(|job| job.to_string().contains(&id)));
    }
    assert!(alice.count("action-attachments") <= 1);
}

fn all_documents_of_a_fleet_are_deleted_at_once(api: &Api) {
    let alice = api.project();
    for _ in 0..4 {
        let first = alice.job_on("host-0");
        let mut ids = vec![first.clone()];
        for n in 1..4 {
            let name = alice.register(&format!("host-{n}"));
            ids.push(alice.attach(&first, &name));
        }
        at_once(8, |n| alice.delete(&format!("/jobs/{}", ids[n % 4])).expect(204));
        assert_eq!((alice.count("job-attachments"), alice.count("action-attachments")), (0, 0));
        // The last delete removed the definition, and freed its id.
        let again = json!({"client_id": "host-0", "job_id": first, "job_actions": []});
        alice.post("/jobs", again).expect(201);
        alice.delete(&format!("/jobs/{first}")).expect(204);
    }
}
