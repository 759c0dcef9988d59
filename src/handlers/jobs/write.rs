//! What writing a job document does to its rows.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value, json};

use super::super::sessions::{join, leave};
use super::super::{Request, document_size};
use super::named::{changed_client, check_client, is_on, known_client, wanted_session};
use crate::document::jobs::{JobAction, JobDocument, KnownActions, check_capability};
use crate::document::schedule::{self, unit};
use crate::lifecycle::{self, Event, Run};
use crate::store::action_attachments::{self, ActionAttachment};
use crate::store::actions::{self, Action};
use crate::store::clients::{self, Client};
use crate::store::counts::Resource;
use crate::store::document_type::Json;
use crate::store::job_attachments::{self, AttachmentChange, JobAttachment};
use crate::store::jobs::{self, JobHead, NewId, PlaceSpec};
use crate::store::moment_type::Time;
use crate::store::reports::{self, FinishedRun};
use crate::store::sessions::Session;
use crate::store::{Failure, Outcome, Tx, new_id, sessions};

/// Where a job document has its schedule unit.
const UNIT: &str = "/job_schedule";

/// What becomes of a new document's `time_started` and `time_ended`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// Never: `POST /jobs`.
    Stamped,
    /// What the document says: `POST /jobs/{job_id}`.
    AsGiven,
}

/// What became of a new document.
pub struct Inserted {
    /// The job that it is the first attachment of.
    pub job_id: String,
    /// The client that it is on.
    pub client: Client,
    /// Its version.
    pub version: i32,
}

/// Refuses a new document for what [`insert`] would refuse it for, and writes nothing; returns its client.
pub fn check(tx: &mut Tx<'_>, request: &Request<'_>, document: &JobDocument) -> Outcome<Client> {
    schedule::check(UNIT, &document.unit, None, tx.now)?;
    let client = known_client(tx, request, document.client_id.as_deref().unwrap_or_default())?;
    wanted_session(tx, request, document.session())?;
    let entries = document.actions.as_deref().unwrap_or_default();
    let known = referred(tx, request, entries)?;
    matched(entries, &known, std::slice::from_ref(&client))?;
    request.reserve(Resource::Jobs, 1)?;
    request.reserve(Resource::Actions, document.new_actions())?;
    Ok(client)
}

/// Writes a new job and its first attachment under `id`.
pub fn insert(
    tx: &mut Tx<'_>,
    request: &Request<'_>,
    id: NewId<'_>,
    document: &JobDocument,
    times: Times,
) -> Outcome<Inserted> {
    tx.expect_room()?;
    schedule::check(UNIT, &document.unit, None, tx.now)?;
    let owner = (request.project(), request.user());
    let name = document.client_id.as_deref().unwrap_or_default();
    let client = known_client(tx, request, name)?;
    let session = wanted_session(tx, request, document.session())?;
    request.reserve(Resource::Jobs, 1)?;
    let places = settle(
        tx,
        request,
        document.actions.as_deref().unwrap_or_default(),
        &[],
        std::slice::from_ref(&client),
    )?;
    let description = document.description.clone().flatten();
    let job_id = jobs::insert(tx, owner, id, description, document.unit.clone(), &places)?;
    let run = document.run.clone();
    let attachment = JobAttachment {
        event: run.event.unwrap_or_default(),
        status: run.status.unwrap_or_default(),
        current_pid: run.current_pid,
        result: run.result.unwrap_or_default(),
        time_started: run.time_started.flatten().filter(|_| times == Times::AsGiven),
        time_ended: run.time_ended.flatten().filter(|_| times == Times::AsGiven),
        ..JobAttachment::new(id.id(), owner, &job_id, &client.id, tx.now)
    };
    job_attachments::insert(tx, &attachment)?;
    let version = match session {
        Some(session) => join(tx, &session, &attachment)?,
        None => attachment.version,
    };
    check_new(tx, request, document, &job_id)?;
    Ok(Inserted { job_id, client, version: version + 1 })
}

/// Refuses a new job that is too large, or makes its session too large.
fn check_new(tx: &mut Tx<'_>, request: &Request<'_>, document: &JobDocument, job_id: &str) -> Outcome<()> {
    if document.may_be_large() {
        document_size::check_job(tx, job_id, 0)?;
    }
    match document.session() {
        Some(session) => document_size::check_session(tx, request, session, 0),
        None => Ok(()),
    }
}

/// What a document changes in the run, if it changes nothing else and writes no history: what schedulers say most often. One
/// statement does that.
pub fn only_of_run(head: &JobHead, document: &JobDocument) -> Option<AttachmentChange> {
    // All that there is, so that whatever is added must be thought of here. The id is that of the path.
    let JobDocument {
        id: _,
        client_id,
        description,
        session_id,
        session_tag: _,
        has_schedule,
        unit: _,
        run: _,
        actions,
    } = document;
    let moves = client_id.as_deref().is_some_and(|name| !is_on(head, name));
    let joins_or_leaves = session_id.is_some() && !has_schedule;
    let describes = description.as_ref().is_some_and(|text| *text != head.job.description);
    let schedules = own_unit(head, document).is_some_and(|unit| Json::from(unit) != head.job.scheduling);
    if actions.is_some() || moves || joins_or_leaves || describes || schedules {
        return None;
    }
    let change = run_change(&head.attachment, document);
    let [before, after] = runs(&head.attachment, &change);
    (!lifecycle::finishes(before, after)).then_some(change)
}

/// Changes what a document says: the definition for every client the job is on, the run for this one. Returns
/// the document's version.
///
/// The documents may have the size that is stored in any case.
pub fn patch(
    tx: &mut Tx<'_>,
    request: &Request<'_>,
    head: &JobHead,
    document: &JobDocument,
    stored: usize,
) -> Outcome<i32> {
    // A scheduler sends its schedule and the session it last knew of, which may be long left or gone: membership
    // changes only for somebody who means it, and sends no schedule along.
    let session = match document.has_schedule {
        true => None,
        false => wanted_session(tx, request, document.session())?,
    };
    let client = changed_client(tx, request, head, document.client_id.as_deref())?;
    let places = match &document.actions {
        Some(entries) => {
            // What a scheduler repeats is nobody's to check.
            Some(settle_changed(tx, request, head, entries, client.as_ref(), Vec::new())?)
        }
        None => {
            if let Some(client) = &client {
                check_client(tx, client, &head.job.id)?;
            }
            None
        }
    };
    let unit = own_unit(head, document);
    check_unit(head, unit.as_ref(), tx.now)?;
    let job_version =
        jobs::redefine(tx, request.user(), &head.job, document.description.clone(), unit, places.as_deref())?;
    let job_version = moved(tx, head, client.as_ref(), job_version)?;

    let mut change = run_change(&head.attachment, document);
    change.client_id = client.map(|client| client.id);
    let version = write_run(tx, request, head, change)?;
    if job_version != head.job.version {
        document_size::check_job(tx, &head.job.id, stored)?;
    }
    if document.has_schedule || document.session_id.is_none() {
        return Ok(job_version + version);
    }
    // As it is now: a session takes over how its job's last run went.
    let Some(attachment) = job_attachments::find(tx, request.project(), &head.attachment.id)? else {
        return Err(Failure::Stale);
    };
    let version = match session {
        Some(session) => joined(tx, request, &session, &attachment, stored)?,
        None => leave(tx, &attachment)?,
    };
    Ok(job_version + version)
}

/// Takes a job into a session, if neither of the two becomes too large; returns the attachment's version.
fn joined(
    tx: &mut Tx<'_>,
    request: &Request<'_>,
    session: &Session,
    attachment: &JobAttachment,
    stored: usize,
) -> Outcome<i32> {
    let version = join(tx, session, attachment)?;
    if version != attachment.version {
        document_size::check_session(tx, request, &session.id, 0)?;
        document_size::check_job(tx, &attachment.job_id, stored)?;
    }
    Ok(version)
}

/// Replaces what a document says; what it does not say is reset. Returns the document's version. The documents may have
/// the size that is stored in any case.
pub fn replace(
    tx: &mut Tx<'_>,
    request: &Request<'_>,
    head: &JobHead,
    document: &JobDocument,
    stored_size: usize,
) -> Outcome<i32> {
    let session = wanted_session(tx, request, document.session())?;
    let client = changed_client(tx, request, head, document.client_id.as_deref())?;
    let own = clients::by_row(tx, &head.attachment.client_id)?.into_iter().collect();
    let entries = document.actions.as_deref().unwrap_or_default();
    let places = settle_changed(tx, request, head, entries, client.as_ref(), own)?;
    // What it has from the session it stays in, sent back, leaves what the job itself has.
    let stays = session.as_ref().map(|session| &session.id) == head.attachment.session_id.as_ref();
    let unit =
        Some(document.unit.clone()).filter(|unit| !(stays && session_unit(head).as_ref() == Some(unit)));
    check_unit(head, unit.as_ref(), tx.now)?;
    let description = Some(document.description.clone().flatten());
    let job_version = jobs::redefine(tx, request.user(), &head.job, description, unit, Some(&places))?;
    let job_version = moved(tx, head, client.as_ref(), job_version)?;

    if job_version != head.job.version {
        document_size::check_job(tx, &head.job.id, stored_size)?;
    }
    let version = match session {
        Some(session) => joined(tx, request, &session, &head.attachment, stored_size)?,
        None => leave(tx, &head.attachment)?,
    };
    let left = head.attachment.session_id.is_some() && document.session_id.clone().flatten().is_none();
    let stored = JobAttachment { version, ..head.attachment.clone() };
    let run = document.run.clone();
    let mut change = AttachmentChange {
        client_id: client.map(|client| client.id),
        status: Some(run.status.unwrap_or_default()),
        result: Some(run.result.unwrap_or_default()),
        current_pid: Some(run.current_pid),
        time_started: Some(run.time_started.flatten()),
        time_ended: Some(run.time_ended.flatten()),
        ..AttachmentChange::default()
    };
    match run.event {
        Some(event) => change.request_event(&event),
        // Leaving a session asks for a stop, which stays.
        None if left => {}
        None => change.request_event(""),
    }
    Ok(job_version + job_attachments::update(tx, &stored, &change)?)
}

/// What asking for an event changes (contract, api-v2 §7 "Events").
pub fn asking(event: Event) -> AttachmentChange {
    let mut change = AttachmentChange::default();
    change.request_event(event.word());
    if event == Event::Start {
        change.status = Some(String::new());
        change.result = Some(String::new());
    }
    change
}

/// Writes what a run changes and, when that finishes it, its history.
fn write_run(
    tx: &mut Tx<'_>,
    request: &Request<'_>,
    head: &JobHead,
    change: AttachmentChange,
) -> Outcome<i32> {
    let stored = &head.attachment;
    let [before, after] = runs(stored, &change);
    let version = job_attachments::update(tx, stored, &change)?;
    if let (true, Some(ended)) = (lifecycle::finishes(before, after), after.ended) {
        let metadata = json!({
            "job_id": stored.id,
            "client_id": head.client_name,
            "session_id": stored.session_id,
            "session_tag": stored.session_tag,
        });
        let run = FinishedRun {
            started: after.started,
            ended,
            result: after.result,
            client_name: &head.client_name,
            metadata: Json::from(metadata),
        };
        reports::write(tx, stored, request.user(), &run)?;
    }
    Ok(version)
}

/// An attachment's run before a change and after it.
fn runs<'r>(stored: &'r JobAttachment, change: &'r AttachmentChange) -> [Run<'r>; 2] {
    let before = Run { started: stored.time_started, ended: stored.time_ended, result: &stored.result };
    let after = Run {
        started: change.time_started.unwrap_or(stored.time_started),
        ended: change.time_ended.unwrap_or(stored.time_ended),
        result: change.result.as_ref().unwrap_or(&stored.result),
    };
    [before, after]
}

/// What a document's run state changes in an attachment.
fn run_change(stored: &JobAttachment, document: &JobDocument) -> AttachmentChange {
    let run = &document.run;
    let mut change = AttachmentChange {
        status: run.status.clone().filter(|value| *value != stored.status),
        result: run.result.clone().filter(|value| *value != stored.result),
        current_pid: run.current_pid.map(Some).filter(|value| *value != stored.current_pid),
        time_started: run.time_started.filter(|value| *value != stored.time_started),
        time_ended: run.time_ended.filter(|value| *value != stored.time_ended),
        session_tag: sent_tag(stored, document),
        ..AttachmentChange::default()
    };
    let event = lifecycle::event_after(&stored.event, stored.event_delivered, run.event.as_deref());
    if event != stored.event {
        change.request_event(event);
    }
    change
}

/// The run's tag that a scheduler noted, if it is about the session the job is in.
fn sent_tag(stored: &JobAttachment, document: &JobDocument) -> Option<i32> {
    let about = document.session_id.clone().unwrap_or_else(|| stored.session_id.clone());
    document
        .session_tag
        .filter(|tag| about.is_some() && about == stored.session_id && *tag != stored.session_tag)
}

/// The schedule unit that a document gives the job itself. What the job has from its session, sent back, is not; nor
/// is what it had from a session it has left since the scheduler read it.
fn own_unit(head: &JobHead, document: &JobDocument) -> Option<Map<String, Value>> {
    let named = document.session_id.clone().flatten();
    if document.unit.is_empty() || (named.is_some() && named != head.attachment.session_id) {
        return None;
    }
    (session_unit(head).as_ref() != Some(&document.unit)).then(|| document.unit.clone())
}

/// Refuses a schedule unit that no scheduler can run, unless it is the job's already.
fn check_unit(head: &JobHead, unit: Option<&Map<String, Value>>, now: Time) -> Outcome<()> {
    let Some(unit) = unit else { return Ok(()) };
    Ok(schedule::check(UNIT, unit, Some(&head.job.scheduling.object()), now)?)
}

/// The schedule unit that a job has from its session, if it is in one.
fn session_unit(head: &JobHead) -> Option<Map<String, Value>> {
    head.session_scheduling.as_ref().map(|schedule| unit(&schedule.object()))
}

/// Sees to it that a job that is put on another client has a new version, so that nobody gives it an action at the same
/// moment that this client cannot do. Returns the job's version.
fn moved(tx: &mut Tx<'_>, head: &JobHead, client: Option<&Client>, job_version: i32) -> Outcome<i32> {
    if client.is_some()
        && let Some(session) = &head.attachment.session_id
    {
        // It shows the names of its jobs' clients.
        sessions::member_moved(tx, session)?;
    }
    if client.is_none() || job_version != head.job.version {
        return Ok(job_version);
    }
    jobs::touch(tx, &head.job)?;
    Ok(job_version + 1)
}

/// The places that some entries ask for. When they differ from the current ones, every client that the job is on must be
/// able to do what they say; when they are the same, only the one that it is moved to, or else `repeated_for`.
fn settle_changed(
    tx: &mut Tx<'_>,
    request: &Request<'_>,
    head: &JobHead,
    entries: &[JobAction],
    moved_to: Option<&Client>,
    repeated_for: Vec<Client>,
) -> Outcome<Vec<PlaceSpec>> {
    let current = action_attachments::of_job(tx, &head.job.id)?;
    let same = entries.len() == current.len()
        && entries
            .iter()
            .zip(&current)
            .all(|(entry, place)| entry.action_id.as_ref() == Some(&place.action_id));
    let mut clients = match (same, moved_to) {
        (false, _) => job_attachments::clients_of(tx, &head.job.id)?,
        (true, Some(_)) => Vec::new(),
        (true, None) => repeated_for,
    };
    if let Some(client) = moved_to {
        clients.retain(|other| other.id != head.attachment.client_id);
        clients.push(client.clone());
    }
    settle(tx, request, entries, &current, &clients)
}

/// Turns the entries of `job_actions` into places: known actions are linked, new ones written. Everything is
/// checked before anything is written.
fn settle(
    tx: &mut Tx<'_>,
    request: &Request<'_>,
    entries: &[JobAction],
    current: &[ActionAttachment],
    clients: &[Client],
) -> Outcome<Vec<PlaceSpec>> {
    let known = referred(tx, request, entries)?;
    let settled = matched(entries, &known, clients)?;
    let (mut places, mut new) = (Vec::with_capacity(entries.len()), Vec::new());
    for (index, (entry, action)) in settled.into_iter().enumerate() {
        let place = match action {
            Some(action) => {
                let stored = current.get(index).filter(|place| place.action_id == action.id);
                entry.place(&action.id, &action.spec, stored)
            }
            None => {
                let id = new_id();
                new.push(actions::new(tx, request.project(), request.user(), &id, entry.spec.clone()));
                entry.place(&id, &entry.spec, None)
            }
        };
        places.push(place);
    }
    request.reserve(Resource::Actions, new.len())?;
    actions::insert_all(tx, &new)?;
    Ok(places)
}

/// The actions of the project that some entries refer to.
fn referred(tx: &mut Tx<'_>, request: &Request<'_>, entries: &[JobAction]) -> Outcome<KnownActions> {
    let ids: BTreeSet<&String> = entries.iter().filter_map(|entry| entry.action_id.as_ref()).collect();
    let ids = ids.into_iter().cloned().collect();
    Ok(actions::find_all(tx, request.project(), ids)?.into())
}

/// Each entry with the action it refers to, if it does; refuses what one of the clients cannot do.
fn matched<'e>(
    entries: &'e [JobAction],
    known: &'e KnownActions,
    clients: &[Client],
) -> Outcome<Vec<(&'e JobAction, Option<&'e Action>)>> {
    let (mut matched, mut checked) = (Vec::with_capacity(entries.len()), HashSet::new());
    for entry in entries {
        let action = entry.referred(known)?;
        // An action is looked at once, however many entries name it.
        if action.is_none_or(|action| checked.insert(&action.id)) {
            for client in clients {
                check_capability(client, action.map_or(&entry.spec, |action| &action.spec))?;
            }
        }
        matched.push((entry, action));
    }
    Ok(matched)
}
