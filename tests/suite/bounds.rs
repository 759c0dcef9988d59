//! The largest size of one document and of one answer.

use diesel::prelude::*;
use freezer_api::store::schema::actions;
use freezer_api::store::types::json::Json;
use serde_json::{Value, json};

use crate::api::{Api, Caller};
use crate::documents::{action, backup, job, session};
use crate::http::Answer;

on_every_backend! {
    every_request_that_makes_a_job_too_large_is_refused,
    an_action_grows_until_a_job_with_it_is_too_large,
    every_request_that_makes_a_session_too_large_is_refused,
    a_document_may_have_one_mebibyte_and_no_more,
    a_document_can_be_sent_back_as_it_was_read,
    a_document_above_the_limit_is_readable_and_cannot_grow,
    a_list_cuts_its_page_at_16_mib_and_goes_on,
    a_page_of_ten_is_never_cut,
    fields_does_not_change_the_members_it_names,
    fields_name_a_hundred_members_at_most,
}

const MIB: usize = 1_048_576;

/// Creates an action whose document has about this many kilobytes.
fn create_large_action(caller: &Caller<'_>, id: &str, kilobytes: usize) {
    let mut body = action();
    body["action_id"] = json!(id);
    caller.post("/actions", body).expect(201);
    let text = "x".repeat(kilobytes * 1000);
    caller.patch(&format!("/actions/{id}"), json!({"freezer_action": {"text": text}})).expect(200);
}

/// A job in which an action has `count` places.
fn places(action: &str, count: usize) -> Value {
    let mut body = job("a");
    body["job_actions"] = json!(vec![json!({"action_id": action}); count]);
    body
}

/// Checks a refusal: it names the size that the document would have, and the limit.
#[track_caller]
fn assert_too_large(answer: &Answer) {
    let refusal = answer.expect(413);
    let text = refusal["description"].as_str().unwrap();
    let sizes: Vec<usize> = text.split(' ').filter_map(|word| word.parse().ok()).collect();
    assert!(matches!(*sizes, [size, MIB] if size > MIB), "{text}");
}

fn size(document: &Value) -> usize {
    document.to_string().len()
}

fn every_request_that_makes_a_job_too_large_is_refused(api: &Api) {
    let alice = api.project();
    alice.register("a");
    alice.register("b");
    let id = &format!("large-{}", &alice.project[..12]);
    create_large_action(&alice, id, 100);
    let fits = alice.create("jobs", places(id, 10));
    let path = format!("/jobs/{fits}");
    let before = (alice.show("jobs", &fits), alice.rows());

    assert_too_large(&alice.post("/jobs", places(id, 11)));
    assert_too_large(&alice.post("/jobs/another", places(id, 1000)));
    assert_too_large(&alice.patch(&path, json!({"job_actions": places(id, 11)["job_actions"]})));
    assert_too_large(&alice.post(&path, places(id, 11)));
    assert_too_large(&alice.post("/action-attachments", json!({"job_id": fits, "action_id": id})));
    let defaults = json!({
        "client_id": "a", "job_actions": vec![json!({"freezer_action": {}}); 20],
        "action_defaults": {"action": "exec", "text": "x".repeat(60_000)},
    });
    assert_too_large(&alice.post("/jobs", defaults));
    assert_eq!((alice.show("jobs", &fits), alice.rows()), before);

    // A scheduler's report of a run is never refused, nor is a move to another client.
    for status in ["scheduled", "running", "completed"] {
        alice.report(
            &fits,
            json!({"status": status, "result": "success", "time_started": 1, "time_ended": 2}),
        );
    }
    alice.create_document("job-attachments", json!({"job_id": fits, "client_id": "b"}));
    assert!(size(&alice.show("jobs", &fits)) < MIB);
}

fn an_action_grows_until_a_job_with_it_is_too_large(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let id = &format!("large-{}", &alice.project[..12]);
    create_large_action(&alice, id, 100);
    alice.create("jobs", places(id, 1));
    alice.create("jobs", places(id, 10));
    let path = format!("/actions/{id}");
    let before = alice.show("actions", id);
    let grown = "x".repeat(106_000);
    assert_too_large(&alice.patch(&path, json!({"freezer_action": {"text": grown}})));
    let mut whole = action();
    whole["freezer_action"]["text"] = json!(grown);
    assert_too_large(&alice.post(&path, whole));
    assert_eq!(alice.show("actions", id), before);
    alice.patch(&path, json!({"freezer_action": {"text": "x".repeat(103_000)}})).expect(200);
    alice.patch(&path, json!({"freezer_action": {"text": "small"}})).expect(200);
    alice.patch(&path, json!({"freezer_action": {"text": grown}})).expect(413);
}

fn every_request_that_makes_a_session_too_large_is_refused(api: &Api) {
    let alice = api.project();
    let job_id = alice.job_on("a");
    let id = alice.create("sessions", session());
    let path = format!("/sessions/{id}");
    for key in ["one", "two"] {
        alice.patch(&path, json!({key: "x".repeat(500_000)})).expect(200);
    }
    let room = MIB - size(&alice.show("sessions", &id)) - 150;
    alice.patch(&path, json!({"three": "x".repeat(room)})).expect(200);
    let before = alice.show("sessions", &id);
    assert_too_large(&alice.patch(&path, json!({"four": "x".repeat(200)})));
    assert_too_large(&alice.put(&format!("{path}/jobs/{job_id}")));
    assert_too_large(&alice.patch(&format!("/jobs/{job_id}"), json!({"session_id": id})));
    let mut member = job("a");
    member["session_id"] = json!(id);
    assert_too_large(&alice.post("/jobs", member));
    assert_eq!(alice.show("sessions", &id), before);
    assert_eq!(alice.show("jobs", &job_id)["session_id"], "");
    alice.patch(&path, json!({"two": ""})).expect(200);
    alice.put(&format!("{path}/jobs/{job_id}")).expect(204);
}

fn a_document_may_have_one_mebibyte_and_no_more(api: &Api) {
    let alice = api.project();
    let action_id = alice.create("actions", action());
    let backup_id = alice.create("backups", backup("etc"));
    for (noun, id, around) in
        [("actions", action_id, "freezer_action"), ("backups", backup_id, "backup_metadata")]
    {
        let path = format!("/{noun}/{id}");
        alice.patch(&path, json!({around: {"text": "x".repeat(1_000_000)}})).expect(200);
        // The document's version may gain some digits.
        let room = MIB - size(&alice.show(noun, &id)) + 1_000_000;
        assert_too_large(&alice.patch(&path, json!({around: {"text": "x".repeat(room + 20)}})));
        alice.patch(&path, json!({around: {"text": "x".repeat(room - 20)}})).expect(200);
        let document = alice.show(noun, &id);
        assert!((MIB - 40..=MIB).contains(&size(&document)), "{noun}: {}", size(&document));
    }
}

/// The document as Python's clients write it.
fn escaped(document: &Value) -> Vec<u8> {
    let text = document.to_string();
    text.chars()
        .fold(String::new(), |mut text, c| {
            match c.is_ascii() {
                true => text.push(c),
                false => {
                    let mut units = [0; 2];
                    c.encode_utf16(&mut units)
                        .iter()
                        .for_each(|unit| text.push_str(&format!("\\u{unit:04x}")));
                }
            }
            text
        })
        .into_bytes()
}

fn a_document_can_be_sent_back_as_it_was_read(api: &Api) {
    let alice = api.project();
    alice.register("a");
    // This is well within the limit of a new job, and its document is half as large again.
    let mut many = job("a");
    let entry = |n: usize| {
        json!({"freezer_action": {
            "action": "backup", "path_to_backup": format!("/srv/{n}"), "backup_name": "Größe", "note": "x".repeat(220),
        }})
    };
    many["job_actions"] = (0..330).map(entry).collect();
    let job_id = alice.create("jobs", many);
    let session_id = alice.create("sessions", session());
    alice.patch(&format!("/sessions/{session_id}"), json!({"note": "é".repeat(400_000)})).expect(200);
    let action_id = alice.create("actions", action());
    let note = json!({"freezer_action": {"note": "é".repeat(400_000)}});
    alice.patch(&format!("/actions/{action_id}"), note).expect(200);
    let backup_id = alice.create("backups", backup("etc"));
    let note = json!({"backup_metadata": {"note": "é".repeat(400_000)}});
    alice.patch(&format!("/backups/{backup_id}"), note).expect(200);

    for (noun, id) in
        [("jobs", &job_id), ("sessions", &session_id), ("actions", &action_id), ("backups", &backup_id)]
    {
        let path = format!("/{noun}/{id}");
        let document = alice.show(noun, id);
        assert!(size(&document) > 114_688, "{noun}");
        alice.patch(&path, document.clone()).expect(200);
        alice.send("PATCH", &path, Some(&escaped(&document))).expect(200);
        if noun != "backups" {
            alice.send("POST", &path, Some(&escaped(&document))).expect(201);
        }
        let (mut after, mut before) = (alice.show(noun, id), document);
        for document in [&mut before, &mut after] {
            document["_version"] = Value::Null;
        }
        assert!(after == before, "{noun}");
    }
    // Other bodies have the usual limit.
    let text = json!({"freezer_action": {"action": "exec", "text": "x".repeat(114_688)}});
    let refusal = alice.post("/actions", text).expect(413);
    assert!(refusal["description"].as_str().unwrap().contains("114688"), "{refusal}");
}

fn a_document_above_the_limit_is_readable_and_cannot_grow(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let id = &format!("large-{}", &alice.project[..12]);
    create_large_action(&alice, id, 1);
    let mut body = places(id, 40);
    body["description"] = json!("twelve chars");
    let job_id = alice.create("jobs", body);
    // As a release without the limit has left it.
    let metadata = Json::from(json!({"text": "x".repeat(100_000)}));
    diesel::update(actions::table.filter(actions::id.eq(id)))
        .set(actions::metadata.eq(metadata))
        .execute(&mut alice.api.database())
        .unwrap();

    let path = format!("/jobs/{job_id}");
    let answer = alice.get(&path);
    let document = answer.expect(200);
    assert!(size(&document) > 4_000_000);
    let tag = answer.header("ETag").unwrap().to_owned();
    assert_eq!(alice.send_with("GET", &path, &[("If-None-Match", &*tag)], None).status, 304);
    assert_eq!(alice.poll("a")[0]["job_id"], *job_id);
    assert_eq!(alice.find_documents("jobs", json!({"match": [{"text": "y"}]})).len(), 0);
    assert_eq!(alice.find_documents("jobs", json!({"match_not": [{"text": "y"}]})).len(), 1);

    let change = json!({"description": "twelve again"}).to_string();
    alice.send_with("PATCH", &path, &[("If-Match", &*tag)], Some(change.as_bytes())).expect(200);
    alice.report(&job_id, json!({"status": "running"}));
    assert_too_large(&alice.patch(&path, json!({"description": "no longer twelve"})));
    alice.patch(&path, json!({"description": "twelve"})).expect(200);
    let mut fewer = document["job_actions"].clone();
    fewer.as_array_mut().unwrap().truncate(30);
    let fewer: Vec<Value> =
        fewer.as_array().unwrap().iter().map(|e| json!({"action_id": e["action_id"]})).collect();
    alice.patch(&path, json!({"job_actions": fewer})).expect(200);
    assert_too_large(&alice.patch(&path, json!({"job_actions": places(id, 31)["job_actions"]})));
    assert_too_large(&alice.patch(&format!("/actions/{id}"), json!({"freezer_action": {"more": 1}})));
    alice.patch(&format!("/actions/{id}"), json!({"freezer_action": {"text": "small"}})).expect(200);
    assert!(size(&alice.show("jobs", &job_id)) < 30_000);
}

/// Creates `count` backups of about 900 KB each.
fn large_backups(caller: &Caller<'_>, count: usize) -> Vec<String> {
    let text = "x".repeat(900_000);
    let ids = (0..count).map(|n| {
        let id = caller.create("backups", backup(&format!("b{n}")));
        caller.patch(&format!("/backups/{id}"), json!({"backup_metadata": {"text": text}})).expect(200);
        id
    });
    ids.collect()
}

fn a_list_cuts_its_page_at_16_mib_and_goes_on(api: &Api) {
    let alice = api.project();
    let mut ids = large_backups(&alice, 25);
    let root = format!("{}/v2/{}", api.url(), alice.project);
    let everything = json!({"match_not": [{"status": "deleting"}]});
    let documents = json!({"match_not": [{"no_such_key": 1}]});
    for (search, parameter) in [(json!({}), "marker="), (everything, "offset="), (documents, "offset=")] {
        let (mut path, mut found, mut pages) =
            ("/backups?limit=1000&sort=created_at".to_owned(), Vec::new(), 0);
        loop {
            let page = alice.search(&path, search.clone()).expect(200);
            assert!(size(&page) <= 16 * MIB + 2000, "{}", size(&page));
            let backups = page["backups"].as_array().unwrap();
            found.extend(backups.iter().map(|backup| backup["backup_id"].as_str().unwrap().to_owned()));
            pages += 1;
            let Some(next) = page["backups_links"][0]["href"].as_str() else { break };
            assert!(next.contains(parameter), "{next}");
            path = next.strip_prefix(&root).unwrap().to_owned();
        }
        found.sort();
        ids.sort();
        assert_eq!((found.len(), pages), (25, 2), "{search}");
        assert!(found == ids, "{search}");
    }
    // Without the large members, one page holds all of them.
    let names = alice.get("/backups?limit=1000&fields=backup_id,status").expect(200);
    assert_eq!(names["backups"].as_array().unwrap().len(), 25);
    assert_eq!(names.get("backups_links"), None);
}

fn a_page_of_ten_is_never_cut(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let id = &format!("large-{}", &alice.project[..12]);
    create_large_action(&alice, id, 1);
    for _ in 0..11 {
        alice.create("jobs", places(id, 20));
    }
    // As a release without the limit has left it.
    let metadata = Json::from(json!({"text": "x".repeat(90_000)}));
    diesel::update(actions::table.filter(actions::id.eq(id)))
        .set(actions::metadata.eq(metadata))
        .execute(&mut alice.api.database())
        .unwrap();
    let count = |page: Value| page["jobs"].as_array().unwrap().len();
    let poll = json!({"match": [{"client_id": "a"}], "match_not": [{"status": "completed"}]});
    for search in [json!({}), poll, json!({"match_not": [{"no_such_key": 1}]})] {
        assert_eq!(count(alice.search("/jobs", search.clone()).expect(200)), 10, "{search}");
        assert_eq!(count(alice.search("/jobs?offset=10", search.clone()).expect(200)), 1, "{search}");
        let all = alice.search("/jobs?limit=11", search.clone()).expect(200);
        assert_eq!(count(all.clone()), 10, "{search}");
        assert!(all["jobs_links"][0]["href"].is_string(), "{search}");
    }
}

fn fields_does_not_change_the_members_it_names(api: &Api) {
    let alice = api.project();
    let job_id = alice.job_on("a");
    alice.register("b");
    alice.create_document("job-attachments", json!({"job_id": job_id, "client_id": "b"}));
    let session_id = alice.create("sessions", session());
    alice.patch(&format!("/sessions/{session_id}"), json!({"note": {"a": 1, "b": 2}})).expect(200);
    alice.put(&format!("/sessions/{session_id}/jobs/{job_id}")).expect(204);
    let mut timed = action();
    timed["freezer_action"]["timeout"] = json!("later");
    alice.create("actions", timed);
    alice.create("backups", backup("etc"));
    alice.create_document("action-reports", json!({"result": "fail", "metadata": {"a": 1}}));
    for noun in ["clients", "actions", "jobs", "sessions", "backups", "action-reports"] {
        let key = noun.replace('-', "_");
        let whole = alice.get(&format!("/{noun}?limit=5")).expect(200)[&key].clone();
        assert_eq!(alice.get(&format!("/{noun}?limit=500")).expect(200)[&key], whole, "{noun}");
        let names: Vec<&String> = whole[0].as_object().unwrap().keys().collect();
        for name in names {
            for limit in [5, 500] {
                let picked = alice.get(&format!("/{noun}?limit={limit}&fields={name}")).expect(200);
                let wanted: Vec<Value> =
                    whole.as_array().unwrap().iter().map(|document| json!({name: document[name]})).collect();
                assert_eq!(picked[&key], json!(wanted), "{noun} {name}");
            }
        }
    }
}

fn fields_name_a_hundred_members_at_most(api: &Api) {
    let alice = api.project();
    alice.create("backups", backup("etc"));
    let picked = |fields: &str| alice.get(&format!("/backups?fields={fields}"));
    let once = picked("backup_metadata").expect(200);
    assert_eq!(picked(&"backup_metadata,".repeat(3900)).expect(200), once);
    assert_eq!(picked("backup_metadata.mode,backup_metadata,backup_metadata.x").expect(200), once);
    let named = |count: usize| (0..count).map(|n| format!("backup_metadata.k{n},")).collect::<String>();
    picked(&named(100)).expect(200);
    let refusal = picked(&named(101)).expect(400);
    assert!(refusal["description"].as_str().unwrap().contains("100"), "{refusal}");
}
