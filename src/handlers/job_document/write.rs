//! Load, decide, apply: what the handlers of job documents do inside a transaction.

use super::super::{Request, document_size};
use super::conditions::Conditions;
use crate::catalogue::jobs::{Room, RunTimes, creation, replacement_mentions};
use crate::document::jobs::JobDocument;
use crate::store::clients::Client;
use crate::store::counts::Resource;
use crate::store::jobs::{self, Applied, JobRows, Mentions, NewId, Plan, References};
use crate::store::{Failure, Outcome, Tx, job_attachments, new_id};

/// The rows that a change of a job depends on; with conditions they are locked and checked first. `None`: there is no such
/// job.
pub fn load(
    tx: &mut Tx<'_>,
    request: &Request<'_>,
    conditions: &Conditions,
    mentions: &Mentions,
) -> Outcome<Option<JobRows>> {
    let (owner, id) = (request.owner(), request.id());
    if conditions.is_empty() {
        return jobs::load(tx, owner, id, mentions);
    }
    let Some(attachment) = job_attachments::find(tx, owner.project, id)? else { return Ok(None) };
    let head = conditions.check(tx, request, &attachment)?.ok_or(Failure::Stale)?;
    jobs::load_around(tx, owner, head, mentions).map(Some)
}

/// Writes a change, and refuses it if a document becomes larger than the limit and than `stored`.
pub fn apply(
    tx: &mut Tx<'_>,
    request: &Request<'_>,
    rows: &JobRows,
    plan: &Plan,
    stored: usize,
) -> Outcome<Applied> {
    let applied = jobs::apply(tx, request.owner(), rows, plan)?;
    let changed = (&*rows.head.job.id, rows.references.session.as_ref());
    document_size::check_bounds(tx, changed, applied.bounds, stored)?;
    Ok(applied)
}

/// Refuses a new document for what [`insert`] would refuse it for, and writes nothing; returns its client.
pub fn check(tx: &mut Tx<'_>, request: &Request<'_>, document: &JobDocument) -> Outcome<Client> {
    let references = load_references(tx, request, document)?;
    let decided = (RunTimes::Unset, room(request, document, 1));
    let (client, _) = creation(&references, document, decided, tx.now, new_id)?;
    Ok(client.clone())
}

/// Writes a new job and its first attachment under `id`, and returns its client.
pub fn insert(
    tx: &mut Tx<'_>,
    request: &Request<'_>,
    id: NewId<'_>,
    document: &JobDocument,
    times: RunTimes,
) -> Outcome<(Client, Applied)> {
    tx.expect_room()?;
    let references = load_references(tx, request, document)?;
    let (client, new) = creation(&references, document, (times, room(request, document, 1)), tx.now, new_id)?;
    let created = jobs::create(tx, request.owner(), id, &client.id, &references, &new)?;
    let changed = (&*created.attachment.job_id, references.session.as_ref());
    document_size::check_bounds(tx, changed, created.bounds, 0)?;
    Ok((client.clone(), created))
}

fn load_references(tx: &mut Tx<'_>, request: &Request<'_>, document: &JobDocument) -> Outcome<References> {
    jobs::load_references(tx, request.owner(), &replacement_mentions(document))
}

/// Reserves the project's quotas for so many new jobs, and for the new actions of a document.
pub fn room(request: &Request<'_>, document: &JobDocument, jobs: usize) -> Room {
    let job = if jobs == 0 { Ok(()) } else { request.reserve(Resource::Jobs, jobs) };
    Room { job, actions: request.reserve(Resource::Actions, document.new_actions()) }
}
