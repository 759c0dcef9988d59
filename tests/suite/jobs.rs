//! Jobs (contract, api-v2 §7): their documents, and the requirements of a new one.

mod events;
mod linking;
mod patching;
mod polls;
mod refusals;

use serde_json::{Value, json};

use crate::api::{Api, Caller};
use crate::documents::job;

on_every_backend! {
    a_job_is_created_and_shown,
    keys_that_a_scheduler_reads_are_always_present,
    a_caller_may_choose_the_id_of_a_job,
    read_only_keys_are_ignored,
    nulls_of_an_empty_form_are_accepted,
    a_replacement_resets_absent_fields,
    a_replacement_creates_a_missing_job,
    a_deleted_job_keeps_its_actions,
    a_process_id_is_shown_to_owners_of_the_client_only,
    admins_and_services_see_the_jobs_of_all_projects,
    an_event_in_a_new_job_is_pending,
}

fn a_job_is_created_and_shown(api: &Api) {
    let alice = api.project();
    alice.register("web1");
    let answer = alice.post("/jobs/", job("web1"));
    let id = answer.expect(201)["job_id"].as_str().unwrap().to_owned();
    assert_eq!(answer.json(), json!({"job_id": id}));
    assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    let place = format!("{}/v2/{}/jobs/{id}", api.url(), alice.project);
    assert_eq!(answer.header("Location"), Some(&*place));

    let document = alice.show("jobs", &id);
    let created = document["job_schedule"]["time_created"].as_i64().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64;
    assert!((now - 60..=now).contains(&created), "{created}");
    let action_id = document["job_actions"][0]["action_id"].clone();
    let freezer_action = alice.show("actions", action_id.as_str().unwrap())["freezer_action"].clone();
    assert_eq!(
        document,
        json!({
            "job_id": id,
            "project_id": alice.project,
            "user_id": alice.user,
            "client_id": "web1",
            "session_id": "",
            "session_tag": 0,
            "description": "nightly",
            "job_schedule": {
                "schedule_interval": "1 days",
                "schedule_start_date": "2026-01-02T03:04:05",
                "time_created": created,
                "time_started": -1,
                "time_ended": -1,
                "event": "",
                "status": "",
                "result": "",
            },
            "job_actions": [{
                "action_id": action_id,
                "project_id": alice.project,
                "user_id": alice.user,
                "max_retries": 3,
                "max_retries_interval": 60,
                "mandatory": true,
                "freezer_action": freezer_action,
            }],
            "_version": document["_version"],
        })
    );
    assert_eq!(alice.list("jobs"), [document], "the list shows the same document");
}

fn keys_that_a_scheduler_reads_are_always_present(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let entry =
        json!({"freezer_action": {"action": "info"}, "max_retries": null, "max_retries_interval": null});
    let id = alice.create("jobs", json!({"client_id": "a", "job_actions": [entry]}));
    let document = alice.show("jobs", &id);
    for key in ["event", "status", "result"] {
        assert_eq!(document["job_schedule"][key], "", "{key}");
    }
    assert_eq!((&document["session_id"], &document["session_tag"]), (&json!(""), &json!(0)));
    assert_eq!(document["description"], "");
    let entry = &document["job_actions"][0];
    assert_eq!((&entry["max_retries"], &entry["max_retries_interval"]), (&json!(5), &json!(6)));
    assert_eq!(entry["mandatory"], false);
    assert_eq!(entry["freezer_action"]["action"], "info");
}

fn a_caller_may_choose_the_id_of_a_job(api: &Api) {
    let (alice, bob) = (api.project(), api.project());
    alice.register("a");
    bob.register("a");
    let id = format!("{}_my-job", alice.project);
    let mut body = job("a");
    body["job_id"] = json!(id);
    assert_eq!(alice.create("jobs", body.clone()), id);
    for caller in [&alice, &bob] {
        assert_eq!(caller.post("/jobs", body.clone()).expect(409)["title"], "Document already existing");
    }
    alice.delete(&format!("/jobs/{id}")).expect(204);
    assert_eq!(bob.create("jobs", body.clone()), id, "a deleted id is free");
    for bad in [json!("a b"), json!("é"), json!("x".repeat(65)), json!(1), json!("a\n")] {
        body["job_id"] = bad;
        alice.post("/jobs", body.clone()).expect(400);
    }
    for none in [json!(""), json!(null)] {
        body["job_id"] = none;
        assert_eq!(alice.create("jobs", body.clone()).len(), 32);
    }
}

fn read_only_keys_are_ignored(api: &Api) {
    let (alice, bob) = (api.project(), api.project());
    alice.register("a");
    let mut body = job("a");
    let more = json!({
        "user_id": bob.user, "project_id": bob.project, "_version": 41, "session_name": "x",
        "user_credentials": {"trust_id": "planted", "trustor_user_id": "victim"},
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body["job_schedule"]["time_created"] = json!(1);
    body["job_schedule"]["time_started"] = json!(2);
    body["job_schedule"]["time_ended"] = json!(3);
    let id = alice.create("jobs", body.clone());
    let untouched = |after: &str| {
        let document = alice.show("jobs", &id);
        assert_eq!(document["project_id"], json!(alice.project), "{after}");
        assert_eq!(document["user_id"], json!(alice.user), "{after}");
        assert!(document.get("user_credentials").is_none(), "{after}");
        assert!(document.get("session_name").is_none(), "{after}");
        assert!(document["_version"].as_i64().unwrap() < 20, "{after}");
        assert_ne!(document["job_schedule"]["time_created"], 1, "{after}");
        document
    };
    let document = untouched("POST");
    assert_eq!(document["job_schedule"]["time_started"], -1);
    assert_eq!(document["job_schedule"]["time_ended"], -1);
    let path = format!("/jobs/{id}");
    alice.colleague().patch(&path, body.clone()).expect(200);
    untouched("PATCH");
    alice.colleague().post(&path, body).expect(201);
    untouched("POST of a replacement");
    assert!(bob.list("jobs").is_empty());
}

fn nulls_of_an_empty_form_are_accepted(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let body = json!({
        "client_id": "a", "job_id": null, "session_id": null, "session_tag": null, "session_name": null,
        "description": null, "job_schedule": null, "project_id": null, "user_id": null, "_version": null,
        "user_credentials": null,
        "job_actions": [{
            "action_id": null, "mandatory": null, "max_retries": null, "max_retries_interval": null,
            "freezer_action": {
                "action": "backup", "mode": null, "storage": null, "engine": null, "engine_name": null,
                "backup_name": null, "container": null, "path_to_backup": null, "restore_abs_path": null,
            },
        }],
    });
    let id = alice.create("jobs", body.clone());
    let path = format!("/jobs/{id}");
    alice.patch(&path, body.clone()).expect(200);
    alice.post(&path, body).expect(201);
    assert_eq!(alice.show("jobs", &id)["description"], "");
}

fn a_replacement_resets_absent_fields(api: &Api) {
    let alice = api.project();
    let session = alice.create("sessions", crate::documents::session());
    let id = alice.job_on("a");
    alice.register("b");
    alice.put(&format!("/sessions/{session}/jobs/{id}")).expect(204);
    alice.report(&id, json!({"status": "running", "time_started": 5, "current_pid": 9, "event": "start"}));
    let before = alice.show("jobs", &id);
    assert_eq!(before["session_id"], json!(session));

    let path = format!("/jobs/{id}");
    let answer = alice.post(&path, json!({"client_id": "b", "job_actions": []})).expect(201);
    let document = alice.show("jobs", &id);
    assert_eq!(answer, json!({"job_id": id, "version": document["_version"]}));
    assert!(document["_version"].as_i64() > before["_version"].as_i64());
    assert_eq!((&document["client_id"], &document["description"]), (&json!("b"), &json!("")));
    assert_eq!((&document["session_id"], &document["session_tag"]), (&json!(""), &json!(0)));
    assert_eq!(document["job_actions"], json!([]));
    assert_eq!(schedule_unit(&alice, &id), json!({}));
    let run = &document["job_schedule"];
    assert_eq!((&run["status"], &run["time_started"]), (&json!(""), &json!(-1)));
    assert!(run.get("current_pid").is_none());
    assert_eq!(run["time_created"], before["job_schedule"]["time_created"]);
    assert!(alice.show("sessions", &session)["jobs"].as_object().unwrap().is_empty());
}

fn a_replacement_creates_a_missing_job(api: &Api) {
    let (alice, bob) = (api.project(), api.project());
    alice.register("a");
    bob.register("a");
    let id = format!("new-{}", alice.project);
    let path = format!("/jobs/{id}");
    let mut body = job("a");
    body["job_schedule"]["time_started"] = json!(7);
    let answer = alice.post(&path, body.clone()).expect(201);
    assert_eq!(answer, json!({"job_id": id, "version": alice.show("jobs", &id)["_version"]}));
    assert_eq!(
        alice.show("jobs", &id)["job_schedule"]["time_started"],
        7,
        "a replacement keeps the times of its body"
    );
    bob.post(&path, body.clone()).expect(409);
    alice.post("/jobs/not%20an%20id", body).expect(400);
    assert_eq!(alice.list("jobs").len(), 1);
}

fn a_deleted_job_keeps_its_actions(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    for _ in 0..2 {
        alice.delete(&format!("/jobs/{id}")).expect(204);
        alice.get(&format!("/jobs/{id}")).expect(404);
    }
    assert!(alice.list("jobs").is_empty());
    assert_eq!(alice.list("actions").len(), 1);
    alice.patch(&format!("/jobs/{id}"), json!({"description": "x"})).expect(404);
}

fn a_process_id_is_shown_to_owners_of_the_client_only(api: &Api) {
    let (admin, bob) = (api.project().with_roles("admin"), api.project());
    let name = format!("pid-{}", admin.project);
    admin.create("clients", json!({"client_id": name, "is_central": true}));
    let on_central = bob.create("jobs", job(&name));
    let on_own = bob.job_on("own");
    let pid = |caller: &Caller<'_>, id: &str| {
        let shown = caller.show("jobs", id)["job_schedule"].get("current_pid").cloned();
        let listed = caller.find_documents("jobs", json!({"match": [{"job_id": id}]}));
        assert_eq!(listed[0]["job_schedule"].get("current_pid"), shown.as_ref());
        shown
    };
    for id in [&on_central, &on_own] {
        assert_eq!(pid(&bob, id), None);
        bob.report(id, json!({"current_pid": 4242}));
    }
    assert_eq!(pid(&bob, &on_own), Some(json!(4242)), "the client belongs to his project");
    assert_eq!(pid(&bob.with_roles("reader"), &on_own), Some(json!(4242)));
    assert_eq!(pid(&bob, &on_central), None, "the central client belongs to another project");
    for role in ["admin", "service"] {
        assert_eq!(pid(&admin.with_roles(role).reaching_for(&bob), &on_central), Some(json!(4242)));
    }
    bob.delete(&format!("/jobs/{on_central}")).expect(204);
    admin.delete(&format!("/clients/{name}")).expect(204);
}

fn admins_and_services_see_the_jobs_of_all_projects(api: &Api) {
    let (alice, bob) = (api.project(), api.project());
    let made = |caller: &Caller<'_>| {
        caller.register("a");
        let mut body = job("a");
        body["description"] = json!(alice.project);
        caller.create("jobs", body)
    };
    let (hers, his) = (made(&alice), made(&bob));
    let one_of_both = json!({"match": [{"description": alice.project}]});
    let ids = |caller: &Caller<'_>, flag: &str| -> Vec<Value> {
        let answer =
            caller.search(&format!("/jobs?limit=1000&all_projects={flag}"), one_of_both.clone()).expect(200);
        answer["jobs"].as_array().unwrap().iter().map(|job| job["job_id"].clone()).collect()
    };
    for role in ["admin", "service"] {
        let above = alice.with_roles(role);
        for no in ["False", "false", "0", "no", "off", "f", "n"] {
            assert_eq!(ids(&above, no), [json!(hers)], "the flag is off");
        }
        let all = ids(&above, "True");
        assert!(all.contains(&json!(hers)) && all.contains(&json!(his)), "{role}");
        assert_eq!(above.show("jobs", &his)["project_id"], json!(bob.project));
        assert!(above.show("jobs", &hers).is_object());
    }
    assert_eq!(ids(&alice, "False"), [json!(hers)]);
    for caller in [&alice, &alice.with_roles("reader")] {
        caller.get("/jobs?all_projects=True").expect(403);
        caller.get(&format!("/jobs/{his}")).expect(404);
    }
    assert_eq!(alice.get("/jobs?all_projects=perhaps").expect(400)["title"], "Invalid parameter");
}

fn an_event_in_a_new_job_is_pending(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let mut body = job("a");
    body["job_schedule"] = json!({"event": "start", "status": "stop", "result": "fail", "current_pid": 1});
    let id = alice.create("jobs", body);
    let run = alice.poll("a")[0]["job_schedule"].clone();
    assert_eq!(
        (&run["event"], &run["status"], &run["result"]),
        (&json!("start"), &json!("stop"), &json!("fail"))
    );
    alice.report(&id, json!({"event": "", "status": "scheduled"}));
    assert_eq!(alice.show("jobs", &id)["job_schedule"]["event"], "");
}

/// The `schedule_*` keys that a job shows.
fn schedule_unit(caller: &Caller<'_>, id: &str) -> Value {
    let mut schedule = caller.show("jobs", id)["job_schedule"].as_object().unwrap().clone();
    schedule.retain(|key, _| key.starts_with("schedule_"));
    Value::Object(schedule)
}
