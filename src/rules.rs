//! The table of rules that hold unless a file overrides them (contract, api-v2 §3).

use oslo_policy::{RuleDefault, Scope};

const PROJECT: &[Scope] = &[Scope::Project];
const ADMIN_OR_OWNER: &str = "rule:admin_or_owner";
const ADMIN_OR_SERVICE: &str = "rule:admin_or_service";
const ADMIN_OR_OWNER_OR_SERVICE: &str = "rule:admin_or_owner_or_service";
const ADMIN_OR_READER_OR_SERVICE: &str = "rule:admin_or_reader_or_service";

const fn base(name: &'static str, check: &'static str, description: &'static str) -> RuleDefault {
    RuleDefault {
        name,
        check,
        description,
        operations: &[],
        scopes: PROJECT,
        is_cloud_wide: false,
        deprecated: None,
    }
}

const fn rule(
    name: &'static str,
    check: &'static str,
    description: &'static str,
    operations: &'static [(&'static str, &'static str)],
) -> RuleDefault {
    RuleDefault { operations, ..base(name, check, description) }
}

const fn cloud_wide(rule: RuleDefault) -> RuleDefault {
    RuleDefault { is_cloud_wide: true, ..rule }
}

/// The table.
pub const DEFAULTS: &[RuleDefault] = &[
    base("context_is_admin", "role:admin", "An administrator of the cloud."),
    base(
        "project_member",
        "role:member and project_id:%(project_id)s",
        "A member of the project in the path.",
    ),
    base(
        "project_reader",
        "role:reader and project_id:%(project_id)s",
        "A reader of the project in the path.",
    ),
    base(
        "admin_or_owner",
        "rule:context_is_admin or rule:project_member",
        "Who may change a project's resources.",
    ),
    base("admin_or_service", "role:admin or role:service", "Who may do what concerns all projects."),
    base(
        "admin_or_owner_or_service",
        "rule:admin_or_service or rule:project_member",
        "Who may write a project's backups.",
    ),
    base(
        "admin_or_reader_or_service",
        "rule:admin_or_owner_or_service or rule:project_reader",
        "Who may see a project's resources.",
    ),
    rule(
        "clients:get_all",
        ADMIN_OR_READER_OR_SERVICE,
        "List the project's clients, and all central ones.",
        &[("GET", "/v2/{project_id}/clients")],
    ),
    rule("clients:create", ADMIN_OR_OWNER, "Register a client.", &[("POST", "/v2/{project_id}/clients")]),
    cloud_wide(rule(
        "clients:create_central",
        ADMIN_OR_SERVICE,
        "Register a central client, which runs jobs of all projects. Asked instead of clients:create, and without a \
         project: `%(project_id)s` refuses.",
        &[("POST", "/v2/{project_id}/clients")],
    )),
    rule(
        "clients:get",
        ADMIN_OR_READER_OR_SERVICE,
        "Show a client.",
        &[("GET", "/v2/{project_id}/clients/{client_id}")],
    ),
    rule(
        "clients:update",
        ADMIN_OR_OWNER,
        "Change what a client says of itself.",
        &[("PATCH", "/v2/{project_id}/clients/{client_id}")],
    ),
    rule(
        "clients:delete",
        ADMIN_OR_OWNER,
        "Delete a client.",
        &[("DELETE", "/v2/{project_id}/clients/{client_id}")],
    ),
    rule(
        "actions:get_all",
        ADMIN_OR_READER_OR_SERVICE,
        "List the project's actions.",
        &[("GET", "/v2/{project_id}/actions")],
    ),
    rule("actions:create", ADMIN_OR_OWNER, "Create an action.", &[("POST", "/v2/{project_id}/actions")]),
    rule(
        "actions:get",
        ADMIN_OR_READER_OR_SERVICE,
        "Show an action.",
        &[("GET", "/v2/{project_id}/actions/{action_id}")],
    ),
    rule(
        "actions:update",
        ADMIN_OR_OWNER,
        "Change an action.",
        &[("PATCH", "/v2/{project_id}/actions/{action_id}")],
    ),
    rule(
        "actions:replace",
        ADMIN_OR_OWNER,
        "Create an action under an id, or replace it.",
        &[("POST", "/v2/{project_id}/actions/{action_id}")],
    ),
    rule(
        "actions:delete",
        ADMIN_OR_OWNER,
        "Delete an action.",
        &[("DELETE", "/v2/{project_id}/actions/{action_id}")],
    ),
    rule(
        "jobs:get_all",
        ADMIN_OR_READER_OR_SERVICE,
        "List the project's jobs.",
        &[("GET", "/v2/{project_id}/jobs")],
    ),
    cloud_wide(rule(
        "jobs:get_all_projects",
        ADMIN_OR_SERVICE,
        "See the jobs of all projects: the list with all_projects=true, any job by its id, and the process ids on \
         central clients. Asked beside jobs:get_all or jobs:get, and without a project: `%(project_id)s` refuses.",
        &[("GET", "/v2/{project_id}/jobs"), ("GET", "/v2/{project_id}/jobs/{job_id}")],
    )),
    rule(
        "jobs:create",
        ADMIN_OR_OWNER,
        "Create a job, or replace the one with an id.",
        &[("POST", "/v2/{project_id}/jobs"), ("POST", "/v2/{project_id}/jobs/{job_id}")],
    ),
    rule("jobs:get", ADMIN_OR_READER_OR_SERVICE, "Show a job.", &[("GET", "/v2/{project_id}/jobs/{job_id}")]),
    rule(
        "jobs:update",
        ADMIN_OR_OWNER,
        "Change a job; schedulers report on its runs by this.",
        &[("PATCH", "/v2/{project_id}/jobs/{job_id}")],
    ),
    rule("jobs:delete", ADMIN_OR_OWNER, "Delete a job.", &[("DELETE", "/v2/{project_id}/jobs/{job_id}")]),
    rule(
        "jobs:event:create",
        ADMIN_OR_OWNER,
        "Start, stop or abort a job.",
        &[("POST", "/v2/{project_id}/jobs/{job_id}/event")],
    ),
    rule(
        "sessions:get_all",
        ADMIN_OR_READER_OR_SERVICE,
        "List the project's sessions.",
        &[("GET", "/v2/{project_id}/sessions")],
    ),
    rule("sessions:create", ADMIN_OR_OWNER, "Create a session.", &[("POST", "/v2/{project_id}/sessions")]),
    rule(
        "sessions:get",
        ADMIN_OR_READER_OR_SERVICE,
        "Show a session.",
        &[("GET", "/v2/{project_id}/sessions/{session_id}")],
    ),
    rule(
        "sessions:update",
        ADMIN_OR_OWNER,
        "Change a session.",
        &[("PATCH", "/v2/{project_id}/sessions/{session_id}")],
    ),
    rule(
        "sessions:replace",
        ADMIN_OR_OWNER,
        "Replace a session.",
        &[("POST", "/v2/{project_id}/sessions/{session_id}")],
    ),
    rule(
        "sessions:delete",
        ADMIN_OR_OWNER,
        "Delete a session.",
        &[("DELETE", "/v2/{project_id}/sessions/{session_id}")],
    ),
    rule(
        "sessions:action:create",
        ADMIN_OR_OWNER,
        "Start or end a session's run.",
        &[("POST", "/v2/{project_id}/sessions/{session_id}/action")],
    ),
    rule(
        "sessions:job:add",
        ADMIN_OR_OWNER,
        "Take a job into a session.",
        &[("PUT", "/v2/{project_id}/sessions/{session_id}/jobs/{job_id}")],
    ),
    rule(
        "sessions:job:remove",
        ADMIN_OR_OWNER,
        "Take a job out of a session.",
        &[("DELETE", "/v2/{project_id}/sessions/{session_id}/jobs/{job_id}")],
    ),
    rule(
        "backups:get_all",
        ADMIN_OR_READER_OR_SERVICE,
        "List the project's backups.",
        &[("GET", "/v2/{project_id}/backups")],
    ),
    rule(
        "backups:create",
        ADMIN_OR_OWNER_OR_SERVICE,
        "Enter a backup into the catalogue.",
        &[("POST", "/v2/{project_id}/backups")],
    ),
    rule(
        "backups:get",
        ADMIN_OR_READER_OR_SERVICE,
        "Show a backup.",
        &[("GET", "/v2/{project_id}/backups/{backup_id}")],
    ),
    rule(
        "backups:update",
        ADMIN_OR_OWNER_OR_SERVICE,
        "Change a backup's entry.",
        &[("PATCH", "/v2/{project_id}/backups/{backup_id}")],
    ),
    rule(
        "backups:delete",
        ADMIN_OR_OWNER_OR_SERVICE,
        "Delete a backup's entry.",
        &[("DELETE", "/v2/{project_id}/backups/{backup_id}")],
    ),
    rule(
        "action_attachments:get_all",
        ADMIN_OR_READER_OR_SERVICE,
        "List the places of the project's actions in its jobs.",
        &[("GET", "/v2/{project_id}/action-attachments")],
    ),
    rule(
        "action_attachments:create",
        ADMIN_OR_OWNER,
        "Put an action into a job.",
        &[("POST", "/v2/{project_id}/action-attachments")],
    ),
    rule(
        "action_attachments:get",
        ADMIN_OR_READER_OR_SERVICE,
        "Show an action's place in a job.",
        &[("GET", "/v2/{project_id}/action-attachments/{action_attachment_id}")],
    ),
    rule(
        "action_attachments:update",
        ADMIN_OR_OWNER,
        "Change an action's place in a job.",
        &[("PATCH", "/v2/{project_id}/action-attachments/{action_attachment_id}")],
    ),
    rule(
        "action_attachments:delete",
        ADMIN_OR_OWNER,
        "Take an action out of a job.",
        &[("DELETE", "/v2/{project_id}/action-attachments/{action_attachment_id}")],
    ),
    rule(
        "job_attachments:get_all",
        ADMIN_OR_READER_OR_SERVICE,
        "List the project's jobs on their clients.",
        &[("GET", "/v2/{project_id}/job-attachments")],
    ),
    rule(
        "job_attachments:create",
        ADMIN_OR_OWNER,
        "Put a job on a further client.",
        &[("POST", "/v2/{project_id}/job-attachments")],
    ),
    rule(
        "job_attachments:get",
        ADMIN_OR_READER_OR_SERVICE,
        "Show a job on a client.",
        &[("GET", "/v2/{project_id}/job-attachments/{job_attachment_id}")],
    ),
    rule(
        "job_attachments:update",
        ADMIN_OR_OWNER,
        "Change a job on a client.",
        &[("PATCH", "/v2/{project_id}/job-attachments/{job_attachment_id}")],
    ),
    rule(
        "job_attachments:delete",
        ADMIN_OR_OWNER,
        "Take a job off a client.",
        &[("DELETE", "/v2/{project_id}/job-attachments/{job_attachment_id}")],
    ),
    rule(
        "action_reports:get_all",
        ADMIN_OR_READER_OR_SERVICE,
        "List the reports of what was run.",
        &[("GET", "/v2/{project_id}/action-reports")],
    ),
    rule(
        "action_reports:create",
        ADMIN_OR_OWNER_OR_SERVICE,
        "Report on a run.",
        &[("POST", "/v2/{project_id}/action-reports")],
    ),
    rule(
        "action_reports:get",
        ADMIN_OR_READER_OR_SERVICE,
        "Show a report.",
        &[("GET", "/v2/{project_id}/action-reports/{action_report_id}")],
    ),
    rule(
        "action_reports:update",
        ADMIN_OR_OWNER_OR_SERVICE,
        "Correct a report.",
        &[("PATCH", "/v2/{project_id}/action-reports/{action_report_id}")],
    ),
    rule(
        "action_reports:delete",
        ADMIN_OR_OWNER_OR_SERVICE,
        "Delete a report.",
        &[("DELETE", "/v2/{project_id}/action-reports/{action_report_id}")],
    ),
    rule(
        "action_reports:log:get",
        ADMIN_OR_READER_OR_SERVICE,
        "Show the log of a run that failed.",
        &[("GET", "/v2/{project_id}/action-reports/{action_report_id}/log")],
    ),
    rule(
        "action_reports:log:update",
        ADMIN_OR_OWNER_OR_SERVICE,
        "Keep the log of a run that failed.",
        &[("PUT", "/v2/{project_id}/action-reports/{action_report_id}/log")],
    ),
    rule(
        "action_reports:log:delete",
        ADMIN_OR_OWNER_OR_SERVICE,
        "Delete the log of a run that failed.",
        &[("DELETE", "/v2/{project_id}/action-reports/{action_report_id}/log")],
    ),
];

#[cfg(test)]
mod tests;
