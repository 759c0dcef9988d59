//! The differences between our answers and those of the old services, with their reasons.

use std::fmt;

/// A difference between the recorded answers and ours, which holds for every request that it matches.
#[derive(Debug)]
pub struct Difference {
    /// `*` is any method.
    pub method: &'static str,
    /// `{}` is any segment, and `*` any path.
    pub path: &'static str,
    /// The end of a field's path, or `answer` where the status is another.
    pub field: &'static str,
    /// The value in JSON, `absent`, or `*` for any.
    pub old: &'static str,
    /// The same, or `integer` for any integer. A status is followed by the document, or by the title of a refusal.
    pub ours: &'static str,
    pub reason: &'static str,
}

/// A difference that a replay found.
#[derive(Debug)]
pub struct Seen {
    method: String,
    path: String,
    field: String,
    old: String,
    ours: String,
}

impl Seen {
    pub fn new(method: &str, path: &str, field: String, old: String, ours: String) -> Self {
        let path = path.trim_start_matches("/v1").trim_end_matches('/').to_owned();
        Self { method: method.to_owned(), path, field, old, ours }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, path, field, old, ours } = self;
        write!(f, "{method} {path}: {field} was {old} and is {ours}")
    }
}

impl Difference {
    pub fn explains(&self, seen: &Seen) -> bool {
        let is = |pattern: &str, value: &str| match pattern {
            "*" => true,
            "integer" => value.parse::<i64>().is_ok(),
            _ => pattern == value,
        };
        let ends = seen.field.strip_suffix(self.field);
        is(self.method, &seen.method)
            && self.is_path(&seen.path)
            && ends.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            && is(self.old, &seen.old)
            && is(self.ours, &seen.ours)
    }

    fn is_path(&self, path: &str) -> bool {
        let (pattern, path): (Vec<_>, Vec<_>) = (self.path.split('/').collect(), path.split('/').collect());
        let is = |(pattern, segment): (&&str, &&str)| *pattern == "{}" || pattern == segment;
        self.path == "*" || pattern.len() == path.len() && pattern.iter().zip(&path).all(is)
    }
}

macro_rules! differences {
    ($($method:literal $path:literal, $field:literal: $old:literal => $ours:literal, $reason:literal;)+) => {
        &[$(Difference {
            method: $method,
            path: $path,
            field: $field,
            old: $old,
            ours: $ours,
            reason: $reason,
        }),+]
    };
}

pub const DIFFERENCES: &[Difference] = differences! {
    // Every noun.
    "*" "*", "project_id": "null" => "*", "a resource is in the project of its token (contract, api-v1 §2)";
    "*" "*", "project_id": "absent" => "*", "a resource is in the project of its token (contract, api-v1 §2)";
    "GET" "/{}/{}", "_version": "absent" => "integer", "one resource has its version on SQL, too (contract, api-v1 §4)";
    "GET" "/{}/{}", "": "null" => "*", "a 404 says what is missing (contract, api-v1 §1)";
    "*" "*", "code": "absent" => "integer", "a refusal has the members of version 2 (contract, api-v1 §1)";
    "*" "*", "request_id": "absent" => "*", "a refusal has the members of version 2 (contract, api-v1 §1)";
    "DELETE" "*", "description": "*" => "*", "a refusal is in our own words (contract, api-v1 §1)";

    // Clients.
    "GET" "*", "client.config_id": "absent" => "null", "the document is that of version 2 (contract, api-v1 §3)";
    "GET" "*", "client.is_central": "absent" => "false", "the document is that of version 2 (contract, api-v1 §3)";
    "GET" "*", "client.last_seen_at": "absent" => "null", "the document is that of version 2 (contract, api-v1 §3)";
    "GET" "*", "client.state": "absent" => "\"down\"", "the document is that of version 2 (contract, api-v1 §3)";
    "GET" "/clients", "clients[]": "absent" => "present",
        "the client of the earlier run's jobs is there, since a client with jobs cannot be deleted: \
         a job's row refers to it (contract, api-v1 §7)";
    "DELETE" "/clients/{}", "answer": "204" => "409 \"Conflict\"",
        "a client with jobs cannot be deleted, as in version 2: a job's row refers to it (contract, api-v1 §7)";
    "DELETE" "/clients/{}", "answer": "404" => "409 \"Conflict\"",
        "the client is still there, since the deletion before was refused (contract, api-v1 §7)";

    // Actions.
    "GET" "/actions", "actions[]": "absent" => "present",
        "an action that a job brings is a row of its own (contract, api-v1 §7)";
    "GET" "/actions/{}", "mandatory": "absent" => "false", "shown for one action as in lists (contract, api-v1 §3)";
    "GET" "/actions/{}", "timeout": "absent" => "null", "shown for one action as in lists (contract, api-v1 §3)";
    "PATCH" "/actions/{}", "version": "*" => "integer", "a version is the revision of the row (contract, api-v1 §4)";

    // Jobs.
    "POST" "/jobs", "answer": "500" => "422 \"Unprocessable Entity\"", "an unknown client (contract, api-v1 §1)";
    "POST" "/jobs", "description": "*" => "*", "a refusal is in our own words (contract, api-v1 §1)";
    "PATCH" "/jobs/{}", "version": "*" => "integer", "a job's version is the sum of its rows' (contract, api-v1 §7)";
    "GET" "*", "freezer_action.log_file": "absent" => "null", "a job shows its actions whole (contract, api-v1 §3)";
    "GET" "*", "freezer_action.priority": "absent" => "null", "a job shows its actions whole (contract, api-v1 §3)";
    "GET" "*", "freezer_action.timeout": "absent" => "null", "a job shows its actions whole (contract, api-v1 §3)";
    "GET" "*", "job_actions[].mandatory": "absent" => "false", "a job shows its actions whole (contract, api-v1 §3)";
    "GET" "/jobs", "job_actions[].user_id": "absent" => "*", "a job shows its actions whole (contract, api-v1 §3)";
    "GET" "*", "job_schedule.event": "absent" => "\"\"", "an event is always there (contract, api-v1 §3)";
    "GET" "*", "job_schedule.status": "absent" => "\"\"", "a status is always there (contract, api-v1 §3)";
    "GET" "*", "job_schedule.result": "absent" => "\"\"", "a result is always there (contract, api-v1 §3)";
    "GET" "/jobs", "session_id": "absent" => "\"\"", "the document is that of version 2 (contract, api-v1 §3)";
    "GET" "/jobs", "session_tag": "absent" => "0", "the document is that of version 2 (contract, api-v1 §3)";
    "GET" "*", "job_schedule.time_created": "absent" => "integer",
        "a PATCH without a schedule leaves it as it was (contract, api-v1 §5)";
    "GET" "*", "job_schedule.time_started": "absent" => "-1",
        "a PATCH without a schedule leaves it as it was (contract, api-v1 §5)";
    "GET" "*", "job_schedule.time_ended": "absent" => "-1",
        "a PATCH without a schedule leaves it as it was (contract, api-v1 §5)";
    "GET" "/jobs", "jobs[]": "present" => "absent",
        "a search for text finds the documents with these words (contract, api-v1 §6)";
    "GET" "/jobs", "jobs_links": "absent" => "*", "a list that goes on has the link of version 2 (contract, api-v1 §3)";
    "POST" "/jobs/{}/event", "answer": "400" => "202 {\"result\":\"success\"}",
        "an event works on SQL, too (contract, api-v1 §1)";
    "POST" "/jobs/{}/event", "answer": "400" => "202 {\"result\":\"start already requested\"}",
        "an event works on SQL, too (contract, api-v1 §1)";
    "GET" "/jobs/{}", "job_schedule.event": "absent" => "\"abort\"",
        "the job has got the last event (contract, api-v1 §1)";

    // Sessions.
    "PATCH" "/sessions/{}", "version": "0" => "2", "a version is the revision of the row (contract, api-v1 §4)";
    "GET" "*", "result": "null" => "\"\"", "the document is that of version 2 (contract, api-v1 §3)";
    "GET" "/sessions", "status": "null" => "\"active\"", "the document is that of version 2 (contract, api-v1 §3)";
    "GET" "*", "last_start": "absent" => "\"\"", "it is always there (contract, api-v1 §3)";
    "GET" "*", "policy": "absent" => "\"all\"", "the document is that of version 2 (contract, api-v1 §3)";
    "GET" "*", "jobs": "absent" => "{}", "the jobs are a map from the first (contract, api-v1 §3)";
    "GET" "/sessions", "jobs": "null" => "{}", "the jobs are a map from the first (contract, api-v1 §3)";
    "GET" "*", "jobs.{}.time_started": "\"\"" => "-1", "a job that has not run yet has times (contract, api-v1 §5)";
    "GET" "*", "jobs.{}.time_ended": "\"\"" => "-1", "a job that has not run yet has times (contract, api-v1 §5)";
    "POST" "/sessions/{}/action", "answer": "400" => "202 {\"result\":\"success\",\"session_tag\":1}",
        "a session starts on SQL, too (contract, api-v1 §1)";
    "POST" "/sessions/{}/action", "answer": "400" => "202 {\"result\":\"hold-off\",\"session_tag\":1}",
        "the session has started, so that the tag is not too high (contract, api-v1 §1)";
    "POST" "/sessions/{}/action", "description": "*" => "*", "a refusal is in our own words (contract, api-v1 §1)";
    "GET" "/sessions/{}", "session_tag": "0" => "1", "the session has started (contract, api-v1 §1)";
    "GET" "/sessions/{}", "status": "\"active\"" => "\"running\"", "the session has started (contract, api-v1 §1)";
    "GET" "/sessions/{}", "time_start": "-1" => "integer", "the session has started (contract, api-v1 §1)";
    "GET" "/sessions/{}", "jobs.{}.status": "\"\"" => "\"running\"", "its job has started (contract, api-v1 §1)";
    "GET" "/sessions/{}", "jobs.{}.time_started": "\"\"" => "integer", "its job has started (contract, api-v1 §1)";
    "DELETE" "/sessions/{}/jobs/{}", "answer": "400" => "204 null",
        "a job leaves its session on SQL, too (contract, api-v1 §1)";
    "GET" "/sessions/{}", "jobs.{}": "*" => "absent", "the job has left the session (contract, api-v1 §1)";

    // Backups.
    "GET" "*", "status": "absent" => "\"available\"", "a backup has a status of its own (contract, api-v1 §7)";
    "GET" "*", "backup_metadata.user_name": "absent" => "\"demo\"",
        "the name of the user has no column (contract, api-v1 §3)";
    "GET" "*", "backup_metadata.hostname": "1" => "\"1\"",
        "a number is refused, as in version 2, so that the earlier run made this one with a text (contract, api-v1 §3)";
};
