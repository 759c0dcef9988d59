//! The runs of a session: start, end, tags, hold-off, and the overall result.

use serde_json::{Value, json};

use crate::api::{Api, Caller};
use crate::documents::session;

on_every_backend! {
    the_first_start_begins_a_run_and_the_others_join_it,
    after_the_hold_off_the_next_run_begins,
    a_run_that_began_in_the_future_does_not_hold_off,
    a_job_that_missed_a_run_is_out_of_sync,
    a_tag_from_the_future_is_refused,
    a_tag_may_be_text,
    a_run_is_over_when_each_job_has_ended,
    one_failure_fails_the_run,
    with_the_policy_any_one_success_is_enough,
    the_end_of_an_older_run_is_ignored,
    an_end_without_a_tag_counts,
    a_run_does_not_wait_for_a_job_that_has_left,
    a_run_does_not_wait_for_a_deleted_job,
    a_run_waits_for_a_job_that_has_not_started,
}

fn the_first_start_begins_a_run_and_the_others_join_it(api: &Api) {
    let alice = api.project();
    let (session, jobs) = of_jobs(&alice, 2);
    assert_eq!(start(&alice, &session, &jobs[0], 0), ("success".into(), 1));
    let document = alice.show("sessions", &session);
    assert_eq!((&document["session_tag"], &document["status"]), (&json!(1), &json!("running")));
    assert_eq!((&document["result"], &document["time_end"]), (&json!(""), &json!(-1)));
    let began = document["time_start"].as_i64().unwrap();
    assert!(began > 1_700_000_000);
    assert_eq!(
        document["jobs"][&jobs[0]],
        json!({"client_id": "host-0", "status": "running", "result": "", "time_started": began, "time_ended": -1})
    );
    assert_eq!(document["jobs"][&jobs[1]]["status"], "");

    // The same scheduler again, with its new tag, is held off.
    assert_eq!(start(&alice, &session, &jobs[0], 1), ("hold-off".into(), 1));
    assert_eq!(alice.show("sessions", &session), document);
    // The other scheduler, with its old tag, joins the same run.
    assert_eq!(start(&alice, &session, &jobs[1], 0), ("success".into(), 1));
    let document = alice.show("sessions", &session);
    assert_eq!((&document["session_tag"], &document["time_start"]), (&json!(1), &json!(began)));
    assert_eq!(document["jobs"][&jobs[1]]["status"], "running");
    // A start changes the session only. The scheduler changes the job's document.
    assert_eq!(alice.show("jobs", &jobs[1])["job_schedule"]["status"], "");
}

fn after_the_hold_off_the_next_run_begins(api: &Api) {
    let alice = api.project();
    let (session, jobs) = of_jobs(&alice, 2);
    start(&alice, &session, &jobs[0], 0);
    end(&alice, &session, &jobs[0], json!({"result": "fail", "current_tag": 1}));
    end(&alice, &session, &jobs[1], json!({"result": "fail", "current_tag": 1}));
    assert_eq!(overall(&alice, &session), ("completed".into(), "fail".into()));

    end_hold_off(&alice, &session);
    assert_eq!(start(&alice, &session, &jobs[1], 1), ("success".into(), 2));
    let document = alice.show("sessions", &session);
    assert_eq!((&document["status"], &document["result"]), (&json!("running"), &json!("")));
    assert_eq!(document["time_end"], -1);
    assert_eq!(document["jobs"][&jobs[1]]["status"], "running");
    assert_eq!(
        document["jobs"][&jobs[0]],
        json!({"client_id": "host-0", "status": "", "result": "", "time_started": -1, "time_ended": -1}),
        "the job's state of the last run does not count in this one"
    );
}

fn a_run_that_began_in_the_future_does_not_hold_off(api: &Api) {
    let alice = api.project();
    let now = freezer_api::store::now().and_utc().timestamp();
    for ahead in [40, 86_400, 30 * 86_400] {
        let (session, jobs) = of_jobs(&alice, 2);
        // A clock that was ahead has set this time.
        alice.patch(&format!("/sessions/{session}"), json!({"time_start": now + ahead})).expect(200);
        assert_eq!(start(&alice, &session, &jobs[0], 0), ("success".into(), 1), "{ahead}");
        let began = alice.show("sessions", &session)["time_start"].as_i64().unwrap();
        assert!((now..now + 30).contains(&began), "the run begins now: {began}");
        assert_eq!(start(&alice, &session, &jobs[1], 0), ("success".into(), 1), "{ahead}");
        assert_eq!(start(&alice, &session, &jobs[1], 1), ("hold-off".into(), 1), "{ahead}");
    }
}

fn a_job_that_missed_a_run_is_out_of_sync(api: &Api) {
    let alice = api.project();
    let (session, jobs) = of_jobs(&alice, 2);
    start(&alice, &session, &jobs[0], 0);
    end_hold_off(&alice, &session);
    let before = alice.show("sessions", &session);
    assert_eq!(start(&alice, &session, &jobs[1], 0), ("out-of-sync".into(), 1));
    assert_eq!(alice.show("sessions", &session), before);
    // With its new tag, the job can begin the next run.
    assert_eq!(start(&alice, &session, &jobs[1], 1), ("success".into(), 2));
}

fn a_tag_from_the_future_is_refused(api: &Api) {
    let alice = api.project();
    let (session, jobs) = of_jobs(&alice, 1);
    let before = alice.show("sessions", &session);
    for tag in [1, 2_000_000_000] {
        let ask = json!({"start": {"job_id": jobs[0], "current_tag": tag}});
        let refusal = alice.post(&format!("/sessions/{session}/action"), ask).expect(400);
        assert!(
            refusal["description"].as_str().unwrap().contains("requested tag value too high"),
            "{refusal}"
        );
    }
    assert_eq!(alice.show("sessions", &session), before);
}

fn a_tag_may_be_text(api: &Api) {
    let alice = api.project();
    let (session, jobs) = of_jobs(&alice, 1);
    let ask = |tag: &str| {
        let ask = json!({"start": {"job_id": jobs[0], "current_tag": tag}});
        alice.post(&format!("/sessions/{session}/action"), ask)
    };
    assert_eq!(ask("0").expect(202), json!({"result": "success", "session_tag": 1}));
    assert_eq!(ask(" 1 ").expect(202)["result"], "hold-off");
    ask("2").expect(400);
    end(&alice, &session, &jobs[0], json!({"result": "success", "current_tag": "1"}));
    assert_eq!(overall(&alice, &session), ("completed".into(), "success".into()));
}

fn a_run_is_over_when_each_job_has_ended(api: &Api) {
    let alice = api.project();
    let (session, jobs) = of_jobs(&alice, 3);
    for job in &jobs {
        start(&alice, &session, job, 0);
    }
    for job in &jobs[..2] {
        end(&alice, &session, job, json!({"result": "success", "current_tag": 1}));
        assert_eq!(overall(&alice, &session), ("running".into(), String::new()));
        let entry = alice.show("sessions", &session)["jobs"][job].clone();
        assert_eq!((&entry["status"], &entry["result"]), (&json!("completed"), &json!("success")));
        assert!(entry["time_ended"].as_i64() >= entry["time_started"].as_i64());
    }
    assert_eq!(alice.show("sessions", &session)["time_end"], -1);
    end(&alice, &session, &jobs[2], json!({"result": "success", "current_tag": 1}));
    assert_eq!(overall(&alice, &session), ("completed".into(), "success".into()));
    assert!(alice.show("sessions", &session)["time_end"].as_i64().unwrap() > 1_700_000_000);
}

fn one_failure_fails_the_run(api: &Api) {
    let alice = api.project();
    for bad in ["fail", "aborted"] {
        let (session, jobs) = of_jobs(&alice, 2);
        for job in &jobs {
            start(&alice, &session, job, 0);
        }
        end(&alice, &session, &jobs[0], json!({"result": bad, "current_tag": 1}));
        assert_eq!(overall(&alice, &session), ("running".into(), String::new()), "the other job still runs");
        end(&alice, &session, &jobs[1], json!({"result": "success", "current_tag": 1}));
        assert_eq!(overall(&alice, &session), ("completed".into(), "fail".into()));
        assert_eq!(alice.show("sessions", &session)["jobs"][&jobs[0]]["result"], bad);
    }
}

fn with_the_policy_any_one_success_is_enough(api: &Api) {
    let alice = api.project();
    for (results, expected) in [(["fail", "success"], "success"), (["fail", "aborted"], "fail")] {
        let (session, jobs) = of_jobs(&alice, 2);
        alice.patch(&format!("/sessions/{session}"), json!({"policy": "any"})).expect(200);
        start(&alice, &session, &jobs[0], 0);
        for (job, result) in jobs.iter().zip(results) {
            end(&alice, &session, job, json!({"result": result}));
        }
        assert_eq!(overall(&alice, &session), ("completed".into(), expected.into()));
    }
}

fn the_end_of_an_older_run_is_ignored(api: &Api) {
    let alice = api.project();
    let (session, jobs) = of_jobs(&alice, 1);
    start(&alice, &session, &jobs[0], 0);
    end_hold_off(&alice, &session);
    start(&alice, &session, &jobs[0], 1);
    let before = alice.show("sessions", &session);
    assert_eq!(
        end(&alice, &session, &jobs[0], json!({"result": "fail", "current_tag": 1})),
        ("success".into(), 2)
    );
    assert_eq!(alice.show("sessions", &session), before);
    end(&alice, &session, &jobs[0], json!({"result": "success", "current_tag": 2}));
    assert_eq!(overall(&alice, &session), ("completed".into(), "success".into()));
}

fn an_end_without_a_tag_counts(api: &Api) {
    let alice = api.project();
    for end_of in [json!({"result": "success"}), json!({"result": "success", "current_tag": null})] {
        let (session, jobs) = of_jobs(&alice, 1);
        start(&alice, &session, &jobs[0], 0);
        assert_eq!(end(&alice, &session, &jobs[0], end_of), ("success".into(), 1));
        assert_eq!(overall(&alice, &session), ("completed".into(), "success".into()));
    }
}

fn a_run_does_not_wait_for_a_job_that_has_left(api: &Api) {
    let alice = api.project();
    let (session, jobs) = of_jobs(&alice, 2);
    for job in &jobs {
        start(&alice, &session, job, 0);
    }
    end(&alice, &session, &jobs[0], json!({"result": "success", "current_tag": 1}));
    alice.delete(&format!("/sessions/{session}/jobs/{}", jobs[1])).expect(204);
    assert_eq!(overall(&alice, &session), ("completed".into(), "success".into()));

    // Nor does it wait for a job that has moved to another session.
    let (first, jobs) = of_jobs(&alice, 2);
    let second = alice.create("sessions", session_body());
    for job in &jobs {
        start(&alice, &first, job, 0);
    }
    end(&alice, &first, &jobs[0], json!({"result": "fail", "current_tag": 1}));
    alice.put(&format!("/sessions/{second}/jobs/{}", jobs[1])).expect(204);
    assert_eq!(overall(&alice, &first), ("completed".into(), "fail".into()));
    assert_eq!(overall(&alice, &second), ("active".into(), String::new()));
}

fn a_run_does_not_wait_for_a_deleted_job(api: &Api) {
    let alice = api.project();
    let (session, jobs) = of_jobs(&alice, 3);
    for job in &jobs {
        start(&alice, &session, job, 0);
    }
    end(&alice, &session, &jobs[0], json!({"result": "success", "current_tag": 1}));
    alice.delete(&format!("/jobs/{}", jobs[1])).expect(204);
    assert_eq!(overall(&alice, &session), ("running".into(), String::new()));
    // Deleting the client deletes the job as well.
    alice.delete("/clients/host-2?cascade=true").expect(204);
    assert_eq!(overall(&alice, &session), ("completed".into(), "success".into()));
}

fn a_run_waits_for_a_job_that_has_not_started(api: &Api) {
    let alice = api.project();
    let (session, jobs) = of_jobs(&alice, 2);
    start(&alice, &session, &jobs[0], 0);
    end(&alice, &session, &jobs[0], json!({"result": "success", "current_tag": 1}));
    assert_eq!(overall(&alice, &session), ("running".into(), String::new()));
    assert_eq!(start(&alice, &session, &jobs[1], 0), ("success".into(), 1));
    end(&alice, &session, &jobs[1], json!({"result": "success", "current_tag": 1}));
    assert_eq!(overall(&alice, &session), ("completed".into(), "success".into()));
}

/// Creates a session with `count` jobs, on `host-0` and so on.
fn of_jobs(caller: &Caller<'_>, count: usize) -> (String, Vec<String>) {
    let id = caller.create("sessions", session_body());
    let jobs: Vec<String> = (0..count).map(|n| caller.job_on(&format!("host-{n}"))).collect();
    for job in &jobs {
        caller.put(&format!("/sessions/{id}/jobs/{job}")).expect(204);
    }
    (id, jobs)
}

fn session_body() -> Value {
    let mut body = session();
    body["hold_off"] = json!(60);
    body
}

fn start(caller: &Caller<'_>, session: &str, job: &str, tag: i64) -> (String, i64) {
    ask(caller, session, json!({"start": {"job_id": job, "current_tag": tag}}))
}

fn end(caller: &Caller<'_>, session: &str, job: &str, mut how: Value) -> (String, i64) {
    how["job_id"] = json!(job);
    ask(caller, session, json!({"end": how}))
}

fn ask(caller: &Caller<'_>, session: &str, what: Value) -> (String, i64) {
    let answer = caller.post(&format!("/sessions/{session}/action"), what).expect(202);
    assert_eq!(answer.as_object().unwrap().len(), 2);
    (answer["result"].as_str().unwrap().to_owned(), answer["session_tag"].as_i64().unwrap())
}

/// The status and result of the session.
fn overall(caller: &Caller<'_>, session: &str) -> (String, String) {
    let document = caller.show("sessions", session);
    let text = |key: &str| document[key].as_str().unwrap().to_owned();
    (text("status"), text("result"))
}

/// Moves the start of the run into the past, so that its hold-off is over.
fn end_hold_off(caller: &Caller<'_>, session: &str) {
    let began = caller.show("sessions", session)["time_start"].as_i64().unwrap();
    caller.patch(&format!("/sessions/{session}"), json!({"time_start": began - 3600})).expect(200);
}
