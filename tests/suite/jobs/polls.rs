//! A scheduler's poll shows the same documents as a GET of each job.

use diesel::prelude::*;
use freezer_api::store::schema::clients;
use serde_json::{Value, json};

use crate::api::{Api, Caller};
use crate::documents::{action, session};

on_every_backend! {
    a_poll_shows_the_document_of_each_job,
    a_poll_shows_the_first_open_jobs,
    a_poll_for_a_client_with_many_jobs_shows_the_first,
    a_poll_shows_jobs_of_its_project_only,
    a_formerly_central_client_polls_its_own_jobs_only,
}

/// Polls up to `limit` jobs of a client that are not completed.
fn poll(caller: &Caller<'_>, client: &str, limit: usize) -> Vec<Value> {
    let search = json!({"match": [{"client_id": client}], "match_not": [{"status": "completed"}]});
    let answer = caller.search(&format!("/jobs?limit={limit}"), search);
    answer.expect(200)["jobs"].as_array().unwrap().clone()
}

fn a_poll_shows_the_document_of_each_job(api: &Api) {
    let alice = api.project();
    let plain = alice.job_on("a");
    let many = alice.create("jobs", json!({"client_id": "a", "job_actions": vec![action(); 3]}));
    let seen = |ids: &[&String]| {
        let alone: Vec<Value> = ids.iter().map(|id| alice.show("jobs", id)).collect();
        for limit in [ids.len(), 10, 100] {
            assert_eq!(poll(&alice, "a", limit), alone, "{limit}");
        }
    };
    seen(&[&plain, &many]);

    // A job without any action, because its action was deleted.
    let single = action_of(&alice, &alice.job_on("b"));
    let bare = alice.create("jobs", json!({"client_id": "a", "job_actions": [{"action_id": single}]}));
    alice.delete(&format!("/actions/{single}")).expect(204);
    assert_eq!(alice.show("jobs", &bare)["job_actions"], json!([]));
    seen(&[&plain, &many, &bare]);

    // A job with many more actions than there are jobs.
    let endless = alice.create("jobs", json!({"client_id": "a", "job_actions": vec![action(); 30]}));
    seen(&[&plain, &many, &bare, &endless]);
    alice.delete(&format!("/jobs/{endless}")).expect(204);

    // A job that runs by its session's schedule.
    let session = alice.create("sessions", session());
    alice.put(&format!("/sessions/{session}/jobs/{many}")).expect(204);
    seen(&[&plain, &many, &bare]);
    assert_eq!(poll(&alice, "a", 10)[1]["job_schedule"]["schedule_interval"], "7 days");
}

fn a_poll_shows_the_first_open_jobs(api: &Api) {
    let alice = api.project();
    let ids: Vec<String> = (0..5).map(|_| alice.job_on("a")).collect();
    let polled = |limit| {
        let jobs = poll(&alice, "a", limit);
        jobs.iter().map(|job| job["job_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(polled(3), ids[..3]);
    alice.report(&ids[1], json!({"status": "completed", "result": "success"}));
    alice.report(&ids[2], json!({"status": "running"}));
    assert_eq!(polled(3), [&*ids[0], &*ids[2], &*ids[3]]);
    assert_eq!(polled(10), [&*ids[0], &*ids[2], &*ids[3], &*ids[4]]);
    for id in &ids {
        alice.report(id, json!({"status": "completed", "result": "success"}));
    }
    assert!(polled(10).is_empty());
    // A search without a status finds all of them.
    let all = alice.find_documents("jobs", json!({"match": [{"client_id": "a"}]}));
    assert_eq!(all.len(), 5);
}

fn a_poll_for_a_client_with_many_jobs_shows_the_first(api: &Api) {
    let alice = api.project();
    let ids: Vec<String> = (0..45).map(|_| alice.job_on("a")).collect();
    let all: Vec<Value> = ids.iter().map(|id| alice.show("jobs", id)).collect();
    for limit in [1, 10, 44, 45, 100] {
        assert_eq!(poll(&alice, "a", limit), all[..limit.min(45)], "{limit}");
    }
    alice.report(&ids[0], json!({"status": "completed", "result": "success"}));
    assert_eq!(poll(&alice, "a", 10), all[1..11]);
}

fn a_poll_shows_jobs_of_its_project_only(api: &Api) {
    let (alice, bob) = (api.project(), api.project());
    let (hers, his) = (alice.job_on("a"), bob.job_on("a"));
    assert_eq!(poll(&alice, "a", 10), [alice.show("jobs", &hers)]);
    assert_eq!(poll(&bob, "a", 10), [bob.show("jobs", &his)]);
    assert!(poll(&alice, "b", 10).is_empty());
    assert_eq!(alice.reaching_for(&bob).get("/jobs").status, 403);
}

fn a_formerly_central_client_polls_its_own_jobs_only(api: &Api) {
    let (alice, bob) = (api.project(), api.project());
    let name = format!("central-{}", alice.project);
    let hers = alice.job_on(&name);
    let is_central = |is_central: bool| {
        diesel::update(clients::table.filter(clients::client_id.eq(&name)))
            .set(clients::is_central.eq(is_central))
            .execute(&mut api.database())
            .unwrap()
    };
    assert_eq!(is_central(true), 1);
    let his = bob.create("jobs", json!({"client_id": name, "job_actions": [action()]}));
    assert_eq!(poll(&alice, &name, 10), [alice.show("jobs", &hers)]);
    assert_eq!(poll(&bob, &name, 10), [bob.show("jobs", &his)]);
    assert_eq!(is_central(false), 1);
    assert_eq!(poll(&alice, &name, 10), [alice.show("jobs", &hers)]);
    assert!(poll(&bob, &name, 10).is_empty());
}

fn action_of(caller: &Caller<'_>, job: &str) -> String {
    caller.show("jobs", job)["job_actions"][0]["action_id"].as_str().unwrap().to_owned()
}
