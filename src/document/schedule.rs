//! The schedule object (contract, api-v2 §4): `job_schedule` of a job, `schedule` of a session.
//!
//! It mixes two things. The `schedule_*` keys say when to run and are one unit; the others say how the last
//! run went and are set one by one.

use serde_json::{Map, Value, json};

use super::shape::{integer, time, words};

/// What can be asked of a scheduler.
pub const EVENTS: &[&str] = &["", "stop", "start", "abort", "remove"];
pub use crate::store::jobs::STATUSES;
/// How a run ended.
pub const RESULTS: &[&str] = &["", "success", "fail", "aborted"];

const DATE: &str = "^(-?(?:[1-9][0-9]*)?[0-9]{4})-(1[0-2]|0[1-9])-(3[01]|0[1-9]|[12][0-9])T(2[0-3]|[01][0-9]):([0-5][0-9]):([0-5][0-9])(\\.[0-9]+)?(Z|[+-](?:2[0-3]|[01][0-9]):[0-5][0-9])?$";
const INTERVAL: &str = "^(continuous|([0-9]+ +(weeks|days|hours|minutes|seconds)))$";

/// Schema of a schedule object. Nothing is required, nothing unknown is taken.
pub fn schema() -> Value {
    let date = json!({"type": "string", "pattern": DATE, "maxLength": 64});
    let free = super::shape::text(255);
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "time_created": time(), "time_started": time(), "time_ended": time(),
            "event": words(EVENTS), "status": words(STATUSES), "result": words(RESULTS),
            "schedule_date": date, "schedule_start_date": date, "schedule_end_date": date,
            "schedule_interval": {"type": "string", "pattern": INTERVAL, "maxLength": 64},
            "schedule_year": {"type": "string", "pattern": "^[0-9]{4}$"},
            "schedule_month": free, "schedule_day": free, "schedule_week": free, "schedule_day_of_week": free,
            "schedule_hour": free, "schedule_minute": free, "schedule_second": free,
            "current_pid": integer(-1),
            // Two fields of a dashboard form that leak into the document it sends; taken and dropped.
            "interval_uint": {}, "interval_value": {},
        },
    })
}

/// The unit: the `schedule_*` keys, and nothing else.
pub fn unit(schedule: &Map<String, Value>) -> Map<String, Value> {
    schedule
        .iter()
        .filter(|(key, _)| key.starts_with("schedule_"))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}

/// What a document says about the run of a job; a key that is missing changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunState {
    /// What is asked of the scheduler.
    pub event: Option<String>,
    /// Where the job stands.
    pub status: Option<String>,
    /// How the last run ended.
    pub result: Option<String>,
    /// The agent's process id.
    pub current_pid: Option<i32>,
    /// When the last run started; `Some(None)` says never.
    pub time_started: Option<Option<i64>>,
    /// When it ended; `Some(None)` says never, or not yet.
    pub time_ended: Option<Option<i64>>,
}

impl RunState {
    /// Reads the run's keys out of a schedule object that has been checked.
    pub fn of(schedule: &Map<String, Value>) -> Self {
        let word = |key| super::text(schedule, key).map(str::to_owned);
        let time = |key| schedule.get(key).map(|value| super::time_from(Some(value)));
        Self {
            event: word("event"),
            status: word("status"),
            result: word("result"),
            current_pid: super::int(schedule, "current_pid"),
            time_started: time("time_started"),
            time_ended: time("time_ended"),
        }
    }
}
