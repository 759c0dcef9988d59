//! Refused requests, which change nothing.

use serde_json::{Value, json};

use super::Plan;
use crate::api::{Api, Caller};
use crate::documents::{action, client, session};

on_every_backend! {
    an_invalid_body_is_refused,
    a_read_only_key_of_another_type_is_ignored,
    an_unknown_row_cannot_be_attached,
    a_job_that_a_client_does_not_support_is_refused,
    an_action_that_a_fleet_does_not_support_is_refused,
    a_job_can_be_attached_to_a_client_once,
    an_attachment_keeps_its_job_and_its_action,
    a_job_has_at_most_1000_places,
    rows_of_another_project_cannot_be_attached,
    attachments_of_another_project_are_not_found,
}

fn an_invalid_body_is_refused(api: &Api) {
    let Plan { alice, job, action } = Plan::new(api.project());
    alice.register("b");
    let place = alice.places(&job)[0].clone();
    let (job_path, place_path) = (format!("/job-attachments/{job}"), format!("/action-attachments/{place}"));
    let before = state(&alice);
    let with = |base: &Value, key: &str, value: Value| {
        let mut body = base.clone();
        body[key] = value;
        body
    };
    let (on_b, placed) =
        (json!({"job_id": job, "client_id": "b"}), json!({"action_id": action, "job_id": job}));
    for body in [
        json!({}),
        json!([]),
        Value::Null,
        json!({"job_id": job}),
        json!({"client_id": "b"}),
        with(&on_b, "colour", json!("red")),
        with(&on_b, "job_id", json!("")),
        with(&on_b, "job_id", json!("a b")),
        with(&on_b, "job_id", json!("x".repeat(65))),
        with(&on_b, "job_id", Value::Null),
        with(&on_b, "client_id", json!("")),
        with(&on_b, "client_id", json!("b\u{0}")),
        with(&on_b, "client_id", json!("b ")),
        with(&on_b, "client_id", json!(7)),
        with(&on_b, "session_id", json!("ä")),
        with(&on_b, "event", json!("fly")),
        with(&on_b, "event", Value::Null),
        with(&on_b, "status", json!("tired")),
    ] {
        alice.post("/job-attachments", body).expect(400);
    }
    for body in [
        json!({}),
        json!({"colour": "red"}),
        json!({"event": "fly"}),
        json!({"status": Value::Null}),
        json!({"result": "perhaps"}),
        json!({"current_pid": -2}),
        json!({"current_pid": 2_147_483_648_i64}),
        json!({"time_started": "now"}),
        json!({"time_ended": 253_402_300_800_i64}),
        json!({"time_ended": 1.5}),
        json!({"session_id": 1}),
        json!({"client_id": Value::Null}),
        json!({"job_id": Value::Null}),
    ] {
        alice.patch(&job_path, body).expect(400);
    }
    for body in [
        json!({}),
        json!([1]),
        json!({"job_id": job}),
        json!({"action_id": action}),
        with(&placed, "colour", json!("red")),
        with(&placed, "action_id", json!("")),
        with(&placed, "priority", json!(-1)),
        with(&placed, "priority", json!(2_147_483_648_i64)),
        with(&placed, "priority", json!("1")),
        with(&placed, "priority", Value::Null),
        with(&placed, "retries", json!(-1)),
        with(&placed, "retry_interval", json!(0.5)),
        with(&placed, "mandatory", json!("yes")),
    ] {
        alice.post("/action-attachments", body).expect(400);
    }
    for body in [
        json!({}),
        json!({"colour": "red"}),
        json!({"priority": -1}),
        json!({"retries": Value::Null}),
        json!({"retry_interval": "6"}),
        json!({"mandatory": 1}),
    ] {
        alice.patch(&place_path, body).expect(400);
    }
    for path in ["/job-attachments", "/action-attachments", &job_path, &place_path] {
        alice.send(if path.len() > 20 { "PATCH" } else { "POST" }, path, Some(b"{\"job_id\": ")).expect(400);
    }
    assert_eq!(state(&alice), before);
}

fn a_read_only_key_of_another_type_is_ignored(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    let place = alice.places(&job)[0].clone();
    for (noun, id) in [("job-attachments", &job), ("action-attachments", &place)] {
        let before = alice.show(noun, id);
        for key in ["id", "project_id", "user_id", "created_at", "updated_at", "version"] {
            for value in [json!("x"), json!(7), json!([7]), Value::Null] {
                alice.patch(&format!("/{noun}/{id}"), json!({key: value})).expect(200);
                assert_eq!(alice.show(noun, id), before);
            }
        }
    }
}

fn an_unknown_row_cannot_be_attached(api: &Api) {
    let Plan { alice, job, action } = Plan::new(api.project());
    alice.register("b");
    let before = state(&alice);
    for (key, what) in [("job_id", "Job"), ("client_id", "Client"), ("session_id", "Session")] {
        let mut body = json!({"job_id": job, "client_id": "b"});
        body[key] = json!("unknown");
        assert_missing(&alice, "/job-attachments", body, what);
    }
    for (key, what) in [("job_id", "Job"), ("action_id", "Action")] {
        let mut body = json!({"job_id": job, "action_id": action});
        body[key] = json!("unknown");
        assert_missing(&alice, "/action-attachments", body, what);
    }
    for (key, what) in [("client_id", "Client"), ("session_id", "Session")] {
        let answer = alice.patch(&format!("/job-attachments/{job}"), json!({key: "unknown"})).expect(422);
        assert_eq!(answer["description"], format!("{what} not found with ID unknown"));
    }
    for noun in ["job-attachments", "action-attachments"] {
        for id in ["unknown", "%20", "a%20b", &"x".repeat(65), "%C3%A4"] {
            let path = format!("/{noun}/{id}");
            alice.get(&path).expect(404);
            alice.patch(&path, json!({"job_id": job})).expect(404);
            alice.delete(&path).expect(404);
        }
    }
    assert_eq!(state(&alice), before);
}

fn a_job_that_a_client_does_not_support_is_refused(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    let before = state(&alice);
    for (list, words, lacks) in [
        ("supported_actions", json!(["restore"]), "action: backup"),
        ("supported_modes", json!(["mongo", "nova"]), "mode: fs"),
        ("supported_storages", json!([]), "storage: local"),
        ("supported_engines", json!(["rsync"]), "engine: tar"),
    ] {
        let name = format!("less-{}", list.trim_start_matches("supported_"));
        let mut lesser = client(&name);
        lesser[list] = words;
        alice.create("clients", lesser);
        let answer = alice.post("/job-attachments", json!({"job_id": job, "client_id": name})).expect(422);
        assert_eq!(answer["description"], format!("Client {name} does not support {lacks}"));
        alice.patch(&format!("/job-attachments/{job}"), json!({"client_id": name})).expect(422);
    }
    assert_eq!(alice.show("job-attachments", &job), before[0]);
    assert_eq!(alice.rows().job_attachments, 1);
}

fn an_action_that_a_fleet_does_not_support_is_refused(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    let mut lesser = client("b");
    lesser["supported_modes"] = json!(["fs"]);
    alice.create("clients", lesser);
    let other = alice.put_on(&job, "b");
    let mut nova = action();
    nova["freezer_action"]["mode"] = json!("nova");
    let body = json!({"action_id": alice.create("actions", nova), "job_id": job});
    let answer = alice.post("/action-attachments", body.clone()).expect(422);
    assert_eq!(answer["description"], "Client b does not support mode: nova");
    assert_eq!(alice.rows().action_attachments, 1);
    alice.delete(&format!("/job-attachments/{other}")).expect(204);
    alice.create_document("action-attachments", body);
    // With the action in the job, the client is refused.
    alice.post("/job-attachments", json!({"job_id": job, "client_id": "b"})).expect(422);
}

fn a_job_can_be_attached_to_a_client_once(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    let uuid = alice.show("clients", "a")["client"]["uuid"].clone();
    for name in [json!("a"), uuid] {
        let answer = alice.post("/job-attachments", json!({"job_id": job, "client_id": name})).expect(409);
        assert_eq!(answer["description"], format!("This job already is on client a, as {job}."));
    }
    assert_eq!(alice.rows().job_attachments, 1);
}

fn an_attachment_keeps_its_job_and_its_action(api: &Api) {
    let Plan { alice, job, action } = Plan::new(api.project());
    let other = alice.job_on("a");
    let place = alice.places(&job)[0].clone();
    let before = state(&alice);
    alice.patch(&format!("/job-attachments/{job}"), json!({"job_id": other, "status": "stop"})).expect(400);
    for body in
        [json!({"job_id": other, "retries": 1}), json!({"action_id": "unknown"}), json!({"action_id": ""})]
    {
        alice.patch(&format!("/action-attachments/{place}"), body).expect(400);
    }
    assert_eq!(state(&alice), before);
    alice.patch_document(
        "action-attachments",
        &place,
        json!({"job_id": job, "action_id": action, "retries": 1}),
    );
}

fn a_job_has_at_most_1000_places(api: &Api) {
    let Plan { alice, job, action } = Plan::new(api.project());
    let entries = vec![json!({"action_id": action}); 1000];
    alice.patch(&format!("/jobs/{job}"), json!({"job_actions": entries})).expect(200);
    let body = json!({"action_id": action, "job_id": job});
    alice.post("/action-attachments", body.clone()).expect(409);
    assert_eq!(alice.rows().action_attachments, 1000);
    alice.delete(&format!("/action-attachments/{}", alice.places(&job)[500])).expect(204);
    assert_eq!(alice.create_document("action-attachments", body)["priority"], 1000);
}

fn rows_of_another_project_cannot_be_attached(api: &Api) {
    let Plan { alice, job, action } = Plan::new(api.project());
    let bob = Plan::new(api.project());
    let (hers, his) = (alice.create("sessions", session()), bob.alice.create("sessions", session()));
    alice.register("b");
    let uuid = bob.alice.show("clients", "a")["client"]["uuid"].clone();
    let before = (state(&alice), state(&bob.alice));
    for (job_id, client_id, session_id) in [
        (&bob.job, json!("b"), Value::Null),
        (&job, uuid.clone(), Value::Null),
        (&job, json!("b"), json!(his)),
    ] {
        let body = json!({"job_id": job_id, "client_id": client_id, "session_id": session_id});
        alice.post("/job-attachments", body).expect(422);
    }
    for (job_id, action_id) in [(&bob.job, &action), (&job, &bob.action)] {
        alice.post("/action-attachments", json!({"job_id": job_id, "action_id": action_id})).expect(422);
    }
    for body in [json!({"client_id": uuid}), json!({"session_id": his})] {
        alice.patch(&format!("/job-attachments/{job}"), body).expect(422);
    }
    // An administrator cannot attach rows of two projects either.
    let admin = alice.with_roles("admin").reaching_for(&bob.alice);
    admin.post("/job-attachments", json!({"job_id": job, "client_id": "a"})).expect(422);
    admin.patch(&format!("/job-attachments/{}", bob.job), json!({"session_id": hers})).expect(422);
    assert_eq!((state(&alice), state(&bob.alice)), before);
}

fn attachments_of_another_project_are_not_found(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    let place = alice.places(&job)[0].clone();
    let bob = Plan::new(api.project()).alice;
    let before = state(&alice);
    for path in [format!("/job-attachments/{job}"), format!("/action-attachments/{place}")] {
        bob.get(&path).expect(404);
        bob.patch(&path, json!({"job_id": job})).expect(404);
        bob.delete(&path).expect(404);
    }
    for noun in ["job-attachments", "action-attachments"] {
        let key = noun.replace('-', "_");
        let list =
            |query: &str| bob.get(&format!("/{noun}?{query}")).expect(200)[&key].as_array().unwrap().len();
        assert_eq!((list(""), list(&format!("job_id={job}"))), (1, 0));
        bob.get(&format!("/{noun}?marker={}", if noun.starts_with("job") { &job } else { &place }))
            .expect(400);
    }
    assert_eq!(state(&alice), before);
}

#[track_caller]
fn assert_missing(caller: &Caller<'_>, path: &str, body: Value, what: &str) {
    let answer = caller.post(path, body).expect(422);
    assert_eq!(answer["description"], format!("{what} not found with ID unknown"));
}

/// All attachments of the project, and their jobs.
fn state(caller: &Caller<'_>) -> Vec<Value> {
    let list = |noun: &str| {
        let answer = caller.get(&format!("/{noun}?limit=500")).expect(200);
        answer[noun.replace('-', "_")].as_array().unwrap().clone()
    };
    [list("job-attachments"), list("action-attachments"), list("jobs")].concat()
}
