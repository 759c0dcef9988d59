//! Job attachments: a job on a client, alone or in a session. Several attachments of one job are a fleet. Each is also a job
//! document, so a PATCH here is a PATCH of that document.

use front::error::{Error, Result};
use front::http::{Precondition, Reply};
use serde_json::Value;

use super::job_document::trust::{self, Preparation, TrustUse};
use super::job_document::{PidAccess, may_see_pid, sees_all, stored_size, write};
use super::{Request, document_size};
use crate::app::App;
use crate::catalogue::jobs::{Room, check_attachment, known_client, mentions, plan};
use crate::catalogue::sessions::joining;
use crate::document::job_attachments::{COLLECTION, NewAttachment, parse, parse_patch, render, stable_part};
use crate::store::clients::Client;
use crate::store::counts::Resource;
use crate::store::jobs::{self, Job, JobHead, JobRows, Mentions, References, RunColumns};
use crate::store::{Failure, Outcome, Tx, action_attachments, job_attachments, job_trusts, new_id};

/// `GET /job-attachments`
pub fn list(app: &App, request: &Request<'_>) -> Result<Reply> {
    let asked = request.list_request(app, &COLLECTION)?;
    let sees_all = sees_all(request)?;
    let listing =
        app.store.read(|tx| job_attachments::list(tx, request.project(), &asked.query, asked.page))?;
    let pid_access = PidAccess::new(request, sees_all);
    Ok(request.list_reply(asked, listing, move |(attachment, client), sink| {
        sink.write(&render(attachment, &client.name, pid_access.has_pid(&client.project_id)))
    }))
}

/// `POST /job-attachments`: puts a job on a further client.
pub fn create(app: &App, request: &Request<'_>) -> Result<Reply> {
    let new = parse(request.call.json()?)?;
    let id = new_id();
    request.prepare_quota(app, Resource::Jobs, 1)?;
    let sees_all = sees_all(request)?;
    let mut document = Value::Null;
    let check = |tx: &mut Tx<'_>| {
        let (job, references) = resolve(tx, request, &new)?;
        without_trust(tx, &job.id, references.client)
    };
    trust::create(app, request, check, |need| {
        app.store.write(|tx| {
            tx.expect_room()?;
            if !still_pinned(tx, request, need)? {
                return Ok(TrustUse::Removed);
            }
            let (job, references) = resolve(tx, request, &new)?;
            let client = known_client(&references, &new.client_id)?;
            insert(tx, request, &id, &new, &job, &references)?;
            document = shown(request, sees_all, &written(tx, request, &id)?);
            need.map_or(Ok(TrustUse::Used), |need| need.record(tx, request, client, &job.id))
        })
    })?;
    Ok(Reply::document_tagged(201, &document, &stable_part(&document))
        .with_header("Location", request.location("job-attachments", &id)))
}

/// `GET /job-attachments/{job_attachment_id}`
pub fn show(app: &App, request: &Request<'_>) -> Result<Reply> {
    let sees_all = sees_all(request)?;
    let head = app.store.read(|tx| found(tx, request))?;
    let document = shown(request, sees_all, &head);
    Ok(Reply::document_tagged(200, &document, &stable_part(&document)))
}

/// `PATCH /job-attachments/{job_attachment_id}`
pub fn update(app: &App, request: &Request<'_>) -> Result<Reply> {
    let precondition = Precondition::from_call(request.call)?;
    let patch = parse_patch(request.call.json()?)?;
    let sees_all = sees_all(request)?;
    let decided = |tx: &mut Tx<'_>| {
        let head = found(tx, request)?;
        precondition.check(Some(&stable_part(&shown(request, sees_all, &head))))?;
        let document = patch.document(&head.attachment)?;
        let rows = jobs::load_around(tx, request.owner(), head, &mentions(&document))?;
        let plan = plan(&rows, &document, Room::UNLIMITED, tx.now, new_id)?;
        Ok::<_, Failure>((rows, plan))
    };
    let check = |tx: &mut Tx<'_>| {
        let (rows, _) = decided(tx)?;
        without_trust(tx, &rows.head.job.id, rows.references.client)
    };
    let mut document = Value::Null;
    let mut write = |need: Option<&Preparation<'_>>| {
        document_size::write(
            app,
            |tx| stored_size(tx, request),
            |tx, size| {
                if !still_pinned(tx, request, need)? {
                    return Ok(TrustUse::Removed);
                }
                let (rows, plan) = decided(tx)?;
                let applied = write::apply(tx, request, &rows, &plan, size)?;
                let JobRows { mut head, references, .. } = rows;
                if let Some(client) = &references.client {
                    head.client_name.clone_from(&client.client_id);
                    head.client_project.clone_from(&client.project_id);
                }
                head.attachment = applied.attachment;
                document = shown(request, sees_all, &head);
                match (need, &references.client) {
                    (Some(need), Some(client)) => need.record(tx, request, client, &head.job.id),
                    // An attachment that stays on its client keeps its trust.
                    (Some(_), None) => Ok(TrustUse::Unused),
                    (None, _) => Ok(TrustUse::Used),
                }
            },
        )
    };
    match &patch.client_id {
        Some(_) => trust::create(app, request, check, write)?,
        None => write(None).map(drop)?,
    }
    Ok(Reply::document_tagged(200, &document, &stable_part(&document)))
}

/// `DELETE /job-attachments/{job_attachment_id}`: a job's last attachment takes the definition along.
pub fn delete(app: &App, request: &Request<'_>) -> Result<Reply> {
    let precondition = Precondition::from_call(request.call)?;
    let sees_all = !precondition.is_empty() && sees_all(request)?;
    let trusts = app.store.write(|tx| {
        let head = found(tx, request)?;
        precondition.check(Some(&stable_part(&shown(request, sees_all, &head))))?;
        job_attachments::delete(tx, &head.attachment)
    })?;
    trust::release(app, request, trusts);
    Ok(Reply::empty(204))
}

/// Loads what a new attachment refers to, and refuses a client that cannot run the job or already has it.
fn resolve(tx: &mut Tx<'_>, request: &Request<'_>, new: &NewAttachment) -> Outcome<(Job, References)> {
    let job = jobs::definition(tx, request.project(), &new.job_id)?
        .ok_or_else(|| Error::unprocessable(format!("Job not found with ID {}", new.job_id)))?;
    let mentions = Mentions {
        client: Some(new.client_id.clone()),
        session: new.session_id.clone(),
        ..Mentions::default()
    };
    let mut references = jobs::load_references(tx, request.owner(), &mentions)?;
    references.actions = action_attachments::actions_of(tx, &job.id)?;
    let attached = match &references.client {
        Some(client) => job_attachments::on_client(tx, &job.id, &client.id)?,
        None => None,
    };
    check_attachment(&references, &new.client_id, new.session_id.as_deref(), attached)?;
    request.reserve(Resource::Jobs, 1)?;
    Ok((job, references))
}

fn insert(
    tx: &mut Tx<'_>,
    request: &Request<'_>,
    id: &str,
    new: &NewAttachment,
    job: &Job,
    references: &References,
) -> Outcome<()> {
    let client = known_client(references, &new.client_id)?;
    let run = RunColumns { event: new.event.clone(), status: new.status.clone(), ..RunColumns::default() };
    jobs::touch(tx, job)?;
    let attachment = run.clone().attachment(id, request.owner(), (&job.id, &client.id), tx.now);
    job_attachments::insert(tx, &attachment)?;
    let session = references.session.as_ref();
    if let Some(session) = session {
        jobs::join(tx, session, &attachment, &joining(session, &run))?;
    }
    let bounds = jobs::bounds(tx, Some(&job.id), session)?;
    document_size::check_bounds(tx, (&job.id, session), bounds, 0)
}

/// The client on which a job may need a trust; `None` if the job already has one.
fn without_trust(tx: &mut Tx<'_>, job_id: &str, client: Option<Client>) -> Outcome<Option<Client>> {
    match client {
        Some(_) if job_trusts::is_recorded(tx, job_id)? => Ok(None),
        client => Ok(client),
    }
}

/// Whether the prepared trust, if there is one, stays in use until the transaction ends.
fn still_pinned(tx: &mut Tx<'_>, request: &Request<'_>, need: Option<&Preparation<'_>>) -> Outcome<bool> {
    need.map_or(Ok(true), |need| need.still_pinned(tx, request))
}

fn found(tx: &mut Tx<'_>, request: &Request<'_>) -> Outcome<JobHead> {
    let head = match request.valid_id() {
        Some(id) => jobs::find(tx, Some(request.project()), id)?,
        None => None,
    };
    Ok(head.ok_or_else(|| Error::no("job attachment", request.id()))?)
}

/// The rows after this transaction's writes, to be shown.
fn written(tx: &mut Tx<'_>, request: &Request<'_>, id: &str) -> Outcome<JobHead> {
    jobs::find(tx, Some(request.project()), id)?.ok_or(Failure::Stale)
}

fn shown(request: &Request<'_>, sees_all: bool, head: &JobHead) -> Value {
    render(&head.attachment, &head.client_name, may_see_pid(request, sees_all, &head.client_project))
}
