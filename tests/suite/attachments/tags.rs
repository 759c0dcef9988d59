//! Entity tags of both kinds of attachments: a request with a stale tag changes nothing.

use serde_json::json;

use super::Plan;
use crate::api::Api;

on_every_backend! {
    every_answer_with_a_document_has_its_tag,
    a_poll_changes_no_tag,
    a_stale_tag_changes_nothing,
    the_tag_is_checked_first,
}

fn every_answer_with_a_document_has_its_tag(api: &Api) {
    let Plan { alice, job, action } = Plan::new(api.project());
    alice.register("b");
    for (noun, body, patch) in [
        ("job-attachments", json!({"job_id": job, "client_id": "b"}), json!({"status": "stop"})),
        ("action-attachments", json!({"job_id": job, "action_id": action}), json!({"retries": 9})),
    ] {
        let made = alice.post(&format!("/{noun}"), body);
        let path = format!("/{noun}/{}", made.expect(201)["id"].as_str().unwrap());
        assert_eq!(made.header("ETag"), Some(&*alice.tag(&path)));
        let changed = alice.patch(&path, patch);
        changed.expect(200);
        assert_eq!(changed.header("ETag"), Some(&*alice.tag(&path)));
        assert_ne!(made.header("ETag"), changed.header("ETag"));
        let known = [("If-None-Match", changed.header("ETag").unwrap())];
        // A job attachment also shows whether its event was read, which the tag leaves out.
        let expected = if noun == "job-attachments" { 200 } else { 304 };
        assert_eq!(alice.send_with("GET", &path, &known, None).status, expected);
    }
}

fn a_poll_changes_no_tag(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    let path = format!("/job-attachments/{job}");
    alice.patch(&path, json!({"event": "stop"})).expect(200);
    let tag = alice.tag(&path);
    alice.poll("a");
    assert_eq!(alice.get(&path).expect(200)["event_delivered"], true);
    alice.if_match("PATCH", &path, &tag, Some(json!({"event": "start"}))).expect(200);
}

fn a_stale_tag_changes_nothing(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    for (path, patch, other) in [
        (format!("/job-attachments/{job}"), json!({"status": "stop"}), json!({"status": "running"})),
        (
            format!("/action-attachments/{}", alice.places(&job)[0]),
            json!({"retries": 8}),
            json!({"retries": 9}),
        ),
    ] {
        let tag = alice.tag(&path);
        alice.if_match("PATCH", &path, &tag, Some(patch)).expect(200);
        let shown = alice.get(&path).expect(200);
        alice.if_match("PATCH", &path, &tag, Some(other.clone())).expect(412);
        alice.if_match("DELETE", &path, &tag, None).expect(412);
        assert_eq!(alice.get(&path).expect(200), shown);
        alice.if_match("PATCH", &path, &alice.tag(&path), Some(other)).expect(200);
        alice.if_match("PATCH", &path, "nonsense", Some(json!({}))).expect(400);
    }
    // Changes by a scheduler's report or by the job's document change the tags too.
    let path = format!("/job-attachments/{job}");
    let tag = alice.tag(&path);
    alice.report(&job, json!({"status": "completed"}));
    alice.if_match("DELETE", &path, &tag, None).expect(412);
    let place = format!("/action-attachments/{}", alice.places(&job)[0]);
    let tag = alice.tag(&place);
    let mut whole = alice.show("jobs", &job);
    whole["job_actions"][0]["max_retries"] = json!(77);
    alice.patch(&format!("/jobs/{job}"), whole).expect(200);
    alice.if_match("DELETE", &place, &tag, None).expect(412);
    alice.if_match("DELETE", &place, &alice.tag(&place), None).expect(204);
    alice.if_match("DELETE", &path, &alice.tag(&path), None).expect(204);
}

fn the_tag_is_checked_first(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    let (path, place) =
        (format!("/job-attachments/{job}"), format!("/action-attachments/{}", alice.places(&job)[0]));
    for body in
        [json!({"client_id": "unknown"}), json!({"session_id": "unknown"}), json!({"job_id": "another"})]
    {
        alice.if_match("PATCH", &path, "\"stale\"", Some(body)).expect(412);
    }
    alice.if_match("PATCH", &place, "\"stale\"", Some(json!({"job_id": "another"}))).expect(412);
    alice.if_match("PATCH", "/job-attachments/unknown", "*", Some(json!({"status": ""}))).expect(404);
}
