//! Jobs and their events.

use front::http::Method::{Delete, Patch, Post};

use super::Group;
use crate::document::jobs::{
    COLLECTION, JOB, JOB_CHANGED, JOB_CREATED, JOB_DOCUMENT, JOB_EVENT, JOB_EVENT_RESULT, JOB_PATCH,
};
use crate::openapi::operation::Operation;

pub fn group() -> Group {
    const LIST: &str = "/jobs";
    const ONE: &str = "/jobs/{job_id}";
    Group {
        name: "Jobs",
        description: "Some actions in order, and when a client runs them. A job document is a job on one client.",
        operations: vec![
            Operation::list("list_jobs", &COLLECTION, &JOB_DOCUMENT).searches()
                .about("What a scheduler sends, a search for one client's jobs that are not completed, is that client's poll: the events in it count as delivered."),
            Operation::project(Post, LIST, "create_job")
                .about(
                    "422: the client, the session or an action that it names is not there, the client cannot do it, or \
                     Keystone refuses the trust that it needs.",
                )
                .takes(&JOB)
                .creates(&JOB_CREATED)
                .fails(&[422]),
            Operation::show(ONE, "show_job", &JOB_DOCUMENT),
            Operation::change(Patch, ONE, "update_job")
                .about(
                    "The `schedule_*` keys of `job_schedule` are one unit, replaced together when any of them is there; \
                     every other key is set by itself. `job_actions` is replaced whole.",
                )
                .takes(&JOB_PATCH)
                .answers(200, "It is changed.", &JOB_CHANGED)
                .fails(&[422]),
            Operation::change(Post, ONE, "replace_job")
                .about("What it does not say is reset. 409: the id is another project's.")
                .takes(&JOB)
                .creates(&JOB_CHANGED)
                .fails(&[422]),
            Operation::change(Delete, ONE, "delete_job")
                .about("Its actions, reports and backups stay.")
                .no_content("It is gone, or was not there."),
            Operation::change(Post, "/jobs/{job_id}/event", "create_job_event")
                .about("Its client's scheduler finds the event in its next poll.")
                .takes(&JOB_EVENT)
                .answers(202, "The scheduler will find it.", &JOB_EVENT_RESULT),
        ],
    }
}
