//! The documents that the tests begin with, and helpers that store them.

use serde_json::{Value, json};

use crate::api::Caller;

/// A client that can do everything.
pub fn client(name: &str) -> Value {
    json!({"client_id": name, "hostname": name, "description": "a host"})
}

/// An entry of `job_actions`, and the body of an action.
pub fn action() -> Value {
    json!({
        "freezer_action": {
            "action": "backup",
            "mode": "fs",
            "backup_name": "etc",
            "container": "/var/backups",
            "path_to_backup": "/etc",
            "storage": "local",
            "engine_name": "tar",
            "remove_older_than": 365,
        },
        "max_retries": 3,
        "max_retries_interval": 60,
        "mandatory": true,
    })
}

/// A job of one action.
pub fn job(client: &str) -> Value {
    json!({
        "client_id": client,
        "description": "nightly",
        "job_schedule": {"schedule_interval": "1 days", "schedule_start_date": "2026-01-02T03:04:05"},
        "job_actions": [action()],
    })
}

pub fn session() -> Value {
    json!({"description": "weekly", "schedule": {"schedule_interval": "7 days"}})
}

pub fn backup(name: &str) -> Value {
    json!({
        "backup_name": name,
        "container": "/var/backups",
        "hostname": "web1",
        "mode": "fs",
        "action": "backup",
        "time_stamp": 1_767_323_045,
        "curr_backup_level": 0,
        "path_to_backup": "/etc",
    })
}

impl Caller<'_> {
    /// Registers a client that can do everything.
    #[track_caller]
    pub fn register(&self, name: &str) -> String {
        self.create("clients", client(name))
    }

    /// Creates a job of one action on that client, and registers the client if need be.
    #[track_caller]
    pub fn job_on(&self, client: &str) -> String {
        self.register(client);
        self.create("jobs", job(client))
    }

    /// Creates a resource and returns the document of the answer, which a GET must show too.
    #[track_caller]
    pub fn create_document(&self, noun: &str, body: Value) -> Value {
        let answer = self.post(&format!("/{noun}"), body);
        let document = answer.expect(201);
        let id = document["id"].as_str().unwrap_or_else(|| panic!("no id: {answer}"));
        let location = answer.header("Location").unwrap_or_else(|| panic!("no Location: {answer}"));
        assert!(location.ends_with(&format!("/v2/{}/{noun}/{id}", self.project)), "{answer}");
        assert_eq!(self.show(noun, id), document);
        document
    }

    /// Creates a report on a failed run, with its log, and returns its id.
    #[track_caller]
    pub fn create_failed_report(&self) -> String {
        let report =
            self.create_document("action-reports", json!({"result": "fail", "log": "no space left\n"}));
        report["id"].as_str().unwrap().to_owned()
    }

    /// Polls as the scheduler of that client.
    #[track_caller]
    pub fn poll(&self, client: &str) -> Vec<Value> {
        self.find_documents(
            "jobs",
            json!({"match": [{"client_id": client}], "match_not": [{"status": "completed"}]}),
        )
    }

    /// Patches a job's schedule as the scheduler does.
    #[track_caller]
    pub fn report(&self, job: &str, run: Value) -> Value {
        self.patch(&format!("/jobs/{job}"), json!({"job_schedule": run})).expect(200)
    }
}
