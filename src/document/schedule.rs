//! The schedule object (contract, api-v2 §4): `job_schedule` of a job, `schedule` of a session.
//!
//! It mixes two things. The `schedule_*` keys say when to run and are one unit; the others say how the last
//! run went and are set one by one.

use serde_json::{Map, Value, json};

use super::shape::{about, integer, time, titled, words};

/// What can be asked of a scheduler.
pub const EVENTS: &[&str] = &["", "stop", "start", "abort", "remove"];
pub use crate::store::jobs::STATUSES;
/// How a run ended.
pub const RESULTS: &[&str] = &["", "success", "fail", "aborted"];

const DATE: &str = "^(-?(?:[1-9][0-9]*)?[0-9]{4})-(1[0-2]|0[1-9])-(3[01]|0[1-9]|[12][0-9])T(2[0-3]|[01][0-9]):([0-5][0-9]):([0-5][0-9])(\\.[0-9]+)?(Z|[+-](?:2[0-3]|[01][0-9]):[0-5][0-9])?$";
const INTERVAL: &str = "^(continuous|([0-9]+ +(weeks|days|hours|minutes|seconds)))$";

/// The keys of every schedule object.
fn properties() -> Value {
    let date = |what: &str| about(what, json!({"type": "string", "pattern": DATE, "maxLength": 64}));
    let field = |what: &str| about(&format!("The cron field {what}."), super::shape::text(255));
    let interval = json!({"type": "string", "pattern": INTERVAL, "maxLength": 64});
    json!({
        "time_created": about("When it was created, in epoch seconds.", time()),
        "time_started": about("When the latest run started, in epoch seconds; -1 for never.", time()),
        "time_ended": about("When it ended, in epoch seconds; -1 for not yet.", time()),
        "event": about("What the scheduler is asked to do.", words(EVENTS)),
        "status": about("Where the scheduler has got with it.", words(STATUSES)),
        "result": about("How the latest run ended.", words(RESULTS)),
        "current_pid": about("The agent's process id.", integer(-1)),
        "schedule_date": date("When to run it once, in the scheduler's local time."),
        "schedule_start_date": date("Not before this."),
        "schedule_end_date": date("Not after this."),
        "schedule_interval": about("How often: `continuous`, or a number and a unit.", interval),
        "schedule_year": about("The cron field year.", json!({"type": "string", "pattern": "^[0-9]{4}$"})),
        "schedule_month": field("month"),
        "schedule_day": field("day"),
        "schedule_week": field("week"),
        "schedule_day_of_week": field("day of week"),
        "schedule_hour": field("hour"),
        "schedule_minute": field("minute"),
        "schedule_second": field("second"),
    })
}

/// Schema of a schedule object. Nothing is required, nothing unknown is taken.
pub fn schema() -> Value {
    let mut properties = properties();
    // Two fields of a dashboard form that leak into the document it sends.
    for field in ["interval_uint", "interval_value"] {
        properties[field] = about("Taken and dropped.", json!({}));
    }
    let schedule = json!({"type": "object", "additionalProperties": false, "properties": properties});
    let what = "When to run, and how the latest run went. The `schedule_*` keys are one unit.";
    titled("ScheduleChange", about(what, schedule))
}

/// Schema of a schedule object as a document shows it, with the keys that are always there.
pub fn document(name: &str, what: &str, always: &[&str]) -> Value {
    let mut schedule = json!({"type": "object", "additionalProperties": false, "properties": properties()});
    if !always.is_empty() {
        schedule["required"] = json!(always);
    }
    titled(name, about(what, schedule))
}

/// Whether a key belongs to the unit.
pub fn is_of_unit(key: &str) -> bool {
    key.starts_with("schedule_")
}

/// The unit: the `schedule_*` keys, and nothing else.
pub fn unit(schedule: &Map<String, Value>) -> Map<String, Value> {
    schedule.iter().filter(|(key, _)| is_of_unit(key)).map(|(k, v)| (k.clone(), v.clone())).collect()
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
