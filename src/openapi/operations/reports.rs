//! Action reports: the history.

use super::Group;
use crate::http::Method::{Delete, Get, Patch, Post, Put};
use crate::openapi::operation::Operation;

pub fn group() -> Group {
    const LIST: &str = "/action-reports";
    const ONE: &str = "/action-reports/{action_report_id}";
    const LOG: &str = "/action-reports/{action_report_id}/log";
    Group {
        name: "Action reports",
        description: "What was run, when, how long, and how it ended.",
        operations: vec![
            Operation::project(Get, LIST, "list_action_reports"),
            Operation::project(Post, LIST, "create_action_report"),
            Operation::project(Get, ONE, "show_action_report"),
            Operation::project(Patch, ONE, "update_action_report"),
            Operation::project(Delete, ONE, "delete_action_report"),
            Operation::project(Get, LOG, "show_action_report_log"),
            Operation::project(Put, LOG, "write_action_report_log"),
            Operation::project(Delete, LOG, "delete_action_report_log"),
        ],
    }
}
