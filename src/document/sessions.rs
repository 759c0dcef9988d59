//! The session document (contract, api-v2 §8), rendered from the session and the job attachments in it.

use std::collections::BTreeMap;

use front::error::{Error, Result};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::clients::client_id;
use super::shape::{
    Shape, about, closed, integer, must_be, nullable, project_id, resource_id, text, time, titled, user_id,
    version, words,
};
use super::{LONGEST_TIME, MAX_TEXT, int, longest, schedule, size, time_from, time_or_never};
use crate::document::collection::Collection;
use crate::store;
use crate::store::sessions::{KNOWN, Member, Session, SessionChange, SessionView};
use crate::store::types::json::Json;
use crate::store::types::time::Time;

/// The default hold-off: for how many seconds after a start the other jobs may join the run.
pub const DEFAULT_HOLD_OFF: i32 = 30;

pub use crate::store::sessions::{RESULTS, STATUSES};
/// Whether a run needs the success of all its jobs, or of any.
const POLICIES: &[&str] = &["all", "any"];

const SESSION_ID: &str = "The session's id.";
const DESCRIPTION: &str = "Free text.";
const HOLD_OFF: &str = "For how many seconds after a start the other jobs may join the run.";
const SESSION_TAG: &str = "The number of the latest run.";
const POLICY: &str = "Whether a run succeeds when `all` of the jobs did, or when `any` did.";
const STATUS: &str = "Where the latest run stands.";
const RESULT: &str = "How the latest run ended.";
const TIME_START: &str = "When the latest run began, in epoch seconds; -1 for never.";
const TIME_END: &str = "When the latest run ended, in epoch seconds; -1 for not yet.";
const NOTED: &str = "Kept as it comes, in epoch seconds; -1 for none.";

/// The keys that lists of sessions filter and sort by.
pub static COLLECTION: Collection = Collection {
    noun: "sessions",
    path: "sessions",
    keys: store::sessions::KEYS.keys,
    places: &[
        ("project_id", "/project_id"),
        ("user_id", "/user_id"),
        ("description", "/description"),
        ("session_tag", "/session_tag"),
    ],
    extras: &[],
    is_strict: false,
    document: None,
};

fn schema(required: &[&str]) -> Value {
    // Old clients write "" for a time that is not known yet.
    let moment = |what: &str| {
        let time = json!({"anyOf": [time(), {"type": "string", "enum": [""]}, {"type": "null"}]});
        let expected = "whole seconds since 1970, up to 253402300799, or one of -1, \"\" and null for none";
        about(what, must_be(expected, time))
    };
    let mut schema = json!({
        "type": "object",
        "properties": {
            "schedule": schedule::schema(),
            "description": about(DESCRIPTION, nullable(text(MAX_TEXT))),
            "hold_off": about(HOLD_OFF, nullable(integer(0))),
            "session_tag": about(SESSION_TAG, nullable(integer(0))),
            "policy": about(POLICY, nullable(words(POLICIES))),
            "status": about(STATUS, nullable(words(STATUSES))),
            "result": about(RESULT, nullable(words(RESULTS))),
            "time_start": moment(TIME_START),
            "time_end": moment(TIME_END),
            "time_started": moment(NOTED),
            "time_ended": moment(NOTED),
        },
    });
    if required.is_empty() {
        schema["minProperties"] = json!(1);
    } else {
        schema["required"] = json!(required);
    }
    about("Keys that are not known are kept as they come.", schema)
}

/// The body of `POST /sessions`.
pub static SESSION: Shape = Shape::new("SessionCreate", || schema(&["schedule"])).with_example(|| {
    json!({
        "description": "The shop's servers together, weekly",
        "hold_off": 60,
        "schedule": {"schedule_interval": "7 days", "schedule_start_date": "2026-12-06T04:00:00"},
    })
});
/// The body of `POST /sessions/{session_id}`.
pub static SESSION_REPLACE: Shape = Shape::new("SessionReplace", || schema(&["schedule", "session_tag"]))
    .with_example(|| {
        json!({
            "description": "The shop's servers together, daily",
            "session_tag": 0,
            "schedule": {"schedule_interval": "1 days", "schedule_start_date": "2026-12-06T04:00:00"},
        })
    });
/// The body of `PATCH /sessions/{session_id}`.
pub static SESSION_PATCH: Shape =
    Shape::new("SessionPatch", || schema(&[])).with_example(|| json!({"hold_off": 120, "policy": "any"}));

/// A session as [`render`] shows it.
pub static SESSION_DOCUMENT: Shape = Shape::new("Session", || {
    let part = closed(json!({
        "client_id": about("The client that the job is on.", client_id()),
        "status": about("Where the job stands in the latest run.", json!({"type": "string"})),
        "result": about("How its part ended.", json!({"type": "string"})),
        "time_started": about("When it joined, in epoch seconds; -1 for not yet.", time()),
        "time_ended": about("When its part ended, in epoch seconds; -1 for not yet.", time()),
    }));
    let part = titled("SessionJob", about("A job's part in the latest run of a session.", part));
    let jobs = json!({"type": "object", "additionalProperties": part});
    let mut session = closed(json!({
        "session_id": resource_id(SESSION_ID),
        "project_id": project_id(),
        "user_id": user_id(),
        "description": about(DESCRIPTION, nullable(text(MAX_TEXT))),
        "session_tag": about(SESSION_TAG, integer(0)),
        "hold_off": about(HOLD_OFF, integer(0)),
        "schedule": schedule::document("Schedule", "When the jobs of the session run.", &[]),
        "policy": about(POLICY, words(POLICIES)),
        "status": about(STATUS, words(STATUSES)),
        "result": about(RESULT, words(RESULTS)),
        "time_start": about(TIME_START, time()),
        "time_end": about(TIME_END, time()),
        "time_started": about(NOTED, time()),
        "time_ended": about(NOTED, time()),
        "jobs": about("The jobs in it, each under its id.", jobs),
        "last_start": about("Always empty; the command line shows it.", words(&[""])),
        "_version": version(),
    }));
    session["additionalProperties"] = json!(true);
    about("Keys beside these are what was sent.", session)
})
.with_example(|| {
    json!({
        "session_id": "45c48cce2e2d7fbdea1afc51c7c6ad26",
        "project_id": "8f3c1d6a2b7e4f0d9c5a1e6b3d8f2a47",
        "user_id": "c0ffee254729296a45a3885639ac7e10",
        "description": "The shop's servers together, weekly",
        "session_tag": 1,
        "hold_off": 60,
        "schedule": {"schedule_interval": "7 days", "schedule_start_date": "2026-12-06T04:00:00"},
        "policy": "all",
        "status": "running",
        "result": "",
        "time_start": 1_796_529_600,
        "time_end": -1,
        "time_started": -1,
        "time_ended": -1,
        "jobs": {
            "3c59dc048e8850243be8079a5c74d079": {
                "client_id": "web1.example.com",
                "status": "running",
                "result": "",
                "time_started": 1_796_529_600,
                "time_ended": -1,
            },
        },
        "last_start": "",
        "_version": 4,
    })
});

/// The response to the creation of a session.
pub static SESSION_CREATED: Shape =
    Shape::new("SessionId", || closed(json!({"session_id": resource_id(SESSION_ID)})))
        .with_example(|| json!({"session_id": "45c48cce2e2d7fbdea1afc51c7c6ad26"}));

/// The response to a change of a session.
pub static SESSION_CHANGED: Shape = Shape::new("SessionVersion", || {
    closed(json!({"session_id": resource_id(SESSION_ID), "version": version()}))
})
.with_example(|| json!({"session_id": "45c48cce2e2d7fbdea1afc51c7c6ad26", "version": 5}));

/// Parses the body of a new session or of a change.
///
/// # Errors
/// 400 if the body is empty or does not have the shape.
pub fn parse(shape: &Shape, body: Value) -> Result<SessionChange> {
    let body = shape.check(body)?;
    let word = |key| super::text(&body, key).map(str::to_owned);
    let time = |key| body.get(key).map(|value| time_from(Some(value)));
    let extra: Map<String, Value> = body
        .iter()
        .filter(|(key, _)| !KNOWN.contains(&key.as_str()))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    Ok(SessionChange {
        scheduling: body.get("schedule").map(|schedule| Json::from(cleaned(schedule))),
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

/// The schedule as it is stored: without the leftovers of a dashboard form, and with its unit normalized.
fn cleaned(value: &Value) -> Value {
    let mut value = value.clone();
    if let Value::Object(object) = &mut value {
        object.retain(|key, _| !key.starts_with("interval_"));
        let unit = schedule::unit(object);
        object.extend(unit);
    }
    value
}

/// Refuses a schedule that no scheduler can run, unless the stored session has the same one.
///
/// # Errors
/// 400 with the key and the values that it may have.
pub fn check_schedule(change: &SessionChange, stored: Option<&Session>, now: Time) -> Result<()> {
    let Some(sent) = &change.scheduling else { return Ok(()) };
    let stored = stored.map(|session| session.scheduling.object());
    schedule::check("/schedule", &schedule::unit(&sent.object()), stored.as_ref(), now)
}

/// The JSON of a session, with members in alphabetical order: the `ETag` is a digest of these bytes.
pub struct SessionJson<'v>(pub &'v SessionView);

/// The JSON of a job's part in the session's run, with fields in alphabetical order.
#[derive(Serialize)]
struct SessionJob<'m> {
    client_id: &'m str,
    result: &'m str,
    status: &'m str,
    time_ended: i64,
    time_started: i64,
}

/// The JSON of all jobs in a session, by their ids.
struct SessionJobs<'m>(&'m [Member]);

impl Serialize for SessionJobs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut members: Vec<&Member> = self.0.iter().collect();
        members.sort_by_key(|member| &member.id);
        serializer.collect_map(members.into_iter().map(|member| {
            let part = SessionJob {
                client_id: &member.client_name,
                result: &member.result,
                status: &member.status,
                time_ended: member.time_ended.unwrap_or(-1),
                time_started: member.time_started.unwrap_or(-1),
            };
            (&member.id, part)
        }))
    }
}

impl Serialize for SessionJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let session: &Session = &self.0.session;
        let known = json!({
            "session_id": session.id,
            "project_id": session.project_id,
            "user_id": session.user_id,
            "description": session.description,
            "session_tag": session.session_tag,
            "hold_off": session.hold_off,
            "schedule": session.scheduling,
            "policy": session.policy,
            "status": session.status,
            "result": session.result,
            "time_start": time_or_never(session.time_start),
            "time_end": time_or_never(session.time_end),
            "time_started": time_or_never(session.time_started),
            "time_ended": time_or_never(session.time_ended),
            // A placeholder, replaced below.
            "jobs": null,
            // Always empty: no client ever wrote it, but the command line shows it.
            "last_start": "",
            "_version": session.version,
        });
        let known = known.as_object().into_iter().flatten();
        let metadata = session.metadata.members();
        let mut members: BTreeMap<&str, Entry<'_>> =
            metadata.iter().map(|(name, value)| (name.as_str(), Entry::Metadata(value))).collect();
        members.extend(known.map(|(name, value)| match name.as_str() {
            "jobs" => ("jobs", Entry::Jobs(SessionJobs(&self.0.members))),
            name => (name, Entry::Column(value)),
        }));
        serializer.collect_map(members)
    }
}

/// The value of a member of a session's document.
#[derive(Serialize)]
#[serde(untagged)]
enum Entry<'m> {
    Metadata(&'m RawValue),
    Column(&'m Value),
    Jobs(SessionJobs<'m>),
}

/// A session document as a value, for searches and preconditions.
pub fn render(view: &SessionView) -> Value {
    // Never fails: a session holds only values that JSON can represent.
    serde_json::to_value(SessionJson(view)).unwrap_or_default()
}

/// The largest size, in bytes, that a session's document can reach by its runs. A run is never refused for its size,
/// so the room for it is counted in advance.
pub fn max_size(view: &SessionView) -> usize {
    let mut view = view.clone();
    let session = &mut view.session;
    longest(STATUSES).clone_into(&mut session.status);
    longest(RESULTS).clone_into(&mut session.result);
    session.version = i32::MAX;
    session.session_tag = i32::MAX;
    (session.time_start, session.time_end) = (Some(LONGEST_TIME), Some(LONGEST_TIME));
    for member in &mut view.members {
        longest(STATUSES).clone_into(&mut member.status);
        longest(RESULTS).clone_into(&mut member.result);
        (member.time_started, member.time_ended) = (Some(LONGEST_TIME), Some(LONGEST_TIME));
    }
    size(&SessionJson(&view))
}

/// What a scheduler does in a session: the parsed body of `POST /sessions/{session_id}/action`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionAction {
    /// Begins a run, or joins the one that has just begun.
    Start {
        /// The job that wants to run.
        job_id: String,
        /// The latest run that its scheduler knows of.
        tag: i64,
    },
    /// Reports how the job ended.
    End {
        /// The job that has run.
        job_id: String,
        /// How it ended.
        result: String,
        /// The run that it took part in, if the scheduler sends it.
        tag: Option<i64>,
    },
}

/// The body of `POST /sessions/{session_id}/action`.
pub static SESSION_ACTION: Shape = Shape::new("SessionAction", || {
    let number = integer(0);
    // The command line sends the tag as text.
    let text = json!({"type": "string", "pattern": "^ *[0-9]{1,9} *$"});
    let job = about("The job's id.", json!({"type": "string", "minLength": 1, "maxLength": 255}));
    let expected = "a whole number from 0 to 2147483647, or up to 9 digits as text";
    let tag = must_be(expected, json!({"anyOf": [number, text]}));
    let tag = about("The latest run that its scheduler knows of.", tag);
    let ended = must_be(&format!("{expected}, or null"), json!({"anyOf": [number, text, {"type": "null"}]}));
    let ended = about("The run it took part in.", ended);
    let start = json!({
        "type": "object",
        "required": ["job_id", "current_tag"],
        "properties": {"job_id": job, "current_tag": tag},
    });
    let end = json!({
        "type": "object",
        "required": ["job_id", "result"],
        "properties": {
            "job_id": job,
            "current_tag": ended,
            "result": about("How it ended.", words(&["success", "fail", "aborted"])),
        },
    });
    must_be("an object with start or end", json!({
        "type": "object",
        "properties": {
            "start": about("A job wants to run: begin a run, or join the one that has just begun.", start),
            "end": about("A job has run.", end),
        },
        "anyOf": [{"required": ["start"]}, {"required": ["end"]}],
    }))
})
.with_example(|| json!({"start": {"job_id": "3c59dc048e8850243be8079a5c74d079", "current_tag": 0}}));

/// The response to a session's action.
pub static SESSION_ACTION_RESULT: Shape = Shape::new("SessionActionResult", || {
    let result = words(&["success", "hold-off", "out-of-sync"]);
    closed(json!({
        "result": about("`hold-off`: it runs already. `out-of-sync`: the scheduler has missed a run.", result),
        "session_tag": about(SESSION_TAG, integer(0)),
    }))
})
.with_example(|| json!({"result": "success", "session_tag": 1}));

/// Parses a session action: an object whose key is `start` or `end`.
///
/// # Errors
/// 400 if it has neither key, or a member of its value is missing or of the wrong type.
pub fn parse_action(body: Value) -> Result<SessionAction> {
    let is_either = ["start", "end"].iter().any(|key| body.get(key).is_some());
    let is_empty = body.as_object().is_none_or(Map::is_empty);
    let body = SESSION_ACTION.check(body).map_err(|error| match is_either || is_empty {
        true => error,
        false => Error::bad_request("Bad Action Method").titled("Bad Method"),
    })?;
    let (key, inner) = match (body.get("start"), body.get("end")) {
        (Some(Value::Object(inner)), _) => ("start", inner),
        (_, Some(Value::Object(inner))) => ("end", inner),
        _ => return Err(Error::internal("a session's action that is neither start nor end")),
    };
    let job_id = super::text(inner, "job_id").unwrap_or_default().to_owned();
    let tag = match inner.get("current_tag") {
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(value) => value.as_i64(),
        None => None,
    };
    Ok(match key {
        "start" => SessionAction::Start { job_id, tag: tag.unwrap_or(0) },
        _ => SessionAction::End {
            job_id,
            result: super::text(inner, "result").unwrap_or_default().to_owned(),
            tag,
        },
    })
}
