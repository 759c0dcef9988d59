//! Reads everything that a change of a job document depends on.

use super::{JobHead, find};
use crate::store::action_attachments::{self, ActionAttachment};
use crate::store::actions::{self, Action};
use crate::store::clients::{self, Client};
use crate::store::job_attachments;
use crate::store::sessions::{self, Session};
use crate::store::{Outcome, Owner, Tx};

/// What a document refers to besides its own job: what has to be read for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mentions {
    /// The client, by its name or uuid.
    pub client: Option<String>,
    /// The session that the job is to be in.
    pub session: Option<String>,
    /// The action that each entry of `job_actions` refers to, if it refers to one; `None` without `job_actions`.
    pub actions: Option<Vec<Option<String>>>,
    /// Whether the document replaces the job: then its client is checked even if the entries are the stored ones.
    pub is_replacement: bool,
}

/// The rows that a document refers to; what does not exist in the project is left out.
#[derive(Debug, Clone, Default)]
pub struct References {
    /// The client, unless the job is on it already.
    pub client: Option<Client>,
    /// The session.
    pub session: Option<Session>,
    /// The actions of the entries. Without entries those of the job, if it moves to another client.
    pub actions: Vec<Action>,
}

/// A job document's rows, and those that a change of it depends on.
#[derive(Debug, Clone)]
pub struct JobRows {
    /// The job itself.
    pub head: JobHead,
    /// What the document refers to.
    pub references: References,
    /// The attachment of this job on the client that the document refers to, if there is one.
    pub attachment_on_client: Option<String>,
    /// The places of the job's actions in order, if the document has entries.
    pub places: Vec<ActionAttachment>,
    /// The clients that the job is on, if the document may change its actions.
    pub clients: Vec<Client>,
}

impl JobRows {
    /// Whether the head is all that was read. A compare-and-set of its versions covers that.
    pub fn is_head_only(&self) -> bool {
        let References { client, session, actions } = &self.references;
        client.is_none()
            && session.is_none()
            && actions.is_empty()
            && self.places.is_empty()
            && self.clients.is_empty()
    }

    /// Whether entries refer to the actions that the job has, in the same order.
    pub fn has_same_actions<'e>(&self, mut entries: impl ExactSizeIterator<Item = Option<&'e str>>) -> bool {
        entries.len() == self.places.len()
            && self.places.iter().all(|place| entries.next().flatten() == Some(&place.action_id))
    }
}

/// The rows of a job document of the project; `None` without such a job.
pub fn load(tx: &mut Tx<'_>, owner: Owner<'_>, id: &str, mentions: &Mentions) -> Outcome<Option<JobRows>> {
    match find(tx, Some(owner.project), id)? {
        Some(head) => load_around(tx, owner, head, mentions).map(Some),
        None => Ok(None),
    }
}

/// As [`load`], for a head that has been read.
pub fn load_around(
    tx: &mut Tx<'_>,
    owner: Owner<'_>,
    head: JobHead,
    mentions: &Mentions,
) -> Outcome<JobRows> {
    let moves_to = mentions.client.as_ref().filter(|name| !head.is_on(name));
    let new = Mentions { client: moves_to.cloned(), ..mentions.clone() };
    let job_id = head.job.id.clone();
    let references = load_references(tx, owner, &new)?;
    let attachment_on_client = match &references.client {
        Some(client) => job_attachments::on_client(tx, &job_id, &client.id)?,
        None => None,
    };
    let mut rows =
        JobRows { head, references, attachment_on_client, places: Vec::new(), clients: Vec::new() };
    match &mentions.actions {
        Some(entries) => {
            rows.places = action_attachments::of_job(tx, &job_id)?;
            if mentions.is_replacement || !rows.has_same_actions(entries.iter().map(Option::as_deref)) {
                rows.clients = job_attachments::clients_of(tx, &job_id)?;
            }
        }
        None if rows.references.client.is_some() => {
            rows.references.actions = action_attachments::actions_of(tx, &job_id)?;
        }
        None => {}
    }
    Ok(rows)
}

/// The rows that a document of the project refers to.
pub fn load_references(tx: &mut Tx<'_>, owner: Owner<'_>, mentions: &Mentions) -> Outcome<References> {
    let client = match &mentions.client {
        Some(name) => clients::by_name_or_uuid(tx, owner.project, name)?,
        None => None,
    };
    let session = match &mentions.session {
        Some(id) => sessions::find(tx, owner.project, id)?,
        None => None,
    };
    let mut ids: Vec<String> = mentions.actions.iter().flatten().flatten().cloned().collect();
    ids.sort();
    ids.dedup();
    Ok(References { client, session, actions: actions::find_all(tx, owner.project, ids)? })
}
