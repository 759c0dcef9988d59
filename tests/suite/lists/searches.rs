//! The search body of a list (contract, api-v2 §10).

use serde_json::{Value, json};

use super::body;
use crate::api::{Api, Caller};
use crate::documents::{action, backup, client, job};

on_every_backend! {
    all_conditions_of_a_search_must_hold,
    a_key_matches_any_of_its_values_at_any_depth,
    a_well_known_key_matches_its_own_place_only,
    a_dotted_path_is_followed,
    values_are_compared_with_their_types,
    an_absent_key_equals_null,
    text_is_found_in_any_value,
    the_text_may_be_a_list_of_conditions,
    text_combines_with_other_conditions,
    an_object_counts_as_a_list_of_one,
    an_invalid_search_is_refused,
    every_noun_is_searched_by_its_columns,
    text_of_any_kind_is_compared_exactly,
    conditions_in_the_text_may_contain_text,
    a_null_time_sets_no_bound,
}

fn all_conditions_of_a_search_must_hold(api: &Api) {
    let alice = three_jobs(api);
    assert_eq!(found(&alice, json!({})), ["one", "two", "three"]);
    assert_eq!(found(&alice, json!({"match": [], "match_not": [], "other": 1})), ["one", "two", "three"]);
    assert_eq!(found(&alice, json!({"match": [{"status": "completed"}]})), ["one", "two"]);
    assert_eq!(found(&alice, json!({"match": [{"status": "completed"}, {"result": "fail"}]})), ["two"]);
    assert_eq!(found(&alice, json!({"match": [{"status": "completed", "result": "fail"}]})), ["two"]);
    assert_eq!(found(&alice, json!({"match_not": [{"status": "completed"}]})), ["three"]);
    assert_eq!(found(&alice, json!({"match_not": [{"result": "fail"}, {"result": "success"}]})), ["three"]);
    assert_eq!(
        found(&alice, json!({"match": [{"status": "completed"}], "match_not": [{"result": "fail"}]})),
        ["one"]
    );
    assert_eq!(
        found(&alice, json!({"match": [{"client_id": "a"}], "match_not": [{"description": "one"}]})),
        ["two"]
    );
    assert!(found(&alice, json!({"match": [{"status": "running"}]})).is_empty());
}

fn a_key_matches_any_of_its_values_at_any_depth(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let mut body = job("a");
    body["job_actions"] = json!([action(), action()]);
    body["job_actions"][1]["freezer_action"]["mode"] = json!("mysql");
    alice.create("jobs", body);
    for mode in ["fs", "mysql"] {
        assert_eq!(found(&alice, json!({"match": [{"mode": mode}]})), ["nightly"]);
        assert!(found(&alice, json!({"match_not": [{"mode": mode}]})).is_empty());
    }
    assert_eq!(found(&alice, json!({"match": [{"mode": "fs"}, {"mode": "mysql"}]})), ["nightly"]);
    assert!(found(&alice, json!({"match": [{"mode": "mongo"}]})).is_empty());
    assert_eq!(found(&alice, json!({"match_not": [{"mode": "mongo"}]})), ["nightly"]);
    assert_eq!(found(&alice, json!({"match": [{"max_retries": 3}]})), ["nightly"]);
}

fn a_well_known_key_matches_its_own_place_only(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let mut body = job("a");
    body["job_actions"][0]["freezer_action"]["status"] = json!("completed");
    body["job_actions"][0]["freezer_action"]["client_id"] = json!("b");
    let id = alice.create("jobs", body);
    // A poll must find the job, whatever its actions contain.
    assert_eq!(alice.poll("a").len(), 1);
    assert!(found(&alice, json!({"match": [{"status": "completed"}]})).is_empty());
    assert!(found(&alice, json!({"match": [{"client_id": "b"}]})).is_empty());
    alice.report(&id, json!({"status": "completed"}));
    assert!(alice.poll("a").is_empty());
}

fn a_dotted_path_is_followed(api: &Api) {
    let alice = three_jobs(api);
    assert_eq!(found(&alice, json!({"match": [{"job_schedule.status": "completed"}]})), ["one", "two"]);
    assert_eq!(found(&alice, json!({"match_not": [{"job_schedule.status": "completed"}]})), ["three"]);
    assert_eq!(
        found(&alice, json!({"match": [{"job_schedule.schedule_interval": "1 days"}]})),
        ["one", "two", "three"]
    );
    assert_eq!(
        found(&alice, json!({"match": [{"job_actions.freezer_action.mode": "fs"}]})),
        ["one", "two", "three"]
    );
    assert_eq!(found(&alice, json!({"match": [{"job_actions.freezer_action.colour": "red"}]})), ["three"]);
    assert_eq!(
        alice.find_documents("actions", json!({"match": [{"freezer_action.colour": "red"}]})).len(),
        1
    );
    assert!(found(&alice, json!({"match": [{"job_schedule.mode": "fs"}]})).is_empty());
}

fn values_are_compared_with_their_types(api: &Api) {
    let alice = three_jobs(api);
    for (value, expected) in
        [(json!(7), vec!["one"]), (json!("7"), vec!["two"]), (json!(true), vec!["three"])]
    {
        assert_eq!(found(&alice, json!({"match": [{"typed": value}]})), expected, "{value}");
    }
    assert!(found(&alice, json!({"match": [{"typed": 1}]})).is_empty());
    assert!(found(&alice, json!({"match": [{"description": 1}]})).is_empty());
    assert!(found(&alice, json!({"match": [{"status": ["completed"]}]})).is_empty());
    assert!(found(&alice, json!({"match": [{"client_id": {"a": 1}}]})).is_empty());
}

fn an_absent_key_equals_null(api: &Api) {
    let alice = three_jobs(api);
    assert_eq!(found(&alice, json!({"match": [{"colour": null}]})), ["one", "two"]);
    assert_eq!(found(&alice, json!({"match_not": [{"colour": null}]})), ["three"]);
    assert_eq!(found(&alice, json!({"match": [{"log_file": null}]})), ["one", "two", "three"]);
    assert!(found(&alice, json!({"match": [{"status": null}]})).is_empty());
}

fn text_is_found_in_any_value(api: &Api) {
    let alice = three_jobs(api);
    for (text, expected) in [
        ("ONE", vec!["one"]),
        ("wo", vec!["two"]),
        ("complet", vec!["one", "two"]),
        ("success one", vec!["one"]),
        ("one fail", vec![]),
        ("  red\t", vec!["three"]),
        ("", vec!["one", "two", "three"]),
        ("var/back", vec!["one", "two", "three"]),
        ("RED \u{00c9}T\u{00c9}", vec!["three"]),
        ("%", vec![]),
        ("_____", vec![]),
        ("colour", vec![]),
    ] {
        assert_eq!(found(&alice, json!({"match": [{"_all": text}]})), expected, "{text}");
    }
    assert_eq!(found(&alice, json!({"match_not": [{"_all": "red"}]})), ["one", "two"]);
    assert_eq!(found(&alice, json!({"match": [{"_all": 7}]})).len(), 3, "a number matches as it is written");

    // The dashboard looks a client up like this, and takes the first result.
    for name in ["web1", "web2", "web3"] {
        alice.create("clients", client(name));
    }
    let uuid = alice.show("clients", "web2")["client"]["uuid"].clone();
    let clients = alice.find_documents("clients", json!({"match": [{"_all": uuid}]}));
    assert_eq!(clients.len(), 1);
    assert_eq!(clients[0]["client"]["client_id"], "web2");
}

fn the_text_may_be_a_list_of_conditions(api: &Api) {
    let alice = three_jobs(api);
    let text = json!([{"status": "completed"}, {"result": "fail"}]).to_string();
    assert_eq!(found(&alice, json!({"match": [{"_all": text}]})), ["two"]);
    assert!(found(&alice, json!({"match": [{"_all": text}, {"description": "one"}]})).is_empty());
    assert_eq!(found(&alice, json!({"match": [{"description": "two"}, {"_all": text}]})), ["two"]);
    // Any other text is searched for as it is.
    assert!(found(&alice, json!({"match": [{"_all": "[{\"status\": "}]})).is_empty());
}

fn text_combines_with_other_conditions(api: &Api) {
    let alice = three_jobs(api);
    // The command `job-list --search nightly --client a` sends this.
    let search = json!({"match": [{"_all": "backups"}, {"client_id": "a"}]});
    assert_eq!(found(&alice, search), ["one", "two"]);
    assert!(found(&alice, json!({"match": [{"client_id": "b"}, {"_all": "completed"}]})).is_empty());
}

fn an_object_counts_as_a_list_of_one(api: &Api) {
    let alice = three_jobs(api);
    assert_eq!(found(&alice, json!({"match": {"result": "fail"}})), ["two"]);
    assert_eq!(found(&alice, json!({"match_not": {"status": "completed"}})), ["three"]);
}

fn an_invalid_search_is_refused(api: &Api) {
    let alice = api.project();
    for noun in ["clients", "actions", "jobs", "sessions", "backups"] {
        for body in [
            json!([]),
            json!("x"),
            json!(1),
            json!(null),
            json!({"match": "x"}),
            json!({"match": null}),
            json!({"match": 1}),
            json!({"match": ["x"]}),
            json!({"match": [[]]}),
            json!({"match": [{"a": 1}, null]}),
            json!({"match_not": true}),
            json!({"match_not": [1]}),
        ] {
            let refusal = alice.search(&format!("/{noun}"), body.clone()).expect(400);
            assert_eq!(refusal["title"], "Bad request format", "{noun} {body}");
        }
    }
}

fn every_noun_is_searched_by_its_columns(api: &Api) {
    let alice = api.project();
    alice.register("a");
    for noun in ["actions", "jobs", "sessions", "backups"] {
        let key = format!("{}_id", noun.trim_end_matches('s'));
        let ids: Vec<String> = (0..3).map(|_| alice.create(noun, body(noun))).collect();
        let of = |search: Value| -> Vec<Value> {
            alice.find_documents(noun, search).into_iter().map(|item| item[&key].clone()).collect()
        };
        assert_eq!(of(json!({"match": [{&key: ids[1]}]})), [json!(ids[1])]);
        assert_eq!(of(json!({"match_not": [{&key: ids[1]}]})).len(), 2);
        assert_eq!(of(json!({"match": [{"_all": ids[2]}]})).len(), 1, "{noun}");
        assert!(of(json!({"match": [{"project_id": "x"}]})).is_empty());
        assert_eq!(of(json!({"match": [{"user_id": alice.user}]})).len(), 3);
    }
    let session = alice.list("sessions")[0]["session_id"].as_str().unwrap().to_owned();
    let job = alice.list("jobs")[0]["job_id"].as_str().unwrap().to_owned();
    alice.put(&format!("/sessions/{session}/jobs/{job}")).expect(204);
    let count = |search: Value| alice.find_documents("jobs", search).len();
    assert_eq!(count(json!({"match": [{"session_id": session}]})), 1);
    assert_eq!(count(json!({"match_not": [{"session_id": session}]})), 2);
    assert_eq!(count(json!({"match": [{"session_id": ""}]})), 2);
    assert_eq!(count(json!({"match_not": [{"session_id": ""}]})), 1);
    assert_eq!(count(json!({"match": [{"event": ""}]})), 3);
    assert_eq!(count(json!({"match_not": [{"client_id": "a"}]})), 0);
    assert_eq!(count(json!({"match_not": [{"client_id": "unknown"}]})), 3);
    assert_eq!(alice.find_documents("sessions", json!({"match": [{"status": "active"}]})).len(), 3);
    assert_eq!(alice.find_documents("sessions", json!({"match_not": [{"result": ""}]})).len(), 0);
    assert_eq!(
        alice.find_documents("actions", json!({"match": [{"action": "backup", "backup_name": "etc"}]})).len(),
        6
    );
    assert_eq!(
        alice.find_documents("actions", json!({"match_not": [{"freezer_action.action": "backup"}]})).len(),
        0
    );
    let named = |search: Value| {
        alice.find_documents("clients", search).iter().filter(|c| c["project_id"] == alice.project).count()
    };
    assert_eq!(named(json!({"match": [{"client_id": "a"}]})), 1);
    assert_eq!(named(json!({"match": [{"client.client_id": "a"}]})), 1);
    assert_eq!(named(json!({"match_not": [{"client_id": "a"}]})), 0);
    assert_eq!(named(json!({"match": [{"hostname": "a"}, {"is_central": false}]})), 1);
}

fn text_of_any_kind_is_compared_exactly(api: &Api) {
    let alice = api.project();
    let names = ["a", "A", "\u{e9}", "e", "a ", " a", "🦀", "a%", "a_", "a\\", "'", "\"", "[1]", "x\ty"];
    for name in names {
        alice.create("backups", backup(name));
    }
    for name in names {
        for key in ["backup_name", "backup_metadata.backup_name"] {
            let found = alice.find_documents("backups", json!({"match": [{key: name}]}));
            assert_eq!(found.len(), 1, "{name:?}");
            assert_eq!(found[0]["backup_metadata"]["backup_name"], name);
            assert_eq!(
                alice.find_documents("backups", json!({"match_not": [{key: name}]})).len(),
                names.len() - 1,
                "{name:?}"
            );
        }
        // Values that no column can hold find nothing, and cause no error.
        for noun in ["clients", "actions", "jobs", "sessions"] {
            for key in [
                "client_id",
                "job_id",
                "session_id",
                "action_id",
                "uuid",
                "status",
                "event",
                "result",
                "action",
            ] {
                alice.search(&format!("/{noun}"), json!({"match": [{key: name}]})).expect(200);
                alice.search(&format!("/{noun}"), json!({"match_not": [{key: name}]})).expect(200);
            }
        }
    }
}

fn conditions_in_the_text_may_contain_text(api: &Api) {
    let alice = three_jobs(api);
    let text = json!([{"_all": "completed"}, {"result": "fail"}]).to_string();
    assert_eq!(found(&alice, json!({"match": [{"_all": text}]})), ["two"]);
    let text = json!([{"_all": "running"}, {"result": "fail"}]).to_string();
    assert!(found(&alice, json!({"match": [{"_all": text}]})).is_empty());
}

fn a_null_time_sets_no_bound(api: &Api) {
    let alice = api.project();
    alice.create("backups", backup("a"));
    assert_eq!(alice.find_documents("backups", json!({"time_after": null, "time_before": null})).len(), 1);
}

/// Creates the jobs `one` and `two` on client a, and `three` on b.
fn three_jobs(api: &Api) -> Caller<'_> {
    let alice = api.project();
    alice.register("a");
    alice.register("b");
    for (name, client, run, more) in [
        ("one", "a", json!({"status": "completed", "result": "success"}), json!({"typed": 7})),
        ("two", "a", json!({"status": "completed", "result": "fail"}), json!({"typed": "7"})),
        ("three", "b", json!({}), json!({"typed": true, "colour": "red", "season": "\u{c9}t\u{e9}"})),
    ] {
        let mut body = job(client);
        body["description"] = json!(name);
        let freezer_action = body["job_actions"][0]["freezer_action"].as_object_mut().unwrap();
        freezer_action.extend(more.as_object().unwrap().clone());
        body["job_schedule"].as_object_mut().unwrap().extend(run.as_object().unwrap().clone());
        alice.create("jobs", body);
    }
    alice
}

/// The descriptions of the jobs that a search finds.
fn found(caller: &Caller<'_>, search: Value) -> Vec<String> {
    let jobs = caller.find_documents("jobs", search);
    jobs.iter().map(|job| job["description"].as_str().unwrap().to_owned()).collect()
}
