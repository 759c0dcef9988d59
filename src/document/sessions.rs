//! The session document (contract, api-v2 §8): a view over the session and the attachments in it.

use serde_json::{Map, Value, json};

use super::search::Fields;
use super::shape::{Shape, integer, nullable, text, words};
use super::{MAX_TEXT, int, schedule, time_from, time_or_never};
use crate::error::{Error, Result};
use crate::store::document_type::Json;
use crate::store::listing::{CREATED_AT, Collection, Key, Kind};
use crate::store::sessions::{Session, SessionChange, SessionView};

/// The keys that have columns, or that only the server sets.
const KNOWN: &[&str] = &[
    "session_id",
    "project_id",
    "user_id",
    "description",
    "session_tag",
    "hold_off",
    "schedule",
    "policy",
    "status",
    "result",
    "time_start",
    "time_end",
    "time_started",
    "time_ended",
    "jobs",
    "last_start",
    "_version",
];

/// Where a session stands.
const STATUSES: &[&str] = &["", "active", "running", "completed", "stop", "scheduled", "aborting", "removed"];
/// What came of its last run.
const RESULTS: &[&str] = &["", "success", "fail", "aborted", "running"];

/// How long after a start the other jobs may join the run, in seconds, when nobody says.
pub const DEFAULT_HOLD_OFF: i32 = 30;

/// Where the well-known keys of a session document are.
pub const FIELDS: Fields = &[
    ("session_id", "/session_id"),
    ("status", "/status"),
    ("result", "/result"),
    ("project_id", "/project_id"),
    ("user_id", "/user_id"),
    ("description", "/description"),
    ("session_tag", "/session_tag"),
];

/// What lists of sessions offer.
pub static COLLECTION: Collection = Collection {
    noun: "sessions",
    path: "sessions",
    keys: &[
        Key::new("session_id", Kind::Id, "The session's id."),
        Key::new("status", Kind::Word(STATUSES), "Where the session stands.").sorting(),
        Key::new("result", Kind::Word(RESULTS), "What came of its last run.").sorting(),
        CREATED_AT,
    ],
    extras: &[],
    is_strict: false,
    document: None,
};

fn schema(required: &[&str]) -> Value {
    // Old clients write "" for a time that is not known yet.
    let moment = json!({"anyOf": [super::shape::time(), {"type": "string", "enum": [""]}, {"type": "null"}]});
    let mut schema = json!({
        "type": "object",
        "properties": {
            "schedule": schedule::schema(),
            "description": nullable(text(MAX_TEXT)),
            "hold_off": nullable(integer(0)),
            "session_tag": nullable(integer(0)),
            "policy": nullable(words(&["all", "any"])),
            "status": nullable(words(STATUSES)),
            "result": nullable(words(RESULTS)),
            "time_start": moment, "time_end": moment, "time_started": moment, "time_ended": moment,
        },
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// The body of `POST /sessions`.
pub static SESSION: Shape = Shape::new("Session", || schema(&["schedule"]));
/// The body of `POST /sessions/{session_id}`.
pub static SESSION_REPLACE: Shape = Shape::new("SessionReplace", || schema(&["schedule", "session_tag"]));
/// The body of `PATCH /sessions/{session_id}`.
pub static SESSION_PATCH: Shape = Shape::new("SessionPatch", || schema(&[]));

/// Reads a session, or a part of one, into what it changes.
///
/// # Errors
/// 400 when the body does not have the shape, or there is none.
pub fn parse(shape: &Shape, body: Value) -> Result<SessionChange> {
    let body = shape.check_present(body)?;
    let word = |key| super::text(&body, key).map(str::to_owned);
    let time = |key| body.get(key).map(|value| time_from(Some(value)));
    let extra: Map<String, Value> = body
        .iter()
        .filter(|(key, _)| !KNOWN.contains(&key.as_str()))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    Ok(SessionChange {
        scheduling: body.get("schedule").map(|schedule| Json(cleaned(schedule))),
        policy: word("policy"),
        description: body.get("description").map(|_| word("description")),
        hold_off: int(&body, "hold_off"),
        session_tag: int(&body, "session_tag"),
        status: word("status"),
        result: word("result"),
        time_start: time("time_start"),
        time_end: time("time_end"),
        time_started: time("time_started"),
        time_ended: time("time_ended"),
        metadata: (!extra.is_empty()).then(|| extra.into()),
    })
}

/// The schedule without the leftovers of a dashboard form.
fn cleaned(value: &Value) -> Value {
    let mut value = value.clone();
    if let Value::Object(object) = &mut value {
        object.retain(|key, _| !key.starts_with("interval_"));
    }
    value
}

/// A session as the API shows it.
pub fn render(view: &SessionView) -> Value {
    let session: &Session = &view.session;
    let jobs: Map<String, Value> = view
        .members
        .iter()
        .map(|member| {
            let part = &member.attachment;
            let entry = json!({
                "client_id": member.client_name,
                "status": part.session_status,
                "result": part.session_result,
                "time_started": time_or_never(part.session_time_started),
                "time_ended": time_or_never(part.session_time_ended),
            });
            (part.id.clone(), entry)
        })
        .collect();
    let mut document = session.metadata.clone().into_object();
    let known = json!({
        "session_id": session.id,
        "project_id": session.project_id,
        "user_id": session.user_id,
        "description": session.description,
        "session_tag": session.session_tag,
        "hold_off": session.hold_off,
        "schedule": session.scheduling.0,
        "policy": session.policy,
        "status": session.status,
        "result": session.result,
        "time_start": time_or_never(session.time_start),
        "time_end": time_or_never(session.time_end),
        "time_started": time_or_never(session.time_started),
        "time_ended": time_or_never(session.time_ended),
        "jobs": jobs,
        // No client ever wrote it, but the command line shows it.
        "last_start": "",
        "_version": session.version,
    });
    if let Value::Object(known) = known {
        document.extend(known);
    }
    Value::Object(document)
}

/// What a scheduler asks of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Join, or begin, a run.
    Start {
        /// The job that wants to run.
        job_id: String,
        /// The last run its scheduler knows of.
        tag: i64,
    },
    /// Report how the job ended.
    End {
        /// The job that has run.
        job_id: String,
        /// How it ended.
        result: String,
        /// The run it took part in, if the scheduler says.
        tag: Option<i64>,
    },
}

static ASK: Shape = Shape::new("SessionAction", || {
    let tag = json!({"anyOf": [integer(0), {"type": "string", "pattern": "^ *[0-9]{1,9} *$"}]});
    let job = json!({"type": "string", "minLength": 1, "maxLength": 255});
    json!({
        "type": "object",
        "properties": {
            "start": {
                "type": "object",
                "required": ["job_id", "current_tag"],
                "properties": {"job_id": job, "current_tag": tag},
            },
            "end": {
                "type": "object",
                "required": ["job_id", "result"],
                "properties": {
                    "job_id": job,
                    "current_tag": nullable_tag(&tag),
                    "result": words(&["success", "fail", "aborted"]),
                },
            },
        },
    })
});

fn nullable_tag(tag: &Value) -> Value {
    json!({"anyOf": [tag, {"type": "null"}]})
}

/// Reads a session action: an object whose key is `start` or `end`.
///
/// # Errors
/// 400 when it is neither, or what it needs is missing or of the wrong type.
pub fn parse_ask(body: Value) -> Result<Ask> {
    let body = ASK.check_present(body)?;
    let (key, inner) = match (body.get("start"), body.get("end")) {
        (Some(Value::Object(inner)), _) => ("start", inner),
        (_, Some(Value::Object(inner))) => ("end", inner),
        _ => return Err(Error::bad_request("Bad Action Method").titled("Bad Method")),
    };
    let job_id = super::text(inner, "job_id").unwrap_or_default().to_owned();
    let tag = match inner.get("current_tag") {
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(value) => value.as_i64(),
        None => None,
    };
    Ok(match key {
        "start" => Ask::Start { job_id, tag: tag.unwrap_or(0) },
        _ => Ask::End { job_id, result: super::text(inner, "result").unwrap_or_default().to_owned(), tag },
    })
}
