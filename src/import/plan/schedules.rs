//! Schedules: when a job runs, and the result of its last run.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::draft::Draft;
use super::text::digest;
use crate::document::schedule::{is_of_unit, schema, unit};
use crate::schedule;

/// The keys that the API knows.
static KNOWN: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let schema = schema();
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flat_map(Map::keys).cloned().collect()
});

/// Keys without a meaning of their own: two of a dashboard's form, and the name of `event` in 2015.
const DROPPED: &[&str] = &["interval_uint", "interval_value", "job_event"];

/// A digest of the keys that decide when a job runs.
pub fn core(schedule: &Map<String, Value>) -> i64 {
    let mut unit = unit(schedule);
    unit.retain(|key, value| KNOWN.contains(key) && !value.is_null() && value.as_str() != Some(""));
    digest(&Value::Object(unit).to_string())
}

/// A schedule with the keys that the API knows, as it is stored.
pub fn known(draft: &mut Draft, schedule: &Map<String, Value>) -> Map<String, Value> {
    let mut known = schedule.clone();
    known.retain(|key, _| KNOWN.contains(key) && !DROPPED.contains(&key.as_str()));
    for (key, value) in schedule {
        if !KNOWN.contains(key) && !DROPPED.contains(&key.as_str()) {
            draft
                .note("schedule-unknown-key", format!("{key} of the schedule is none of the API's: {value}"));
            draft.remainder("schedule-unknown-key", serde_json::json!({ key: value }));
        }
    }
    let normalized = unit(&known);
    if let Err(refusal) = schedule::parse(&normalized) {
        let value = normalized.get(&refusal.key).unwrap_or(&Value::Null);
        draft.note(
            "bad-schedule",
            format!("{} is {value}; no scheduler can run it, it must be {}.", refusal.key, refusal.expected),
        );
    }
    known.extend(normalized);
    known
}

/// The keys of a schedule that decide when a job runs.
pub fn when(schedule: &Map<String, Value>) -> Map<String, Value> {
    schedule
        .iter()
        .filter(|(key, _)| is_of_unit(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}
