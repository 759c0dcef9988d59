//! The attachments: of jobs to clients, and of actions to jobs.

use super::Group;
use crate::http::Method::{Delete, Get, Patch, Post};
use crate::openapi::operation::Operation;

pub fn of_jobs() -> Group {
    const LIST: &str = "/job-attachments";
    const ONE: &str = "/job-attachments/{job_attachment_id}";
    Group {
        name: "Job attachments",
        description: "Jobs on their clients. A job with several of them is run by a fleet.",
        operations: vec![
            Operation::project(Get, LIST, "list_job_attachments"),
            Operation::project(Post, LIST, "create_job_attachment"),
            Operation::project(Get, ONE, "show_job_attachment"),
            Operation::project(Patch, ONE, "update_job_attachment"),
            Operation::project(Delete, ONE, "delete_job_attachment"),
        ],
    }
}

pub fn of_actions() -> Group {
    const LIST: &str = "/action-attachments";
    const ONE: &str = "/action-attachments/{action_attachment_id}";
    Group {
        name: "Action attachments",
        description: "Actions in their places in jobs.",
        operations: vec![
            Operation::project(Get, LIST, "list_action_attachments"),
            Operation::project(Post, LIST, "create_action_attachment"),
            Operation::project(Get, ONE, "show_action_attachment"),
            Operation::project(Patch, ONE, "update_action_attachment"),
            Operation::project(Delete, ONE, "delete_action_attachment"),
        ],
    }
}
