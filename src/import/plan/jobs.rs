//! Jobs: the definition, and its attachment to a client.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value, json};

use super::draft::Draft;
use super::text::natural;
use super::{entries, schedules};
use crate::document::MAX_DOCUMENT;
use crate::document::jobs::MAX_ACTIONS;
use crate::document::schedule::{EVENTS, RESULTS, STATUSES};
use crate::import::legacy::{Job, Row};
use crate::import::staging::table::{Head, state};
use crate::import::unit::TargetRow;
use crate::store::Owner;
use crate::store::job_attachments::JobAttachment;
use crate::store::jobs::Job as TargetJob;
use crate::store::types::time::Time;

/// Upper bound on a job's document beside its description, its schedule and its actions.
const BESIDE: usize = 4096;

/// The looked-up rows for the plan of a job.
pub struct Facts<'f> {
    /// The client that the job names.
    pub client: Option<&'f Head>,
    /// The session that the job names.
    pub session: Option<&'f Head>,
    /// The schedule of that session.
    pub session_schedule: Option<&'f Map<String, Value>>,
    /// The session's entry about the job.
    pub member: Option<Value>,
    /// Whether the job has a trust.
    pub has_trust: bool,
    /// The number of the job's rows in `job_actions`, and the size of their actions.
    pub places: (i64, i64),
    /// The actions that the job's entries name.
    pub actions: &'f HashMap<String, Head>,
    /// The actions that were made again, for this job or another.
    pub restored: &'f mut BTreeSet<String>,
}

/// Plans a job.
pub fn plan(draft: &mut Draft, head: &Head, row: &Row, job: &Job, mut facts: Facts<'_>, now: Time) {
    let Some(client) = client(draft, job, facts.client) else { return };
    let project = head.project.clone().unwrap_or_default();
    let seconds = |key: &str| job.schedule.get(key).and_then(Value::as_i64).filter(|time| *time >= 0);
    let times = draft.times(row, seconds("time_created"), now);
    let schedule = schedules::known(draft, &job.schedule);
    let unit = schedules::when(&schedule);
    let description = draft.long_text("description", job.description.as_deref());

    let about = entries::JobContext {
        job: head.target(),
        key: &head.id,
        project: &project,
        user: &row.user,
        client: client.name.as_deref().unwrap_or_default(),
        times,
        started: seconds("time_started"),
        ended: seconds("time_ended").filter(|ended| *ended > 0),
    };
    let list = job.entries.as_deref().unwrap_or_default();
    let planned = entries::plan(&about, list, facts.actions, facts.restored);
    let count = list.len().max(usize::try_from(facts.places.0).unwrap_or(usize::MAX));
    let actions: usize = planned.iter().map(|entry| entry.weight).sum();
    let actions = actions.saturating_add(usize::try_from(facts.places.1).unwrap_or(usize::MAX));
    let own = BESIDE + description.as_ref().map_or(0, String::len) + crate::document::size(&unit);
    if count > MAX_ACTIONS {
        draft.quarantine("too-large", format!("It has {count} actions, and may have {MAX_ACTIONS}."));
        return;
    }
    if own.saturating_add(actions) > MAX_DOCUMENT {
        let size = own.saturating_add(actions);
        draft.quarantine(
            "too-large",
            format!("Its document has about {size} bytes, and may have {MAX_DOCUMENT}."),
        );
        return;
    }

    let word = |key: &str| job.schedule.get(key).and_then(Value::as_str).filter(|word| !word.is_empty());
    let session = session(draft, head, job, &facts);
    let mut attachment = JobAttachment {
        event: draft.word("event", word("event").or_else(|| word("job_event")), EVENTS),
        status: draft.word("status", word("status"), STATUSES),
        result: draft.word("result", word("result"), RESULTS),
        current_pid: job
            .schedule
            .get("current_pid")
            .and_then(Value::as_i64)
            .and_then(|pid| i32::try_from(pid).ok()),
        time_started: seconds("time_started"),
        time_ended: seconds("time_ended"),
        updated_at: times.updated,
        ..JobAttachment::new(
            head.target(),
            Owner::new(&project, &row.user),
            head.target(),
            client.target(),
            times.created,
        )
    };
    if let Some(session) = session {
        attachment.session_id = Some(session.target().to_owned());
        attachment.session_tag = natural(job.session_tag).unwrap_or(0);
        part(draft, &mut attachment, head, session, facts.member.take());
    }
    draft.push(TargetRow::Job(Box::new(TargetJob {
        id: head.target().to_owned(),
        project_id: project.clone(),
        user_id: row.user.clone(),
        scheduling: unit.into(),
        description,
        created_at: times.created,
        updated_at: times.updated,
        version: 1,
        has_trust: facts.has_trust,
    })));
    draft.push(TargetRow::Attachment(Box::new(attachment)));
    for (index, entry) in planned.into_iter().enumerate() {
        entry.apply(draft, index);
    }
}

/// The client that a job runs on; quarantines the job if there is none.
fn client<'f>(draft: &mut Draft, job: &Job, client: Option<&'f Head>) -> Option<&'f Head> {
    let Some(client) = client else {
        draft.quarantine("client-missing", format!("There is no client {:?}.", job.client));
        return None;
    };
    if !client.is_usable() {
        let detail = format!("Its client {} is not imported: {}.", job.client, client.reason());
        draft.quarantine(client.reason(), detail);
        return None;
    }
    match client.state {
        state::MADE => {
            draft.note("client-missing", format!("There never was a client {:?}; one is made.", job.client));
            draft.refers_to(client.target());
        }
        state::REVIVED => {
            draft
                .note("client-undeleted", format!("Its client {:?} is deleted, and comes back.", job.client));
            draft.refers_to(client.target());
        }
        _ => {}
    }
    Some(client)
}

/// The session that a job is in.
fn session<'f>(draft: &mut Draft, head: &Head, job: &Job, facts: &Facts<'f>) -> Option<&'f Head> {
    let id = job.session_id.as_deref().filter(|id| !id.is_empty())?;
    let why = match facts.session {
        None => "which never was".to_owned(),
        Some(session) if !session.is_present() => "which is deleted".to_owned(),
        Some(session) if session.project != head.project => "which is in another project".to_owned(),
        Some(session) if !session.is_usable() => format!("which is not imported: {}", session.reason()),
        Some(session) => {
            if session.core != head.core {
                let of_session = facts.session_schedule.map(schedules::when).unwrap_or_default();
                let own = Value::Object(schedules::when(&job.schedule));
                let detail = format!(
                    "Its own schedule is {own}, and its session's, which counts from now on, {}.",
                    Value::Object(of_session)
                );
                draft.note("schedule-differs", detail);
            }
            return Some(session);
        }
    };
    draft.note("session-missing", format!("It was in session {id}, {why}; it is in none now."));
    None
}

/// The session's record of the job in the latest run.
fn part(
    draft: &mut Draft,
    attachment: &mut JobAttachment,
    head: &Head,
    session: &Head,
    member: Option<Value>,
) {
    let Some(member) = member else {
        let what = ("membership-gap", "The session does not know of the job, which is in it.".to_owned());
        draft.note_of(super::sessions::MEMBERS, format!("{}/{}", session.id, head.id), what);
        return;
    };
    let word = |key: &str| member.get(key).and_then(Value::as_str);
    let time = |key: &str| member.get(key).and_then(Value::as_i64).filter(|time| *time >= 0);
    attachment.session_status = draft.word("session status", word("status"), STATUSES);
    attachment.session_result =
        draft.word("session result", word("result"), crate::document::sessions::RESULTS);
    attachment.session_time_started = time("time_started");
    attachment.session_time_ended = time("time_ended");
    if !member.is_object() {
        draft.remainder("bad-json", json!({ "session": session.id, "job": member }));
    }
}
