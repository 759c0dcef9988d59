//! A job on a client.

use serde_json::{Value, json};

use super::{Plan, id};
use crate::api::Api;
use crate::documents::{client, session};

on_every_backend! {
    a_job_is_put_on_a_further_client,
    a_new_attachment_has_not_run_yet,
    the_client_is_given_by_its_name_or_its_uuid,
    the_job_document_shows_the_run_of_the_attachment,
    asking_for_a_start_makes_the_job_ready,
    an_event_is_pending_until_it_is_read,
    an_attachment_joins_and_leaves_sessions,
    an_attachment_moves_to_another_client,
    an_attachment_can_be_sent_back_as_it_was_read,
    deleting_the_last_attachment_deletes_the_job,
    a_finished_run_is_recorded_once,
    the_process_id_is_shown_to_owners_of_the_client_only,
}

fn a_job_is_put_on_a_further_client(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    alice.register("b");
    let made = alice.create_document("job-attachments", json!({"job_id": job, "client_id": "b"}));
    let uuid = alice.show("clients", "b")["client"]["uuid"].clone();
    let at = made["created_at"].clone();
    assert_eq!(
        made,
        json!({
            "id": made["id"], "project_id": alice.project, "user_id": alice.user, "client_id": "b",
            "client_uuid": uuid, "job_id": job, "session_id": null, "event": "", "status": "", "current_pid": null,
            "result": "", "time_started": -1, "time_ended": -1, "session_tag": 0, "session_status": "",
            "session_result": "", "session_time_started": -1, "session_time_ended": -1, "event_delivered": false,
            "created_at": at, "updated_at": at, "version": 1,
        })
    );
    let at = at.as_str().unwrap();
    assert!(at.len() == 27 && at.ends_with('Z') && at.as_bytes()[10] == b'T', "{at}");

    // The scheduler of b finds the job document. The first attachment stays.
    assert_eq!(alice.show("jobs", &id(&made))["client_id"], "b");
    assert_eq!(alice.poll("b")[0]["job_id"], made["id"]);
    let first = alice.show("job-attachments", &job);
    assert_eq!((&first["job_id"], &first["client_id"]), (&json!(job), &json!("a")));
}

fn a_new_attachment_has_not_run_yet(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    let session = alice.create("sessions", session());
    let run = json!({"status": "completed", "result": "success", "time_started": 5, "time_ended": 9, "current_pid": 7});
    alice.report(&job, run);
    // The new attachment is made from the whole document of the first.
    let mut body = alice.show("job-attachments", &job);
    alice.register("b");
    for (key, value) in
        [("client_id", "b"), ("event", "start"), ("status", "scheduled"), ("session_id", &session)]
    {
        body[key] = json!(value);
    }
    let made = alice.create_document("job-attachments", body);
    assert_ne!(made["id"], json!(job));
    for (key, value) in [
        ("event", json!("start")),
        ("status", json!("scheduled")),
        ("session_id", json!(session)),
        ("session_status", json!("scheduled")),
        ("result", json!("")),
        ("time_started", json!(-1)),
        ("time_ended", json!(-1)),
        ("current_pid", Value::Null),
    ] {
        assert_eq!(made[key], value, "{key}");
    }
    assert_eq!(alice.show("sessions", &session)["jobs"][id(&made)]["client_id"], "b");
}

fn the_client_is_given_by_its_name_or_its_uuid(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    alice.register("b");
    let uuid = alice.show("clients", "b")["client"]["uuid"].clone();
    let made = alice.create_document("job-attachments", json!({"job_id": job, "client_id": uuid}));
    assert_eq!((&made["client_id"], &made["client_uuid"]), (&json!("b"), &uuid));
    // Naming the same client in the other way is no change.
    for same in [json!("b"), uuid] {
        assert_eq!(alice.patch_document("job-attachments", &id(&made), json!({"client_id": same})), made);
    }
}

fn the_job_document_shows_the_run_of_the_attachment(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    let run = json!({"status": "running", "time_started": 5, "current_pid": 7});
    let changed = alice.patch_document("job-attachments", &job, run);
    assert_eq!(changed["version"], 2);
    let schedule = alice.show("jobs", &job)["job_schedule"].clone();
    for key in ["status", "time_started", "current_pid", "event", "result", "time_ended"] {
        assert_eq!(schedule[key], changed[key], "{key}");
    }
    alice.report(&job, json!({"status": "scheduled", "time_started": -1}));
    let shown = alice.show("job-attachments", &job);
    assert_eq!(
        (&shown["status"], &shown["time_started"], &shown["version"]),
        (&json!("scheduled"), &json!(-1), &json!(3))
    );
    // A repeated value is no change, and neither is a null for a process id.
    assert_eq!(
        alice.patch_document("job-attachments", &job, json!({"status": "scheduled", "current_pid": null})),
        shown
    );
}

fn asking_for_a_start_makes_the_job_ready(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    alice.report(&job, json!({"status": "completed", "result": "fail"}));
    assert!(alice.poll("a").is_empty());
    let asked = alice.patch_document("job-attachments", &job, json!({"event": "start"}));
    assert_eq!(
        (&asked["event"], &asked["status"], &asked["result"]),
        (&json!("start"), &json!(""), &json!(""))
    );
    assert_eq!(alice.poll("a").len(), 1);
    // A start that is already pending keeps the status that the scheduler has set since.
    alice.report(&job, json!({"status": "scheduled"}));
    assert_eq!(
        alice.patch_document("job-attachments", &job, json!({"event": "start"}))["status"],
        "scheduled"
    );
    // A status in the same request wins.
    let both = json!({"event": "stop", "status": "stop"});
    assert_eq!(alice.patch_document("job-attachments", &job, both)["status"], "stop");
    let both = json!({"event": "start", "status": "scheduled"});
    assert_eq!(alice.patch_document("job-attachments", &job, both)["status"], "scheduled");
}

fn an_event_is_pending_until_it_is_read(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    let asked = alice.patch_document("job-attachments", &job, json!({"event": "stop"}));
    assert_eq!((&asked["event"], &asked["event_delivered"]), (&json!("stop"), &json!(false)));
    assert_eq!(alice.patch_document("job-attachments", &job, json!({"event": ""})), asked);
    // A GET of the attachment is not a poll.
    assert_eq!(alice.show("job-attachments", &job), asked);
    alice.poll("a");
    let read = alice.show("job-attachments", &job);
    assert_eq!((&read["event_delivered"], &read["version"]), (&json!(true), &asked["version"]));
    assert_eq!(alice.patch_document("job-attachments", &job, json!({"event": ""}))["event"], "");
}

fn an_attachment_joins_and_leaves_sessions(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    let (one, two) = (alice.create("sessions", session()), alice.create("sessions", session()));
    let is_in = |id: &str| alice.show("sessions", id)["jobs"].get(&job).is_some();
    let joined =
        alice.patch_document("job-attachments", &job, json!({"session_id": one, "status": "scheduled"}));
    assert_eq!((&joined["session_id"], &joined["session_status"]), (&json!(one), &json!("scheduled")));
    assert!(is_in(&one));
    assert_eq!(alice.patch_document("job-attachments", &job, json!({"session_id": one})), joined);
    alice.patch_document("job-attachments", &job, json!({"session_id": two}));
    assert!(is_in(&two) && !is_in(&one));
    for nothing in [Value::Null, json!("")] {
        let left =
            alice.patch_document("job-attachments", &job, json!({"session_id": nothing, "event": "start"}));
        assert_eq!((&left["session_id"], &left["session_status"]), (&Value::Null, &json!("")));
        // A job that leaves a session is told to stop.
        assert_eq!(left["event"], "stop");
        assert!(!is_in(&two));
        alice.patch_document("job-attachments", &job, json!({"session_id": two}));
    }
}

fn an_attachment_moves_to_another_client(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    alice.register("b");
    let other = alice.put_on(&job, "b");
    let refusal = alice.patch(&format!("/job-attachments/{job}"), json!({"client_id": "b"})).expect(409);
    assert!(refusal["description"].as_str().unwrap().contains(&other), "{refusal}");
    alice.register("c");
    assert_eq!(alice.patch_document("job-attachments", &job, json!({"client_id": "c"}))["client_id"], "c");
    assert_eq!(alice.poll("c")[0]["job_id"], json!(job));
    assert!(alice.poll("a").is_empty());
    alice.delete("/clients/a").expect(204);
    alice.delete("/clients/c").expect(409);

    let mut lesser = client("d");
    lesser["supported_modes"] = json!(["mongo"]);
    alice.create("clients", lesser);
    alice.patch(&format!("/job-attachments/{job}"), json!({"client_id": "d"})).expect(422);
    alice.patch(&format!("/job-attachments/{job}"), json!({"client_id": "unknown"})).expect(422);
    assert_eq!(alice.show("job-attachments", &job)["client_id"], "c");
}

fn an_attachment_can_be_sent_back_as_it_was_read(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    let session = alice.create("sessions", session());
    alice.report(&job, json!({"status": "running", "time_started": 5, "current_pid": 7}));
    alice.put(&format!("/sessions/{session}/jobs/{job}")).expect(204);
    let whole = alice.show("job-attachments", &job);
    assert_eq!(alice.patch_document("job-attachments", &job, whole.clone()), whole);
    // Read-only members are ignored.
    let mut planted = whole.clone();
    for (key, value) in [
        ("id", json!("planted")),
        ("project_id", json!("planted")),
        ("user_id", json!("planted")),
        ("client_uuid", json!("planted")),
        ("session_tag", json!(7)),
        ("session_status", json!("completed")),
        ("session_result", json!("success")),
        ("session_time_started", json!(7)),
        ("session_time_ended", json!(7)),
        ("event_delivered", json!(true)),
        ("created_at", json!("2001-01-01T00:00:00Z")),
        ("updated_at", Value::Null),
        ("version", json!(77)),
    ] {
        planted[key] = value;
    }
    assert_eq!(alice.patch_document("job-attachments", &job, planted), whole);
}

fn deleting_the_last_attachment_deletes_the_job(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    alice.register("b");
    let other = alice.put_on(&job, "b");
    let session = alice.create("sessions", session());
    alice.put(&format!("/sessions/{session}/jobs/{job}")).expect(204);
    alice.delete(&format!("/job-attachments/{job}")).expect(204);
    alice.get(&format!("/job-attachments/{job}")).expect(404);
    alice.get(&format!("/jobs/{job}")).expect(404);
    assert_eq!(alice.show("sessions", &session)["jobs"], json!({}));
    assert_eq!(alice.show("jobs", &other)["job_actions"].as_array().unwrap().len(), 1);
    // The definition remains, and can be put on the client again.
    let again = alice.put_on(&job, "a");
    alice.delete(&format!("/jobs/{again}")).expect(204);
    alice.get(&format!("/job-attachments/{again}")).expect(404);
    alice.delete(&format!("/job-attachments/{other}")).expect(204);
    let rows = alice.rows();
    assert_eq!((rows.jobs, rows.job_attachments, rows.action_attachments, rows.sessions), (0, 0, 0, 1));
    alice.delete(&format!("/job-attachments/{other}")).expect(404);
    alice.post("/job-attachments", json!({"job_id": job, "client_id": "a"})).expect(422);
}

fn a_finished_run_is_recorded_once(api: &Api) {
    let Plan { alice, job, action } = Plan::new(api.project());
    alice.patch_document("job-attachments", &job, json!({"status": "running", "time_started": 5}));
    let done = json!({"status": "completed", "result": "fail", "time_ended": 9});
    alice.patch_document("job-attachments", &job, done.clone());
    alice.patch_document("job-attachments", &job, done.clone());
    alice.report(&job, done);
    let reports = alice.reports();
    assert_eq!(reports.len(), 1);
    assert_eq!(
        (reports[0].action_id.as_ref(), reports[0].job_attachment_id.as_ref()),
        (Some(&action), Some(&job))
    );
    assert_eq!((reports[0].time_elapsed, reports[0].result.as_str()), (4, "fail"));
    // The report outlives the attachment.
    alice.delete(&format!("/job-attachments/{job}")).expect(204);
    assert_eq!(alice.reports()[0].job_attachment_id, None);
}

fn the_process_id_is_shown_to_owners_of_the_client_only(api: &Api) {
    let operator = api.project().with_roles("admin");
    let name = format!("central-{}", operator.project);
    let mut central = client(&name);
    central["is_central"] = json!(true);
    operator.create("clients", central);
    let Plan { alice, job, .. } = Plan::new(api.project());
    let id = alice.put_on(&job, &name);
    alice.patch(&format!("/job-attachments/{id}"), json!({"current_pid": 7})).expect(200);
    assert_eq!(alice.show("job-attachments", &id)["current_pid"], Value::Null);
    // Sending the document back changes nothing.
    alice.patch_document("job-attachments", &id, alice.show("job-attachments", &id));
    let operator = operator.reaching_for(&alice);
    assert_eq!(operator.show("job-attachments", &id)["current_pid"], 7);
    alice.delete(&format!("/job-attachments/{id}")).expect(204);
}
