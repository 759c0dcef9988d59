//! Clients (contract, api-v2 §5).

use serde_json::{Value, json};

use crate::api::{Api, Caller};
use crate::documents::{client, job};

on_every_backend! {
    a_scheduler_registers_and_is_shown,
    a_client_without_capabilities_can_do_everything,
    a_client_may_choose_its_uuid_and_send_unknown_keys,
    registering_again_updates_a_client,
    the_same_name_in_two_projects_is_two_clients,
    an_invalid_name_is_refused,
    an_invalid_client_is_refused,
    deleting_an_unknown_client_succeeds,
    a_client_with_jobs_is_deleted_only_with_its_jobs,
    a_central_client_serves_every_project,
    only_admins_and_services_register_central_clients,
    a_projects_own_client_takes_precedence_over_a_central_one,
    a_central_client_with_jobs_of_other_projects_cannot_be_deleted,
}

const ACTIONS: [&str; 5] = ["backup", "restore", "info", "admin", "exec"];
const MODES: [&str; 8] = ["fs", "mongo", "mysql", "sqlserver", "cinder", "glance", "cindernative", "nova"];
const STORAGES: [&str; 6] = ["local", "swift", "ssh", "s3", "ftp", "ftps"];
const ENGINES: [&str; 6] = ["tar", "rsync", "rsyncv2", "nova", "osbrick", "glance"];

fn a_scheduler_registers_and_is_shown(api: &Api) {
    let alice = api.project();
    let body = json!({
        "client_id": "tenant_web-1.example.com",
        "hostname": "web-1.example.com",
        "description": "the first",
        "supported_actions": ["backup", "restore"],
        "supported_modes": ["fs"],
        "supported_storages": ["local", "ssh"],
        "supported_engines": ["tar"],
        "is_central": false,
    });
    let answer = alice.post("/clients/", body);
    assert_eq!(answer.expect(201), json!({"client_id": "tenant_web-1.example.com"}));
    let place = format!("{}/v2/{}/clients/tenant_web-1.example.com", api.url(), alice.project);
    assert_eq!(answer.header("Location"), Some(&*place));

    let document = alice.show("clients", "tenant_web-1.example.com");
    let uuid = document["client"]["uuid"].as_str().unwrap();
    assert!(uuid.len() == 32 && uuid.bytes().all(|b| b.is_ascii_hexdigit()), "{uuid}");
    assert_eq!(
        document,
        json!({
            "project_id": alice.project,
            "user_id": alice.user,
            "client": {
                "uuid": uuid,
                "client_id": "tenant_web-1.example.com",
                "hostname": "web-1.example.com",
                "description": "the first",
                "config_id": null,
                "is_central": false,
                "last_seen_at": null,
                "state": "down",
                "supported_actions": ["backup", "restore"],
                "supported_modes": ["fs"],
                "supported_storages": ["local", "ssh"],
                "supported_engines": ["tar"],
            },
            "_version": 1,
        })
    );
    assert_eq!(own(&alice), [document]);
}

fn a_client_without_capabilities_can_do_everything(api: &Api) {
    let alice = api.project();
    alice.create("clients", json!({"client_id": "old"}));
    let client = alice.show("clients", "old")["client"].clone();
    assert_eq!(client["supported_actions"], json!(ACTIONS));
    assert_eq!(client["supported_modes"], json!(MODES));
    assert_eq!(client["supported_storages"], json!(STORAGES));
    assert_eq!(client["supported_engines"], json!(ENGINES));
    assert_eq!((&client["hostname"], &client["description"]), (&Value::Null, &Value::Null));
    assert_eq!(client["is_central"], false);
}

fn a_client_may_choose_its_uuid_and_send_unknown_keys(api: &Api) {
    let (alice, bob) = (api.project(), api.project());
    let uuid = format!("{}-1", alice.project);
    let body = json!({"client_id": "a", "uuid": uuid, "colour": "red", "project_id": "x", "user_id": "y"});
    alice.create("clients", body);
    let document = alice.show("clients", "a");
    assert_eq!(document["client"]["uuid"], json!(uuid));
    assert_eq!((&document["project_id"], &document["user_id"]), (&json!(alice.project), &json!(alice.user)));
    assert!(document["client"].get("colour").is_none() && document.get("colour").is_none());

    // The uuid is the row's id: no other client can have it.
    alice.post("/clients", json!({"client_id": "b", "uuid": uuid})).expect(409);
    bob.post("/clients", json!({"client_id": "a", "uuid": uuid})).expect(409);
    // A deleted client frees its uuid.
    alice.delete("/clients/a").expect(204);
    bob.post("/clients", json!({"client_id": "a", "uuid": uuid})).expect(201);
}

fn registering_again_updates_a_client(api: &Api) {
    let alice = api.project();
    alice.create(
        "clients",
        json!({"client_id": "a", "hostname": "h1", "description": "d", "supported_modes": ["fs"]}),
    );
    let before = alice.show("clients", "a");

    // The same registration again writes nothing.
    let same = json!({"client_id": "a", "hostname": "h1", "description": "d", "supported_modes": ["fs"]});
    assert_eq!(alice.post("/clients", same).expect(201), json!({"client_id": "a"}));
    assert_eq!(alice.show("clients", "a"), before);

    // Description and lists change; a missing field gets its default. Name, host, uuid and user stay.
    let body = json!({"client_id": "a", "hostname": "h2", "uuid": "other", "supported_engines": ["tar"]});
    alice.colleague().post("/clients", body).expect(201);
    let after = alice.show("clients", "a");
    assert_eq!(after["_version"], 2);
    assert_eq!(after["user_id"], json!(alice.user));
    assert_eq!(after["client"]["uuid"], before["client"]["uuid"]);
    assert_eq!(after["client"]["hostname"], "h1");
    assert_eq!(after["client"]["description"], Value::Null);
    assert_eq!(after["client"]["supported_modes"], json!(MODES));
    assert_eq!(after["client"]["supported_engines"], json!(["tar"]));
    assert_eq!(own(&alice).len(), 1);
}

fn the_same_name_in_two_projects_is_two_clients(api: &Api) {
    let (alice, bob) = (api.project(), api.project());
    alice.register("web1");
    bob.get("/clients/web1").expect(404);
    bob.register("web1");
    let (hers, his) = (alice.show("clients", "web1"), bob.show("clients", "web1"));
    assert_ne!(hers["client"]["uuid"], his["client"]["uuid"]);
    bob.delete("/clients/web1").expect(204);
    assert_eq!(alice.show("clients", "web1"), hers);
}

fn an_invalid_name_is_refused(api: &Api) {
    let alice = api.project();
    let long = format!("p_{}", vec!["a".repeat(63); 3].join("."));
    for good in ["a", "0", "Web-1", "p-1_q_host.example.com", "a.b.c", "x--y", &long] {
        alice.post("/clients", json!({"client_id": good})).expect(201);
        assert_eq!(alice.show("clients", good)["client"]["client_id"], good);
    }
    let too_long = vec!["a".repeat(63); 5].join(".");
    let bad = [
        "",
        "-a",
        "a-",
        "a..b",
        ".a",
        "a.",
        "_",
        "p_",
        "bad%project$id_host.domain.com",
        "a/b",
        "a b",
        "a\n",
        "é",
        "a.b_c.d",
        &"a".repeat(64),
        &too_long,
    ];
    for bad in bad {
        alice.post("/clients", json!({"client_id": bad})).expect(400);
    }
    assert_eq!(own(&alice).len(), 7);
}

fn an_invalid_client_is_refused(api: &Api) {
    let alice = api.project();
    for (key, value) in [
        ("supported_actions", json!(["destroy"])),
        ("supported_modes", json!(["fs", "oracle"])),
        ("supported_storages", json!("local")),
        ("supported_engines", json!([null])),
        ("is_central", json!("false")),
        ("is_central", json!(1)),
        ("hostname", json!("-")),
        ("description", json!("x".repeat(256))),
        ("description", json!(["d"])),
        ("uuid", json!("a b")),
        ("uuid", json!("x".repeat(65))),
    ] {
        let mut body = client("a");
        body[key] = value;
        let refusal = alice.post("/clients", body).expect(400);
        assert_eq!(refusal["title"], "Bad request format");
        assert!(refusal["description"].as_str().unwrap().contains(key), "{refusal}");
    }
    alice.post("/clients", json!({"hostname": "a"})).expect(400);
    alice.send("POST", "/clients", None).expect(400);
    alice.get("/clients/a").expect(404);
}

fn deleting_an_unknown_client_succeeds(api: &Api) {
    let alice = api.project();
    assert_eq!(alice.get("/clients/unknown").expect(404)["title"], "Not Found");
    alice.delete("/clients/unknown").expect(204);
    alice.register("a");
    for _ in 0..2 {
        alice.delete("/clients/a").expect(204);
        alice.get("/clients/a").expect(404);
    }
    assert!(own(&alice).is_empty());
}

fn a_client_with_jobs_is_deleted_only_with_its_jobs(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let jobs = [alice.create("jobs", job("a")), alice.create("jobs", job("a"))];

    for query in ["", "?cascade=false", "?cascade=True&cascade=no"] {
        let refusal = alice.delete(&format!("/clients/a{query}")).expect(409);
        for id in &jobs {
            assert!(refusal["description"].as_str().unwrap().contains(id), "{refusal}");
        }
        // The refusal names both remedies: one of the command line, one of the API.
        let cascade = format!("DELETE {}/v2/{}/clients/a?cascade=true", api.url(), alice.project);
        for way in ["freezer job-delete", &cascade] {
            assert!(refusal["description"].as_str().unwrap().contains(way), "{refusal}");
        }
    }
    alice.delete("/clients/a?cascade=perhaps").expect(400);
    alice.show("clients", "a");

    alice.delete("/clients/a?cascade=true").expect(204);
    alice.get("/clients/a").expect(404);
    for id in &jobs {
        alice.get(&format!("/jobs/{id}")).expect(404);
    }
    assert_eq!(alice.list("actions").len(), 2, "actions stay");
}

fn a_central_client_serves_every_project(api: &Api) {
    let (admin, bob) = (api.project().with_roles("admin"), api.project());
    let name = central(&admin);

    // Every project sees it, and can have jobs on it.
    let document = bob.show("clients", &name);
    assert_eq!(document["project_id"], json!(admin.project));
    assert_eq!(document["client"]["is_central"], true);
    assert!(bob.find_documents("clients", json!({"match": [{"client_id": name}]})).contains(&document));
    let id = bob.create("jobs", job(&name));
    assert_eq!(bob.show("jobs", &id)["client_id"], json!(name));
    assert_eq!(bob.show("jobs", &id)["project_id"], json!(bob.project));

    // No other client can take the name now, neither a central one nor a new private one.
    bob.post("/clients", client(&name)).expect(409);
    let body = json!({"client_id": name, "hostname": "backup-node", "is_central": true});
    bob.with_roles("service").post("/clients", body.clone()).expect(409);
    admin.post("/clients", body).expect(201);

    // Only its own project can delete it.
    bob.delete(&format!("/clients/{name}")).expect(403);
    bob.delete(&format!("/jobs/{id}")).expect(204);
    admin.delete(&format!("/clients/{name}")).expect(204);
    bob.get(&format!("/clients/{name}")).expect(404);
}

fn only_admins_and_services_register_central_clients(api: &Api) {
    let alice = api.project();
    let body = json!({"client_id": format!("c-{}", alice.project), "is_central": true});
    alice.post("/clients", body.clone()).expect(403);
    alice.with_roles("reader").post("/clients", body.clone()).expect(403);
    // A service may register central clients only.
    let service = alice.with_roles("service");
    service.post("/clients", client("private")).expect(403);
    service.post("/clients", body.clone()).expect(201);
    alice.with_roles("admin").post("/clients", body.clone()).expect(201);
    alice.delete(&format!("/clients/{}", body["client_id"].as_str().unwrap())).expect(204);
}

fn a_projects_own_client_takes_precedence_over_a_central_one(api: &Api) {
    let (admin, bob) = (api.project().with_roles("admin"), api.project());
    let name = format!("central-{}", admin.project);
    bob.register(&name);
    central(&admin);
    assert_eq!(bob.show("clients", &name)["project_id"], json!(bob.project));
    let id = bob.create("jobs", job(&name));
    bob.post("/clients", client(&name)).expect(201);
    bob.delete(&format!("/clients/{name}?cascade=true")).expect(204);
    bob.get(&format!("/jobs/{id}")).expect(404);
    assert_eq!(bob.show("clients", &name)["project_id"], json!(admin.project));
    admin.delete(&format!("/clients/{name}")).expect(204);
}

fn a_central_client_with_jobs_of_other_projects_cannot_be_deleted(api: &Api) {
    let (admin, bob) = (api.project().with_roles("admin"), api.project());
    let name = central(&admin);
    let id = bob.create("jobs", job(&name));
    for query in ["", "?cascade=true"] {
        let refusal = admin.delete(&format!("/clients/{name}{query}")).expect(409);
        assert!(
            !refusal["description"].as_str().unwrap().contains(&id),
            "the refusal must not tell another project's job id"
        );
    }
    bob.show("jobs", &id);
    bob.delete(&format!("/jobs/{id}")).expect(204);
    admin.delete(&format!("/clients/{name}")).expect(204);
}

/// Registers a central client under a name that no other test uses.
fn central(admin: &Caller<'_>) -> String {
    let name = format!("central-{}", admin.project);
    admin.create("clients", json!({"client_id": name, "hostname": "backup-node", "is_central": true}))
}

/// The project's own clients. Any list may also hold central clients of other tests.
fn own(caller: &Caller<'_>) -> Vec<Value> {
    caller.find_documents("clients", json!({"match": [{"project_id": caller.project}]}))
}
