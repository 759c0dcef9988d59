//! The shapes of job documents and job events.

use front::error::{Error, Result};
use serde_json::{Map, Value, json};

use super::MAX_ACTIONS;
use crate::document::MAX_TEXT;
use crate::document::actions::{freezer_action, freezer_action_document, properties};
use crate::document::clients::client_id;
use crate::document::schedule;
use crate::document::shape::{
    Shape, about, closed, id, integer, nullable, project_id, resource_id, rule, text, titled, user_id,
    version, words,
};
use crate::lifecycle::Event;

const JOB_ID: &str = "The job's id on its client.";
const CLIENT_ID: &str = "The name of the client that it runs on.";
const SESSION_ID: &str = "The session that it is in; empty for none.";
const SESSION_TAG: &str = "The session's run that its scheduler knows of.";
const DESCRIPTION: &str = "Free text.";
const USER_CREDENTIALS: &str = "The Keystone trust that a central client runs it under.";

/// Schema of an entry of `job_actions`.
fn entry() -> Value {
    let mut properties = properties(false);
    let what = "An action of the project; without one, the entry brings a new action.";
    properties["action_id"] = about(what, nullable(id()));
    titled("JobActionChange", json!({"type": "object", "properties": properties}))
}

/// Schemas of bodies in which every entry has an action: by itself, or from `action_defaults`.
fn complete_entries() -> [Value; 2] {
    let action = json!({"required": ["action"], "properties": {"action": {"type": "string"}}});
    let entries = |freezer_action: &Value| {
        let named = json!({"type": "string", "minLength": 1});
        json!({"items": {"anyOf": [
            {"required": ["action_id"], "properties": {"action_id": named}},
            {"required": ["freezer_action"], "properties": {"freezer_action": freezer_action}},
        ]}})
    };
    [
        json!({"properties": {"job_actions": entries(&action)}}),
        json!({
            "required": ["action_defaults"],
            "properties": {"action_defaults": action, "job_actions": entries(&json!({}))},
        }),
    ]
}

fn schema(required: &[&str]) -> Value {
    let ignored = |kind: &str| {
        about("Taken and ignored, as whole documents come back.", json!({"type": [kind, "null"]}))
    };
    let mut schema = json!({
        "type": "object",
        "additionalProperties": false,
        "allOf": [
            rule(
                "action_defaults are for the job_actions beside them",
                &[json!({"not": {"required": ["action_defaults"]}}), json!({"required": ["job_actions"]})],
            ),
            rule("an action_id or a freezer_action with an action is needed", &complete_entries()),
        ],
        "properties": {
            "job_id": about("An id to give it. Empty or missing: the server makes one.", nullable(id())),
            "client_id": about(CLIENT_ID, client_id()),
            "session_id": about(SESSION_ID, nullable(id())),
            "session_tag": about(SESSION_TAG, nullable(integer(0))),
            "session_name": about("Taken and ignored.", nullable(text(MAX_TEXT))),
            "description": about(DESCRIPTION, nullable(text(MAX_TEXT))),
            "job_schedule": nullable(schedule::schema()),
            "job_actions": about(
                "What it does, in order.",
                json!({"type": "array", "maxItems": MAX_ACTIONS, "items": entry()}),
            ),
            "action_defaults": about(
                "Copied into every freezer_action here, for each key that is missing there or null.",
                freezer_action(false),
            ),
            "user_id": ignored("string"),
            "project_id": ignored("string"),
            "user_credentials": ignored("object"),
            "_version": ignored("integer"),
        },
    });
    if required.is_empty() {
        schema["minProperties"] = json!(1);
    } else {
        schema["required"] = json!(required);
    }
    schema
}

/// The body of `POST /jobs` and of `POST /jobs/{job_id}`.
pub static JOB: Shape =
    Shape::new("JobCreate", || schema(&["client_id", "job_actions"])).with_example(|| {
        json!({
            "client_id": "web1.example.com",
            "description": "The shop's configuration, every night",
            "job_schedule": {"schedule_interval": "1 days", "schedule_start_date": "2026-12-01T03:30:00"},
            "job_actions": [{
                "freezer_action": {
                    "action": "backup",
                    "mode": "fs",
                    "path_to_backup": "/etc",
                    "backup_name": "etc-daily",
                    "container": "freezer-web1",
                    "storage": "swift",
                },
                "max_retries": 3,
                "max_retries_interval": 60,
                "mandatory": true,
            }],
        })
    });
/// The body of `PATCH /jobs/{job_id}`.
pub static JOB_PATCH: Shape = Shape::new("JobPatch", || schema(&[])).with_example(|| {
    json!({
        "description": "The shop's configuration, every other night",
        "job_schedule": {"schedule_interval": "2 days", "schedule_start_date": "2026-12-01T03:30:00"},
    })
});

/// An entry of `job_actions` as [`render`] shows it.
fn entry_document() -> Value {
    let entry = json!({
        "action_id": resource_id("The action's id."),
        "project_id": project_id(),
        "user_id": user_id(),
        "max_retries": about("How often it is tried again here when it fails.", integer(0)),
        "max_retries_interval": about("Seconds between the tries.", integer(0)),
        "mandatory": about("Whether the rest of the job is given up when it fails.", json!({"type": "boolean"})),
        "freezer_action": freezer_action_document(),
    });
    titled("JobAction", about("An action and how it is run in this job.", closed(entry)))
}

/// A job as [`render`] shows it.
pub static JOB_DOCUMENT: Shape = Shape::new("Job", || {
    let schedule = schedule::document(
        "JobSchedule",
        "When it runs, and how the latest run went. `current_pid` is only there for callers who may see it.",
        &["time_created", "time_started", "time_ended", "event", "status", "result"],
    );
    let trust = json!({
        "trust_id": about("The trust's id.", json!({"type": "string"})),
        "trustor_user_id": about("Who gave it.", json!({"type": "string"})),
    });
    let mut job = closed(json!({
        "job_id": resource_id(JOB_ID),
        "project_id": project_id(),
        "user_id": user_id(),
        "client_id": about(CLIENT_ID, client_id()),
        "session_id": about(SESSION_ID, id()),
        "session_tag": about(SESSION_TAG, integer(0)),
        "description": about(DESCRIPTION, text(MAX_TEXT)),
        "job_schedule": schedule,
        "job_actions": about("What it does, in order.", json!({"type": "array", "items": entry_document()})),
        "_version": version(),
    }));
    job["properties"]["user_credentials"] = about(USER_CREDENTIALS, closed(trust));
    job
})
.with_example(|| {
    json!({
        "job_id": "3c59dc048e8850243be8079a5c74d079",
        "project_id": "8f3c1d6a2b7e4f0d9c5a1e6b3d8f2a47",
        "user_id": "c0ffee254729296a45a3885639ac7e10",
        "client_id": "web1.example.com",
        "session_id": "",
        "session_tag": 0,
        "description": "The shop's configuration, every night",
        "job_schedule": {
            "schedule_interval": "1 days",
            "schedule_start_date": "2026-12-01T03:30:00",
            "time_created": 1_795_377_600,
            "time_started": 1_796_095_800,
            "time_ended": 1_796_095_842,
            "event": "",
            "status": "scheduled",
            "result": "success",
        },
        "job_actions": [{
            "action_id": "d3486ae9136e7856bc42212385ea7970",
            "project_id": "8f3c1d6a2b7e4f0d9c5a1e6b3d8f2a47",
            "user_id": "c0ffee254729296a45a3885639ac7e10",
            "max_retries": 3,
            "max_retries_interval": 60,
            "mandatory": true,
            "freezer_action": {
                "action": "backup",
                "mode": "fs",
                "path_to_backup": "/etc",
                "backup_name": "etc-daily",
                "container": "freezer-web1",
                "storage": "swift",
                "timeout": null,
                "priority": null,
                "log_file": null,
            },
        }],
        "_version": 7,
    })
});

/// The response to the creation of a job.
pub static JOB_CREATED: Shape = Shape::new("JobId", || closed(json!({"job_id": resource_id(JOB_ID)})))
    .with_example(|| json!({"job_id": "3c59dc048e8850243be8079a5c74d079"}));

/// The response to a change of a job.
pub static JOB_CHANGED: Shape =
    Shape::new("JobVersion", || closed(json!({"job_id": resource_id(JOB_ID), "version": version()})))
        .with_example(|| json!({"job_id": "3c59dc048e8850243be8079a5c74d079", "version": 8}));

/// The body of `POST /jobs/{job_id}/event`.
pub static JOB_EVENT: Shape = Shape::new("JobEvent", || {
    let value = |what: &str| about(what, json!({}));
    json!({
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": false,
        "properties": {
            "start": value("Run it. The value means nothing."),
            "stop": value("Take it out of the schedule. The value means nothing."),
            "abort": value("Kill the run. The value means nothing."),
        },
    })
})
.with_example(|| json!({"start": null}));

/// The response to an event.
pub static JOB_EVENT_RESULT: Shape = Shape::new("JobEventResult", || {
    let results = ["success", "start already requested", "stop already requested", "abort already requested"];
    closed(json!({"result": about("What became of it.", words(&results))}))
})
.with_example(|| json!({"result": "success"}));

/// Parses a job event: an object with one key, whose name is the event.
///
/// # Errors
/// 400 if the body is not such an object.
pub fn parse_event(body: Value) -> Result<Event> {
    let keys = body.as_object().map_or(0, Map::len);
    let refusal =
        |_| Error::bad_request(if keys == 1 { "Bad Action Method" } else { "Bad event request format" });
    let body = JOB_EVENT.check(body).map_err(refusal)?;
    body.keys().find_map(|word| Event::parse(word)).ok_or_else(|| Error::internal("an event that is none"))
}
