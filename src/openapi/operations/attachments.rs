//! The attachments: of jobs to clients, and of actions to jobs.

use super::Group;
use crate::document::action_attachments::{
    ACTION_ATTACHMENT, ACTION_ATTACHMENT_CREATE, ACTION_ATTACHMENT_PATCH, COLLECTION as PLACES,
};
use crate::document::job_attachments::{
    COLLECTION, JOB_ATTACHMENT, JOB_ATTACHMENT_CREATE, JOB_ATTACHMENT_PATCH,
};
use crate::http::Method::{Delete, Patch, Post};
use crate::openapi::operation::Operation;

pub fn of_jobs() -> Group {
    const LIST: &str = "/job-attachments";
    const ONE: &str = "/job-attachments/{job_attachment_id}";
    Group {
        name: "Job attachments",
        description: "Jobs on their clients. A job on several clients is run by a fleet: each of their schedulers finds a \
                      document of its own in `/jobs`, under the attachment's id.",
        operations: vec![
            Operation::list("list_job_attachments", &COLLECTION, &JOB_ATTACHMENT),
            Operation::project(Post, LIST, "create_job_attachment")
                .about(
                    "409: the job is on that client already. 422: the job, the client or the session is not there, the \
                     client cannot do what the job does, or Keystone refuses the trust that it needs.",
                )
                .takes(&JOB_ATTACHMENT_CREATE)
                .creates(&JOB_ATTACHMENT)
                .tagged()
                .fails(&[422]),
            Operation::show(ONE, "show_job_attachment", &JOB_ATTACHMENT),
            Operation::change(Patch, ONE, "update_job_attachment")
                .about("What is not in it stays.")
                .takes(&JOB_ATTACHMENT_PATCH)
                .answers(200, "The whole attachment.", &JOB_ATTACHMENT)
                .tagged()
                .fails(&[422]),
            Operation::change(Delete, ONE, "delete_job_attachment")
                .about("With its last attachment the job goes too; its actions, reports and backups stay.")
                .does("It is gone."),
        ],
    }
}

pub fn of_actions() -> Group {
    const LIST: &str = "/action-attachments";
    const ONE: &str = "/action-attachments/{action_attachment_id}";
    Group {
        name: "Action attachments",
        description: "Actions in their places in jobs: what `job_actions` of a job document shows in one.",
        operations: vec![
            Operation::list("list_action_attachments", &PLACES, &ACTION_ATTACHMENT),
            Operation::project(Post, LIST, "create_action_attachment")
                .about("409: the place is taken, or there is none left. 422: the action or the job is not there.")
                .takes(&ACTION_ATTACHMENT_CREATE)
                .creates(&ACTION_ATTACHMENT)
                .tagged()
                .fails(&[422]),
            Operation::show(ONE, "show_action_attachment", &ACTION_ATTACHMENT),
            Operation::change(Patch, ONE, "update_action_attachment")
                .about("What is not in it stays. 409: the place is taken.")
                .takes(&ACTION_ATTACHMENT_PATCH)
                .answers(200, "The whole attachment.", &ACTION_ATTACHMENT)
                .tagged(),
            Operation::change(Delete, ONE, "delete_action_attachment")
                .about("The action itself stays.")
                .does("It is gone."),
        ],
    }
}
