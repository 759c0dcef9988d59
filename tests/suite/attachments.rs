//! Action attachments (an action's place in a job) and job attachments (a job on a client) as resources.

mod actions;
mod jobs;
mod keys;
mod lists;
mod races;
mod refusals;
mod tags;

use serde_json::{Value, json};

use crate::api::Caller;

/// A project with the client `a` and a job on it with one action.
pub struct Plan<'a> {
    pub alice: Caller<'a>,
    /// The id of the job, which is also the id of its first document and attachment.
    pub job: String,
    /// The id of the action.
    pub action: String,
}

impl<'a> Plan<'a> {
    pub fn new(alice: Caller<'a>) -> Self {
        let job = alice.job_on("a");
        let action = alice.show("jobs", &job)["job_actions"][0]["action_id"].as_str().unwrap().to_owned();
        Self { alice, job, action }
    }
}

impl Caller<'_> {
    /// The ids of a job's action attachments, in order.
    #[track_caller]
    pub fn places(&self, job: &str) -> Vec<String> {
        let list =
            self.get(&format!("/action-attachments?job_id={job}&sort=priority&limit=1000")).expect(200);
        list["action_attachments"].as_array().unwrap().iter().map(id).collect()
    }

    /// Patches a resource and returns the document of the answer, which a GET must show too.
    #[track_caller]
    pub fn patch_document(&self, noun: &str, id: &str, body: Value) -> Value {
        let document = self.patch(&format!("/{noun}/{id}"), body).expect(200);
        assert_eq!(self.show(noun, id), document);
        document
    }

    /// Puts the job of a document on a further client, and returns the new document's id.
    #[track_caller]
    pub fn attach(&self, document: &str, client: &str) -> String {
        let job = self.show("job-attachments", document)["job_id"].clone();
        self.put_on(job.as_str().unwrap(), client)
    }

    /// Puts a job on a further client, and returns the attachment's id.
    #[track_caller]
    pub fn put_on(&self, job: &str, client: &str) -> String {
        id(&self.create_document("job-attachments", json!({"job_id": job, "client_id": client})))
    }
}

pub fn id(document: &Value) -> String {
    document["id"].as_str().unwrap().to_owned()
}
