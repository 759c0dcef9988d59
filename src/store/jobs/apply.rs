//! Writes what a change of a job document has been decided to be.

use super::PlaceSpec;
use super::definition::{DefinitionChange, redefine};
use super::{JobRows, NewId, References, insert, max_action_bytes, touch};
use crate::store::actions::{self, ActionSpec};
use crate::store::job_attachments::{self, AttachmentChange, JobAttachment};
use crate::store::reports::{self, FinishedRun};
use crate::store::sessions::{self, Session};
use crate::store::types::json::Json;
use crate::store::types::time::Time;
use crate::store::{Failure, Outcome, Owner, Tx};

/// A new action, under a new id.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAction {
    /// The id.
    pub id: String,
    /// The content.
    pub spec: ActionSpec,
}

/// What becomes of an attachment's membership in a session.
#[derive(Debug, Clone, PartialEq)]
pub enum Membership {
    /// It joins the session of [`References`], and leaves the one it is in.
    Joins(AttachmentChange),
    /// It leaves its session.
    Leaves(AttachmentChange),
}

/// A change of a job document. The default changes nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// The actions to be written first.
    pub new_actions: Vec<NewAction>,
    /// The change of the definition.
    pub definition: DefinitionChange,
    /// The change of the attachment before it joins or leaves a session.
    pub run: AttachmentChange,
    /// The run that this change finishes, to become history.
    pub finished: Option<FinishedRun>,
    /// The change of the membership.
    pub membership: Option<Membership>,
    /// The change of the attachment after that.
    pub reset: AttachmentChange,
}

impl Plan {
    /// Whether the attachment moves to another client.
    pub fn moves(&self) -> bool {
        self.run.client_id.is_some() || self.reset.client_id.is_some()
    }

    /// Whether one UPDATE of the attachment is all that has to be written.
    pub fn is_one_update(&self) -> bool {
        // Without `..`, so that a new part has to be considered here.
        let Self { new_actions, definition, run: _, finished, membership, reset } = self;
        new_actions.is_empty()
            && definition.is_empty()
            && finished.is_none()
            && membership.is_none()
            && reset.is_empty()
            && !self.moves()
    }
}

/// Upper bounds on the documents that a change can have made larger, in bytes of JSON. A document has to be measured only
/// if its bound exceeds the limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The actions of the job; `None` if its documents did not become larger.
    pub actions: Option<i64>,
    /// The metadata and the members of the session that the job joined.
    pub session: Option<i64>,
}

/// The rows after a change.
#[derive(Debug, Clone)]
pub struct Applied {
    /// The attachment.
    pub attachment: JobAttachment,
    /// The definition's version.
    pub job_version: i32,
    /// What may have become too large.
    pub bounds: Bounds,
}

impl Applied {
    /// The document's version.
    pub fn version(&self) -> i32 {
        self.job_version + self.attachment.version
    }
}

/// Writes a change, each row with a compare-and-set of the version that was read.
pub fn apply(tx: &mut Tx<'_>, owner: Owner<'_>, rows: &JobRows, plan: &Plan) -> Outcome<Applied> {
    let head = &rows.head;
    insert_actions(tx, owner, &plan.new_actions)?;
    let mut job_version = redefine(tx, owner.user, &head.job, &rows.places, &plan.definition)?;
    if plan.moves() {
        if let Some(session) = &head.attachment.session_id {
            sessions::member_moved(tx, session)?;
        }
        // A move increments the definition's version, so that no concurrent request gives the job an action that the new
        // client does not support.
        if job_version == head.job.version {
            touch(tx, &head.job)?;
            job_version += 1;
        }
    }
    let mut attachment = job_attachments::update(tx, &head.attachment, &plan.run)?;
    if let Some(run) = &plan.finished {
        reports::write(tx, &head.attachment, owner.user, run)?;
    }
    let joined = match &plan.membership {
        Some(Membership::Joins(change)) => {
            let session = rows.references.session.as_ref().ok_or(Failure::Stale)?;
            attachment = join(tx, session, &attachment, change)?;
            Some(session)
        }
        Some(Membership::Leaves(change)) => {
            attachment = leave(tx, &attachment, change)?;
            None
        }
        None => None,
    };
    attachment = job_attachments::update(tx, &attachment, &plan.reset)?;
    let is_redefined = job_version != head.job.version;
    let bounds = bounds(tx, (is_redefined || joined.is_some()).then_some(&*head.job.id), joined)?;
    Ok(Applied { attachment, job_version, bounds })
}

/// A new job and its first attachment.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// The actions to be written first.
    pub new_actions: Vec<NewAction>,
    /// The places of its actions, in order.
    pub places: Vec<PlaceSpec>,
    /// The description.
    pub description: Option<String>,
    /// The schedule.
    pub scheduling: Json,
    /// What its attachment has beside the columns of a job that has not run.
    pub run: RunColumns,
    /// The change by which it joins the session of [`References`].
    pub joins: Option<AttachmentChange>,
    /// Whether the document may exceed the limit, so that it has to be measured.
    pub may_be_large: bool,
}

/// The columns of an attachment's own run, which a document sets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the columns; docs/DATABASE.md describes them")]
pub struct RunColumns {
    pub event: String,
    pub status: String,
    pub current_pid: Option<i32>,
    pub result: String,
    pub time_started: Option<i64>,
    pub time_ended: Option<i64>,
}

impl RunColumns {
    /// Those of an attachment.
    pub fn from_attachment(attachment: &JobAttachment) -> Self {
        Self {
            event: attachment.event.clone(),
            status: attachment.status.clone(),
            current_pid: attachment.current_pid,
            result: attachment.result.clone(),
            time_started: attachment.time_started,
            time_ended: attachment.time_ended,
        }
    }

    /// The attachment with these columns, in no session.
    pub fn attachment(
        self,
        id: &str,
        owner: Owner<'_>,
        (job_id, client_id): (&str, &str),
        now: Time,
    ) -> JobAttachment {
        let Self { event, status, current_pid, result, time_started, time_ended } = self;
        JobAttachment {
            event,
            status,
            current_pid,
            result,
            time_started,
            time_ended,
            ..JobAttachment::new(id, owner, job_id, client_id, now)
        }
    }
}

/// Writes a new job with its first attachment under `id`, on the client (a row).
pub fn create(
    tx: &mut Tx<'_>,
    owner: Owner<'_>,
    id: NewId<'_>,
    client: &str,
    references: &References,
    new: &NewJob,
) -> Outcome<Applied> {
    insert_actions(tx, owner, &new.new_actions)?;
    let job_id = insert(tx, owner, id, new.description.clone(), new.scheduling.clone(), &new.places)?;
    let mut attachment = new.run.clone().attachment(id.id(), owner, (&job_id, client), tx.now);
    job_attachments::insert(tx, &attachment)?;
    let joined = references.session.as_ref().zip(new.joins.as_ref());
    if let Some((session, change)) = joined {
        attachment = join(tx, session, &attachment, change)?;
    }
    let bounds = bounds(tx, new.may_be_large.then_some(&*job_id), joined.map(|(session, _)| session))?;
    Ok(Applied { attachment, job_version: 1, bounds })
}

fn insert_actions(tx: &mut Tx<'_>, owner: Owner<'_>, new: &[NewAction]) -> Outcome<()> {
    let rows: Vec<_> = new
        .iter()
        .map(|action| actions::new(tx, owner.project, owner.user, &action.id, action.spec.clone()))
        .collect();
    actions::insert_all(tx, &rows)
}

/// Takes an attachment into a session, out of the one that it is in.
pub fn join(
    tx: &mut Tx<'_>,
    session: &Session,
    attachment: &JobAttachment,
    change: &AttachmentChange,
) -> Outcome<JobAttachment> {
    sessions::touch(tx, session)?;
    let joined = job_attachments::update(tx, attachment, change)?;
    if let Some(former) = &attachment.session_id {
        sessions::member_left(tx, &attachment.project_id, former)?;
    }
    Ok(joined)
}

/// Takes an attachment out of its session.
pub fn leave(
    tx: &mut Tx<'_>,
    attachment: &JobAttachment,
    change: &AttachmentChange,
) -> Outcome<JobAttachment> {
    let left = job_attachments::update(tx, attachment, change)?;
    if let Some(former) = &attachment.session_id {
        sessions::member_left(tx, &attachment.project_id, former)?;
    }
    Ok(left)
}

/// The bounds of a job whose documents may have become larger, and of the session that it joined.
pub fn bounds(tx: &mut Tx<'_>, job_id: Option<&str>, joined: Option<&Session>) -> Outcome<Bounds> {
    let actions = match job_id {
        Some(id) => {
            let bounds = max_action_bytes(tx, vec![id.to_owned()])?;
            Some(bounds.first().map_or(0, |(_, bytes)| *bytes))
        }
        None => None,
    };
    let session = match joined {
        Some(session) => {
            let metadata = i64::try_from(session.metadata.text().len()).unwrap_or(i64::MAX);
            Some(sessions::max_member_bytes(tx, session)?.saturating_add(metadata))
        }
        None => None,
    };
    Ok(Bounds { actions, session })
}
