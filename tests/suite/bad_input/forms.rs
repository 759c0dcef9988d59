//! Forms of JSON bodies that are refused, and parameters without a value.

use serde_json::{Value, json};

use super::{NOUNS, is_list, state};
use crate::api::Api;
use crate::documents::{action, job, session};
use crate::routes::Case;

on_every_backend! {
    a_duplicate_key_is_refused_by_every_route,
    a_body_with_a_content_encoding_is_refused_by_every_route,
    malformed_json_is_refused_with_its_reason,
    a_parameter_without_a_value_counts_as_absent,
    a_filter_without_a_value_finds_rows_without_one,
}

fn a_duplicate_key_is_refused_by_every_route(api: &Api) {
    let alice = api.project();
    let takes_json = |case: &&Case| (case.body.is_some() && !case.path.ends_with("/log")) || is_list(case);
    let cases = Case::all(&alice);
    let before = state(&alice);
    for case in cases.iter().filter(takes_json) {
        let body = case.body.clone().unwrap_or_else(|| json!({})).to_string();
        let rest = &body[1..];
        let comma = if rest == "}" { "" } else { "," };
        for (twice, key) in [
            (format!("{{\"twice\": 1, \"twice\": 1{comma}{rest}"), "twice"),
            (format!("{{\"a\": [{{\"b\": {{\"deep\": 1, \"x\": 2, \"deep\": 3}}}}]{comma}{rest}"), "deep"),
            (format!("{{\"\\u0061b\": 1, \"ab\": 2{comma}{rest}"), "ab"),
        ] {
            let refusal = alice.send(case.method, &case.path, Some(twice.as_bytes())).expect(400);
            let description = refusal["description"].as_str().unwrap();
            let expected = format!("Malformed JSON: the key \"{key}\" is there twice");
            assert!(description.starts_with(&expected), "{refusal}");
        }
    }
    assert_eq!(state(&alice), before);
}

fn a_body_with_a_content_encoding_is_refused_by_every_route(api: &Api) {
    let alice = api.project();
    let cases = Case::all(&alice);
    let before = state(&alice);
    for case in &cases {
        let body = case.body.clone().unwrap_or_else(|| json!({})).to_string();
        for coding in ["gzip", "GZIP", "deflate", "br", "identity, gzip", "nonsense"] {
            let headers = [("Content-Encoding", coding)];
            let answer = alice.send_with(case.method, &case.path, &headers, Some(body.as_bytes()));
            let refusal = answer.expect(415);
            assert!(refusal["description"].as_str().unwrap().contains("Content-Encoding"), "{refusal}");
            assert_eq!(answer.header("Accept-Encoding"), Some("identity"), "{answer}");
        }
    }
    assert_eq!(state(&alice), before);
    // `identity` and an empty value mean that the body is not encoded.
    let body = action().to_string();
    for coding in ["identity", "Identity", ""] {
        let headers = [("Content-Encoding", coding)];
        alice.send_with("POST", "/actions", &headers, Some(body.as_bytes())).expect(201);
    }
    alice.send_with("GET", "/actions", &[("Content-Encoding", "gzip")], None).expect(200);
}

fn malformed_json_is_refused_with_its_reason(api: &Api) {
    let alice = api.project();
    for (body, word) in [
        (&b"\xef\xbb\xbf{}"[..], "byte order mark"),
        (b"\xff\xfe{\0}\0", "UTF-16"),
        (b"\xfe\xff\0{\0}", "UTF-16"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b"{\"a\":}", "expected value at line 1 column 6"),
    ] {
        for (method, path) in [("POST", "/jobs"), ("GET", "/backups"), ("POST", "/sessions")] {
            let refusal = alice.send(method, path, Some(body)).expect(400);
            let description = refusal["description"].as_str().unwrap();
            assert!(description.starts_with("Malformed JSON: ") && description.contains(word), "{refusal}");
        }
    }
}

fn a_parameter_without_a_value_counts_as_absent(api: &Api) {
    let alice = api.project();
    alice.register("host");
    for _ in 0..2 {
        alice.create("jobs", job("host"));
        alice.create("sessions", session());
        alice.create("backups", crate::documents::backup("etc"));
    }
    let lists = ["clients", "job-attachments", "action-attachments", "action-reports"];
    for noun in NOUNS.iter().chain(&lists) {
        let all = alice.get(&format!("/{noun}")).expect(200);
        for query in ["limit=", "offset=", "marker=", "sort=", "fields=", "limit", "sort&limit=&offset"] {
            assert_eq!(alice.get(&format!("/{noun}?{query}")).expect(200), all, "{noun} {query}");
        }
        // An earlier value of the same parameter still applies.
        let key = noun.replace('-', "_");
        let page = |query: &str| alice.get(&format!("/{noun}?{query}")).expect(200)[&key].clone();
        assert_eq!(page("limit=1&limit="), page("limit=1"));
        // The API guideline writes this parameter without a value.
        assert!(alice.get(&format!("/{noun}?with_count")).expect(200)["count"].is_u64());
        assert!(alice.get(&format!("/{noun}?with_count=")).expect(200)["count"].is_u64());
    }
    // Without a value, a filter by a column that is never null is ignored.
    for query in ["created_at=", "time_stamp=", "curr_backup_level="] {
        assert_eq!(alice.list("backups").len(), 2);
        assert_eq!(alice.get(&format!("/backups?{query}")).expect(200), alice.get("/backups").expect(200));
    }
    alice.get("/clients?state=&is_central=").expect(200);
    alice.get("/backups?time_stamp=gt:").expect(400);
    let jobs = alice.get("/jobs").expect(200);
    assert_eq!(alice.get("/jobs?all_projects=").expect(200), jobs);
    assert_eq!(alice.get("/jobs?all_projects").expect(200), jobs);
    alice.get("/action-reports?since=&until=").expect(200);
    alice.delete("/clients/host?cascade=").expect(409);
    // An invalid value is still refused.
    for query in ["limit=+", "offset=x", "marker=%20", "sort=x", "fields=,", "all_projects=x"] {
        alice.get(&format!("/jobs?{query}")).expect(400);
    }
}

fn a_filter_without_a_value_finds_rows_without_one(api: &Api) {
    let alice = api.project();
    alice.register("host");
    let (inside, outside) = (alice.create("jobs", job("host")), alice.create("jobs", job("host")));
    let session = alice.create("sessions", session());
    alice.put(&format!("/sessions/{session}/jobs/{inside}")).expect(204);
    let ids = |query: &str| -> Vec<Value> {
        let found = alice.get(&format!("/jobs?{query}")).expect(200);
        found["jobs"].as_array().unwrap().iter().map(|job| job["job_id"].clone()).collect()
    };
    assert_eq!(ids("session_id="), [json!(outside)]);
    assert_eq!(ids("session_id=neq:"), [json!(inside)]);
}
