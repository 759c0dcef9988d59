//! Action reports: the history of runs.

use front::http::Method::{Delete, Get, Patch, Post, Put};

use super::Group;
use crate::document::action_reports::{COLLECTION, REPORT_CREATE, REPORT_DOCUMENT, REPORT_PATCH};
use crate::document::errors::TEXT;
use crate::openapi::operation::{BYTES, Body, Conditions, Content, Operation, PLAIN, Reply};

const LOG: &str = "/action-reports/{action_report_id}/log";

pub fn group() -> Group {
    const LIST: &str = "/action-reports";
    const ONE: &str = "/action-reports/{action_report_id}";
    Group {
        name: "Action reports",
        description: "What was run, when, how long, and how it ended. A run that a scheduler reports as finished leaves \
                      one report for each action of the job.",
        operations: vec![
            Operation::list("list_action_reports", &COLLECTION, &REPORT_DOCUMENT),
            Operation::project(Post, LIST, "create_action_report")
                .about("422: what it refers to is not there, or does not fit together.")
                .takes(&REPORT_CREATE)
                .creates(&REPORT_DOCUMENT)
                .tagged()
                .fails(&[422]),
            Operation::show(ONE, "show_action_report", &REPORT_DOCUMENT),
            Operation::change(Patch, ONE, "update_action_report").takes(&REPORT_PATCH).answers(
                200,
                "The whole report.",
                &REPORT_DOCUMENT,
            ),
            Operation::change(Delete, ONE, "delete_action_report").no_content("It is gone."),
            show_log(),
            write_log(),
            Operation::change(Delete, LOG, "delete_action_report_log").no_content("It is gone."),
        ],
    }
}

fn show_log() -> Operation {
    let forms = vec![(PLAIN, Content::One(&TEXT)), (BYTES, Content::One(&TEXT))];
    Operation::project(Get, LOG, "show_action_report_log")
        .about(
            "As text where it is text and that is accepted, else as bytes. 404 for a report without a log.",
        )
        .replies(Reply { status: 200, description: "The log.", content: forms, headers: vec!["Vary"] })
        .tagged()
        .on(Conditions::PartlyRead)
}

fn write_log() -> Operation {
    let description =
        "The log as it is, in text or bytes. 413: it is longer than the operator wants to keep.";
    let body = Body { content: vec!["text/plain", BYTES], shape: &TEXT, required: false, description };
    let log = Operation::change(Put, LOG, "write_action_report_log")
        .about("Only of a run that did not succeed (409), and in the place of the one that is there.")
        .no_content("It is kept.")
        .fails(&[415]);
    Operation { body: Some(body), ..log }
}
