//! Backups (contract, api-v2 §9).

use serde_json::{Value, json};

use crate::api::Api;
use crate::documents::backup;

on_every_backend! {
    a_backup_is_recorded_and_shown,
    a_record_has_a_status,
    a_backup_without_its_names_is_refused,
    a_record_made_before_its_backup_is_completed_later,
    an_update_is_merged_and_answered_with_the_whole_document,
    a_deleted_backup_is_gone_and_an_unknown_one_is_not_found,
    backups_are_found_by_promoted_metadata,
    backups_are_found_by_their_time,
    metadata_of_any_type_is_kept,
}

fn a_backup_is_recorded_and_shown(api: &Api) {
    let alice = api.project();
    let answer = alice.post("/backups/", backup("etc"));
    let id = answer.expect(201)["backup_id"].as_str().unwrap().to_owned();
    assert_eq!(answer.json(), json!({"backup_id": id}));
    assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    let place = format!("{}/v2/{}/backups/{id}", api.url(), alice.project);
    assert_eq!(answer.header("Location"), Some(&*place));

    let document = alice.show("backups", &id);
    assert_eq!(
        document,
        json!({
            "backup_id": id,
            "project_id": alice.project,
            "user_id": alice.user,
            "status": "available",
            "backup_metadata": backup("etc"),
        })
    );
    assert_eq!(alice.list("backups"), [document]);
    alice.post(&format!("/backups/{id}"), backup("etc")).expect(405);
}

fn a_record_has_a_status(api: &Api) {
    let alice = api.project();
    for status in ["creating", "available", "error", "deleting", "deleted", "restoring"] {
        let mut body = backup("etc");
        body["status"] = json!(status);
        let id = alice.create("backups", body);
        let document = alice.show("backups", &id);
        assert_eq!(document["status"], status);
        assert_eq!(document["backup_metadata"], backup("etc"), "the status is not part of the metadata");
        assert_eq!(alice.find_documents("backups", json!({"match": [{"status": status}]})), [document]);
    }
    for bad in [json!("lost"), json!(""), json!(null), json!(1)] {
        let mut body = backup("etc");
        body["status"] = bad;
        alice.post("/backups", body).expect(400);
    }
}

fn a_backup_without_its_names_is_refused(api: &Api) {
    let alice = api.project();
    for key in ["backup_name", "container", "hostname"] {
        for bad in [None, Some(json!("")), Some(json!(null)), Some(json!(7)), Some(json!(["x"]))] {
            let mut body = backup("etc");
            match bad {
                Some(bad) => body[key] = bad,
                None => drop(body.as_object_mut().unwrap().remove(key)),
            }
            let refusal = alice.post("/backups", body).expect(400);
            let said = refusal["description"].as_str().unwrap();
            assert!(said.contains(key), "{said}");
        }
    }
    alice.post("/backups", json!({})).expect(400);
    alice.send("POST", "/backups", None).expect(400);
    assert!(alice.list("backups").is_empty());
    // Cinder stores these backups itself, so that they have no container.
    let mut body = backup("volume");
    body["mode"] = json!("cindernative");
    body["container"] = json!("");
    alice.create("backups", body);
}

fn a_record_made_before_its_backup_is_completed_later(api: &Api) {
    let alice = api.project();
    let early =
        json!({"backup_name": "vol", "status": "creating", "container": null, "mode": "cindernative"});
    let id = alice.create("backups", early);
    let path = format!("/backups/{id}");
    let late =
        json!({"status": "available", "backup_metadata": {"hostname": "web1", "container": "c", "size": 7}});
    let document = alice.patch(&path, late).expect(200);
    assert_eq!(document, alice.show("backups", &id));
    assert_eq!(document["status"], "available");
    let mut metadata = document["backup_metadata"].clone();
    let written = metadata.as_object_mut().unwrap().remove("time_stamp").unwrap();
    assert!(
        written.as_i64().unwrap() > 1_700_000_000,
        "an unfinished record has the time at which it was written"
    );
    assert_eq!(
        metadata,
        json!({"backup_name": "vol", "hostname": "web1", "container": "c", "size": 7, "mode": "cindernative"})
    );

    // A backup without a host cannot become available.
    let id = alice.create("backups", json!({"backup_name": "vol", "status": "error"}));
    alice.patch(&format!("/backups/{id}"), json!({"status": "available"})).expect(400);
    assert_eq!(alice.show("backups", &id)["status"], "error");
}

fn an_update_is_merged_and_answered_with_the_whole_document(api: &Api) {
    let alice = api.project();
    let id = alice.create("backups", backup("etc"));
    let path = format!("/backups/{id}");
    let patch = json!({
        "backup_metadata": {"hostname": "web2", "more": {"a": 1}},
        "backup_id": "x", "project_id": "y", "user_id": "z", "unknown": true,
    });
    alice.colleague().patch(&path, patch).expect(200);
    let document =
        alice.patch(&path, json!({"status": "deleting", "backup_metadata": {"more": {"b": 2}}})).expect(200);
    let mut metadata = backup("etc");
    metadata["hostname"] = json!("web2");
    metadata["more"] = json!({"b": 2});
    assert_eq!(
        document,
        json!({
            "backup_id": id,
            "project_id": alice.project,
            "user_id": alice.user,
            "status": "deleting",
            "backup_metadata": metadata,
        })
    );
    assert_eq!(alice.show("backups", &id), document);
    for bad in [
        json!({}),
        json!({"status": "lost"}),
        json!({"backup_metadata": []}),
        json!({"backup_metadata": {"backup_name": ""}}),
    ] {
        alice.patch(&path, bad).expect(400);
    }
    assert_eq!(alice.show("backups", &id), document);
    alice.patch("/backups/unknown", json!({"status": "error"})).expect(404);
}

fn a_deleted_backup_is_gone_and_an_unknown_one_is_not_found(api: &Api) {
    let (alice, bob) = (api.project(), api.project());
    let id = alice.create("backups", backup("etc"));
    let path = format!("/backups/{id}");
    bob.delete(&path).expect(404);
    alice.delete(&path).expect(204);
    alice.delete(&path).expect(404);
    alice.get(&path).expect(404);
    assert!(alice.list("backups").is_empty());
}

fn backups_are_found_by_promoted_metadata(api: &Api) {
    let alice = api.project();
    let mut wanted = backup("wanted");
    wanted["job_id"] = json!("job-1");
    wanted["hostname"] = json!("web2");
    wanted["container"] = json!("Container ☃");
    wanted["mode"] = json!("mysql");
    wanted["curr_backup_level"] = json!(3);
    let id = alice.create("backups", wanted.clone());
    alice.create("backups", backup("other"));
    let ids = |search: Value| -> Vec<Value> {
        alice
            .find_documents("backups", search)
            .into_iter()
            .map(|document| document["backup_id"].clone())
            .collect()
    };
    for key in ["backup_name", "job_id", "hostname", "container", "mode", "curr_backup_level"] {
        for key in [key.to_owned(), format!("backup_metadata.{key}")] {
            let value = &wanted[key.trim_start_matches("backup_metadata.")];
            assert_eq!(ids(json!({"match": [{&key: value}]})), [json!(id)], "{key}");
            assert!(!ids(json!({"match_not": [{&key: value}]})).contains(&json!(id)), "{key}");
            assert_eq!(ids(json!({"match_not": [{&key: value}]})).len(), 1, "{key}");
        }
    }
    // The dashboard gets a single backup by a list.
    assert_eq!(ids(json!({"match": [{"backup_id": id}]})), [json!(id)]);
}

fn backups_are_found_by_their_time(api: &Api) {
    let alice = api.project();
    for time in [100, 200, 300] {
        let mut body = backup(&format!("at-{time}"));
        body["time_stamp"] = json!(time);
        alice.create("backups", body);
    }
    let mut old = backup("at-400");
    old.as_object_mut().unwrap().remove("time_stamp");
    old["timestamp"] = json!(400);
    alice.create("backups", old);
    let names = |search: Value| -> Vec<String> {
        let found = alice.find_documents("backups", search);
        found.iter().map(|d| d["backup_metadata"]["backup_name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(json!({"time_after": 200})), ["at-200", "at-300", "at-400"]);
    assert_eq!(names(json!({"time_before": 200})), ["at-100", "at-200"]);
    assert_eq!(names(json!({"time_after": 150, "time_before": "300"})), ["at-200", "at-300"]);
    assert_eq!(names(json!({"time_after": 150, "match": [{"backup_name": "at-300"}]})), ["at-300"]);
    assert!(names(json!({"time_after": 500})).is_empty());
    for bad in [json!("soon"), json!(1.5), json!([1]), json!({}), json!(true)] {
        alice.search("/backups", json!({"time_after": bad})).expect(400);
    }
}

fn metadata_of_any_type_is_kept(api: &Api) {
    let alice = api.project();
    let mut body = backup("🦀 Ünïcode");
    let more = json!({
        "time_stamp": "1767323045", "curr_backup_level": "", "mode": false, "job_id": 12, "action": ["x"],
        "ssh_port": 22, "always_level": "", "dry_run": false, "nothing": null, "deep": {"a": [{"b": 1.5}]},
        "big": 18_446_744_073_709_551_615_u64,
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let id = alice.create("backups", body.clone());
    body["time_stamp"] = json!(1_767_323_045);
    assert_eq!(alice.show("backups", &id)["backup_metadata"], body);
}
