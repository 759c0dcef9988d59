//! Sessions, with their entries about jobs.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::draft::Draft;
use super::schedules;
use super::text::natural;
use crate::document::MAX_DOCUMENT;
use crate::document::sessions::{DEFAULT_HOLD_OFF, RESULTS, STATUSES};
use crate::import::legacy::{Row, Session};
use crate::import::staging::table::Head;
use crate::import::unit::{Outcome, TargetRow};
use crate::store::sessions::{KNOWN, Session as TargetSession};
use crate::store::types::time::Time;

/// The table that entries are counted under.
pub const MEMBERS: &str = "sessions.job";

/// The approximate bytes of JSON of a job in the document of its session.
const MEMBER_BYTES: i64 = 200;

/// The looked-up rows for the plan of a session.
pub struct Facts<'f> {
    /// The session's entries about jobs.
    pub members: Vec<(&'f str, Value)>,
    /// The jobs of these ids.
    pub jobs: &'f HashMap<String, Head>,
    /// The number of live jobs that refer to the session.
    pub size: i64,
}

/// Plans a session.
pub fn plan(draft: &mut Draft, head: &Head, row: &Row, session: &Session, facts: &Facts<'_>, now: Time) {
    let mut metadata: Map<String, Value> = session.other.clone();
    metadata.retain(|key, _| !KNOWN.contains(&key.as_str()));
    let last_start =
        session.other.get("last_start").filter(|value| !value.is_null() && value.as_str() != Some(""));
    if let Some(value) = last_start {
        draft.note("other-key", "last_start has no place.");
        draft.remainder("other-key", serde_json::json!({ "last_start": value }));
    }
    let bytes = i64::try_from(crate::document::size(&metadata)).unwrap_or(i64::MAX);
    let bytes = bytes.saturating_add(facts.size.saturating_mul(MEMBER_BYTES));
    if bytes > i64::try_from(MAX_DOCUMENT).unwrap_or(i64::MAX) {
        draft.quarantine(
            "too-large",
            format!("Its document has about {bytes} bytes, and may have {MAX_DOCUMENT}."),
        );
        return;
    }
    if session.hold_off.is_none() || session.session_tag.is_none() {
        draft.note("defaulted", "hold_off or session_tag is missing; the default is taken.");
    }
    for (job, part) in &facts.members {
        member(draft, head, (job, part), facts.jobs.get(*job));
    }
    let times = draft.times(row, None, now);
    let [time_start, time_end, time_started, time_ended] =
        session.times.map(|time| time.filter(|time| *time >= 0));
    let target = TargetSession {
        id: head.target().to_owned(),
        project_id: head.project.clone().unwrap_or_default(),
        user_id: row.user.clone(),
        scheduling: schedules::known(draft, &session.schedule).into(),
        policy: "all".to_owned(),
        description: draft.long_text("description", session.description.as_deref()),
        hold_off: natural(session.hold_off).unwrap_or(DEFAULT_HOLD_OFF),
        session_tag: natural(session.session_tag).unwrap_or(0),
        status: draft.word("status", session.status.as_deref(), STATUSES),
        result: draft.word("result", session.result.as_deref(), RESULTS),
        time_start,
        time_end,
        time_started,
        time_ended,
        metadata: metadata.into(),
        created_at: times.created,
        updated_at: times.updated,
        version: 1,
    };
    draft.push(TargetRow::Session(Box::new(target)));
}

/// Accounts for the session's entry about one job. The job's attachment holds it, if the job refers to the session.
fn member(draft: &mut Draft, session: &Head, (id, part): (&str, &Value), job: Option<&Head>) {
    let what = match job {
        Some(job) if job.is_present() => match job.parent.as_deref() {
            Some(parent) if parent == session.id && job.project == session.project => {
                if job.is_usable() {
                    return draft.entry(MEMBERS, Outcome::Imported);
                }
                (job.reason(), "The job is in the quarantine.".to_owned())
            }
            Some(parent) if parent == session.id => {
                ("membership-conflict", "The job is in another project.".to_owned())
            }
            Some(parent) => ("membership-conflict", format!("The job says that it is in session {parent}.")),
            None => ("membership-conflict", "The job says that it is in no session.".to_owned()),
        },
        Some(_) => ("session-job-missing", "The job is deleted.".to_owned()),
        None => ("session-job-missing", "There is no such job.".to_owned()),
    };
    let reason = what.0;
    draft.entry(MEMBERS, Outcome::Quarantined);
    draft.entry_note(MEMBERS, id, Outcome::Quarantined, what);
    draft.entry_remainder(MEMBERS, id, reason, part.clone());
}
