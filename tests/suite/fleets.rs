//! A fleet: one job on several clients, each with a document of its own (data model, "How a job document maps onto
//! the rows").

use serde_json::{Value, json};

use crate::api::{Api, Caller};
use crate::documents::{action, client, session};
use crate::races::at_once;

on_every_backend! {
    every_client_of_a_fleet_polls_its_own_document,
    all_documents_share_the_definition,
    the_run_belongs_to_one_document,
    an_event_is_for_one_document,
    sessions_hold_single_documents_of_a_fleet,
    a_job_has_one_document_per_client,
    the_last_delete_removes_the_definition,
    the_id_of_the_first_document_can_be_used_again,
    a_replacement_of_one_document_changes_the_definition_of_all,
    three_schedulers_report_independently,
}

fn every_client_of_a_fleet_polls_its_own_document(api: &Api) {
    let (alice, [one, two]) = fleet(api);
    for (client, id) in [("a", &one), ("b", &two)] {
        let polled = alice.poll(client);
        assert_eq!(polled.len(), 1);
        assert_eq!((&polled[0]["job_id"], &polled[0]["client_id"]), (&json!(id), &json!(client)));
        assert_eq!(alice.show("jobs", id), polled[0]);
    }
    assert_eq!(alice.list("jobs").len(), 2);
    let (mut hers, mut his) = (alice.show("jobs", &one), alice.show("jobs", &two));
    for document in [&mut hers, &mut his] {
        for own in ["job_id", "client_id"] {
            document[own] = Value::Null;
        }
        document["job_schedule"]["time_created"] = Value::Null;
    }
    assert_eq!(hers, his);
}

fn all_documents_share_the_definition(api: &Api) {
    let (alice, [one, two]) = fleet(api);
    let before = alice.show("jobs", &two)["_version"].as_i64();
    let patch = json!({
        "description": "for all", "job_schedule": {"schedule_interval": "5 minutes"}, "job_actions": [action(), action()],
    });
    alice.patch(&format!("/jobs/{one}"), patch).expect(200);
    let (hers, his) = (alice.show("jobs", &one), alice.show("jobs", &two));
    assert_eq!(his["description"], "for all");
    assert_eq!(his["job_schedule"]["schedule_interval"], "5 minutes");
    assert!(his["job_schedule"].get("schedule_start_date").is_none());
    assert_eq!(his["job_actions"], hers["job_actions"]);
    assert!(his["_version"].as_i64() > before, "a change of the definition is a change of each document");
}

fn the_run_belongs_to_one_document(api: &Api) {
    let (alice, [one, two]) = fleet(api);
    let his = alice.show("jobs", &two);
    alice.report(&one, json!({"status": "running", "time_started": 5, "current_pid": 7}));
    assert_eq!(alice.show("jobs", &two), his);
    alice.report(&one, json!({"status": "completed", "result": "success", "time_ended": 9}));
    assert_eq!(alice.show("jobs", &two), his);
    assert!(alice.poll("a").is_empty());
    assert_eq!(alice.poll("b"), [his]);
    assert_eq!(alice.find_documents("jobs", json!({"match": [{"result": "success"}]})).len(), 1);

    // The history names the client of the run.
    let reports = alice.reports();
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].job_attachment_id.as_ref(), Some(&one));
    alice.report(&two, json!({"status": "completed", "result": "fail", "time_started": 5, "time_ended": 9}));
    assert_eq!(alice.reports().len(), 2);
}

fn an_event_is_for_one_document(api: &Api) {
    let (alice, [one, two]) = fleet(api);
    alice.post(&format!("/jobs/{one}/event"), json!({"start": null})).expect(202);
    assert_eq!(alice.show("jobs", &one)["job_schedule"]["event"], "start");
    assert_eq!(alice.show("jobs", &two)["job_schedule"]["event"], "");
    // The other client's poll does not deliver the event.
    alice.poll("b");
    alice.report(&one, json!({"event": ""}));
    assert_eq!(alice.show("jobs", &one)["job_schedule"]["event"], "start");
}

fn sessions_hold_single_documents_of_a_fleet(api: &Api) {
    let (alice, [one, two]) = fleet(api);
    let id = alice.create("sessions", session());
    alice.put(&format!("/sessions/{id}/jobs/{two}")).expect(204);
    assert_eq!(alice.show("jobs", &one)["session_id"], "");
    assert_eq!(alice.show("jobs", &one)["job_schedule"]["schedule_interval"], "1 days");
    assert_eq!(alice.show("jobs", &two)["job_schedule"]["schedule_interval"], "7 days");
    alice.put(&format!("/sessions/{id}/jobs/{one}")).expect(204);
    let jobs = alice.show("sessions", &id)["jobs"].clone();
    assert_eq!((&jobs[&one]["client_id"], &jobs[&two]["client_id"]), (&json!("a"), &json!("b")));
    // In one session, both run as separate members.
    for id_of_job in [&one, &two] {
        let start = json!({"start": {"job_id": id_of_job, "current_tag": 0}});
        assert_eq!(alice.post(&format!("/sessions/{id}/action"), start).expect(202)["session_tag"], 1);
    }
}

fn a_job_has_one_document_per_client(api: &Api) {
    let (alice, [one, two]) = fleet(api);
    let before = alice.show("jobs", &two);
    alice.patch(&format!("/jobs/{two}"), json!({"client_id": "a"})).expect(409);
    assert_eq!(alice.show("jobs", &two), before);
    alice.create("clients", client("c"));
    alice.patch(&format!("/jobs/{two}"), json!({"client_id": "c"})).expect(200);
    assert_eq!(alice.show("jobs", &one)["client_id"], "a");
    alice.patch(&format!("/jobs/{one}"), json!({"client_id": "b"})).expect(200);
}

fn the_last_delete_removes_the_definition(api: &Api) {
    let (alice, [one, two]) = fleet(api);
    let before = alice.rows();
    assert_eq!((before.jobs, before.job_attachments, before.action_attachments), (1, 2, 1));
    alice.store_trust(&one, "t");
    assert_eq!(
        alice.show("jobs", &two)["user_credentials"],
        json!({"trust_id": "t", "trustor_user_id": "trustor"})
    );

    // The first document shares the id of the job, and can be deleted like any other.
    alice.delete(&format!("/jobs/{one}")).expect(204);
    alice.get(&format!("/jobs/{one}")).expect(404);
    assert_eq!(alice.show("jobs", &two)["description"], "nightly");
    let between = alice.rows();
    assert_eq!(
        (between.jobs, between.job_attachments, between.action_attachments, between.trusts),
        (1, 1, 1, 1)
    );

    alice.delete("/clients/b?cascade=true").expect(204);
    let after = alice.rows();
    assert_eq!((after.jobs, after.job_attachments, after.action_attachments, after.trusts), (0, 0, 0, 0));
    assert_eq!(alice.list("actions").len(), 1);
}

fn the_id_of_the_first_document_can_be_used_again(api: &Api) {
    let (alice, [one, two]) = fleet(api);
    alice.delete(&format!("/jobs/{one}")).expect(204);
    let mut body = crate::documents::job("a");
    body["job_id"] = json!(one);
    body["description"] = json!("another");
    assert_eq!(alice.create("jobs", body), one);
    assert_eq!(alice.show("jobs", &one)["description"], "another");
    assert_eq!(alice.show("jobs", &two)["description"], "nightly");
    alice.delete(&format!("/jobs/{two}")).expect(204);
    assert_eq!(alice.show("jobs", &one)["job_actions"].as_array().unwrap().len(), 1);
}

fn a_replacement_of_one_document_changes_the_definition_of_all(api: &Api) {
    let (alice, [one, two]) = fleet(api);
    alice.report(&two, json!({"status": "running"}));
    let body = json!({"client_id": "a", "job_actions": [], "description": "less"});
    alice.post(&format!("/jobs/{one}"), body).expect(201);
    let his = alice.show("jobs", &two);
    assert_eq!((&his["description"], &his["job_actions"]), (&json!("less"), &json!([])));
    assert_eq!((&his["client_id"], &his["job_schedule"]["status"]), (&json!("b"), &json!("running")));
}

/// Three independent schedulers poll and report.
fn three_schedulers_report_independently(api: &Api) {
    const CLIENTS: [(&str, &str); 3] = [("a", "success"), ("b", "fail"), ("c", "success")];
    let alice = api.project();
    let job = alice.job_on("a");
    for (client, _) in &CLIENTS[1..] {
        alice.register(client);
        let body = json!({"job_id": job, "client_id": client, "event": "start"});
        alice.post("/job-attachments", body).expect(201);
    }
    alice.patch(&format!("/job-attachments/{job}"), json!({"event": "start"})).expect(200);
    at_once(3, |n| {
        let (client, result) = CLIENTS[n];
        // The poll has the client's own document only. The scheduler sends it back with some changes.
        let polled = alice.poll(client);
        assert_eq!((polled.len(), &polled[0]["client_id"]), (1, &json!(client)));
        assert_eq!(polled[0]["job_actions"].as_array().unwrap().len(), 1);
        let (id, mut schedule) = (polled[0]["job_id"].as_str().unwrap(), polled[0]["job_schedule"].clone());
        assert_eq!(schedule["event"], "start");
        let mut send = |changes: &[(&str, Value)]| {
            for (key, value) in changes {
                schedule[*key] = value.clone();
            }
            let body = json!({"job_schedule": schedule, "session_id": "", "session_tag": 0});
            alice.patch(&format!("/jobs/{id}"), body).expect(200);
        };
        send(&[("status", json!("scheduled")), ("event", json!(""))]);
        let start = 1000 + n;
        send(&[("status", json!("running")), ("time_started", json!(start)), ("time_ended", json!(-1))]);
        send(&[("current_pid", json!(n))]);
        send(&[
            ("status", json!("completed")),
            ("result", json!(result)),
            ("time_ended", json!(start + 10 + n)),
        ]);
        assert!(alice.poll(client).is_empty());
    });
    for (n, (client, result)) in CLIENTS.into_iter().enumerate() {
        let found = alice.get(&format!("/job-attachments?job_id={job}&client_id={client}")).expect(200);
        let attachment = &found["job_attachments"][0];
        assert_eq!((&attachment["status"], &attachment["result"]), (&json!("completed"), &json!(result)));
        assert_eq!((&attachment["event"], &attachment["current_pid"]), (&json!(""), &json!(n)));
        let reports = alice.get(&format!("/action-reports?job_id={job}&client_id={client}")).expect(200);
        let reports = reports["action_reports"].as_array().unwrap().clone();
        assert_eq!(reports.len(), 1, "{reports:?}");
        assert_eq!((&reports[0]["result"], &reports[0]["time_elapsed"]), (&json!(result), &json!(10 + n)));
        assert_eq!(reports[0]["job_attachment_id"], attachment["id"]);
    }
    // There is still one definition.
    assert_eq!((alice.rows().jobs, alice.rows().action_attachments), (1, 1));
}

/// Creates one job on the clients a and b.
fn fleet(api: &Api) -> (Caller<'_>, [String; 2]) {
    let alice = api.project();
    let first = alice.job_on("a");
    alice.register("b");
    let second = alice.attach(&first, "b");
    (alice, [first, second])
}
