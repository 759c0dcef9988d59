//! Events that a user posts while the scheduler writes.

use serde_json::{Value, json};

use super::at_once;
use crate::api::Api;

on_every_backend! {
    an_event_survives_what_any_scheduler_sends_back,
    an_event_is_seen_or_still_pending,
    of_many_equal_events_one_is_new,
}

fn an_event_survives_what_any_scheduler_sends_back(api: &Api) {
    let alice = api.project();
    for round in 0..6 {
        let id = alice.job_on("a");
        let path = format!("/jobs/{id}");
        let known = alice.poll("a").into_iter().find(|job| job["job_id"] == json!(id)).unwrap();
        let event = ["stop", "abort", "start"][round % 3];
        at_once(7, |n| {
            if n == 0 {
                let asked = alice.post(&format!("{path}/event"), json!({ event: null }));
                assert_eq!(asked.expect(202)["result"], "success");
                return;
            }
            // Each document was read before the event: one of a scheduler up to release 18, one of 19, and a mere
            // status.
            let mut document = known.clone();
            document["job_schedule"]["status"] = json!("running");
            document["job_schedule"]["current_pid"] = json!(n);
            let body = match n % 3 {
                0 => document,
                1 => json!({"job_schedule": document["job_schedule"], "session_id": "", "session_tag": 0}),
                _ => json!({"job_schedule": {"event": "", "status": "scheduled"}}),
            };
            alice.patch(&path, body).expect(200);
        });
        let shown = alice.show("jobs", &id);
        assert_eq!(shown["job_schedule"]["event"], event, "{shown}");
        assert_eq!(shown["job_actions"].as_array().unwrap().len(), 1);
        // A poll delivers the event, so that it can be cleared.
        assert!(alice.poll("a").iter().any(|job| job["job_schedule"]["event"] == event));
        alice.report(&id, json!({"event": ""}));
        assert_eq!(alice.show("jobs", &id)["job_schedule"]["event"], "");
        alice.delete(&path).expect(204);
    }
}

fn an_event_is_seen_or_still_pending(api: &Api) {
    let alice = api.project();
    for round in 0..6 {
        let name = format!("host-{round}");
        let id = alice.job_on(&name);
        let answers = at_once(4, |n| match n {
            // The scheduler polls, handles the event, and sends back the schedule with the event cleared.
            0 => {
                let polls = (0..6).map(|_| {
                    let Some(job) = alice.poll(&name).pop() else { return Value::Null };
                    let mut schedule = job["job_schedule"].clone();
                    let event = schedule["event"].take();
                    schedule["event"] = json!("");
                    schedule["status"] = json!("running");
                    alice.report(&id, schedule);
                    event
                });
                polls.filter(|event| *event == "stop").count()
            }
            // Three users post events, and learn whether the event was already requested.
            _ => {
                let asked = alice.post(&format!("/jobs/{id}/event"), json!({"stop": null})).expect(202);
                usize::from(asked["result"] == "success")
            }
        });
        let seen = answers[0];
        let asked: usize = answers[1..].iter().sum();
        let pending = alice.show("jobs", &id)["job_schedule"]["event"] == "stop";
        assert!(asked >= 1 && seen + usize::from(pending) >= asked, "{asked} asked, {seen} seen, {pending}");
    }
}

fn of_many_equal_events_one_is_new(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    for event in ["start", "stop", "abort", "start"] {
        let results = at_once(8, |_| {
            alice.post(&format!("/jobs/{id}/event"), json!({ event: null })).expect(202)["result"].clone()
        });
        assert_eq!(results.iter().filter(|result| *result == "success").count(), 1, "{results:?}");
        let others = format!("{event} already requested");
        assert_eq!(results.iter().filter(|result| **result == json!(others)).count(), 7, "{results:?}");
    }
}
