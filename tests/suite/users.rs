//! The ids of users and projects, which another service assigns.

use serde_json::{Value, json};

use crate::api::{Api, Caller};
use crate::documents::{action, backup, client, job, session};

on_every_backend! {
    a_users_id_of_any_script_is_stored_with_everything,
    ids_that_cannot_be_stored_are_refused_with_a_reason,
}

/// Creates one resource of each kind, and returns their documents.
fn one_of_each(user: &Caller<'_>) -> Vec<Value> {
    let name = user.create("clients", client("web1"));
    let action = user.create("actions", action());
    let mut body = job(&name);
    body["job_actions"] = json!([{"action_id": action}]);
    let job = user.create("jobs", body);
    let session = user.create("sessions", session());
    let backup = user.create("backups", backup("etc"));
    user.put(&format!("/sessions/{session}/jobs/{job}")).expect(204);
    let done = json!({"job_schedule": {"status": "completed", "result": "success", "time_started": 100, "time_ended": 160}});
    user.patch(&format!("/jobs/{job}"), json!({"job_schedule": {"status": "running"}})).expect(200);
    user.patch(&format!("/jobs/{job}"), done).expect(200);
    let mut shown = vec![
        user.show("clients", &name),
        user.show("actions", &action),
        user.show("jobs", &job),
        user.show("sessions", &session),
        user.show("backups", &backup),
    ];
    for list in ["action-attachments", "job-attachments", "action-reports"] {
        let answer = user.get(&format!("/{list}")).expect(200);
        let items = answer[list.replace('-', "_").as_str()].as_array().unwrap().clone();
        assert!(!items.is_empty(), "{list}");
        shown.extend(items);
    }
    shown
}

fn a_users_id_of_any_script_is_stored_with_everything(api: &Api) {
    for id in
        ["J\u{f6}rg M\u{fc}ller", "cn=M. O'Neil, ou=\u{65e5}\u{672c}", "\u{1f980}", &"\u{e9}".repeat(255)]
    {
        let mut user = api.project();
        id.clone_into(&mut user.user);
        for shown in one_of_each(&user) {
            let stored =
                shown.get("user_id").or_else(|| shown.pointer("/client/user_id")).unwrap_or(&Value::Null);
            assert!(stored.is_null() || stored == id, "{shown}");
        }
        let of_user = json!({"match": [{"user_id": id}]});
        for noun in ["clients", "actions", "jobs", "sessions", "backups"] {
            assert_eq!(user.find_documents(noun, of_user.clone()).len(), 1, "{noun} of {id}");
            assert!(user.find_documents(noun, json!({"match": [{"user_id": "J"}]})).is_empty(), "{noun}");
        }
    }
}

fn ids_that_cannot_be_stored_are_refused_with_a_reason(api: &Api) {
    let project = api.project().project;
    let target = |project: &str| format!("/v2/{project}/clients");
    for (user, own, named) in [
        (&*"x".repeat(256), &*project, "user"),
        ("a\tb", &*project, "user"),
        ("u", &*"p".repeat(65), "project"),
        ("u", "pr\u{f6}ject", "project"),
        ("u", "p.1", "project"),
    ] {
        let headers = [("X-User-Id", user), ("X-Project-Id", own), ("X-Roles", "member,reader")];
        let path = if own.is_ascii() { own.to_owned() } else { "pr%C3%B6ject".to_owned() };
        for (method, body) in [("GET", None), ("POST", Some(client("web1").to_string()))] {
            let answer =
                api.send(method, &target(&path), &headers, body.as_deref().map(str::as_bytes)).expect(403);
            let why = answer["description"].as_str().unwrap();
            assert!(why.contains(named) && why.contains("cannot be stored"), "{user} {own}: {answer}");
        }
    }
}
