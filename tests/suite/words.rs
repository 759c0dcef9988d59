//! Words and values that other clients send, and their refusals.

use serde_json::{Value, json};

use crate::api::Api;
use crate::documents::{backup, client, job, session};

on_every_backend! {
    an_action_accepts_any_word,
    a_new_action_in_a_job_needs_known_words,
    a_refusal_lists_the_allowed_values,
    a_backup_time_that_clients_cannot_show_is_refused,
}

fn an_action_accepts_any_word(api: &Api) {
    let alice = api.project();
    alice.register("a");
    for (action, mode) in
        [("backup", "mssql"), ("destroy", "fs"), ("x", "\u{1f980}"), (&*"w".repeat(64), "y")]
    {
        let id = alice.create("actions", json!({"freezer_action": {"action": action, "mode": mode}}));
        let path = format!("/actions/{id}");
        let document = alice.show("actions", &id);
        assert_eq!(document["freezer_action"]["mode"], mode);
        alice.patch(&path, document).expect(200);
        // A job needs a client that supports the word.
        let mut body = job("a");
        body["job_actions"] = json!([{"action_id": id}]);
        let refusal = alice.post("/jobs", body).expect(422);
        assert!(refusal["description"].as_str().unwrap().contains("does not support"), "{refusal}");
        alice.delete(&path).expect(204);
    }
    for bad in [json!(""), json!("w".repeat(65)), json!(1)] {
        alice.post("/actions", json!({"freezer_action": {"action": bad}})).expect(400);
        alice.post("/actions", json!({"freezer_action": {"action": "backup", "mode": bad}})).expect(400);
    }
}

fn a_new_action_in_a_job_needs_known_words(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    for (key, last) in [("action", "exec"), ("mode", "nova")] {
        let mut body = job("a");
        body["job_actions"][0]["freezer_action"][key] = json!("mssql");
        for answer in [alice.post("/jobs", body.clone()), alice.patch(&format!("/jobs/{id}"), body)] {
            let refusal = answer.expect(400);
            let said = refusal["description"].as_str().unwrap();
            assert!(said.starts_with(&format!("At /job_actions/0/freezer_action/{key}: ")), "{said}");
            assert!(said.contains(&format!("\"{last}\"")) && !said.contains("other candidates"), "{said}");
        }
    }
}

fn a_refusal_lists_the_allowed_values(api: &Api) {
    let alice = api.project();
    let said = |path: &str, body: Value| -> String {
        alice.post(path, body).expect(400)["description"].as_str().unwrap().to_owned()
    };
    let with = |mut body: Value, key: &str, value: Value| {
        body[key] = value;
        body
    };
    for (text, field, expected) in [
        (
            said("/sessions", with(session(), "time_start", json!("2026-01-01T00:00:00"))),
            "time_start",
            "seconds",
        ),
        (said("/sessions", with(session(), "policy", json!("some"))), "policy", "\"any\""),
        (said("/clients", with(client("a"), "client_id", json!("a b"))), "client_id", "letters"),
        (said("/clients", with(client("a"), "uuid", json!("a b"))), "uuid", "letters"),
        (said("/clients", with(client("a"), "supported_modes", json!(["x"]))), "supported_modes", "\"nova\""),
        (said("/backups", with(backup("b"), "container", Value::Null)), "container", "512"),
        (said("/backups", with(backup("b"), "container", json!("c".repeat(513)))), "container", "512"),
        (said("/backups", with(backup("b"), "backup_name", json!("n".repeat(256)))), "backup_name", "255"),
        (said("/backups", with(backup("b"), "status", json!("lost"))), "status", "\"restoring\""),
    ] {
        assert!(text.contains(field) && text.contains(expected), "{text}");
        for bad in ["anyOf", "Bad Data", "candidates", "^"] {
            assert!(!text.contains(bad), "{text}");
        }
    }
}

fn a_backup_time_that_clients_cannot_show_is_refused(api: &Api) {
    let alice = api.project();
    for (sent, stored) in [
        (json!("1700000000"), json!(1_700_000_000)),
        (json!(" -1 "), json!(-1)),
        (json!(0), json!(0)),
        (json!(1.5), json!(1.5)),
    ] {
        let mut body = backup("b");
        body["time_stamp"] = sent;
        let id = alice.create("backups", body);
        assert_eq!(alice.show("backups", &id)["backup_metadata"]["time_stamp"], stored);
        let path = format!("/backups/{id}");
        for bad in
            [json!("soon"), json!("1.5"), json!(""), json!(null), json!(true), json!(99_999_999_999_999_i64)]
        {
            let refusal = alice.patch(&path, json!({"backup_metadata": {"time_stamp": bad}})).expect(400);
            assert!(refusal["description"].as_str().unwrap().contains("time_stamp"), "{refusal}");
        }
    }
    for bad in [json!("2025-06-15T10:30:00"), json!(null), json!([1]), json!(-99_999_999_999_999_i64)] {
        let mut body = backup("b");
        body["time_stamp"] = bad;
        let refusal = alice.post("/backups", body).expect(400);
        assert!(refusal["description"].as_str().unwrap().contains("time_stamp"), "{refusal}");
    }
    let mut body = backup("b");
    body.as_object_mut().unwrap().remove("time_stamp");
    let refusal = alice.post("/backups", body).expect(400);
    assert!(refusal["description"].as_str().unwrap().contains("time_stamp"), "{refusal}");
}
