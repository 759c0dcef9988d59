//! Limits: of a body, its depth, a search, and a document that many requests build up.

use freezer_api::routes::takes_document;
use serde_json::{Value, json};

use super::state;
use crate::api::Api;
use crate::documents::{action, backup, job, session};
use crate::routes::Case;

on_every_backend! {
    a_body_that_is_too_large_is_refused_by_every_route,
    the_largest_body_is_stored,
    the_deepest_body_is_stored,
    a_key_may_be_as_long_as_a_body,
    a_search_has_limits,
    action_defaults_do_not_make_a_job_too_large,
    patches_do_not_make_a_document_too_large,
}

const LIMIT: usize = 114_688;
const DOCUMENT_LIMIT: usize = 4_194_304;

fn a_body_that_is_too_large_is_refused_by_every_route(api: &Api) {
    let alice = api.project();
    let cases = Case::all(&alice);
    let before = state(&alice);
    for case in &cases {
        let body = case.body.clone().unwrap_or_else(|| json!({})).to_string();
        let limit = match takes_document(case.method, &format!("/v2/p{}", case.path)) {
            true => DOCUMENT_LIMIT,
            false => LIMIT,
        };
        for size in [limit + 1, limit + 3_000_000] {
            let padded = format!("{body}{}", " ".repeat(size - body.len()));
            alice.send(case.method, &case.path, Some(padded.as_bytes())).expect(413);
        }
    }
    assert_eq!(state(&alice), before);
}

fn the_largest_body_is_stored(api: &Api) {
    let alice = api.project();
    for filling in ["x", "\u{1f980}", "\\\\", "\\n", "\\u0001", "'"] {
        let (head, tail) = ("{\"freezer_action\":{\"action\":\"exec\",\"text\":\"", "\"}}");
        let room = (LIMIT - head.len() - tail.len()) / filling.len();
        let body = format!("{head}{}{tail}", filling.repeat(room));
        let body = format!("{body}{}", " ".repeat(LIMIT - body.len()));
        let id = alice.send("POST", "/actions", Some(body.as_bytes())).expect(201);
        let sent: Value = serde_json::from_str(&body).unwrap();
        let document = alice.show("actions", id["action_id"].as_str().unwrap());
        assert!(document["freezer_action"]["text"] == sent["freezer_action"]["text"], "{filling:?}");

        let (head, tail) = (
            "{\"backup_name\":\"b\",\"hostname\":\"h\",\"container\":\"c\",\"time_stamp\":1,\"text\":\"",
            "\"}",
        );
        let room = (LIMIT - head.len() - tail.len()) / filling.len();
        let body = format!("{head}{}{tail}", filling.repeat(room));
        let id = alice.send("POST", "/backups", Some(body.as_bytes())).expect(201);
        let sent: Value = serde_json::from_str(&body).unwrap();
        assert!(
            alice.show("backups", id["backup_id"].as_str().unwrap())["backup_metadata"] == sent,
            "{filling:?}"
        );
    }
    assert_eq!(alice.list("actions").len(), 6);
}

fn the_deepest_body_is_stored(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let nested = |levels: usize| {
        (0..levels)
            .fold(json!("deep"), |inner, n| if n % 2 == 0 { json!([inner]) } else { json!({"a": inner}) })
    };
    // The body has 24 levels in all.
    let mut kept = backup("etc");
    kept["deep"] = nested(23);
    let id = alice.create("backups", kept.clone());
    assert_eq!(alice.show("backups", &id)["backup_metadata"], kept);
    kept["deep"] = nested(24);
    alice.post("/backups", kept).expect(400);

    let mut kept = action();
    kept["freezer_action"]["deep"] = nested(22);
    let id = alice.create("actions", kept.clone());
    assert_eq!(alice.show("actions", &id)["freezer_action"]["deep"], kept["freezer_action"]["deep"]);
    assert_eq!(alice.find_documents("actions", json!({"match": [{"_all": "deep"}]})).len(), 1);

    let mut kept = job("a");
    kept["job_actions"][0]["freezer_action"]["deep"] = nested(20);
    let id = alice.create("jobs", kept.clone());
    let shown = alice.show("jobs", &id)["job_actions"][0]["freezer_action"]["deep"].clone();
    assert_eq!(shown, kept["job_actions"][0]["freezer_action"]["deep"]);

    // A deep merge cannot exceed the limit either.
    let id = alice.create("sessions", session());
    let path = format!("/sessions/{id}");
    alice.patch(&path, json!({"deep": nested(23)})).expect(200);
    assert_eq!(alice.show("sessions", &id)["deep"], nested(23));
}

fn a_key_may_be_as_long_as_a_body(api: &Api) {
    let alice = api.project();
    for length in [1000, 65_535, 65_536, 100_000] {
        let key = "k".repeat(length);
        let mut body = action();
        body["freezer_action"][&key] = json!(1);
        let answer = alice.post("/actions", body);
        if answer.status == 201 {
            let id = answer.json()["action_id"].as_str().unwrap().to_owned();
            assert_eq!(alice.show("actions", &id)["freezer_action"][&key], 1);
        } else {
            answer.expect(400);
        }
        alice.search("/actions", json!({"match": [{key: 1}]}));
    }
}

fn a_search_has_limits(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    alice.create("sessions", session());
    alice.create("backups", backup("etc"));
    for (noun, key) in [
        ("clients", "client_id"),
        ("clients", "uuid"),
        ("actions", "action"),
        ("jobs", "job_id"),
        ("jobs", "client_id"),
        ("jobs", "status"),
        ("sessions", "status"),
        ("backups", "hostname"),
        ("backups", "any"),
    ] {
        for condition in ["match", "match_not"] {
            for (count, status) in [(100, 200), (101, 400), (2000, 400)] {
                let many: Vec<Value> = (0..count).map(|n| json!({key: format!("{id}{n}")})).collect();
                alice.search(&format!("/{noun}"), json!({condition: many})).expect(status);
                let text = json!({"match": [{"_all": Value::from(many).to_string()}]});
                alice.search(&format!("/{noun}"), text).expect(status);
            }
        }
    }
    for condition in ["match", "match_not"] {
        for (count, status) in [(100, 200), (101, 400), (50_000, 400)] {
            alice.search("/jobs", json!({condition: [{"_all": "x ".repeat(count)}]})).expect(status);
        }
    }
}

fn action_defaults_do_not_make_a_job_too_large(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let entries = vec![json!({"freezer_action": {}}); 1000];
    let body = json!({
        "client_id": "a", "job_actions": entries, "action_defaults": {"action": "exec", "text": "x".repeat(60_000)},
    });
    alice.post("/jobs", body).expect(413);
    assert!(alice.list("actions").is_empty());
}

fn patches_do_not_make_a_document_too_large(api: &Api) {
    let alice = api.project();
    let action = alice.create("actions", action());
    let session = alice.create("sessions", session());
    let backup = alice.create("backups", backup("etc"));
    let text = "x".repeat(100_000);
    let (mut taken, mut refused) = ([0; 3], [0; 3]);
    for n in 0..13 {
        let key = format!("key-{n}");
        let answers = [
            alice.patch(&format!("/actions/{action}"), json!({"freezer_action": {&key: text}})),
            alice.patch(&format!("/sessions/{session}"), json!({&key: text})),
            alice.patch(&format!("/backups/{backup}"), json!({"backup_metadata": {&key: text}})),
        ];
        for (index, answer) in answers.iter().enumerate() {
            match answer.status {
                200 => taken[index] += 1,
                _ => {
                    answer.expect(413);
                    refused[index] += 1;
                }
            }
        }
    }
    // Ten patches fill the mebibyte that a document may have.
    assert_eq!((taken, refused), ([10; 3], [3; 3]));
}
