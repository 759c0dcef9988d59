//! The attachments: of jobs to clients, and of actions to jobs.

use front::http::Method::{Delete, Patch, Post};

use super::Group;
use crate::document::action_attachments::{
    self, ACTION_ATTACHMENT, ACTION_ATTACHMENT_CREATE, ACTION_ATTACHMENT_PATCH,
};
use crate::document::job_attachments::{self, JOB_ATTACHMENT, JOB_ATTACHMENT_CREATE, JOB_ATTACHMENT_PATCH};
use crate::openapi::operation::Operation;

pub fn job_attachments_group() -> Group {
    const LIST: &str = "/job-attachments";
    const ONE: &str = "/job-attachments/{job_attachment_id}";
    Group {
        name: "Job attachments",
        description: "Jobs on their clients. A job with several of them is run by a fleet: each client's scheduler finds \
                      a job document of its own, with the attachment's id, and reports on that.",
        operations: vec![
            Operation::list("list_job_attachments", &job_attachments::COLLECTION, &JOB_ATTACHMENT),
            Operation::project(Post, LIST, "create_job_attachment")
                .about(
                    "409: the job is on the client already. 422: the job, the client or the session is not there, the \
                     client cannot do every action of the job, or Keystone refuses the trust that it needs.",
                )
                .takes(&JOB_ATTACHMENT_CREATE)
                .creates(&JOB_ATTACHMENT)
                .tagged()
                .fails(&[422]),
            Operation::show(ONE, "show_job_attachment", &JOB_ATTACHMENT),
            Operation::change(Patch, ONE, "update_job_attachment")
                .about(
                    "Changes the run of this one client, or moves the job to another one. A run that this finishes leaves \
                     its reports, as if the job document had been changed.",
                )
                .takes(&JOB_ATTACHMENT_PATCH)
                .answers(200, "The whole attachment.", &JOB_ATTACHMENT)
                .tagged()
                .fails(&[422]),
            Operation::change(Delete, ONE, "delete_job_attachment")
                .about("With its last attachment a job goes too; its actions, reports and backups stay.")
                .no_content("It is gone."),
        ],
    }
}

pub fn action_attachments_group() -> Group {
    const LIST: &str = "/action-attachments";
    const ONE: &str = "/action-attachments/{action_attachment_id}";
    Group {
        name: "Action attachments",
        description: "Actions in their places in jobs. A change of one is a change of the job, for every client it is on.",
        operations: vec![
            Operation::list("list_action_attachments", &action_attachments::COLLECTION, &ACTION_ATTACHMENT),
            Operation::project(Post, LIST, "create_action_attachment")
                .about(
                    "409: the priority is taken, or the job has 1000 actions. 422: the action or the job is not there, or \
                     a client that the job is on cannot do the action.",
                )
                .takes(&ACTION_ATTACHMENT_CREATE)
                .creates(&ACTION_ATTACHMENT)
                .tagged()
                .fails(&[422]),
            Operation::show(ONE, "show_action_attachment", &ACTION_ATTACHMENT),
            Operation::change(Patch, ONE, "update_action_attachment")
                .about("409: the priority is taken.")
                .takes(&ACTION_ATTACHMENT_PATCH)
                .answers(200, "The whole attachment.", &ACTION_ATTACHMENT)
                .tagged(),
            Operation::change(Delete, ONE, "delete_action_attachment")
                .about("The action itself stays, and so do the reports of its runs.")
                .no_content("It is gone."),
        ],
    }
}
