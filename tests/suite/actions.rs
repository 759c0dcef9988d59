//! Actions (contract, api-v2 §6).

use serde_json::{Value, json};

use crate::api::Api;
use crate::documents::action;

on_every_backend! {
    an_action_is_created_and_shown,
    absent_fields_have_defaults,
    freezer_action_keeps_any_key,
    a_caller_may_choose_the_id_of_an_action,
    the_body_cannot_set_the_owner,
    an_invalid_action_is_refused,
    a_patch_is_merged,
    a_patch_that_repeats_the_document_changes_nothing,
    a_patch_with_nulls_keeps_required_fields,
    a_replacement_resets_absent_fields,
    a_replacement_creates_a_missing_action,
    a_deleted_action_leaves_every_job,
    a_trust_id_in_the_body_is_not_stored,
    the_outer_mandatory_flag_wins_over_the_inner_one,
}

fn an_action_is_created_and_shown(api: &Api) {
    let alice = api.project();
    let answer = alice.post("/actions/", action());
    let id = answer.expect(201)["action_id"].as_str().unwrap().to_owned();
    assert_eq!(answer.json(), json!({"action_id": id}));
    assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    let place = format!("{}/v2/{}/actions/{id}", api.url(), alice.project);
    assert_eq!(answer.header("Location"), Some(&*place));

    let document = alice.show("actions", &id);
    assert_eq!(
        document,
        json!({
            "action_id": id,
            "project_id": alice.project,
            "user_id": alice.user,
            "max_retries": 3,
            "max_retries_interval": 60,
            "mandatory": true,
            "timeout": null,
            "freezer_action": {
                "action": "backup",
                "mode": "fs",
                "backup_name": "etc",
                "container": "/var/backups",
                "path_to_backup": "/etc",
                "storage": "local",
                "engine_name": "tar",
                "remove_older_than": 365,
                "log_file": null,
                "priority": null,
                "timeout": null,
            },
            "_version": 1,
        })
    );
    assert_eq!(alice.list("actions"), [document], "the list shows the same document");
}

fn absent_fields_have_defaults(api: &Api) {
    let alice = api.project();
    // The dashboard sends null for an empty field.
    for more in [
        json!({}),
        json!({"max_retries": null, "max_retries_interval": null, "mandatory": null, "action_id": ""}),
    ] {
        let mut body = json!({"freezer_action": {"action": "info"}});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let id = alice.create("actions", body);
        let document = alice.show("actions", &id);
        assert_eq!(document["max_retries"], 5);
        assert_eq!(document["max_retries_interval"], 6);
        assert_eq!(document["mandatory"], false);
        for key in ["mode", "backup_name", "container", "timeout", "priority", "path_to_backup", "log_file"] {
            assert_eq!(document["freezer_action"].get(key), Some(&Value::Null), "{key}");
        }
    }
    let id = alice.create("actions", json!({"freezer_action": {"action": "info"}, "max_retries": 0}));
    assert_eq!(alice.show("actions", &id)["max_retries"], 0);
}

fn freezer_action_keeps_any_key(api: &Api) {
    let alice = api.project();
    let freezer_action = json!({
        "action": "restore",
        "mode": null,
        "restore_abs_path": "/restored",
        "backup_name": "Ünïcode ☃ 🦀",
        "container": "",
        "path_to_backup": "x".repeat(9000),
        "log_file": "/var/log/freezer.log",
        "timeout": 120,
        "priority": "high",
        "mandatory": true,
        "hostname": false,
        "max_level": "",
        "big": 9_007_199_254_740_993_i64,
        "ratio": 0.25,
        "nested": {"list": [1, "two", null, {"three": []}], "empty": {}},
        "nothing": null,
    });
    let id = alice.create("actions", json!({"freezer_action": freezer_action}));
    let document = alice.show("actions", &id);
    assert_eq!(document["freezer_action"], freezer_action);
    assert_eq!(document["timeout"], 120);
    assert_eq!(document["mandatory"], true, "the inner flag applies if there is no outer one");
}

fn a_caller_may_choose_the_id_of_an_action(api: &Api) {
    let (alice, bob) = (api.project(), api.project());
    let id = format!("{}_my-action", alice.project);
    let mut body = action();
    body["action_id"] = json!(id);
    assert_eq!(alice.create("actions", body.clone()), id);
    for caller in [&alice, &bob] {
        assert_eq!(caller.post("/actions", body.clone()).expect(409)["title"], "Document already existing");
    }
    alice.delete(&format!("/actions/{id}")).expect(204);
    assert_eq!(bob.create("actions", body.clone()), id, "a deleted id is free");
    for bad in [json!("a b"), json!("é"), json!("x".repeat(65)), json!(1), json!("a\n")] {
        body["action_id"] = bad;
        alice.post("/actions", body.clone()).expect(400);
    }
}

fn the_body_cannot_set_the_owner(api: &Api) {
    let (alice, bob) = (api.project(), api.project());
    let mut body = action();
    body["user_id"] = json!(bob.user);
    body["project_id"] = json!(bob.project);
    let id = alice.create("actions", body.clone());
    let path = format!("/actions/{id}");
    alice.colleague().patch(&path, body.clone()).expect(200);
    alice.colleague().post(&path, body).expect(201);
    let document = alice.show("actions", &id);
    assert_eq!((&document["project_id"], &document["user_id"]), (&json!(alice.project), &json!(alice.user)));
    assert!(bob.list("actions").is_empty());
}

fn an_invalid_action_is_refused(api: &Api) {
    let alice = api.project();
    for body in [
        json!({}),
        json!({"max_retries": 1}),
        json!({"freezer_action": null}),
        json!({"freezer_action": []}),
        json!({"freezer_action": {}}),
        json!({"freezer_action": {"mode": "fs"}}),
        json!({"freezer_action": {"action": null}}),
        json!({"freezer_action": {"action": ""}}),
        json!({"freezer_action": {"action": "backup", "mode": ""}}),
        json!({"freezer_action": {"action": "backup", "container": 1}}),
        json!({"freezer_action": {"action": "backup"}, "max_retries": "1"}),
        json!({"freezer_action": {"action": "backup"}, "max_retries": 1.0}),
        json!({"freezer_action": {"action": "backup"}, "max_retries": -1}),
        json!({"freezer_action": {"action": "backup"}, "max_retries_interval": true}),
        json!({"freezer_action": {"action": "backup"}, "mandatory": "yes"}),
    ] {
        assert_eq!(alice.post("/actions", body).expect(400)["title"], "Bad request format");
    }
    assert!(alice.list("actions").is_empty());
}

fn a_patch_is_merged(api: &Api) {
    let alice = api.project();
    let mut body = action();
    body["freezer_action"]["deep"] = json!({"a": {"b": 1}, "list": [1, 2]});
    let id = alice.create("actions", body);
    let path = format!("/actions/{id}");

    let patch = json!({"freezer_action": {"backup_name": "var", "deep": {"a": {"c": 2}, "list": [3]}}, "action_id": "x"});
    assert_eq!(alice.patch(&path, patch).expect(200), json!({"action_id": id, "version": 2}));
    alice.patch(&path, json!({"max_retries": 7})).expect(200);
    let document = alice.show("actions", &id);
    assert_eq!(document["_version"], 3);
    assert_eq!(document["max_retries"], 7);
    assert_eq!(document["max_retries_interval"], 60);
    assert_eq!(document["mandatory"], true);
    let inside = &document["freezer_action"];
    assert_eq!(inside["backup_name"], "var");
    assert_eq!(inside["deep"], json!({"a": {"b": 1, "c": 2}, "list": [3]}));
    assert_eq!((&inside["mode"], &inside["path_to_backup"]), (&json!("fs"), &json!("/etc")));
    assert_eq!(inside["storage"], "local");
    alice.patch("/actions/unknown", json!({"max_retries": 1})).expect(404);
    alice.patch(&path, json!({})).expect(400);
}

fn a_patch_that_repeats_the_document_changes_nothing(api: &Api) {
    let alice = api.project();
    let id = alice.create("actions", action());
    let document = alice.show("actions", &id);
    let answer = alice.patch(&format!("/actions/{id}"), document.clone());
    assert_eq!(answer.expect(200), json!({"action_id": id, "version": 1}));
    assert_eq!(alice.show("actions", &id), document);
}

fn a_patch_with_nulls_keeps_required_fields(api: &Api) {
    let alice = api.project();
    let id = alice.create("actions", action());
    let patch = json!({
        "freezer_action": {"action": null, "mode": null, "storage": null},
        "max_retries": null, "max_retries_interval": null, "mandatory": null,
    });
    alice.patch(&format!("/actions/{id}"), patch).expect(200);
    let document = alice.show("actions", &id);
    assert_eq!(document["freezer_action"]["action"], "backup");
    assert_eq!(document["freezer_action"]["mode"], Value::Null);
    assert_eq!(document["freezer_action"]["storage"], Value::Null);
    assert_eq!((&document["max_retries"], &document["max_retries_interval"]), (&json!(3), &json!(60)));
    assert_eq!(document["mandatory"], true);
}

fn a_replacement_resets_absent_fields(api: &Api) {
    let alice = api.project();
    let id = alice.create("actions", action());
    let path = format!("/actions/{id}");
    let answer = alice.post(&path, json!({"freezer_action": {"action": "exec", "command": "true"}}));
    assert_eq!(answer.expect(201), json!({"action_id": id, "version": 2}));
    let document = alice.show("actions", &id);
    assert_eq!((&document["max_retries"], &document["mandatory"]), (&json!(5), &json!(false)));
    assert_eq!(document["freezer_action"]["command"], "true");
    assert!(document["freezer_action"].get("storage").is_none());
    assert_eq!(document["freezer_action"]["backup_name"], Value::Null);
    alice.post(&path, json!({"max_retries": 1})).expect(400);
    alice.put(&path).expect(405);
}

fn a_replacement_creates_a_missing_action(api: &Api) {
    let (alice, bob) = (api.project(), api.project());
    let id = format!("new-{}", alice.project);
    let path = format!("/actions/{id}");
    assert_eq!(alice.post(&path, action()).expect(201), json!({"action_id": id, "version": 1}));
    bob.post(&path, action()).expect(409);
    alice.post("/actions/not%20an%20id", action()).expect(400);
    assert_eq!(alice.list("actions").len(), 1);
}

fn a_deleted_action_leaves_every_job(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let ids: Vec<String> = (0..3).map(|_| alice.create("actions", action())).collect();
    let entries: Vec<Value> = ids.iter().map(|id| json!({"action_id": id})).collect();
    let job = alice.create("jobs", json!({"client_id": "a", "job_actions": entries}));

    alice.delete(&format!("/actions/{}", ids[1])).expect(204);
    alice.delete(&format!("/actions/{}", ids[1])).expect(204);
    alice.get(&format!("/actions/{}", ids[1])).expect(404);
    let left = |document: Value| -> Vec<Value> {
        document["job_actions"].as_array().unwrap().iter().map(|entry| entry["action_id"].clone()).collect()
    };
    assert_eq!(left(alice.show("jobs", &job)), [json!(ids[0]), json!(ids[2])]);
    // The document can be written back as it was read.
    let document = alice.show("jobs", &job);
    alice.patch(&format!("/jobs/{job}"), document).expect(200);
    assert_eq!(left(alice.show("jobs", &job)), [json!(ids[0]), json!(ids[2])]);
}

fn a_trust_id_in_the_body_is_not_stored(api: &Api) {
    let alice = api.project();
    let mut body = action();
    body["freezer_action"]["os_trust_id"] = json!("secret");
    let id = alice.create("actions", body.clone());
    alice.patch(&format!("/actions/{id}"), body).expect(200);
    let document = alice.show("actions", &id);
    assert!(document["freezer_action"].get("os_trust_id").is_none());
    assert_eq!(document["_version"], 1);
}

fn the_outer_mandatory_flag_wins_over_the_inner_one(api: &Api) {
    let alice = api.project();
    let id = alice.create("actions", json!({"freezer_action": {"action": "backup", "mandatory": true}}));
    let patched = |patch| {
        alice.patch(&format!("/actions/{id}"), patch).expect(200);
        alice.show("actions", &id)["mandatory"].clone()
    };
    assert_eq!(alice.show("actions", &id)["mandatory"], true);
    assert_eq!(patched(json!({"freezer_action": {"mandatory": false}})), false);
    assert_eq!(patched(json!({"freezer_action": {"mandatory": true}})), true);
    assert_eq!(patched(json!({"freezer_action": {"mandatory": true}, "mandatory": false})), false);
    assert_eq!(patched(json!({"freezer_action": {"backup_name": "b"}})), false);
}
