//! A request that succeeds, for each route.

use freezer_api::routes::{Handler, ROUTES, Route};
use front::http::Method;
use serde_json::{Value, json};

use crate::api::Caller;
use crate::documents::{action, backup, client, job, session};
use crate::http::Answer;

/// A request to a route of the table that succeeds. `Case::all` has one for each route.
pub struct Case {
    pub method: &'static str,
    /// Below the project.
    pub path: String,
    pub body: Option<Value>,
    pub rule: &'static str,
    /// The status of success (contract, api-v2 §2 "Success codes").
    pub success: u16,
}

impl Case {
    /// The routes that belong to a project, each with resources of its own.
    pub fn all(owner: &Caller<'_>) -> Vec<Self> {
        let cases: Vec<Self> = ROUTES.iter().filter_map(|route| Self::new(route, owner)).collect();
        assert!(cases.len() >= 31, "{}", cases.len());
        cases
    }

    pub fn new(route: &Route, owner: &Caller<'_>) -> Option<Self> {
        let Handler::Project(rule, _) = route.handler else { return None };
        let method = word(route.method);
        let template = route.path.strip_prefix("/v2/{project_id}").unwrap();
        let mut path = template.to_owned();
        if path.contains("{client_id}") {
            path = path.replace("{client_id}", &owner.register("item"));
        }
        if path.contains("{action_id}") {
            path = path.replace("{action_id}", &owner.create("actions", action()));
        }
        if path.contains("{backup_id}") {
            path = path.replace("{backup_id}", &owner.create("backups", backup("etc")));
        }
        if path.contains("{action_report_id}") {
            path = path.replace("{action_report_id}", &owner.create_failed_report());
        }
        let job = owner.job_on("host");
        if path.contains("{job_attachment_id}") {
            path = path.replace("{job_attachment_id}", &owner.put_on(&job, &owner.register("fleet")));
        }
        if path.contains("{action_attachment_id}") {
            path = path.replace("{action_attachment_id}", &owner.places(&job)[0]);
        }
        path = path.replace("{job_id}", &job);
        if path.contains("{session_id}") {
            let session = owner.create("sessions", session());
            if path.ends_with("/action") {
                owner.put(&format!("/sessions/{session}/jobs/{job}")).expect(204);
            }
            path = path.replace("{session_id}", &session);
        }
        assert!(!path.contains('{'), "this test does not know {template} yet");
        let (body, success) = match (method, template) {
            ("GET", _) => (None, 200),
            ("DELETE" | "PUT", _) => (None, 204),
            ("PATCH", path) if path.starts_with("/actions") => (Some(json!({"max_retries": 2})), 200),
            ("PATCH", path) if path.starts_with("/action-attachments") => (Some(json!({"retries": 2})), 200),
            ("PATCH", path) if path.starts_with("/job-attachments") => (Some(json!({"event": "stop"})), 200),
            ("PATCH", path) if path.starts_with("/backups") => (Some(json!({"status": "error"})), 200),
            ("PATCH", path) if path.starts_with("/action-reports") => (Some(json!({"time_elapsed": 2})), 200),
            ("PATCH", _) => (Some(json!({"description": "new"})), 200),
            ("POST", path) if path.ends_with("/event") => (Some(json!({"start": null})), 202),
            ("POST", path) if path.ends_with("/action") => {
                (Some(json!({"start": {"job_id": job, "current_tag": 0}})), 202)
            }
            ("POST", "/clients") => (Some(client("another")), 201),
            ("POST", path) if path.starts_with("/actions") => (Some(action()), 201),
            ("POST", path) if path.starts_with("/jobs") => (Some(self::job("host")), 201),
            ("POST", path) if path.starts_with("/sessions") => {
                (Some(json!({"schedule": {}, "session_tag": 0})), 201)
            }
            ("POST", "/action-reports") => (Some(json!({"result": "fail"})), 201),
            ("POST", "/action-attachments") => {
                let action = owner.create("actions", action());
                (Some(json!({"action_id": action, "job_id": job})), 201)
            }
            ("POST", "/job-attachments") => {
                (Some(json!({"job_id": job, "client_id": owner.register("further")})), 201)
            }
            ("POST", "/backups") => (Some(backup("etc")), 201),
            other => panic!("this test does not know {other:?} yet"),
        };
        Some(Self { method, path, body, rule, success })
    }

    pub fn send(&self, caller: &Caller<'_>) -> Answer {
        self.send_to(caller, &self.path)
    }

    pub fn send_to(&self, caller: &Caller<'_>, path: &str) -> Answer {
        let body = self.body.as_ref().map(Value::to_string);
        caller.send(self.method, path, body.as_ref().map(String::as_bytes))
    }

    pub fn is_read(&self) -> bool {
        self.method == "GET"
    }
}

pub fn word(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
        Method::Head | Method::Options | Method::Other => panic!("no route has {method:?}"),
    }
}
