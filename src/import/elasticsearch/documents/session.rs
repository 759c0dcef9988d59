//! Documents of the type `sessions`.

use super::{Content, Unreadable, business_id};
use crate::import::elasticsearch::fields::{Fields, from_seconds, int};
use crate::import::legacy::{Body, Session};

pub fn read(fields: &mut Fields, id: Option<&str>) -> Result<Content, Unreadable> {
    let id = business_id(fields, "session_id", id)?;
    let jobs = match (fields.object("jobs"), fields.object("job")) {
        (Some(jobs), _) | (None, Some(jobs)) => jobs,
        (None, None) => serde_json::Map::new(),
    };
    if fields.map.get("last_start").is_some_and(|value| value.is_null() || value == "") {
        fields.map.remove("last_start");
    }
    let session = Session {
        schedule: fields.object("schedule").unwrap_or_default(),
        jobs,
        description: fields.text("description"),
        hold_off: fields.int("hold_off"),
        session_tag: fields.int("session_tag"),
        status: fields.word("status"),
        result: fields.text("result"),
        times: ["time_start", "time_end", "time_started", "time_ended"].map(|key| fields.seconds(key)),
        // Elasticsearch kept them, and the API showed them.
        other: std::mem::take(&mut fields.map),
    };
    let first = session.jobs.values().filter_map(|job| job.get("time_started")).filter_map(int);
    let created = session.times[0].or(session.times[2]).and_then(from_seconds);
    let created = created.or_else(|| first.filter(|seconds| *seconds > 0).min().and_then(from_seconds));
    Ok(Content { id, created, body: Body::Session(session) })
}
