//! Entries of `job_actions`: a new action, or a reference to one (contract, "Where the release differs").

use serde_json::{Value, json};

use crate::api::{Api, Caller};
use crate::documents::action;

on_every_backend! {
    an_entry_without_an_id_brings_a_new_action,
    an_id_alone_links_an_action,
    an_id_with_the_same_action_is_linked,
    an_id_with_another_action_is_refused,
    an_unknown_id_is_refused,
    each_place_has_its_own_retries,
    the_order_is_kept,
    one_action_may_have_two_places,
    a_job_has_at_most_1000_actions,
    defaults_fill_missing_keys,
    a_whole_document_sent_back_creates_no_actions,
}

fn an_entry_without_an_id_brings_a_new_action(api: &Api) {
    let alice = api.project();
    alice.register("a");
    for id in [json!(""), json!(null)] {
        let mut entry = action();
        entry["action_id"] = id;
        // Further keys in an entry, as other documents have them, are accepted.
        entry["exit_status"] = json!("success");
        entry["project_id"] = json!("x");
        entry["user_id"] = json!("y");
        let job = alice.create("jobs", json!({"client_id": "a", "job_actions": [entry]}));
        let entry = alice.show("jobs", &job)["job_actions"][0].clone();
        let made = alice.show("actions", entry["action_id"].as_str().unwrap());
        assert_eq!(made["freezer_action"], entry["freezer_action"]);
        assert_eq!((&made["project_id"], &made["user_id"]), (&json!(alice.project), &json!(alice.user)));
        assert_eq!((&made["max_retries"], &made["mandatory"]), (&json!(3), &json!(true)));
    }
    assert_eq!(alice.list("actions").len(), 2);
}

fn an_id_alone_links_an_action(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let id = alice.create("actions", action());
    let job = with_entries(&alice, json!([{"action_id": id}]));
    let entry = alice.show("jobs", &job)["job_actions"][0].clone();
    assert_eq!(entry["action_id"], json!(id));
    assert_eq!(entry["freezer_action"], alice.show("actions", &id)["freezer_action"]);
    assert_eq!((&entry["max_retries"], &entry["max_retries_interval"]), (&json!(3), &json!(60)));
    assert_eq!(entry["mandatory"], true);

    // The entry refers to the action and does not copy it.
    alice.patch(&format!("/actions/{id}"), json!({"freezer_action": {"backup_name": "var"}})).expect(200);
    assert_eq!(alice.show("jobs", &job)["job_actions"][0]["freezer_action"]["backup_name"], "var");
}

fn an_id_with_the_same_action_is_linked(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let id = alice.create("actions", action());
    let mut same = alice.show("actions", &id)["freezer_action"].clone();
    same.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let mut with_nulls = same.clone();
    with_nulls["ssh_host"] = json!(null);
    with_nulls["mode"] = json!("fs");
    let mut under_a_trust = same.clone();
    under_a_trust["os_trust_id"] = json!("t");
    for freezer_action in [same, with_nulls, under_a_trust] {
        let entry = json!({"action_id": id, "freezer_action": freezer_action, "user_id": "u", "_version": 9});
        let job = with_entries(&alice, json!([entry]));
        assert_eq!(alice.show("jobs", &job)["job_actions"][0]["action_id"], json!(id));
    }
    assert_eq!(alice.list("actions").len(), 1, "no forks");
    assert_eq!(alice.show("actions", &id)["_version"], 1);
}

fn an_id_with_another_action_is_refused(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let id = alice.create("actions", action());
    let job = with_entries(&alice, json!([{"action_id": id}]));
    let before = alice.show("jobs", &job);
    let mut other = action()["freezer_action"].clone();
    other["backup_name"] = json!("var");
    let mut less = action()["freezer_action"].clone();
    less.as_object_mut().unwrap().remove("storage");
    for freezer_action in [other, less, json!({"action": "backup"}), json!({})] {
        let entries = json!([{"action_id": id, "freezer_action": freezer_action}]);
        let body = json!({"client_id": "a", "job_actions": entries});
        let refusal = alice.post("/jobs", body.clone()).expect(422);
        let text = refusal["description"].as_str().unwrap();
        assert!(text.contains("Update the action") && text.contains("leave out action_id"), "{text}");
        alice.post(&format!("/jobs/{job}"), body).expect(422);
        alice.patch(&format!("/jobs/{job}"), json!({"job_actions": entries})).expect(422);
    }
    assert_eq!(alice.show("jobs", &job), before);
    assert_eq!(alice.list("actions").len(), 1);
}

fn an_unknown_id_is_refused(api: &Api) {
    let (alice, bob) = (api.project(), api.project());
    alice.register("a");
    let his = bob.create("actions", action());
    for id in ["unknown", &his] {
        for entry in
            [json!({"action_id": id}), json!({"action_id": id, "freezer_action": action()["freezer_action"]})]
        {
            let refusal = alice.post("/jobs", json!({"client_id": "a", "job_actions": [entry]})).expect(422);
            assert_eq!(refusal["description"], json!(format!("Action not found with ID {id}")));
        }
    }
    assert!(alice.list("jobs").is_empty() && alice.list("actions").is_empty());
}

fn each_place_has_its_own_retries(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let id = alice.create("actions", action());
    let entry = json!({"action_id": id, "max_retries": 0, "max_retries_interval": 1, "mandatory": false});
    let one = with_entries(&alice, json!([entry]));
    let two = with_entries(&alice, json!([{"action_id": id}]));
    let of = |job: &str| {
        let entry = alice.show("jobs", job)["job_actions"][0].clone();
        (entry["max_retries"].clone(), entry["max_retries_interval"].clone(), entry["mandatory"].clone())
    };
    assert_eq!(of(&one), (json!(0), json!(1), json!(false)));
    assert_eq!(of(&two), (json!(3), json!(60), json!(true)));
    alice
        .patch(&format!("/jobs/{two}"), json!({"job_actions": [{"action_id": id, "max_retries": 9}]}))
        .expect(200);
    assert_eq!(of(&two), (json!(9), json!(60), json!(true)));
    assert_eq!(of(&one), (json!(0), json!(1), json!(false)));
    assert_eq!(alice.show("actions", &id)["max_retries"], 3);
}

fn the_order_is_kept(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let ids: Vec<String> = (0..5).map(|_| alice.create("actions", action())).collect();
    let entries =
        |order: &[usize]| -> Value { order.iter().map(|i| json!({"action_id": ids[*i]})).collect() };
    let job = with_entries(&alice, entries(&[0, 1, 2, 3, 4]));
    for order in [&[0, 1, 2, 3, 4][..], &[4, 3, 2, 1, 0], &[4, 1, 0], &[2, 4, 1, 0, 3], &[]] {
        alice.patch(&format!("/jobs/{job}"), json!({"job_actions": entries(order)})).expect(200);
        let document = alice.show("jobs", &job);
        let shown = document["job_actions"].as_array().unwrap().iter().map(|entry| &entry["action_id"]);
        assert!(shown.eq(order.iter().map(|i| &ids[*i])), "{document}");
    }
}

fn one_action_may_have_two_places(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let id = alice.create("actions", action());
    let job = with_entries(
        &alice,
        json!([{"action_id": id, "max_retries": 1}, {"action_id": id, "max_retries": 2}]),
    );
    let document = alice.show("jobs", &job);
    assert_eq!(document["job_actions"][0]["max_retries"], 1);
    assert_eq!(document["job_actions"][1]["max_retries"], 2);
    alice.delete(&format!("/actions/{id}")).expect(204);
    assert_eq!(alice.show("jobs", &job)["job_actions"], json!([]));
}

fn a_job_has_at_most_1000_actions(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let entries = |count| json!(vec![json!({"freezer_action": {"action": "exec"}}); count]);
    alice.post("/jobs", json!({"client_id": "a", "job_actions": entries(1001)})).expect(400);
    let job = with_entries(&alice, entries(1000));
    let mut linked = alice.show("jobs", &job)["job_actions"].as_array().unwrap().clone();
    assert_eq!(linked.len(), 1000);
    linked.reverse();
    let ids: Vec<Value> = linked.iter().map(|entry| json!({"action_id": entry["action_id"]})).collect();
    alice.patch(&format!("/jobs/{job}"), json!({"job_actions": ids})).expect(200);
    assert_eq!(alice.show("jobs", &job)["job_actions"][0]["action_id"], linked[0]["action_id"]);
    assert_eq!(alice.list("jobs").len(), 1);
    alice.delete("/clients/a?cascade=true").expect(204);
    assert_eq!(alice.rows().action_attachments, 0);
}

fn defaults_fill_missing_keys(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let body = json!({
        "client_id": "a",
        "action_defaults": {"action": "backup", "mode": "fs", "container": "c", "storage": "local", "log_level": 1},
        "job_actions": [
            {"freezer_action": {"backup_name": "one"}},
            {"freezer_action": {"backup_name": "two", "action": "restore", "container": null, "mode": "mysql"}},
        ],
    });
    let job = alice.create("jobs", body.clone());
    let document = alice.show("jobs", &job);
    assert!(document.get("action_defaults").is_none());
    let first = &document["job_actions"][0]["freezer_action"];
    assert_eq!(
        (&first["action"], &first["mode"], &first["container"]),
        (&json!("backup"), &json!("fs"), &json!("c"))
    );
    assert_eq!((&first["storage"], &first["log_level"]), (&json!("local"), &json!(1)));
    let second = &document["job_actions"][1]["freezer_action"];
    assert_eq!(
        (&second["action"], &second["mode"], &second["container"]),
        (&json!("restore"), &json!("mysql"), &json!("c"))
    );

    // A patch without actions has no entries to fill (contract, api-v2 §12, 2).
    alice.patch(&format!("/jobs/{job}"), json!({"action_defaults": {"mode": "mongo"}})).expect(400);
    assert_eq!(alice.show("jobs", &job)["job_actions"], document["job_actions"]);
    // The defaults are checked like the keys that they fill.
    for (key, value) in [("action", json!("destroy")), ("mode", json!(1)), ("container", json!([]))] {
        let mut bad = json!({"client_id": "a", "job_actions": [{"freezer_action": {}}]});
        bad["action_defaults"] = json!({"action": "backup", key: value});
        alice.post("/jobs", bad).expect(400);
    }
}

fn a_whole_document_sent_back_creates_no_actions(api: &Api) {
    let alice = api.project();
    let job = alice.job_on("a");
    let before = alice.show("jobs", &job);
    let answer = alice.patch(&format!("/jobs/{job}"), before.clone()).expect(200);
    assert_eq!(answer, json!({"job_id": job, "version": before["_version"]}));
    assert_eq!(alice.show("jobs", &job), before);
    let mut central = before.clone();
    central["job_actions"][0]["freezer_action"]["os_trust_id"] = json!("t");
    alice.patch(&format!("/jobs/{job}"), central).expect(200);
    assert_eq!(alice.show("jobs", &job), before);
    assert_eq!(alice.list("actions").len(), 1);
}

fn with_entries(caller: &Caller<'_>, entries: Value) -> String {
    caller.create("jobs", json!({"client_id": "a", "job_actions": entries}))
}
