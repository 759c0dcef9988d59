//! The rows that version 1 shows. Its scope is the caller's rows, in the token's project or in all, or the whole
//! project.

use freezer_api::scope::Scope;
use serde_json::json;

use super::{Caller, fresh, offering};
use crate::api::Api;
use crate::documents::{action, backup, session};

on_every_backend! {
    a_caller_sees_its_own_rows_in_the_project_of_its_token,
    rows_of_another_user_cannot_be_changed_replaced_or_deleted,
    with_the_scope_user_a_caller_sees_its_rows_of_every_project,
    with_the_scope_project_a_caller_sees_what_version_2_shows,
    rows_created_in_version_1_exist_in_version_2,
}

const NOUNS: [&str; 4] = ["actions", "jobs", "sessions", "backups"];

/// Creates one resource of each noun, and the client of the job. Returns the ids in the order of [`NOUNS`].
fn one_of_each(caller: &Caller, client: &str) -> [String; 4] {
    let job = caller.job_on(client);
    let of_job = caller.get(&format!("/jobs/{job}")).expect(200)["job_actions"][0]["action_id"].clone();
    caller.delete(&format!("/actions/{}", of_job.as_str().unwrap())).expect(204);
    [
        caller.create("actions", action()),
        job,
        caller.create("sessions", session()),
        caller.create("backups", backup("b")),
    ]
}

fn names(caller: &Caller) -> Vec<String> {
    let list = caller.get("/clients?limit=100").expect(200);
    let clients = list["clients"].as_array().unwrap();
    clients.iter().map(|client| client["client"]["client_id"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn assert_visible(caller: &Caller, wanted: &[&[String; 4]]) {
    for (index, noun) in NOUNS.iter().enumerate() {
        let mut ids: Vec<&String> = wanted.iter().map(|ids| &ids[index]).collect();
        let mut listed = caller.ids(noun);
        ids.sort();
        listed.sort();
        assert_eq!(listed.iter().collect::<Vec<_>>(), ids, "{noun}");
        for id in ids {
            caller.get(&format!("/{noun}/{id}")).expect(200);
        }
        let count = caller.get(&format!("/{noun}?with_count=true&limit=1")).expect(200);
        assert_eq!(count["count"], wanted.len(), "{noun}");
    }
}

fn a_caller_sees_its_own_rows_in_the_project_of_its_token(api: &Api) {
    let node = offering(api, Scope::Own);
    let (a, b, p, q) = (fresh("a"), fresh("b"), fresh("p"), fresh("q"));
    let alice = Caller::new(&node, &a, &p);
    let bob = Caller::new(&node, &b, &p);
    let alice_elsewhere = Caller::new(&node, &a, &q);
    let of_alice = one_of_each(&alice, "web1");
    let of_bob = one_of_each(&bob, "web2");
    assert_visible(&alice, &[&of_alice]);
    assert_visible(&bob, &[&of_bob]);
    assert_visible(&alice_elsewhere, &[]);
    assert_eq!((names(&alice), names(&bob)), (vec!["web1".to_owned()], vec!["web2".to_owned()]));
    for (noun, id) in NOUNS.iter().zip(&of_bob) {
        alice.get(&format!("/{noun}/{id}")).expect(404);
        alice_elsewhere.get(&format!("/{noun}/{id}")).expect(404);
    }
    alice.get("/clients/web2").expect(404);
    // A search finds no more than a list.
    let all = json!({"match_not": [{"status": "nothing"}]});
    let found = alice.send("GET", "/jobs?limit=100", Some(&all)).expect(200);
    assert_eq!(found["jobs"].as_array().unwrap().len(), 1);
    let polled = json!({"match": [{"client_id": "web2"}], "match_not": [{"status": "completed"}]});
    assert_eq!(alice.send("GET", "/jobs", Some(&polled)).expect(200)["jobs"], json!([]));
}

fn rows_of_another_user_cannot_be_changed_replaced_or_deleted(api: &Api) {
    let node = offering(api, Scope::Own);
    let (a, b, p) = (fresh("a"), fresh("b"), fresh("p"));
    let alice = Caller::new(&node, &a, &p);
    let bob = Caller::new(&node, &b, &p);
    let of_alice = one_of_each(&alice, "web1");
    let [its_action, job, its_session, its_backup] = &of_alice;
    bob.post("/clients", json!({"client_id": "web2"})).expect(201);
    for (noun, id) in NOUNS.iter().zip(&of_alice) {
        bob.delete(&format!("/{noun}/{id}")).expect(404);
    }
    bob.delete("/clients/web1").expect(404);
    bob.patch(&format!("/actions/{its_action}"), json!({"max_retries": 9})).expect(404);
    bob.patch(&format!("/jobs/{job}"), json!({"description": "bob's"})).expect(404);
    bob.patch(&format!("/sessions/{its_session}"), json!({"description": "bob's"})).expect(404);
    bob.post(&format!("/actions/{its_action}"), action()).expect(409);
    let replacement = json!({"client_id": "web2", "job_actions": [action()]});
    bob.post(&format!("/jobs/{job}"), replacement).expect(409);
    let mut replacement = session();
    replacement["session_tag"] = 0.into();
    bob.post(&format!("/sessions/{its_session}"), replacement).expect(409);
    bob.post(&format!("/jobs/{job}/event"), json!({"stop": null})).expect(404);
    bob.send("PUT", &format!("/sessions/{its_session}/jobs/{job}"), None).expect(404);
    bob.post(&format!("/sessions/{its_session}/action"), json!({"start": {"job_id": job, "current_tag": 0}}))
        .expect(404);
    assert_eq!(alice.get(&format!("/backups/{its_backup}")).expect(200)["_version"], 1);
    assert_visible(&alice, &[&of_alice]);
}

fn with_the_scope_user_a_caller_sees_its_rows_of_every_project(api: &Api) {
    let node = offering(api, Scope::User);
    let (a, b, p, q) = (fresh("a"), fresh("b"), fresh("p"), fresh("q"));
    let in_p = Caller::new(&node, &a, &p);
    let in_q = Caller::new(&node, &a, &q);
    let bob = Caller::new(&node, &b, &p);
    let of_p = one_of_each(&in_p, "web1");
    let of_q = one_of_each(&in_q, "web2");
    one_of_each(&bob, "web3");
    for caller in [&in_p, &in_q] {
        assert_visible(caller, &[&of_p, &of_q]);
        let mut names = names(caller);
        names.sort();
        assert_eq!(names, ["web1", "web2"]);
    }
    // A changed row of the other project stays in that project.
    let path = format!("/jobs/{}", of_q[1]);
    in_p.patch(&path, json!({"description": "from p"})).expect(200);
    let shown = in_q.get(&path).expect(200);
    assert_eq!((&shown["description"], &shown["project_id"]), (&json!("from p"), &json!(q)));
    for (noun, id) in NOUNS.iter().zip(&of_q) {
        in_p.delete(&format!("/{noun}/{id}")).expect(204);
    }
    in_p.delete("/clients/web2").expect(204);
    assert_visible(&in_q, &[&of_p]);
}

fn with_the_scope_project_a_caller_sees_what_version_2_shows(api: &Api) {
    let node = offering(api, Scope::Project);
    let (a, b, p, q) = (fresh("a"), fresh("b"), fresh("p"), fresh("q"));
    let alice = Caller::new(&node, &a, &p);
    let bob = Caller::new(&node, &b, &p);
    let elsewhere = Caller::new(&node, &a, &q);
    let of_alice = one_of_each(&alice, "web1");
    assert_visible(&bob, &[&of_alice]);
    bob.patch(&format!("/jobs/{}", of_alice[1]), json!({"description": "bob's"})).expect(200);
    assert_visible(&elsewhere, &[]);
}

fn rows_created_in_version_1_exist_in_version_2(api: &Api) {
    let node = offering(api, Scope::Own);
    let v2 = api.project();
    let v1 = Caller::new(&node, &v2.user, &v2.project);
    let ids = one_of_each(&v1, "web1");
    for (noun, id) in NOUNS.iter().zip(&ids) {
        let (old, new) = (v1.get(&format!("/{noun}/{id}")).expect(200), v2.show(noun, id));
        assert_eq!((&old["project_id"], &old["user_id"]), (&json!(v2.project), &json!(v2.user)));
        if *noun != "backups" {
            assert_eq!(old, new);
        }
    }
}
