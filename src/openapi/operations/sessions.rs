//! Sessions, their runs, and the jobs in them.

use front::http::Method::{Delete, Patch, Post, Put};

use super::Group;
use crate::document::sessions::{
    COLLECTION, SESSION, SESSION_ACTION, SESSION_ACTION_RESULT, SESSION_CHANGED, SESSION_CREATED,
    SESSION_DOCUMENT, SESSION_PATCH, SESSION_REPLACE,
};
use crate::openapi::operation::Operation;

pub fn group() -> Group {
    const LIST: &str = "/sessions";
    const ONE: &str = "/sessions/{session_id}";
    const JOB: &str = "/sessions/{session_id}/jobs/{job_id}";
    Group {
        name: "Sessions",
        description: "Jobs that run together over several clients.",
        operations: vec![
            Operation::list("list_sessions", &COLLECTION, &SESSION_DOCUMENT).searches(),
            Operation::project(Post, LIST, "create_session").takes(&SESSION).creates(&SESSION_CREATED),
            Operation::show(ONE, "show_session", &SESSION_DOCUMENT),
            Operation::change(Patch, ONE, "update_session")
                .about("What the body has is set, `schedule` as a whole.")
                .takes(&SESSION_PATCH)
                .answers(200, "It is changed.", &SESSION_CHANGED),
            Operation::change(Post, ONE, "replace_session")
                .about("What it does not say is reset; the jobs in it stay in it. 409: the id is another project's.")
                .takes(&SESSION_REPLACE)
                .creates(&SESSION_CHANGED),
            Operation::change(Delete, ONE, "delete_session")
                .about("Its jobs are told to stop, and stay.")
                .no_content("It is gone, or was not there."),
            Operation::change(Post, "/sessions/{session_id}/action", "create_session_action")
                .about("What a scheduler does before and after a run of a job in a session.")
                .takes(&SESSION_ACTION)
                .answers(202, "What the scheduler may do.", &SESSION_ACTION_RESULT),
            Operation::change(Put, JOB, "add_job_to_session")
                .about("A job that is in another session leaves it.")
                .no_content("It is in the session."),
            Operation::change(Delete, JOB, "remove_job_from_session")
                .about("A job that leaves is told to stop. One that is not in this session stays as it is.")
                .no_content("It is not in the session."),
        ],
    }
}
