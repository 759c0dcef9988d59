//! Whole runs of a session, and members that come and go.

use serde_json::{Value, json};

use super::{among, at_once, end_hold_off, of_jobs};
use crate::api::Api;
use crate::documents::session;

on_every_backend! {
    all_starts_ends_and_reports_of_many_runs_count,
    a_run_ends_with_its_remaining_jobs,
    members_are_where_the_last_answer_put_them,
    a_member_that_is_added_and_removed_is_in_or_out,
}

const MANY: usize = 8;

fn all_starts_ends_and_reports_of_many_runs_count(api: &Api) {
    let alice = api.project();
    let (session, jobs) = of_jobs(&alice, MANY);
    let act = format!("/sessions/{session}/action");
    for run in 0..4 {
        let tag = run + 1;
        at_once(MANY, |n| {
            let start = json!({"start": {"job_id": jobs[n], "current_tag": run}});
            assert_eq!(alice.post(&act, start).expect(202), json!({"result": "success", "session_tag": tag}));
        });
        // Each scheduler reports the end of its run to the session and to the job, and does so twice, as if its first
        // answer were lost.
        let result = |n: usize| if n as i64 == run { "fail" } else { "success" };
        at_once(2 * MANY, |n| {
            let n = n % MANY;
            let (began, ended) = (1000 * tag, 1000 * tag + 7);
            let run = json!({"status": "completed", "result": result(n), "time_started": began, "time_ended": ended});
            alice.report(&jobs[n], run);
            let end = json!({"end": {"job_id": jobs[n], "current_tag": tag, "result": result(n)}});
            assert_eq!(alice.post(&act, end).expect(202)["result"], "success");
        });
        let document = alice.show("sessions", &session);
        assert_eq!(
            [&document["session_tag"], &document["status"], &document["result"]],
            [&json!(tag), &json!("completed"), &json!("fail")]
        );
        for (n, job) in jobs.iter().enumerate() {
            let entry = &document["jobs"][job];
            assert_eq!((&entry["status"], &entry["result"]), (&json!("completed"), &json!(result(n))));
            assert_eq!(alice.count(&format!("action-reports?job_id={job}")), tag, "once for each run");
        }
        end_hold_off(&alice, &session);
    }
    assert_eq!(alice.count("action-reports?result=fail"), 4);
}

fn a_run_ends_with_its_remaining_jobs(api: &Api) {
    let alice = api.project();
    for _ in 0..3 {
        let (session, jobs) = of_jobs(&alice, MANY);
        let path = format!("/sessions/{session}");
        for job in &jobs {
            let start = json!({"start": {"job_id": job, "current_tag": 0}});
            alice.post(&format!("{path}/action"), start).expect(202);
        }
        // Some jobs end, some leave, some are deleted. The last of these ends the run.
        at_once(MANY, |n| match n % 4 {
            0 => drop(alice.delete(&format!("{path}/jobs/{}", jobs[n])).expect(204)),
            1 => drop(alice.delete(&format!("/jobs/{}", jobs[n])).expect(204)),
            _ => {
                let end = json!({"end": {"job_id": jobs[n], "current_tag": 1, "result": "success"}});
                alice.post(&format!("{path}/action"), end).expect(202);
            }
        });
        let document = alice.show("sessions", &session);
        assert_eq!((&document["status"], &document["result"]), (&json!("completed"), &json!("success")));
        assert_eq!(document["jobs"].as_object().unwrap().len(), MANY / 2);
        for job in jobs.iter().filter(|job| alice.get(&format!("/jobs/{job}")).status == 200) {
            alice.delete(&format!("/jobs/{job}")).expect(204);
        }
    }
}

fn members_are_where_the_last_answer_put_them(api: &Api) {
    const ROUNDS: usize = 5;
    let alice = api.project();
    let (session, jobs) = of_jobs(&alice, MANY);
    let path = format!("/sessions/{session}");
    at_once(MANY + 2, |n| {
        for round in 0..ROUNDS {
            match jobs.get(n) {
                // Each of these threads adds and removes its own job.
                Some(job) if (n + round) % 2 == 0 => {
                    alice.put(&format!("{path}/jobs/{job}")).expect(204);
                }
                Some(job) => drop(alice.delete(&format!("{path}/jobs/{job}")).expect(204)),
                None if n == MANY => {
                    alice.patch(&path, json!({"description": format!("round {round}")})).expect(200);
                }
                None => {
                    let start = json!({"start": {"job_id": jobs[round], "current_tag": 0}});
                    among(&alice.post(&format!("{path}/action"), start), &[202, 400]);
                }
            }
        }
    });
    let document = alice.show("sessions", &session);
    assert_eq!(document["description"], format!("round {}", ROUNDS - 1));
    let tag = &document["session_tag"];
    for (n, job) in jobs.iter().enumerate() {
        let shown = alice.show("jobs", job);
        let is_in = (n + ROUNDS - 1).is_multiple_of(2);
        assert_eq!(document["jobs"].get(job).is_some(), is_in, "{document}");
        // A member has the tag of when it joined, or a later one.
        let most = if is_in { tag.as_i64().unwrap() } else { 0 };
        assert_eq!(shown["session_id"], if is_in { json!(session) } else { json!("") });
        assert!((0..=most).contains(&shown["session_tag"].as_i64().unwrap()), "{shown}");
    }
}

fn a_member_that_is_added_and_removed_is_in_or_out(api: &Api) {
    let alice = api.project();
    let job = alice.job_on("a");
    let sessions: Vec<String> = (0..2).map(|_| alice.create("sessions", session())).collect();
    for _ in 0..5 {
        at_once(6, |n| {
            let member = format!("/sessions/{}/jobs/{job}", sessions[n % 2]);
            if n < 3 { alice.put(&member) } else { alice.delete(&member) }.expect(204)
        });
        let shown = alice.show("jobs", &job);
        for session in &sessions {
            let has_it = alice.show("sessions", session)["jobs"].get(&job).is_some();
            assert_eq!(has_it, shown["session_id"] == json!(session));
        }
        let left: Value = shown["job_schedule"]["event"].clone();
        assert!(shown["session_id"] != "" || left == "stop", "a job that has left is told to stop: {shown}");
    }
}
