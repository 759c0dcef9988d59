//! The job attachment: a job on one client, alone or in a session (data model, "How a job document maps onto the
//! rows").

use front::error::{Error, Result};
use serde_json::{Value, json};

use super::jobs::JobDocument;
use super::schedule::{EVENTS, RESULTS, RunState, STATUSES};
use super::shape::{
    Shape, about, closed, document, id, integer, must_be, nullable, project_id, resource_id, text, time,
    user_id, version, words,
};
use super::time::{self as moment, iso};
use super::time_or_never;
use crate::document::collection::Collection;
use crate::lifecycle::Event;
use crate::store;
use crate::store::job_attachments::JobAttachment;

/// The keys of a document that a request may contain, and that only the service sets.
pub(super) const READ_ONLY: &[&str] = &["id", "project_id", "user_id", "created_at", "updated_at", "version"];

/// Further read-only keys of a job attachment.
const OWN_READ_ONLY: &[&str] = &[
    "client_uuid",
    "session_tag",
    "session_status",
    "session_result",
    "session_time_started",
    "session_time_ended",
    "event_delivered",
];

/// The keys about a run, which a new attachment does not have yet.
const RUN: &[&str] = &["result", "current_pid", "time_started", "time_ended"];

/// Schema of a request body: these keys, and `ignored` ones, which a client that sends a whole document back may
/// include.
pub(super) fn request_schema(mut properties: Value, required: &[&str], ignored: &[&[&str]]) -> Value {
    for key in ignored.concat() {
        properties[key] = json!({"description": "Of the document; taken and ignored.", "readOnly": true});
    }
    let mut schema = json!({"type": "object", "additionalProperties": false, "properties": properties});
    match required {
        [] => schema["minProperties"] = json!(1),
        required => schema["required"] = json!(required),
    }
    schema
}

fn client() -> Value {
    let name = json!({"type": "string", "pattern": "^[A-Za-z0-9_.-]+$", "maxLength": 255});
    let name = must_be("a client's name or uuid: 1 to 255 letters, digits, dots, - and _", name);
    about("The client, by its name or its uuid: the project's own, or a central one.", name)
}

fn event() -> Value {
    about(
        "What is asked of the client's scheduler. It is pending until that has read it, and cannot be cleared before. A \
         `start` also clears the status and the result, unless they are in the same request.",
        words(EVENTS),
    )
}

/// The body of `POST /job-attachments`.
pub static JOB_ATTACHMENT_CREATE: Shape = Shape::new("JobAttachmentCreate", || {
    let properties = json!({
        "job_id": resource_id("The job (its definition) that is put on the client."),
        "client_id": client(),
        "session_id": about("The session that it joins, if any.", nullable(id())),
        "event": event(),
        "status": about("Where it stands to begin with.", words(STATUSES)),
    });
    request_schema(properties, &["job_id", "client_id"], &[READ_ONLY, OWN_READ_ONLY, RUN])
})
.with_example(|| json!({"job_id": "3c59dc048e8850243be8079a5c74d079", "client_id": "web2.example.com"}));

/// The body of `PATCH /job-attachments/{job_attachment_id}`.
pub static JOB_ATTACHMENT_PATCH: Shape = Shape::new("JobAttachmentPatch", || {
    let properties = json!({
        "job_id": about("The job, which cannot be changed; the same one is ignored.", id()),
        "client_id": client(),
        "session_id": about(
            "The session that it joins; null or \"\" leaves the one it is in, which asks the scheduler to stop whatever \
             else is asked.",
            nullable(id()),
        ),
        "event": event(),
        "status": about("Where it stands.", words(STATUSES)),
        "result": about("How the last run ended.", words(RESULTS)),
        "current_pid": about("The agent's process id; null leaves it.", nullable(integer(-1))),
        "time_started": about("When the last run started, in epoch seconds; -1 is never.", time()),
        "time_ended": about("When it ended, in epoch seconds; -1 is never, or not yet.", time()),
    });
    request_schema(properties, &[], &[READ_ONLY, OWN_READ_ONLY])
})
.with_example(|| json!({"event": "start"}));

document! {
    /// A job attachment as [`render`] shows it.
    JOB_ATTACHMENT: "JobAttachment";
    /// The JSON of a job attachment. Only callers that may have to kill the agent see its process id.
    render(attachment: &JobAttachment, client_name: &str, with_pid: bool);
    "id": resource_id("The attachment's id, which is the id of its job document."),
        "a1d0c6e83f027327d8461063f4ac58a6" => attachment.id;
    "project_id": project_id(), "8f3c1d6a2b7e4f0d9c5a1e6b3d8f2a47" => attachment.project_id;
    "user_id": user_id(), "c0ffee254729296a45a3885639ac7e10" => attachment.user_id;
    "client_id": about("The client's name.", text(255)), "web2.example.com" => client_name;
    "client_uuid": resource_id("The client's uuid."),
        "6f4922f45568161a8cdf4ad2299f6d23" => attachment.client_id;
    "job_id": resource_id("The job (its definition), which all clients of a fleet share."),
        "3c59dc048e8850243be8079a5c74d079" => attachment.job_id;
    "session_id": about("The session it is in.", nullable(text(64))), Value::Null => attachment.session_id;
    "event": about("What is asked of the client's scheduler.", words(EVENTS)), "" => attachment.event;
    "status": about("Where it stands.", words(STATUSES)), "scheduled" => attachment.status;
    "current_pid": about(
        "The agent's process id, for administrators, services and the project of the client.",
        nullable(integer(-1)),
    ), Value::Null => attachment.current_pid.filter(|_| with_pid);
    "result": about("How the last run ended.", words(RESULTS)), "success" => attachment.result;
    "time_started": about("When the last run started, in epoch seconds; -1 is never.", time()),
        1_796_095_843 => time_or_never(attachment.time_started);
    "time_ended": about("When it ended, in epoch seconds; -1 is never, or not yet.", time()),
        1_796_095_885 => time_or_never(attachment.time_ended);
    "session_tag": about("The session's run that the scheduler knows of.", integer(0)),
        0 => attachment.session_tag;
    "session_status": about("Where the job stands in the session's run.", text(32)),
        "" => attachment.session_status;
    "session_result": about("How its part in the session's run ended.", text(32)),
        "" => attachment.session_result;
    "session_time_started": about("When that started, in epoch seconds; -1 is never.", time()),
        -1 => time_or_never(attachment.session_time_started);
    "session_time_ended": about("When it ended, in epoch seconds; -1 is never, or not yet.", time()),
        -1 => time_or_never(attachment.session_time_ended);
    "event_delivered": about("Whether the scheduler has read the event.", json!({"type": "boolean"})),
        true => attachment.event_delivered;
    "created_at": about("When it was made.", moment::output_schema()),
        "2026-11-22T19:55:23.123456Z" => iso(attachment.created_at);
    "updated_at": about("When it was changed last.", moment::output_schema()),
        "2026-12-01T03:31:25.123456Z" => iso(attachment.updated_at);
    "version": version(), 7 => attachment.version;
}

/// The keys that lists of job attachments filter and sort by.
pub static COLLECTION: Collection = Collection {
    noun: "job_attachments",
    path: "job-attachments",
    keys: store::job_attachments::KEYS.keys,
    places: &[],
    extras: &[],
    is_strict: true,
    document: Some(&JOB_ATTACHMENT),
};

/// A new attachment as parsed from a body.
#[derive(Debug, Clone)]
pub struct NewAttachment {
    /// The definition.
    pub job_id: String,
    /// The client's name or uuid.
    pub client_id: String,
    /// The session that it joins, if any.
    pub session_id: Option<String>,
    /// The first event for the scheduler.
    pub event: String,
    /// The initial status.
    pub status: String,
}

/// Parses the body of a new attachment.
///
/// # Errors
/// 400 if the body does not have the shape.
pub fn parse(body: Value) -> Result<NewAttachment> {
    let body = JOB_ATTACHMENT_CREATE.check(body)?;
    let word = |key| super::text(&body, key).map(str::to_owned);
    Ok(NewAttachment {
        job_id: word("job_id").unwrap_or_default(),
        client_id: word("client_id").unwrap_or_default(),
        session_id: word("session_id").filter(|id| !id.is_empty()),
        event: word("event").unwrap_or_default(),
        status: word("status").unwrap_or_default(),
    })
}

/// A change of an attachment as parsed from a body.
#[derive(Debug, Clone)]
pub struct AttachmentPatch {
    job_id: Option<String>,
    /// The name or uuid of the client to move it to.
    pub client_id: Option<String>,
    session_id: Option<Option<String>>,
    run: RunState,
}

/// Parses the body of a change.
///
/// # Errors
/// 400 if the body is empty or does not have the shape.
pub fn parse_patch(body: Value) -> Result<AttachmentPatch> {
    let body = JOB_ATTACHMENT_PATCH.check(body)?;
    let word = |key| super::text(&body, key).map(str::to_owned);
    Ok(AttachmentPatch {
        job_id: word("job_id"),
        client_id: word("client_id"),
        session_id: body.get("session_id").map(|_| word("session_id").filter(|id| !id.is_empty())),
        run: RunState::from_object(&body),
    })
}

impl AttachmentPatch {
    /// The same change as a change of the job document.
    ///
    /// # Errors
    /// 400 if the body names another job.
    pub fn document(&self, stored: &JobAttachment) -> Result<JobDocument> {
        if self.job_id.as_ref().is_some_and(|id| *id != stored.job_id) {
            return Err(Error::bad_request("An attachment's job cannot be changed; attach the other job."));
        }
        let mut run = self.run.clone();
        let start = Event::Start.word();
        if run.event.as_deref() == Some(start) && stored.event != start {
            // As `POST /jobs/{job_id}/event` does: a scheduler ignores a job that is completed.
            run.status.get_or_insert_default();
            run.result.get_or_insert_default();
        }
        Ok(JobDocument {
            client_id: self.client_id.clone(),
            session_id: self.session_id.clone(),
            run,
            ..JobDocument::default()
        })
    }
}

/// The part of an attachment's document that its entity tag covers: everything but whether its event has been
/// delivered. A poll delivers the event, and is not a change of the attachment.
pub fn stable_part(document: &Value) -> Value {
    let mut part = document.clone();
    if let Value::Object(part) = &mut part {
        part.remove("event_delivered");
    }
    part
}
