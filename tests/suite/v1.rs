//! Version 1 of the API (contract, api-v1), on a server that offers it beside version 2.

mod differences;
mod documents;
mod replay;
mod scope;

use std::sync::Arc;

use freezer_api::scope::Scope;
use serde_json::{Value, json};

use crate::api::{Api, Node};
use crate::documents::{action, backup};
use crate::http::{self, Answer};

on_every_backend! {
    without_the_option_there_is_no_version_1,
    the_version_list_shows_both_versions,
    the_home_document_has_the_backups,
    the_description_has_the_paths_of_version_1_only,
    a_client_is_registered_shown_and_deleted,
    registering_a_client_again_is_a_409_that_keeps_what_changed,
    an_action_is_created_changed_replaced_and_deleted,
    a_job_gets_a_new_id_and_runs,
    a_session_takes_jobs_in_and_runs,
    a_backup_is_created_shown_and_deleted,
    deleting_an_unknown_resource_is_a_404,
    a_token_without_a_project_is_refused,
    a_path_or_method_that_version_1_does_not_have_is_refused,
}

/// A caller of version 1: its paths are below `/v1`.
pub struct Caller {
    node: Arc<Node>,
    user: String,
    project: String,
}

impl Caller {
    /// A user with a token for a project.
    pub fn new(node: &Arc<Node>, user: &str, project: &str) -> Self {
        Self { node: Arc::clone(node), user: user.to_owned(), project: project.to_owned() }
    }

    /// A user in a new project, on a new server.
    pub fn alone(api: &Api) -> Self {
        Self::new(&offering(api, Scope::Own), &fresh("user"), &fresh("project"))
    }

    pub fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let token =
            [("X-User-Id", &*self.user), ("X-Project-Id", &*self.project), ("X-Roles", "member,reader")];
        let body = body.map(|body| body.to_string().into_bytes());
        http::send(self.node.address, method, &format!("/v1{path}"), &token, body.as_deref())
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None)
    }

    pub fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(&body))
    }

    pub fn patch(&self, path: &str, body: Value) -> Answer {
        self.send("PATCH", path, Some(&body))
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None)
    }

    /// Creates a resource and returns its id: `create("jobs", ..)` posts to `/jobs` and returns the `job_id`.
    #[track_caller]
    pub fn create(&self, noun: &str, body: Value) -> String {
        let answer = self.post(&format!("/{noun}"), body).expect(201);
        answer[format!("{}_id", noun.trim_end_matches('s'))].as_str().unwrap().to_owned()
    }

    /// Registers a client and puts a job on it.
    #[track_caller]
    pub fn job_on(&self, client: &str) -> String {
        let registered = self.post("/clients/", json!({"client_id": client, "hostname": client}));
        assert!([201, 409].contains(&registered.status), "{}", registered.status);
        self.create("jobs", json!({"client_id": client, "job_actions": [action()]}))
    }

    /// The ids in a list.
    #[track_caller]
    pub fn ids(&self, noun: &str) -> Vec<String> {
        let list = self.get(&format!("/{noun}?limit=100")).expect(200);
        let key = format!("{}_id", noun.trim_end_matches('s'));
        list[noun].as_array().unwrap().iter().map(|item| item[&key].as_str().unwrap().to_owned()).collect()
    }
}

/// A server on the same database that offers version 1.
pub fn offering(api: &Api, scope: Scope) -> Arc<Node> {
    Arc::new(api.node_with(|app| app.v1 = Some(scope)))
}

/// A fresh id for a user or a project.
pub fn fresh(what: &str) -> String {
    format!("{what}-{}", uuid::Uuid::new_v4().simple())
}

fn without_the_option_there_is_no_version_1(api: &Api) {
    let token = [("X-User-Id", "u"), ("X-Project-Id", "p"), ("X-Roles", "member")];
    for path in ["/v1", "/v1/clients", "/v1/jobs/j", "/v1/openapi.json"] {
        api.send("GET", path, &token, None).expect(404);
    }
}

fn the_version_list_shows_both_versions(api: &Api) {
    let node = offering(api, Scope::Own);
    let list = http::send(node.address, "GET", "/", &[], None).expect(300);
    let versions = list["versions"].as_array().unwrap();
    let shown: Vec<_> = versions.iter().map(|version| (&version["id"], &version["status"])).collect();
    assert_eq!(shown, [(&json!("v2"), &json!("CURRENT")), (&json!("v1"), &json!("DEPRECATED"))]);
    assert_eq!(versions[1]["links"][0]["href"], format!("http://{}/v1/", node.address));
    assert_eq!(versions[1]["updated"], "2018-02-21T13:30:00");
}

fn the_home_document_has_the_backups(api: &Api) {
    let node = offering(api, Scope::Own);
    for path in ["/v1", "/v1/"] {
        let answer = http::send(node.address, "GET", path, &[], None);
        let home = answer.expect(200);
        assert_eq!(answer.header("Content-Type"), Some("application/json-home"));
        assert_eq!(home["resources"]["rel/backups"]["href-template"], "/v1/backups/{backup_id}");
    }
    http::send(node.address, "GET", "/v1", &[("Accept", "text/html")], None).expect(406);
}

fn the_description_has_the_paths_of_version_1_only(api: &Api) {
    let node = offering(api, Scope::Own);
    let document = http::send(node.address, "GET", "/v1/openapi.json", &[], None).expect(200);
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.keys().all(|path| path == "/v1" || path.starts_with("/v1/")));
    assert!(paths["/v1/clients/{client_id}"].get("patch").is_none());
    assert_eq!(paths["/v1/jobs"]["get"]["x-openstack-policy"], "jobs:get_all");
    let backup = &document["components"]["schemas"]["Backup"]["properties"];
    assert!(backup.get("user_name").is_some());
}

fn a_client_is_registered_shown_and_deleted(api: &Api) {
    let alice = Caller::alone(api);
    let answer = alice.post("/clients/", json!({"client_id": "web1", "hostname": "web1"}));
    assert_eq!(answer.expect(201), json!({"client_id": "web1"}));
    let url = format!("http://{}/v1/clients/web1", alice.node.address);
    assert_eq!(answer.header("Location"), Some(&*url));
    let shown = alice.get("/clients/web1").expect(200);
    assert_eq!((&shown["client"]["client_id"], &shown["user_id"]), (&json!("web1"), &json!(alice.user)));
    assert_eq!(alice.get("/clients/").expect(200)["clients"].as_array().unwrap().len(), 1);
    alice.delete("/clients/web1").expect(204);
    alice.get("/clients/web1").expect(404);
}

fn registering_a_client_again_is_a_409_that_keeps_what_changed(api: &Api) {
    let alice = Caller::alone(api);
    let client = json!({"client_id": "web1", "hostname": "web1", "description": "old"});
    alice.post("/clients/", client.clone()).expect(201);
    let mut changed = client;
    changed["description"] = "new".into();
    changed["supported_modes"] = json!(["fs"]);
    let answer = alice.post("/clients/", changed).expect(409);
    assert_eq!(answer["description"], "Client already registered with ID web1");
    let shown = alice.get("/clients/web1").expect(200);
    assert_eq!(shown["client"]["description"], "new");
    assert_eq!(shown["client"]["supported_modes"], json!(["fs"]));
}

fn an_action_is_created_changed_replaced_and_deleted(api: &Api) {
    let alice = Caller::alone(api);
    let id = alice.create("actions", action());
    alice.post("/actions/", json!({"action_id": id, "freezer_action": {"action": "exec"}})).expect(409);
    let path = format!("/actions/{id}");
    let changed = alice.patch(&path, json!({"freezer_action": {"backup_name": "q"}})).expect(200);
    assert_eq!(changed, json!({"action_id": id, "version": 2}));
    let shown = alice.get(&path).expect(200);
    assert_eq!((&shown["_version"], &shown["freezer_action"]["backup_name"]), (&json!(2), &json!("q")));
    // The document can be sent back with its version.
    assert_eq!(alice.patch(&path, shown.clone()).expect(200)["version"], 2);
    let replaced = alice.post(&path, json!({"freezer_action": {"action": "exec"}})).expect(201);
    assert_eq!(replaced, json!({"action_id": id, "version": 3}));
    let made = fresh("made");
    alice.post(&format!("/actions/{made}"), action()).expect(201);
    assert_eq!(alice.ids("actions"), [id.clone(), made]);
    alice.delete(&path).expect(204);
    alice.get(&path).expect(404);
}

fn a_job_gets_a_new_id_and_runs(api: &Api) {
    let alice = Caller::alone(api);
    alice.post("/clients/", json!({"client_id": "web1"})).expect(201);
    let job = json!({"job_id": "mine", "client_id": "web1", "job_actions": [action()]});
    let id = alice.create("jobs", job);
    assert_ne!(id, "mine");
    let path = format!("/jobs/{id}");
    let event = format!("{path}/event");
    assert_eq!(alice.post(&event, json!({"start": null})).expect(202), json!({"result": "success"}));
    let again = alice.post(&event, json!({"start": null})).expect(202);
    assert_eq!(again, json!({"result": "start already requested"}));
    alice.post("/jobs/nothing/event", json!({"start": null})).expect(404);
    alice.post(&event, json!({"jump": null})).expect(400);

    // The scheduler sends back the whole document as it read it, with a status.
    let search = json!({"match_not": [{"status": "completed"}], "match": [{"client_id": "web1"}]});
    let polled = alice.send("GET", "/jobs/?limit=10&offset=0", Some(&search)).expect(200);
    let mut document = polled["jobs"][0].clone();
    assert_eq!(document["job_schedule"]["event"], "start");
    document["job_schedule"]["event"] = "".into();
    document["job_schedule"]["status"] = "running".into();
    let version = alice.patch(&path, document).expect(200)["version"].clone();
    let shown = alice.get(&path).expect(200);
    assert_eq!((&shown["_version"], &shown["job_schedule"]["status"]), (&version, &json!("running")));
    assert_eq!(shown["job_schedule"]["event"], "");

    alice.post("/jobs/", json!({"client_id": "unknown", "job_actions": [action()]})).expect(422);
    alice.post("/jobs/", json!({"client_id": "web1"})).expect(400);
    let replaced = alice.post(&path, json!({"client_id": "web1", "job_actions": [action()]})).expect(201);
    assert_eq!(replaced["job_id"], json!(id));
    alice.delete(&path).expect(204);
    assert_eq!(alice.ids("jobs"), Vec::<String>::new());
}

fn a_session_takes_jobs_in_and_runs(api: &Api) {
    let alice = Caller::alone(api);
    let job = alice.job_on("web1");
    let session = json!({"session_id": "mine", "description": "s", "schedule": {}, "color": "red"});
    let id = alice.create("sessions", session);
    assert_ne!(id, "mine");
    let path = format!("/sessions/{id}");
    let shown = alice.get(&path).expect(200);
    assert_eq!(
        (&shown["jobs"], &shown["last_start"], &shown["color"]),
        (&json!({}), &json!(""), &json!("red"))
    );
    alice.send("PUT", &format!("{path}/jobs/{job}"), None).expect(204);
    alice.send("PUT", &format!("{path}/jobs/nothing"), None).expect(404);
    let start = json!({"start": {"job_id": job, "current_tag": 0}});
    let started = alice.post(&format!("{path}/action"), start).expect(202);
    assert_eq!(started, json!({"result": "success", "session_tag": 1}));
    for wrong in [json!({"dance": {}}), json!({"start": {}})] {
        alice.post(&format!("{path}/action"), wrong).expect(400);
    }
    let end = json!({"end": {"job_id": job, "current_tag": 1, "result": "success"}});
    alice.post(&format!("{path}/action"), end).expect(202);
    assert_eq!(alice.get(&path).expect(200)["result"], "success");
    alice.post(&path, json!({"description": "s"})).expect(400);
    alice.delete(&format!("{path}/jobs/{job}")).expect(204);
    assert_eq!(alice.get(&format!("/jobs/{job}")).expect(200)["job_schedule"]["event"], "stop");
    alice.delete(&path).expect(204);
}

fn a_backup_is_created_shown_and_deleted(api: &Api) {
    let alice = Caller::alone(api);
    let id = alice.create("backups", backup("books"));
    let path = format!("/backups/{id}");
    let shown = alice.get(&path).expect(200);
    assert_eq!((&shown["_version"], &shown["user_name"]), (&json!(1), &json!("")));
    assert_eq!(shown["backup_metadata"]["backup_name"], "books");
    // A list has no versions, and a backup of version 2 has no user name.
    let listed = alice.get("/backups").expect(200)["backups"][0].clone();
    assert_eq!((listed.get("_version"), &listed["user_name"]), (None, &json!("")));
    for wrong in [json!({}), json!({"hostname": "h"})] {
        alice.post("/backups/", wrong).expect(400);
    }
    assert_eq!(alice.patch(&path, json!({"status": "error"})).status, 405);
    assert_eq!(alice.post(&path, backup("books")).status, 405);
    alice.delete(&path).expect(204);
    alice.get(&path).expect(404);
}

fn deleting_an_unknown_resource_is_a_404(api: &Api) {
    let alice = Caller::alone(api);
    for noun in ["clients", "actions", "jobs", "sessions", "backups"] {
        for id in ["nothing", "a%20b", &"x".repeat(300)] {
            alice.delete(&format!("/{noun}/{id}")).expect(404);
            alice.get(&format!("/{noun}/{id}")).expect(404);
        }
    }
    alice.patch("/jobs/nothing", json!({"description": "d"})).expect(404);
    alice.delete("/sessions/nothing/jobs/nothing").expect(404);
}

fn a_token_without_a_project_is_refused(api: &Api) {
    let node = offering(api, Scope::User);
    let token = [("X-User-Id", "u"), ("X-Roles", "member")];
    http::send(node.address, "GET", "/v1/jobs", &token, None).expect(403);
    http::send(node.address, "GET", "/v1/jobs", &[], None).expect(401);
}

fn a_path_or_method_that_version_1_does_not_have_is_refused(api: &Api) {
    let alice = Caller::alone(api);
    alice.get("/job-attachments").expect(404);
    alice.get("/p/jobs").expect(404);
    assert_eq!(alice.patch("/clients/c", json!({"description": "d"})).status, 405);
    alice.get("/jobs?limit=x").expect(400);
    alice.get("/jobs?limit=-1").expect(400);
}
