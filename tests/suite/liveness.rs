//! The state of clients (up or down), and their changes by an operator.

use chrono::TimeDelta;
use diesel::prelude::*;
use freezer_api::store::schema::clients;
use serde_json::{Value, json};

use crate::api::{Api, Caller};
use crate::http;
use crate::races::at_once;

on_every_backend! {
    a_client_is_down_until_it_polls,
    a_client_without_a_recent_poll_is_down,
    a_client_seen_in_the_future_is_down_until_it_polls,
    only_the_search_that_schedulers_send_is_a_poll,
    a_poll_of_any_page_marks_a_client_as_up,
    a_readers_poll_changes_nothing,
    a_readers_poll_of_a_central_client_changes_nothing,
    a_list_by_another_client_is_not_a_poll,
    a_central_client_is_up_for_every_project,
    the_time_for_which_a_client_counts_as_up_can_be_set,
    the_state_of_a_client_can_be_searched_for,
    an_operator_changes_a_client,
    a_client_can_be_sent_back_whole,
    an_invalid_change_of_a_client_is_refused,
    a_client_that_loses_a_capability_keeps_its_jobs,
    a_client_of_another_project_is_not_changed,
    central_clients_cannot_share_a_name,
    many_changes_of_one_client_all_land,
}

fn a_client_is_down_until_it_polls(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let before = alice.show("clients", "a");
    assert_eq!(
        (&before["client"]["state"], &before["client"]["last_seen_at"]),
        (&json!("down"), &Value::Null)
    );
    // An empty poll counts as well.
    assert!(alice.poll("a").is_empty());
    let after = alice.show("clients", "a");
    assert_eq!(after["client"]["state"], "up");
    let seen = after["client"]["last_seen_at"].as_str().unwrap();
    assert!(seen.len() == 27 && seen.starts_with("20") && seen.ends_with('Z'), "{seen}");
    assert_eq!(after["_version"], before["_version"], "a poll does not change the client's version");
    // The next poll comes too soon to be recorded.
    alice.poll("a");
    assert_eq!(alice.show("clients", "a"), after);
    // A list shows the same.
    assert_eq!(alice.find_documents("clients", json!({"match": [{"client_id": "a"}]})), [after]);
}

fn a_client_without_a_recent_poll_is_down(api: &Api) {
    let alice = api.project();
    alice.register("a");
    for (age, state) in [(0, "up"), (100, "up"), (190, "down"), (100_000, "down")] {
        set_last_seen(&alice, "a", age);
        assert_eq!(alice.show("clients", "a")["client"]["state"], state, "{age}");
    }
    alice.poll("a");
    assert_eq!(alice.show("clients", "a")["client"]["state"], "up");
}

fn a_client_seen_in_the_future_is_down_until_it_polls(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let names = |query: &str| -> Vec<Value> {
        let clients = alice.get(&format!("/clients?hostname=a&is_central=false{query}")).expect(200);
        clients["clients"]
            .as_array()
            .unwrap()
            .iter()
            .map(|client| client["client"]["state"].clone())
            .collect()
    };
    for ahead in [3600, 30 * 86_400] {
        set_last_seen(&alice, "a", -ahead);
        assert_eq!(state(&alice, "a"), "down", "{ahead}");
        assert_eq!((names("&state=up"), names("&state=down")), (vec![], vec![json!("down")]), "{ahead}");
        assert_eq!(names("&state=nin:up"), ["down"]);
        alice.poll("a");
        assert_eq!(state(&alice, "a"), "up", "{ahead}");
        assert_eq!((names("&state=up"), names("&state=down")), (vec![json!("up")], vec![]), "{ahead}");
    }
}

fn only_the_search_that_schedulers_send_is_a_poll(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    alice.register("b");
    alice.post(&format!("/jobs/{id}/event"), json!({"stop": null})).expect(202);
    let completed = json!([{"status": "completed"}]);
    let poll = json!({"match": [{"client_id": "a"}], "match_not": completed});
    alice.get("/jobs").expect(200);
    alice.get("/jobs?client_id=a").expect(200);
    for search in [
        // The search of `job-list --client a`, and a dashboard's filter.
        json!({"match": [{"client_id": "a"}]}),
        json!({"match": [{"_all": "a"}]}),
        json!({"match": [{"client_id": "a"}, {"_all": "a"}], "match_not": completed}),
        json!({"match": [{"client_id": "a"}, {"event": "stop"}], "match_not": completed}),
        json!({"match": [{"client_id": "a", "event": "stop"}], "match_not": completed}),
        json!({"match": [{"client_id": "a"}], "match_not": [{"status": "completed"}, {"status": "running"}]}),
        json!({"match": [{"client_id": "a"}], "match_not": [{"status": "running"}]}),
        json!({"match": {"client_id": "a"}, "match_not": {"status": "completed"}}),
        json!({"match": [{"_all": "[{\"client_id\": \"a\"}]"}], "match_not": completed}),
        json!({"match_not": [{"client_id": "b"}, {"status": "completed"}]}),
        json!({"match": [{"job_id": id}], "match_not": completed}),
    ] {
        let jobs = alice.search("/jobs", search.clone()).expect(200)["jobs"].clone();
        assert_eq!(jobs.as_array().unwrap().len(), 1, "{search}");
    }
    for query in ["fields=job_id", "sort=status", "status=", "with_count", "client_id=a"] {
        alice.search(&format!("/jobs?{query}"), poll.clone()).expect(200);
    }
    assert_eq!(alice.json("HEAD", "/jobs", &poll).status, 200);
    assert_eq!(state(&alice, "a"), "down");
    // A report of a scheduler that has not read the event does not clear it.
    alice.report(&id, json!({"status": "scheduled", "event": ""}));
    assert_eq!(alice.show("jobs", &id)["job_schedule"]["event"], "stop");

    alice.search("/jobs/?limit=10&offset=0&all_projects=False", poll).expect(200);
    assert_eq!((state(&alice, "a"), state(&alice, "b")), (json!("up"), json!("down")));
    alice.report(&id, json!({"status": "scheduled", "event": ""}));
    assert_eq!(alice.show("jobs", &id)["job_schedule"]["event"], "");
}

fn a_poll_of_any_page_marks_a_client_as_up(api: &Api) {
    let alice = api.project();
    let ids: Vec<String> = (0..5).map(|_| alice.job_on("a")).collect();
    let event = |id: &String| alice.show("jobs", id)["job_schedule"]["event"].clone();
    for id in &ids {
        alice.post(&format!("/jobs/{id}/event"), json!({"stop": null})).expect(202);
    }
    let poll = json!({"match": [{"client_id": "a"}], "match_not": [{"status": "completed"}]});
    alice.search("/jobs?limit=2&offset=2", poll.clone()).expect(200);
    assert_eq!(state(&alice, "a"), "up");
    for id in &ids {
        alice.report(id, json!({"event": ""}));
    }
    let cleared: Vec<bool> = ids.iter().map(|id| event(id) == "").collect();
    assert_eq!(cleared, [false, false, true, true, false], "the events on that page were delivered");
    for offset in [0, 2, 4] {
        alice.search(&format!("/jobs?limit=2&offset={offset}"), poll.clone()).expect(200);
    }
    for id in &ids {
        alice.report(id, json!({"event": ""}));
        assert_eq!(event(id), "");
    }
}

fn a_readers_poll_changes_nothing(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    alice.post(&format!("/jobs/{id}/event"), json!({"start": null})).expect(202);
    let reader = alice.with_roles("reader");
    let polled = reader.poll("a");
    assert_eq!(polled[0]["job_schedule"]["event"], "start");
    assert_eq!(alice.show("clients", "a")["client"]["last_seen_at"], Value::Null);
    alice.report(&id, json!({"status": "scheduled", "event": ""}));
    assert_eq!(alice.show("jobs", &id)["job_schedule"]["event"], "start");
}

fn a_readers_poll_of_a_central_client_changes_nothing(api: &Api) {
    let (alice, admin) = (api.project(), api.project().with_roles("admin"));
    let name = format!("central-{}", admin.project);
    admin.create("clients", json!({"client_id": name, "hostname": "h", "is_central": true}));
    let id = alice.create("jobs", crate::documents::job(&name));
    let event = || alice.show("jobs", &id)["job_schedule"]["event"].clone();
    alice.post(&format!("/jobs/{id}/event"), json!({"stop": null})).expect(202);
    let poll = json!({"match": [{"client_id": name}], "match_not": [{"status": "completed"}]});
    // A member of the project may change the job, but is not the scheduler that runs it.
    assert_eq!(alice.search("/jobs", poll.clone()).expect(200)["jobs"][0]["job_id"], json!(id));
    alice.search("/jobs?all_projects=True", poll.clone()).expect(403);
    // A central scheduler always polls with `all_projects`.
    admin.search("/jobs", poll.clone()).expect(200);
    alice.report(&id, json!({"event": ""}));
    assert_eq!((state(&admin, &name), event()), (json!("down"), json!("stop")));
    let service = admin.with_roles("service");
    service.search("/jobs?all_projects=True", poll).expect(200);
    alice.report(&id, json!({"event": ""}));
    assert_eq!((state(&admin, &name), event()), (json!("up"), json!("")));
    alice.delete(&format!("/jobs/{id}")).expect(204);
    admin.delete(&format!("/clients/{name}")).expect(204);
}

fn a_list_by_another_client_is_not_a_poll(api: &Api) {
    let (alice, bob) = (api.project(), api.project());
    alice.register("a");
    bob.register("a");
    bob.poll("a");
    bob.with_roles("admin").reaching_for(&alice).get("/jobs").expect(200);
    // A list of all projects counts as a poll of a central client only.
    let id = alice.create("jobs", crate::documents::job("a"));
    alice.post(&format!("/jobs/{id}/event"), json!({"stop": null})).expect(202);
    let all = json!({"match": [{"client_id": "a"}], "match_not": [{"status": "completed"}]});
    bob.with_roles("admin").search("/jobs?all_projects=True&limit=1000", all).expect(200);
    alice.report(&id, json!({"event": ""}));
    assert_eq!(alice.show("jobs", &id)["job_schedule"]["event"], "stop");
    assert_eq!((state(&alice, "a"), state(&bob, "a")), (json!("down"), json!("up")));
}

fn a_central_client_is_up_for_every_project(api: &Api) {
    let (alice, admin) = (api.project(), api.project().with_roles("admin"));
    let name = format!("central-{}", admin.project);
    admin.create("clients", json!({"client_id": name, "hostname": "h", "is_central": true}));
    // A search by a user of the client is not its poll.
    alice.poll(&name);
    assert_eq!(state(&alice, &name), "down");
    let search = json!({"match": [{"client_id": name}], "match_not": [{"status": "completed"}]});
    admin.search("/jobs?all_projects=True", search).expect(200);
    assert_eq!((state(&alice, &name), state(&admin, &name)), (json!("up"), json!("up")));
    admin.delete(&format!("/clients/{name}")).expect(204);
}

fn the_time_for_which_a_client_counts_as_up_can_be_set(api: &Api) {
    let alice = api.project();
    alice.register("a");
    set_last_seen(&alice, "a", 400);
    let patient = api.node_with(|app| app.client_down_time = 600);
    let target = format!("/v2/{}/clients/a", alice.project);
    let headers = [("X-User-Id", "u"), ("X-Project-Id", &*alice.project), ("X-Roles", "reader")];
    let there = http::send(patient.address, "GET", &target, &headers, None).expect(200);
    assert_eq!((&there["client"]["state"], state(&alice, "a")), (&json!("up"), json!("down")));
}

fn the_state_of_a_client_can_be_searched_for(api: &Api) {
    let alice = api.project();
    alice.register("a");
    alice.register("b");
    alice.poll("b");
    let down = alice.find_documents("clients", json!({"match": [{"state": "down"}, {"hostname": "a"}]}));
    assert_eq!(down.len(), 1);
    assert!(
        alice.find_documents("clients", json!({"match": [{"state": "down"}, {"hostname": "b"}]})).is_empty()
    );
}

fn an_operator_changes_a_client(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let before = alice.show("clients", "a");
    let change = json!({
        "description": "é in the cellar",
        "config_id": "config-1",
        "hostname": "cellar.example.com",
        "supported_actions": ["backup"],
        "supported_modes": ["fs", "nova"],
        "supported_storages": ["s3"],
        "supported_engines": [],
    });
    let mut expected = before.clone();
    for (key, value) in change.as_object().unwrap() {
        expected["client"][key] = value.clone();
    }
    expected["_version"] = json!(2);
    assert_eq!(alice.colleague().patch("/clients/a", change.clone()).expect(200), expected);
    assert_eq!(alice.show("clients", "a"), expected);
    // Neither the same patch again nor an empty one is a change.
    assert_eq!(alice.patch("/clients/a", change).expect(200), expected);
    assert_eq!(alice.patch("/clients/a", json!({})).expect(200), expected);
    // Absent values are null.
    let gone = json!({"description": null, "config_id": null, "hostname": null});
    let after = alice.patch("/clients/a", gone).expect(200);
    for key in ["description", "config_id", "hostname"] {
        assert_eq!(after["client"][key], Value::Null);
    }
    assert_eq!((&after["_version"], &after["client"]["supported_storages"]), (&json!(3), &json!(["s3"])));
}

fn a_client_can_be_sent_back_whole(api: &Api) {
    let alice = api.project();
    alice.register("a");
    alice.poll("a");
    let mut document = alice.show("clients", "a");
    assert_eq!(alice.patch("/clients/a", document.clone()).expect(200), document);
    document["client"]["description"] = json!("new");
    // A caller cannot set any of these.
    document["client"]["uuid"] = json!("x");
    document["client"]["client_id"] = json!("b");
    document["client"]["is_central"] = json!(true);
    document["client"]["last_seen_at"] = json!(null);
    document["client"]["state"] = json!("down");
    document["project_id"] = json!("x");
    document["user_id"] = json!("x");
    document["_version"] = json!(99);
    let after = alice.patch("/clients/a", document.clone()).expect(200);
    assert_eq!(after["client"]["description"], "new");
    assert_eq!((&after["_version"], &after["project_id"]), (&json!(2), &json!(alice.project)));
    for (key, value) in [("client_id", json!("a")), ("is_central", json!(false)), ("state", json!("up"))] {
        assert_eq!(after["client"][key], value);
    }
    assert_ne!(after["client"]["uuid"], "x");
    // The flat form of a registration works too.
    let flat = document["client"].clone();
    assert_eq!(alice.patch("/clients/a", flat).expect(200), after);
}

fn an_invalid_change_of_a_client_is_refused(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let before = alice.show("clients", "a");
    for bad in [
        json!({"colour": "red"}),
        json!({"client": {"colour": "red"}}),
        json!({"description": 1}),
        json!({"description": "x".repeat(256)}),
        json!({"config_id": "x".repeat(256)}),
        json!({"hostname": "-"}),
        json!({"hostname": ""}),
        json!({"supported_modes": ["oracle"]}),
        json!({"supported_modes": null}),
        json!({"supported_actions": "backup"}),
        json!({"description": "x", "client": {"description": "y"}}),
        json!({"client": []}),
        json!([]),
    ] {
        let answer = alice.patch("/clients/a", bad);
        assert!(answer.expect(400)["description"].is_string());
    }
    assert_eq!(alice.show("clients", "a"), before);
    for unknown in ["/clients/unknown", "/clients/b%20c", "/clients/%C3%A9"] {
        alice.patch(unknown, json!({"description": "x"})).expect(404);
    }
}

fn a_client_that_loses_a_capability_keeps_its_jobs(api: &Api) {
    let alice = api.project();
    let job = alice.job_on("a");
    alice.patch("/clients/a", json!({"supported_actions": ["restore"]})).expect(200);
    assert_eq!(alice.poll("a")[0]["job_id"], json!(job));
    alice.report(&job, json!({"status": "running", "time_started": 1}));
    // New jobs that the client no longer supports are refused.
    alice.post("/jobs", crate::documents::job("a")).expect(422);
}

fn a_client_of_another_project_is_not_changed(api: &Api) {
    let (alice, bob) = (api.project(), api.project().with_roles("admin"));
    alice.register("a");
    let before = alice.show("clients", "a");
    bob.patch("/clients/a", json!({"description": "bob's"})).expect(404);
    bob.with_roles("member").reaching_for(&alice).patch("/clients/a", json!({})).expect(403);
    assert_eq!(alice.show("clients", "a"), before);
    let name = format!("central-{}", bob.project);
    bob.create("clients", json!({"client_id": name, "hostname": "h", "is_central": true}));
    alice.patch(&format!("/clients/{name}"), json!({"description": "alice's"})).expect(403);
    assert_eq!(bob.show("clients", &name)["client"]["description"], Value::Null);
    bob.patch(&format!("/clients/{name}"), json!({"description": "bob's"})).expect(200);
    assert_eq!(alice.show("clients", &name)["client"]["description"], "bob's");
    bob.delete(&format!("/clients/{name}")).expect(204);
}

fn central_clients_cannot_share_a_name(api: &Api) {
    let (one, two) = (api.project().with_roles("admin"), api.project().with_roles("admin"));
    let name = format!("central-{}", one.project);
    let path = format!("/clients/{name}");
    for (admin, host) in [(&one, "h1"), (&two, "h2")] {
        admin.create("clients", json!({"client_id": name, "hostname": host, "is_central": true}));
    }
    let before = two.show("clients", &name);
    two.patch(&path, json!({"hostname": "h1"})).expect(409);
    assert_eq!(two.show("clients", &name), before);
    // Nor can they after concurrent changes.
    for round in 0..3 {
        let move_there = json!({"hostname": format!("h-{round}")});
        let answers = at_once(2, |n| [&one, &two][n].patch(&path, move_there.clone()).status);
        assert!(answers.contains(&200) && answers.contains(&409), "{answers:?}");
        one.patch(&path, json!({"hostname": "h1"})).expect(200);
        two.patch(&path, json!({"hostname": "h2"})).expect(200);
    }
    one.patch(&path, json!({"hostname": null})).expect(200);
    two.patch(&path, json!({"hostname": null})).expect(409);
    for admin in [&one, &two] {
        admin.delete(&path).expect(204);
    }
}

fn many_changes_of_one_client_all_land(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let changes = [
        json!({"description": "x"}),
        json!({"config_id": "y"}),
        json!({"hostname": "z"}),
        json!({"supported_modes": ["fs"]}),
        json!({"supported_storages": ["s3"]}),
    ];
    at_once(16, |n| {
        alice.patch("/clients/a", changes[n % changes.len()].clone()).expect(200);
        alice.poll("a");
    });
    let after = alice.show("clients", "a");
    for change in &changes {
        let (key, value) = change.as_object().unwrap().iter().next().unwrap();
        assert_eq!(&after["client"][key], value);
    }
    assert_eq!((&after["_version"], &after["client"]["state"]), (&json!(6), &json!("up")));
}

fn state(caller: &Caller<'_>, client: &str) -> Value {
    caller.show("clients", client)["client"]["state"].clone()
}

/// Sets the client's last poll to `age` seconds ago.
fn set_last_seen(caller: &Caller<'_>, client: &str, age: i64) {
    let seen = freezer_api::store::now() - TimeDelta::seconds(age);
    diesel::update(
        clients::table.filter(clients::project_id.eq(&caller.project)).filter(clients::client_id.eq(client)),
    )
    .set(clients::last_seen_at.eq(Some(seen)))
    .execute(&mut caller.api.database())
    .unwrap();
}
