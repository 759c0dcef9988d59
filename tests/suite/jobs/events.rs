//! Events, by which a user makes a scheduler start or stop a job. None is lost (contract, api-v2 §7; data model).

use diesel::prelude::*;
use freezer_api::store::schema::clients;
use freezer_api::store::types::time::Time;
use serde_json::json;

use crate::api::{Api, Caller};
use crate::documents::client;

on_every_backend! {
    a_repeated_event_is_reported_as_requested,
    an_invalid_event_is_refused,
    an_event_for_an_unknown_job_is_not_found,
    a_stop_posted_between_poll_and_report_stays,
    a_delivered_event_can_be_cleared,
    an_event_read_by_another_caller_is_not_delivered,
    a_new_event_after_a_delivered_one_is_pending,
    a_job_without_its_session_can_still_be_stopped,
    a_poll_is_recorded_at_most_every_30_seconds,
    only_its_own_poll_marks_a_client_as_up,
}

fn a_repeated_event_is_reported_as_requested(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    alice.report(&id, json!({"status": "completed", "result": "fail", "time_started": 1}));
    for word in ["start", "stop", "abort"] {
        assert_eq!(ask(&alice, &id, word), "success");
        assert_eq!(ask(&alice, &id, word), format!("{word} already requested"));
        assert_eq!(event(&alice, &id), word);
    }
    let run = alice.show("jobs", &id)["job_schedule"].clone();
    assert_eq!((&run["status"], &run["result"]), (&json!(""), &json!("")), "start resets them");
    assert_eq!(run["time_started"], 1);

    let other = alice.create("jobs", crate::documents::job("a"));
    alice.report(&other, json!({"status": "running", "result": "fail"}));
    assert_eq!(ask(&alice, &other, "stop"), "success");
    let run = alice.show("jobs", &other)["job_schedule"].clone();
    assert_eq!((&run["status"], &run["result"]), (&json!("running"), &json!("fail")), "stop does not");
}

fn an_invalid_event_is_refused(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    let path = format!("/jobs/{id}/event");
    let before = alice.show("jobs", &id);
    for body in [json!({}), json!([]), json!(["start"]), json!("start"), json!(null), json!(1)] {
        assert_eq!(alice.post(&path, body).expect(400)["description"], "Bad event request format");
    }
    alice.send("POST", &path, None).expect(400);
    for word in ["restart", "", "remove", "START"] {
        assert_eq!(alice.post(&path, json!({word: null})).expect(400)["description"], "Bad Action Method");
    }
    assert_eq!(alice.show("jobs", &id), before);
    // The value of the event's key is ignored.
    alice.post(&path, json!({"start": {"anything": [1]}})).expect(202);
}

fn an_event_for_an_unknown_job_is_not_found(api: &Api) {
    let (alice, bob) = (api.project(), api.project());
    let his = bob.job_on("a");
    for id in ["unknown", &his, "not%20an%20id"] {
        alice.post(&format!("/jobs/{id}/event"), json!({"stop": null})).expect(404);
    }
    assert_eq!(event(&bob, &his), "");
}

fn a_stop_posted_between_poll_and_report_stays(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    ask(&alice, &id, "start");
    let mut stale = alice.poll("a")[0]["job_schedule"].clone();
    stale["event"] = json!("");
    stale["status"] = json!("running");
    stale["time_started"] = json!(100);

    ask(&alice, &id, "stop");
    for _ in 0..3 {
        alice.report(&id, stale.clone());
        assert_eq!(event(&alice, &id), "stop");
    }
    assert_eq!(alice.show("jobs", &id)["job_schedule"]["status"], "running", "the rest of the report counts");
    // The next poll delivers the stop.
    assert_eq!(alice.poll("a")[0]["job_schedule"]["event"], "stop");
    alice.report(&id, json!({"event": "", "status": "stop"}));
    assert_eq!(event(&alice, &id), "");
}

fn a_delivered_event_can_be_cleared(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    for word in ["start", "stop", "abort"] {
        ask(&alice, &id, word);
        alice.report(&id, json!({"event": ""}));
        assert_eq!(event(&alice, &id), word, "no poll has delivered it yet");
        // A report without the event clears nothing.
        alice.poll("a");
        alice.report(&id, json!({"status": "scheduled"}));
        assert_eq!(event(&alice, &id), word);
        alice.report(&id, json!({"event": ""}));
        assert_eq!(event(&alice, &id), "");
    }
}

fn an_event_read_by_another_caller_is_not_delivered(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    alice.register("b");
    ask(&alice, &id, "stop");
    alice.show("jobs", &id);
    alice.list("jobs");
    alice.poll("b");
    alice.find_documents("jobs", json!({"match_not": [{"client_id": "b"}]}));
    alice.find_documents("jobs", json!({"match": [{"job_id": id}]}));
    alice.report(&id, json!({"event": ""}));
    assert_eq!(event(&alice, &id), "stop");

    // An event on a page that the poll did not reach is not delivered either.
    let second = alice.create("jobs", crate::documents::job("a"));
    ask(&alice, &second, "stop");
    let poll = json!({"match": [{"client_id": "a"}], "match_not": [{"status": "completed"}]});
    alice.search("/jobs?limit=1", poll).expect(200);
    for id in [&id, &second] {
        alice.report(id, json!({"event": ""}));
    }
    assert_eq!((event(&alice, &id), event(&alice, &second)), (String::new(), "stop".to_owned()));
}

fn a_new_event_after_a_delivered_one_is_pending(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    ask(&alice, &id, "stop");
    alice.poll("a");
    ask(&alice, &id, "start");
    alice.report(&id, json!({"event": ""}));
    assert_eq!(event(&alice, &id), "start");
    // The same holds for an event in a PATCH.
    alice.poll("a");
    alice.report(&id, json!({"event": "abort"}));
    alice.report(&id, json!({"event": ""}));
    assert_eq!(event(&alice, &id), "abort");
}

fn a_job_without_its_session_can_still_be_stopped(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    let session = alice.create("sessions", crate::documents::session());
    alice.put(&format!("/sessions/{session}/jobs/{id}")).expect(204);
    alice.delete(&format!("/sessions/{session}")).expect(204);
    alice.poll("a");
    alice.report(&id, json!({"event": ""}));
    assert_eq!(ask(&alice, &id, "stop"), "success");
    // A report that still names the session is accepted.
    let stale = json!({"job_schedule": {"status": "running"}, "session_id": session, "session_tag": 1});
    alice.patch(&format!("/jobs/{id}"), stale).expect(200);
    assert_eq!(alice.show("jobs", &id)["session_id"], "");
    assert_eq!(event(&alice, &id), "stop");
}

fn a_poll_is_recorded_at_most_every_30_seconds(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let client = alice.show("clients", "a");
    let uuid = client["client"]["uuid"].as_str().unwrap();
    let mut connection = api.database();
    let mut seen = || -> Option<Time> {
        clients::table.find(uuid).select(clients::last_seen_at).first(&mut connection).unwrap()
    };
    assert_eq!(seen(), None);
    alice.poll("a");
    let first = seen().unwrap();
    alice.poll("a");
    assert_eq!(seen(), Some(first), "a second poll at once is not recorded");

    for (ago, is_noted) in [(29, false), (31, true)] {
        let before = first - chrono::TimeDelta::seconds(ago);
        diesel::update(clients::table.find(uuid))
            .set(clients::last_seen_at.eq(Some(before)))
            .execute(&mut api.database())
            .unwrap();
        alice.poll("a");
        assert_eq!(seen() != Some(before), is_noted, "{ago} seconds ago");
    }
    let mut after = alice.show("clients", "a");
    for key in ["last_seen_at", "state"] {
        after["client"][key] = client["client"][key].clone();
    }
    assert_eq!(after, client, "a poll is no change of the client");
}

fn only_its_own_poll_marks_a_client_as_up(api: &Api) {
    let (admin, bob) = (api.project().with_roles("admin"), api.project());
    let name = format!("seen-{}", admin.project);
    admin.create("clients", json!({"client_id": name, "is_central": true}));
    let mut private = client("a");
    private["client_id"] = json!("a");
    bob.create("clients", private);
    let seen = |caller: &Caller<'_>, name: &str| -> bool {
        let uuid = caller.show("clients", name)["client"]["uuid"].as_str().unwrap().to_owned();
        let stamp: Option<Time> =
            clients::table.find(uuid).select(clients::last_seen_at).first(&mut api.database()).unwrap();
        stamp.is_some()
    };
    // A search for the jobs of a central client by another caller is not its poll.
    bob.poll(&name);
    bob.list("jobs");
    admin.poll(&name);
    assert!(!seen(&admin, &name) && !seen(&bob, "a"));
    let poll = json!({"match": [{"client_id": name}], "match_not": [{"status": "completed"}]});
    admin.search("/jobs?all_projects=True", poll).expect(200);
    assert!(seen(&admin, &name));
    bob.poll("a");
    assert!(seen(&bob, "a"));
    admin.delete(&format!("/clients/{name}")).expect(204);
}

fn ask(caller: &Caller<'_>, job: &str, word: &str) -> String {
    let answer = caller.post(&format!("/jobs/{job}/event"), json!({word: null})).expect(202);
    assert_eq!(answer.as_object().unwrap().len(), 1);
    answer["result"].as_str().unwrap().to_owned()
}

fn event(caller: &Caller<'_>, job: &str) -> String {
    caller.show("jobs", job)["job_schedule"]["event"].as_str().unwrap().to_owned()
}
