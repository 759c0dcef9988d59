//! The schedule object (contract, api-v2 §4): `job_schedule` of a job, `schedule` of a session.
//!
//! It mixes two things. The `schedule_*` keys say when to run, and are replaced together, as one unit. The other keys
//! say how the latest run went, and are set one by one.

use front::error::{Error, Result};
use serde_json::{Map, Value, json};

use super::shape::{about, integer, time, titled, words};
use crate::schedule;
use crate::store::types::time::Time;

pub use crate::store::jobs::{EVENTS, RESULTS, STATUSES};

/// The keys of every schedule object. The `schedule_*` keys have rules that no schema can express; [`check`] applies
/// them.
fn properties() -> Value {
    let text = |what: &str| about(what, json!({"type": "string"}));
    let date = |what: &str| {
        text(&format!("{what} A date that exists, as `2026-12-01T03:30:00`; a zone may follow."))
    };
    let field = |what: &str| text(&format!("The cron field {what}, as APScheduler reads it."));
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
        "schedule_interval": text("How often: `continuous`, or a number from 1 up and a unit, as `6 hours`."),
        "schedule_year": field("year"),
        "schedule_month": field("month"),
        "schedule_day": field("day"),
        "schedule_week": field("week"),
        "schedule_day_of_week": field("day of week"),
        "schedule_hour": field("hour"),
        "schedule_minute": field("minute"),
        "schedule_second": field("second"),
    })
}

/// Schema of a schedule object in a request. No key is required, and unknown keys are refused.
pub fn schema() -> Value {
    let mut properties = properties();
    // Two fields of a dashboard form that leak into the document that it sends.
    for field in ["interval_uint", "interval_value"] {
        properties[field] = about("Taken and dropped.", json!({}));
    }
    let schedule = json!({"type": "object", "additionalProperties": false, "properties": properties});
    let what = "When to run, and how the latest run went. The `schedule_*` keys are one unit.";
    titled("ScheduleChange", about(what, schedule))
}

/// Schema of a schedule object in a response; the `always` keys are never missing.
pub fn document(name: &str, what: &str, always: &[&str]) -> Value {
    let mut schedule = json!({"type": "object", "additionalProperties": false, "properties": properties()});
    if !always.is_empty() {
        schedule["required"] = json!(always);
    }
    titled(name, about(what, schedule))
}

/// Whether a key belongs to the unit of `schedule_*` keys.
pub fn is_of_unit(key: &str) -> bool {
    key.starts_with("schedule_")
}

/// The unit of a schedule object: only the `schedule_*` keys, with repeated blanks in their values collapsed.
pub fn unit(schedule: &Map<String, Value>) -> Map<String, Value> {
    let unit =
        schedule.iter().filter(|(key, _)| is_of_unit(key)).map(|(k, v)| (k.clone(), v.clone())).collect();
    schedule::normalized(&unit)
}

/// Refuses a unit, sent at `place`, that no scheduler can run. A unit equal to the stored one passes: a scheduler sends
/// back the document that it has read, and must be able to set the status of a job with a bad schedule.
///
/// # Errors
/// 400 with the key and the values that it may have.
pub fn check(
    place: &str,
    unit: &Map<String, Value>,
    stored: Option<&Map<String, Value>>,
    now: Time,
) -> Result<()> {
    if stored.is_some_and(|stored| self::unit(stored) == *unit) {
        return Ok(());
    }
    schedule::parse(unit).and_then(|schedule| schedule.check_from(now.and_utc().timestamp())).map_err(
        |refusal| {
            let schedule::Refusal { key, expected } = refusal;
            Error::bad_request(format!("At {place}/{key}: this value must be {expected}."))
        },
    )
}

/// The keys of a document that are about the latest run of a job; `None` changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunState {
    /// The event for the scheduler.
    pub event: Option<String>,
    /// The status of the job.
    pub status: Option<String>,
    /// The result of the latest run.
    pub result: Option<String>,
    /// The agent's process id.
    pub current_pid: Option<i32>,
    /// When the latest run started; `Some(None)` means never.
    pub time_started: Option<Option<i64>>,
    /// When it ended; `Some(None)` means never, or not yet.
    pub time_ended: Option<Option<i64>>,
}

impl RunState {
    /// The run's keys in an object that has been validated: a `job_schedule`, or a change of a job attachment.
    pub fn from_object(schedule: &Map<String, Value>) -> Self {
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
