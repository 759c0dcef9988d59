//! What a job document changes.

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use front::error::Result as Checked;
use serde_json::{Map, Value, json};

use super::{Refusal, sessions};
use crate::document::jobs::{ActionsById, JobAction, JobDocument, check_capability};
use crate::document::schedule::{self, unit};
use crate::lifecycle::{self, Event, Run};
use crate::store::action_attachments::ActionAttachment;
use crate::store::actions::Action;
use crate::store::clients::Client;
use crate::store::job_attachments::{AttachmentChange, JobAttachment};
use crate::store::jobs::{
    DefinitionChange, JobHead, JobRows, Membership, Mentions, NewAction, NewJob, PlaceSpec, Plan, References,
    RunColumns,
};
use crate::store::reports::FinishedRun;
use crate::store::sessions::Session;
use crate::store::types::json::Json;
use crate::store::types::time::Time;

/// The location of the schedule in a job document.
const UNIT: &str = "/job_schedule";

/// Whether the project's quotas have room for what a document creates. It is known before the plan, and matters where the
/// plan comes to it.
#[derive(Debug, Clone)]
pub struct Room {
    /// For a new job.
    pub job: Checked<()>,
    /// For the document's new actions.
    pub actions: Checked<()>,
}

impl Room {
    /// Without quotas.
    pub const UNLIMITED: Self = Self { job: Ok(()), actions: Ok(()) };
}

/// Makes the id of a new action.
pub type MakeId = fn() -> String;

/// What a PATCH refers to.
pub fn mentions(document: &JobDocument) -> Mentions {
    Mentions {
        client: document.client_id.clone(),
        session: changed_session(document).flatten(),
        actions: entry_ids(document),
        is_replacement: false,
    }
}

/// What a new job or a replacement refers to.
pub fn replacement_mentions(document: &JobDocument) -> Mentions {
    Mentions {
        client: document.client_id.clone(),
        session: document.session_id.clone().flatten(),
        actions: Some(entry_ids(document).unwrap_or_default()),
        is_replacement: true,
    }
}

fn entry_ids(document: &JobDocument) -> Option<Vec<Option<String>>> {
    let entries = document.actions.as_ref()?;
    Some(entries.iter().map(|entry| entry.action_id.clone()).collect())
}

/// The session that a PATCH wants the job in, if it changes the membership; `Some(None)` is none.
///
/// A scheduler sends back its schedule and the session that it last knew, which the job may have left since. So a document
/// with a schedule does not change the membership.
fn changed_session(document: &JobDocument) -> Option<Option<String>> {
    if document.has_schedule { None } else { document.session_id.clone() }
}

/// The change by a PATCH: the definition for every client that the job is on, the run for this one.
///
/// # Errors
/// What the document refers to is missing, the client cannot do it, or the schedule cannot run.
pub fn plan(
    rows: &JobRows,
    document: &JobDocument,
    room: Room,
    now: Time,
    new_id: MakeId,
) -> Result<Plan, Refusal> {
    let head = &rows.head;
    let membership = changed_session(document);
    let session = match &membership {
        Some(Some(id)) => Some(known_session(&rows.references, id)?),
        Some(None) | None => None,
    };
    let client = moved_to(rows, document.client_id.as_deref())?;
    let mut plan = Plan::default();
    let places = match &document.actions {
        Some(entries) => {
            let clients = clients_to_check(rows, entries, client, false);
            let places = settle(
                entries,
                &rows.references.actions,
                &rows.places,
                &clients,
                &mut plan.new_actions,
                new_id,
            )?;
            room.actions?;
            Some(places)
        }
        None => {
            if let Some(client) = client {
                for action in &rows.references.actions {
                    check_capability(client, &action.spec)?;
                }
            }
            None
        }
    };
    let unit = own_unit(head, document);
    check_unit(head, unit.as_ref(), now)?;
    plan.definition = DefinitionChange::between(
        (&head.job, &rows.places),
        document.description.clone(),
        unit.map(Json::from),
        places,
    );
    let mut change = run_change(&head.attachment, document);
    change.client_id = client.map(|client| client.id.clone());
    plan.finished = finished(head, &change);
    let after = change.applied_to(&head.attachment, now);
    plan.run = change;
    if membership.is_some() {
        // The session takes over how the job's last run went, as it is after this change.
        plan.membership = changed_membership(session, &after);
    }
    Ok(plan)
}

/// The change by a replacement: what the document leaves out is reset.
///
/// # Errors
/// As [`plan`].
pub fn replacement(
    rows: &JobRows,
    document: &JobDocument,
    room: Room,
    now: Time,
    new_id: MakeId,
) -> Result<Plan, Refusal> {
    let head = &rows.head;
    let attachment = &head.attachment;
    let session = match document.session() {
        Some(id) => Some(known_session(&rows.references, id)?),
        None => None,
    };
    let client = moved_to(rows, document.client_id.as_deref())?;
    let entries = document.actions.as_deref().unwrap_or_default();
    let clients = clients_to_check(rows, entries, client, true);
    let mut plan = Plan::default();
    let places =
        settle(entries, &rows.references.actions, &rows.places, &clients, &mut plan.new_actions, new_id)?;
    room.actions?;
    // The schedule of the session that the job stays in, sent back, keeps the job's own.
    let stays = session.map(|session| &session.id) == attachment.session_id.as_ref();
    let unit =
        Some(document.unit.clone()).filter(|unit| !(stays && session_unit(head).as_ref() == Some(unit)));
    check_unit(head, unit.as_ref(), now)?;
    let description = Some(document.description.clone().flatten());
    plan.definition =
        DefinitionChange::between((&head.job, &rows.places), description, unit.map(Json::from), Some(places));
    plan.membership = changed_membership(session, attachment);
    let run = document.run.clone();
    let mut reset = AttachmentChange {
        client_id: client.map(|client| client.id.clone()),
        status: Some(run.status.unwrap_or_default()),
        result: Some(run.result.unwrap_or_default()),
        current_pid: Some(run.current_pid),
        time_started: Some(run.time_started.flatten()),
        time_ended: Some(run.time_ended.flatten()),
        ..AttachmentChange::default()
    };
    match run.event {
        Some(event) => reset.request_event(&event),
        // Leaving a session requests a stop, which must stay.
        None if matches!(plan.membership, Some(Membership::Leaves(_))) => {}
        None => reset.request_event(""),
    }
    plan.reset = reset;
    Ok(plan)
}

/// What becomes of the times of a new document's last run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunTimes {
    /// It has none: `POST /jobs`.
    Unset,
    /// Those of the document: `POST /jobs/{job_id}`.
    AsGiven,
}

/// The new job of a document, and its client.
///
/// # Errors
/// As [`plan`].
pub fn creation<'r>(
    references: &'r References,
    document: &JobDocument,
    (times, room): (RunTimes, Room),
    now: Time,
    new_id: MakeId,
) -> Result<(&'r Client, NewJob), Refusal> {
    schedule::check(UNIT, &document.unit, None, now)?;
    let name = document.client_id.as_deref().unwrap_or_default();
    let client = known_client(references, name)?;
    let session = match document.session() {
        Some(id) => Some(known_session(references, id)?),
        None => None,
    };
    room.job?;
    let entries = document.actions.as_deref().unwrap_or_default();
    let mut new_actions = Vec::new();
    let places = settle(entries, &references.actions, &[], &[client], &mut new_actions, new_id)?;
    room.actions?;
    let run = document.run.clone();
    let given = |time: Option<Option<i64>>| time.flatten().filter(|_| times == RunTimes::AsGiven);
    let run = RunColumns {
        event: run.event.unwrap_or_default(),
        status: run.status.unwrap_or_default(),
        current_pid: run.current_pid,
        result: run.result.unwrap_or_default(),
        time_started: given(run.time_started),
        time_ended: given(run.time_ended),
    };
    let joins = session.map(|session| sessions::joining(session, &run));
    let new = NewJob {
        new_actions,
        places,
        description: document.description.clone().flatten(),
        scheduling: document.unit.clone().into(),
        run,
        joins,
        may_be_large: document.may_be_large(),
    };
    Ok((client, new))
}

/// Refuses to put a job on a further client that does not exist, does not support one of its actions (those of
/// `references`) or has the job already, or into a session that does not exist.
///
/// # Errors
/// The first of these.
pub fn check_attachment(
    references: &References,
    client: &str,
    session: Option<&str>,
    attachment_on_client: Option<String>,
) -> Result<(), Refusal> {
    let client = known_client(references, client)?;
    if let Some(id) = session {
        known_session(references, id)?;
    }
    for action in &references.actions {
        check_capability(client, &action.spec)?;
    }
    match attachment_on_client {
        None => Ok(()),
        Some(attachment) => Err(Refusal::AlreadyOnClient { client: client.client_id.clone(), attachment }),
    }
}

/// The change by which an event is requested (contract, api-v2 §7 "Events").
pub fn requesting(event: Event) -> AttachmentChange {
    let mut change = AttachmentChange::default();
    change.request_event(event.word());
    if event == Event::Start {
        change.status = Some(String::new());
        change.result = Some(String::new());
    }
    change
}

/// The client that a document refers to.
///
/// # Errors
/// The project sees no such client.
pub fn known_client<'r>(references: &'r References, name: &str) -> Result<&'r Client, Refusal> {
    references.client.as_ref().ok_or_else(|| Refusal::UnknownClient(name.to_owned()))
}

/// The session that a document refers to.
///
/// # Errors
/// The project has no such session.
pub fn known_session<'r>(references: &'r References, id: &str) -> Result<&'r Session, Refusal> {
    references.session.as_ref().ok_or_else(|| Refusal::UnknownSession(id.to_owned()))
}

/// The client that a document moves its attachment to, if it does.
fn moved_to<'r>(rows: &'r JobRows, name: Option<&str>) -> Result<Option<&'r Client>, Refusal> {
    let Some(name) = name.filter(|name| !rows.head.is_on(name)) else { return Ok(None) };
    let client = known_client(&rows.references, name)?;
    match &rows.attachment_on_client {
        None => Ok(Some(client)),
        Some(attachment) => {
            Err(Refusal::AlreadyOnClient { client: client.client_id.clone(), attachment: attachment.clone() })
        }
    }
}

/// The clients that must support the entries: every client that the job will be on if its actions change, otherwise the
/// one that it moves to. Only a replacement checks the client that it stays on if the actions stay too: schedulers repeat
/// the stored actions in each PATCH.
fn clients_to_check<'r>(
    rows: &'r JobRows,
    entries: &[JobAction],
    moved_to: Option<&'r Client>,
    is_replacement: bool,
) -> Vec<&'r Client> {
    let own = |client: &&Client| client.id == rows.head.attachment.client_id;
    let is_same = rows.has_same_actions(entries.iter().map(|entry| entry.action_id.as_deref()));
    let mut clients: Vec<&Client> = match (is_same, moved_to) {
        (false, _) => rows.clients.iter().collect(),
        (true, None) if is_replacement => rows.clients.iter().filter(own).collect(),
        (true, _) => Vec::new(),
    };
    if let Some(client) = moved_to {
        clients.retain(|other| !own(other));
        clients.push(client);
    }
    clients
}

/// The places of the entries: stored actions are linked, and the others added to `new_actions`.
fn settle(
    entries: &[JobAction],
    stored: &[Action],
    current: &[ActionAttachment],
    clients: &[&Client],
    new_actions: &mut Vec<NewAction>,
    new_id: MakeId,
) -> Result<Vec<PlaceSpec>, Refusal> {
    let known = ActionsById::from(stored.to_vec());
    let (mut places, mut checked) = (Vec::with_capacity(entries.len()), HashSet::new());
    for (index, entry) in entries.iter().enumerate() {
        let action = entry.resolve(&known)?;
        // Each action is checked once, however many entries refer to it.
        if action.is_none_or(|action| checked.insert(&action.id)) {
            for client in clients {
                check_capability(client, action.map_or(&entry.spec, |action| &action.spec))?;
            }
        }
        places.push(match action {
            Some(action) => {
                let stored = current.get(index).filter(|place| place.action_id == action.id);
                entry.place(&action.id, &action.spec, stored)
            }
            None => {
                let id = new_id();
                let place = entry.place(&id, &entry.spec, None);
                new_actions.push(NewAction { id, spec: entry.spec.clone() });
                place
            }
        });
    }
    Ok(places)
}

/// The change of an attachment to be in a session, or in none; `None` if it is so already.
fn changed_membership(session: Option<&Session>, attachment: &JobAttachment) -> Option<Membership> {
    match session {
        Some(session) if attachment.session_id.as_ref() == Some(&session.id) => None,
        Some(session) => {
            Some(Membership::Joins(sessions::joining(session, &RunColumns::from_attachment(attachment))))
        }
        None if attachment.session_id.is_none() => None,
        None => Some(Membership::Leaves(AttachmentChange::leaving_session())),
    }
}

/// The run that a change finishes, to become history.
fn finished(head: &JobHead, change: &AttachmentChange) -> Option<FinishedRun> {
    let stored = &head.attachment;
    let before = Run { started: stored.time_started, ended: stored.time_ended, result: &stored.result };
    let after = Run {
        started: change.time_started.unwrap_or(stored.time_started),
        ended: change.time_ended.unwrap_or(stored.time_ended),
        result: change.result.as_ref().unwrap_or(&stored.result),
    };
    let ended = after.ended.filter(|_| lifecycle::finishes(before, after))?;
    Some(FinishedRun {
        started: after.started,
        ended,
        result: after.result.to_owned(),
        client_name: head.client_name.clone(),
        metadata: Json::from(json!({
            "job_id": stored.id,
            "client_id": head.client_name,
            "session_id": stored.session_id,
            "session_tag": stored.session_tag,
        })),
    })
}

/// The change of an attachment's run by a document.
fn run_change(stored: &JobAttachment, document: &JobDocument) -> AttachmentChange {
    let run = &document.run;
    let mut change = AttachmentChange {
        status: run.status.clone(),
        result: run.result.clone(),
        current_pid: run.current_pid.map(Some),
        time_started: run.time_started,
        time_ended: run.time_ended,
        session_tag: sent_tag(stored, document),
        ..AttachmentChange::default()
    }
    .without_repeats(stored);
    let event = lifecycle::event_after(&stored.event, stored.event_delivered, run.event.as_deref());
    if event != stored.event {
        change.request_event(event);
    }
    change
}

/// The tag of the session's run that a scheduler knows, if the document is about the session that the job is in.
fn sent_tag(stored: &JobAttachment, document: &JobDocument) -> Option<i32> {
    let about = document.session_id.clone().unwrap_or_else(|| stored.session_id.clone());
    document.session_tag.filter(|_| about.is_some() && about == stored.session_id)
}

/// The schedule that a document gives the job itself. The schedule of the job's session, sent back, is not the job's; nor
/// is that of a session that the job has left since the scheduler read it.
fn own_unit(head: &JobHead, document: &JobDocument) -> Option<Map<String, Value>> {
    let named = document.session_id.clone().flatten();
    if document.unit.is_empty() || (named.is_some() && named != head.attachment.session_id) {
        return None;
    }
    (session_unit(head).as_ref() != Some(&document.unit)).then(|| document.unit.clone())
}

/// Refuses a schedule that no scheduler can run, unless the job has it already.
fn check_unit(head: &JobHead, unit: Option<&Map<String, Value>>, now: Time) -> Result<(), Refusal> {
    let Some(unit) = unit else { return Ok(()) };
    Ok(schedule::check(UNIT, unit, Some(&head.job.scheduling.object()), now)?)
}

/// The schedule of the session that a job is in.
fn session_unit(head: &JobHead) -> Option<Map<String, Value>> {
    head.session_scheduling.as_ref().map(|schedule| unit(&schedule.object()))
}
