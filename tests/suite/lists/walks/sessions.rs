//! Sessions by query parameters.

use serde_json::{Value, json};

use super::{filter, walk_every_way};
use crate::api::{Api, Caller};
use crate::documents::{job, session};

on_every_backend! {
    sessions_are_walked_in_every_order,
    sessions_are_filtered,
    a_filter_and_a_search_of_sessions_must_both_hold,
    an_invalid_query_of_sessions_is_refused,
}

/// Creates seven sessions; one has a job.
fn seed_sessions<'a>(api: &'a Api) -> (Caller<'a>, Vec<Value>) {
    let alice = api.project();
    for (status, result, tag) in [
        ("active", "", 0),
        ("completed", "success", 1),
        ("running", "running", 2),
        ("completed", "fail", 3),
        ("completed", "success", 4),
        ("", "", 5),
        ("active", "aborted", 6),
    ] {
        let mut body = session();
        body["result"] = result.into();
        body["session_tag"] = tag.into();
        let id = alice.create("sessions", body);
        // A new session is always active, so that its state needs a PATCH.
        alice.patch(&format!("/sessions/{id}"), json!({"status": status, "result": result})).expect(200);
    }
    let first = alice.list("sessions")[0]["session_id"].as_str().unwrap().to_owned();
    alice.register("a");
    let job = alice.create("jobs", job("a"));
    alice.put(&format!("/sessions/{first}/jobs/{job}")).expect(204);
    let all = alice.list("sessions");
    assert_eq!(all[0]["jobs"].as_object().unwrap().len(), 1);
    api.project().create("sessions", session());
    (alice, all)
}

fn sessions_are_walked_in_every_order(api: &Api) {
    let (alice, all) = seed_sessions(api);
    let orders = [("", "/_"), ("created_at", "/_"), ("status", "/status"), ("result", "/result")];
    walk_every_way(&alice, "sessions", &all, &orders);
}

fn sessions_are_filtered(api: &Api) {
    let (alice, all) = seed_sessions(api);
    let id = |place: usize| all[place]["session_id"].as_str().unwrap();
    for (query, places) in [
        ("status=completed", vec![1, 3, 4]),
        ("status=", vec![5]),
        ("status=in:active,running", vec![0, 2, 6]),
        ("status=neq:completed", vec![0, 2, 5, 6]),
        ("status=nin:completed,active,", vec![2]),
        ("result=success", vec![1, 4]),
        ("result=", vec![0, 5]),
        ("result=neq:", vec![1, 2, 3, 4, 6]),
        ("result=in:,fail", vec![0, 3, 5]),
        ("status=completed&result=neq:success", vec![3]),
        ("status=completed&status=active", vec![]),
        (&format!("session_id={}", id(2)), vec![2]),
        (&format!("session_id=neq:{}&status=completed", id(3)), vec![1, 4]),
        (&format!("session_id=in:{},unknown", id(6)), vec![6]),
        ("session_id=", vec![]),
        ("created_at=gte:2020-01-01", (0..7).collect()),
        ("created_at=lt:2020-01-01", vec![]),
    ] {
        filter(&alice, "sessions", &all, query, &places);
    }
    let few = alice.get("/sessions?fields=session_id,schedule.schedule_interval&limit=1").expect(200);
    assert_eq!(few["sessions"], json!([{"session_id": id(0), "schedule": {"schedule_interval": "7 days"}}]));
}

fn a_filter_and_a_search_of_sessions_must_both_hold(api: &Api) {
    let (alice, all) = seed_sessions(api);
    let search = |query: &str, body: Value| -> Vec<Value> {
        let page = alice.search(&format!("/sessions?{query}"), body).expect(200);
        page["sessions"].as_array().unwrap().iter().map(|item| item["session_tag"].clone()).collect()
    };
    let completed = json!({"match": [{"status": "completed"}]});
    assert_eq!(search("result=success", completed.clone()), [1, 4]);
    assert_eq!(search("result=success&sort=created_at:desc", completed.clone()), [4, 1]);
    assert_eq!(search("result=success&limit=1&offset=1", completed.clone()), [4]);
    let marker = all[1]["session_id"].as_str().unwrap();
    assert_eq!(search(&format!("sort=result&marker={marker}"), completed.clone()), [4]);
    assert_eq!(search(&format!("sort=result:desc&marker={marker}"), completed.clone()), [3]);
    // The interval has no column, so the documents are scanned.
    let weekly = json!({"match": [{"schedule_interval": "7 days"}], "match_not": [{"session_tag": 4}]});
    assert_eq!(search("status=completed&sort=result", weekly.clone()), [3, 1]);
    assert_eq!(search("status=completed&sort=result&limit=1&offset=1", weekly.clone()), [1]);
    let counted = alice.search("/sessions?with_count=true&result=success", completed).expect(200);
    assert_eq!(counted["count"], 2);
    alice.search("/sessions?with_count=true", weekly).expect(400);
}

fn an_invalid_query_of_sessions_is_refused(api: &Api) {
    let alice = api.project();
    for query in ["status=perhaps", "result=gt:fail", "sort=session_id", "sort=policy", "marker=a"] {
        let answer = alice.get(&format!("/sessions?{query}")).expect(400);
        assert_eq!(answer["title"], "Invalid parameter", "{query}");
    }
    alice.get("/sessions?policy=all&colour=red").expect(200);
}
