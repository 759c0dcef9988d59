//! Documents of the type `jobs`.

use serde_json::{Map, Value, json};

use super::action::OUTCOME;
use super::{Content, Unreadable, business_id, rename_keys, unreadable};
use crate::import::elasticsearch::fields::{Fields, from_seconds, int};
use crate::import::legacy::{Body, Job};

pub fn read(fields: &mut Fields, id: Option<&str>) -> Result<Content, Unreadable> {
    let id = business_id(fields, "job_id", id)?;
    let Some(client) = fields.word("client_id") else {
        return unreadable(fields, "bad-json", "There is no text `client_id`: the job runs on no client.");
    };
    let mut schedule = fields.object("job_schedule").unwrap_or_default();
    rename_event(fields, &mut schedule);
    let created = schedule.get("time_created").and_then(int).and_then(from_seconds);
    let entries = match fields.value("job_actions") {
        Some(Value::Array(entries)) => entries,
        None => Vec::new(),
        Some(other) => {
            let detail = "`job_actions` is not a list.";
            fields.note("bad-json", detail, Some(json!({ "job_actions": other })));
            Vec::new()
        }
    };
    let entries =
        entries.into_iter().enumerate().map(|(place, entry)| rename_entry(fields, place, entry)).collect();
    let job = Job {
        client,
        session_id: fields.word("session_id"),
        session_tag: fields.int("session_tag"),
        description: fields.text("description"),
        schedule,
        entries: Some(entries),
    };
    Ok(Content { id, created, body: Body::Job(job) })
}

/// `job_event` of 2015, in the schedule or beside it, is today's `event`.
fn rename_event(fields: &mut Fields, schedule: &mut Map<String, Value>) {
    let is_empty = |value: Option<&Value>| value.is_none_or(|value| value.is_null() || value == "");
    for old in [schedule.remove("job_event"), fields.value("job_event")].into_iter().flatten() {
        if is_empty(schedule.get("event")) {
            schedule.insert("event".to_owned(), old);
        } else if schedule.get("event") != Some(&old) {
            fields.note("other-key", "`job_event` gives way to `event`.", Some(json!({ "job_event": old })));
        }
    }
}

/// An entry's definition is compared with the action's: both get the same names, and neither an outcome.
fn rename_entry(fields: &mut Fields, place: usize, mut entry: Value) -> Value {
    let Some(definition) = entry.get_mut("freezer_action").and_then(Value::as_object_mut) else {
        return entry;
    };
    rename_keys(definition);
    for key in OUTCOME {
        if let Some(value) = definition.remove(key).filter(|value| !value.is_null()) {
            let name = format!("job_actions[{place}].freezer_action.{key}");
            fields.note("other-key", format!("`{name}` has no place here."), Some(json!({ name: value })));
        }
    }
    entry
}
