//! Members of a session: added, removed, moved to another session, deleted.

use serde_json::{Value, json};

use crate::api::{Api, Caller};
use crate::documents::{job, session};

on_every_backend! {
    a_job_that_joins_runs_by_the_sessions_schedule,
    a_job_that_leaves_gets_a_stop_and_its_own_schedule,
    a_job_is_in_at_most_one_session,
    removing_a_job_that_is_not_a_member_does_nothing,
    unknown_jobs_and_sessions_are_not_found,
    a_patch_of_a_job_can_add_and_remove_it,
    the_sessions_schedule_sent_back_is_not_the_jobs_own,
    a_deleted_session_releases_its_jobs,
    a_deleted_job_leaves_its_session,
    a_replacement_with_the_sessions_schedule_keeps_the_jobs_own,
    a_replacement_without_the_session_leaves_it,
}

fn a_job_that_joins_runs_by_the_sessions_schedule(api: &Api) {
    let alice = api.project();
    let (session, job) = (with_tag(&alice, 3), alice.job_on("a"));
    alice.report(&job, json!({"status": "completed", "result": "success", "time_started": 5, "time_ended": 6, "event": "start"}));
    let before = alice.show("jobs", &job)["job_schedule"].clone();

    for _ in 0..2 {
        alice.put(&format!("/sessions/{session}/jobs/{job}")).expect(204);
        let document = alice.show("jobs", &job);
        assert_eq!((&document["session_id"], &document["session_tag"]), (&json!(session), &json!(3)));
        let mut expected = before.clone();
        expected.as_object_mut().unwrap().remove("schedule_start_date");
        expected["schedule_interval"] = json!("7 days");
        assert_eq!(document["job_schedule"], expected, "event, status, result and times stay");
        assert_eq!(
            alice.show("sessions", &session)["jobs"],
            json!({&job: {"client_id": "a", "status": "completed", "result": "success", "time_started": 5, "time_ended": 6}})
        );
    }
    // The job follows a change of the session.
    alice
        .patch(&format!("/sessions/{session}"), json!({"schedule": {"schedule_interval": "2 weeks"}}))
        .expect(200);
    assert_eq!(alice.show("jobs", &job)["job_schedule"]["schedule_interval"], "2 weeks");
    let fresh = alice.create("jobs", crate::documents::job("a"));
    alice.put(&format!("/sessions/{session}/jobs/{fresh}")).expect(204);
    assert_eq!(
        alice.show("sessions", &session)["jobs"][&fresh],
        json!({"client_id": "a", "status": "", "result": "", "time_started": -1, "time_ended": -1})
    );
}

fn a_job_that_leaves_gets_a_stop_and_its_own_schedule(api: &Api) {
    let alice = api.project();
    let (session, job) = (with_tag(&alice, 3), alice.job_on("a"));
    alice.put(&format!("/sessions/{session}/jobs/{job}")).expect(204);
    alice.report(&job, json!({"status": "running", "time_started": 5}));
    alice.delete(&format!("/sessions/{session}/jobs/{job}")).expect(204);
    let document = alice.show("jobs", &job);
    assert_eq!((&document["session_id"], &document["session_tag"]), (&json!(""), &json!(0)));
    let run = &document["job_schedule"];
    assert_eq!(
        (&run["event"], &run["status"], &run["time_started"]),
        (&json!("stop"), &json!("running"), &json!(5))
    );
    assert_eq!(
        (&run["schedule_interval"], &run["schedule_start_date"]),
        (&json!("1 days"), &json!("2026-01-02T03:04:05"))
    );
    assert_eq!(alice.show("sessions", &session)["jobs"], json!({}));
    // That stop is an event like any other.
    alice.report(&job, json!({"event": ""}));
    assert_eq!(alice.poll("a")[0]["job_schedule"]["event"], "stop");
}

fn a_job_is_in_at_most_one_session(api: &Api) {
    let alice = api.project();
    let (first, second, job) = (with_tag(&alice, 1), with_tag(&alice, 2), alice.job_on("a"));
    alice.put(&format!("/sessions/{first}/jobs/{job}")).expect(204);
    let version = alice.show("sessions", &first)["_version"].as_i64();
    alice.put(&format!("/sessions/{second}/jobs/{job}")).expect(204);
    assert_eq!(members(&alice, &first), json!([]));
    assert_eq!(members(&alice, &second), json!([job]));
    assert!(
        alice.show("sessions", &first)["_version"].as_i64() > version,
        "the document of the session it left has changed"
    );
    let document = alice.show("jobs", &job);
    assert_eq!((&document["session_id"], &document["session_tag"]), (&json!(second), &json!(2)));
    assert_eq!(document["job_schedule"]["event"], "", "moving is no reason to stop");
}

fn removing_a_job_that_is_not_a_member_does_nothing(api: &Api) {
    let alice = api.project();
    let (one, other, job) = (with_tag(&alice, 1), with_tag(&alice, 1), alice.job_on("a"));
    let alone = alice.show("jobs", &job);
    alice.delete(&format!("/sessions/{one}/jobs/{job}")).expect(204);
    assert_eq!(alice.show("jobs", &job), alone);
    alice.put(&format!("/sessions/{one}/jobs/{job}")).expect(204);
    let inside = alice.show("jobs", &job);
    alice.delete(&format!("/sessions/{other}/jobs/{job}")).expect(204);
    alice.delete(&format!("/sessions/{other}/jobs/unknown")).expect(204);
    assert_eq!(alice.show("jobs", &job), inside);
    assert_eq!(members(&alice, &one), json!([job]));
}

fn unknown_jobs_and_sessions_are_not_found(api: &Api) {
    let (alice, bob) = (api.project(), api.project());
    let (session, job) = (with_tag(&alice, 1), alice.job_on("a"));
    let (his_session, his_job) = (with_tag(&bob, 1), bob.job_on("a"));
    for (session, job) in [
        (&*session, "unknown"),
        (&session, &his_job),
        ("unknown", &job),
        (&his_session, &job),
        (&session, "a%20b"),
    ] {
        alice.put(&format!("/sessions/{session}/jobs/{job}")).expect(404);
    }
    alice.delete(&format!("/sessions/unknown/jobs/{job}")).expect(404);
    alice.delete(&format!("/sessions/{his_session}/jobs/{his_job}")).expect(404);
    assert_eq!(members(&alice, &session), json!([]));
    assert_eq!(members(&bob, &his_session), json!([]));
}

fn a_patch_of_a_job_can_add_and_remove_it(api: &Api) {
    let alice = api.project();
    let session = with_tag(&alice, 2);
    alice.register("a");
    let mut body = job("a");
    body["session_id"] = json!(session);
    let id = alice.create("jobs", body);
    assert_eq!(members(&alice, &session), json!([id]));
    assert_eq!(alice.show("jobs", &id)["session_tag"], 2);

    let path = format!("/jobs/{id}");
    alice.patch(&path, json!({"session_id": ""})).expect(200);
    assert_eq!(members(&alice, &session), json!([]));
    assert_eq!(alice.show("jobs", &id)["job_schedule"]["event"], "stop");
    alice.patch(&path, json!({"session_id": session})).expect(200);
    assert_eq!(members(&alice, &session), json!([id]));
    alice.patch(&path, json!({"session_id": "unknown"})).expect(422);
    assert_eq!(members(&alice, &session), json!([id]));

    // A scheduler's report names the session it last knew of, which does not move the job.
    let report = json!({"job_schedule": {"status": "running"}, "session_id": "", "session_tag": 0});
    alice.patch(&path, report).expect(200);
    assert_eq!(members(&alice, &session), json!([id]));
}

fn the_sessions_schedule_sent_back_is_not_the_jobs_own(api: &Api) {
    let alice = api.project();
    let (session, job) = (with_tag(&alice, 0), alice.job_on("a"));
    alice.put(&format!("/sessions/{session}/jobs/{job}")).expect(204);
    let polled = alice.poll("a")[0]["job_schedule"].clone();
    assert_eq!(polled["schedule_interval"], "7 days");
    alice.report(&job, polled);
    alice.delete(&format!("/sessions/{session}/jobs/{job}")).expect(204);
    assert_eq!(alice.show("jobs", &job)["job_schedule"]["schedule_interval"], "1 days");
    // A different schedule becomes the job's own, for the time after it has left.
    alice.put(&format!("/sessions/{session}/jobs/{job}")).expect(204);
    alice.report(&job, json!({"schedule_interval": "3 hours"}));
    assert_eq!(alice.show("jobs", &job)["job_schedule"]["schedule_interval"], "7 days");
    alice.delete(&format!("/sessions/{session}/jobs/{job}")).expect(204);
    assert_eq!(alice.show("jobs", &job)["job_schedule"]["schedule_interval"], "3 hours");
}

fn a_deleted_session_releases_its_jobs(api: &Api) {
    let alice = api.project();
    let session = with_tag(&alice, 4);
    let jobs = [alice.job_on("a"), alice.job_on("b")];
    for job in &jobs {
        alice.put(&format!("/sessions/{session}/jobs/{job}")).expect(204);
    }
    alice.delete(&format!("/sessions/{session}")).expect(204);
    for job in &jobs {
        let document = alice.show("jobs", job);
        assert_eq!((&document["session_id"], &document["session_tag"]), (&json!(""), &json!(0)));
        assert_eq!(document["job_schedule"]["event"], "stop");
        assert_eq!(document["job_schedule"]["schedule_interval"], "1 days");
    }
}

fn a_deleted_job_leaves_its_session(api: &Api) {
    let alice = api.project();
    let session = with_tag(&alice, 0);
    let jobs = [alice.job_on("a"), alice.job_on("b")];
    for job in &jobs {
        alice.put(&format!("/sessions/{session}/jobs/{job}")).expect(204);
    }
    let version = alice.show("sessions", &session)["_version"].as_i64();
    alice.delete(&format!("/jobs/{}", jobs[0])).expect(204);
    assert_eq!(members(&alice, &session), json!([jobs[1]]));
    assert!(alice.show("sessions", &session)["_version"].as_i64() > version);
}

fn a_replacement_with_the_sessions_schedule_keeps_the_jobs_own(api: &Api) {
    let alice = api.project();
    let (session, job) = (with_tag(&alice, 0), alice.job_on("a"));
    let interval = |job: &str| alice.show("jobs", job)["job_schedule"]["schedule_interval"].clone();
    alice.put(&format!("/sessions/{session}/jobs/{job}")).expect(204);
    let document = alice.show("jobs", &job);
    alice.post(&format!("/jobs/{job}"), document.clone()).expect(201);
    assert_eq!(alice.show("jobs", &job)["session_id"], json!(session));
    alice.delete(&format!("/sessions/{session}/jobs/{job}")).expect(204);
    assert_eq!(interval(&job), "1 days");

    // A replacement that takes the job out of the session sets its own schedule.
    alice.put(&format!("/sessions/{session}/jobs/{job}")).expect(204);
    let mut alone = document;
    alone["session_id"] = json!("");
    alice.post(&format!("/jobs/{job}"), alone).expect(201);
    assert_eq!(interval(&job), "7 days");
}

fn a_replacement_without_the_session_leaves_it(api: &Api) {
    let alice = api.project();
    let (session, job) = (with_tag(&alice, 4), alice.job_on("a"));
    alice.put(&format!("/sessions/{session}/jobs/{job}")).expect(204);
    let mut alone = alice.show("jobs", &job);
    assert_eq!((&alone["session_id"], &alone["session_tag"]), (&json!(session), &json!(4)));
    alone.as_object_mut().unwrap().remove("session_id");
    alice.post(&format!("/jobs/{job}"), alone).expect(201);
    let document = alice.show("jobs", &job);
    assert_eq!((&document["session_id"], &document["session_tag"]), (&json!(""), &json!(0)));
    assert_eq!(members(&alice, &session), json!([]));
}

fn with_tag(caller: &Caller<'_>, tag: i64) -> String {
    let mut body = session();
    body["session_tag"] = json!(tag);
    caller.create("sessions", body)
}

/// The ids of the jobs in a session.
fn members(caller: &Caller<'_>, session: &str) -> Value {
    caller.show("sessions", session)["jobs"].as_object().unwrap().keys().cloned().collect()
}
