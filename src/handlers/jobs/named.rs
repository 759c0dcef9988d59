//! What a document names, and whether it is there: a client, a session. What is not is a 422, as everywhere in this API.

use super::super::Request;
use crate::document::jobs::check_capability;
use crate::error::Error;
use crate::store::clients::{self, Client};
use crate::store::jobs::JobHead;
use crate::store::sessions::{self, Session};
use crate::store::{Outcome, Tx, action_attachments, job_attachments};

/// The client that the project calls by a name, or by the uuid.
pub fn known_client(tx: &mut Tx<'_>, request: &Request<'_>, name: &str) -> Outcome<Client> {
    let client = clients::by_name_or_uuid(tx, request.project(), name)?;
    Ok(client.ok_or_else(|| Error::unprocessable(format!("Client not found with ID {name}")))?)
}

/// Whether a document is on the client of that name, or that uuid, already.
pub fn is_on(head: &JobHead, name: &str) -> bool {
    [&head.client_name, &head.attachment.client_id].iter().any(|current| *current == name)
}

/// The client that a document moves its attachment to, if it does.
pub fn changed_client(
    tx: &mut Tx<'_>,
    request: &Request<'_>,
    head: &JobHead,
    name: Option<&str>,
) -> Outcome<Option<Client>> {
    let Some(name) = name.filter(|name| !is_on(head, name)) else {
        return Ok(None);
    };
    let client = known_client(tx, request, name)?;
    free(tx, &client, &head.job.id)?;
    Ok(Some(client))
}

/// Refuses to put a job on a client that it is on already.
pub fn free(tx: &mut Tx<'_>, client: &Client, job_id: &str) -> Outcome<()> {
    match job_attachments::on_client(tx, job_id, &client.id)? {
        None => Ok(()),
        Some(id) => {
            let name = &client.client_id;
            Err(Error::conflict(format!("This job already is on client {name}, as {id}.")).into())
        }
    }
}

/// Refuses a client that cannot do every action of a job.
pub fn check_client(tx: &mut Tx<'_>, client: &Client, job_id: &str) -> Outcome<()> {
    for action in action_attachments::actions_of(tx, job_id)? {
        check_capability(client, &action.spec)?;
    }
    Ok(())
}

/// The session that a document wants its job in.
pub fn wanted_session(tx: &mut Tx<'_>, request: &Request<'_>, id: Option<&str>) -> Outcome<Option<Session>> {
    let Some(id) = id else { return Ok(None) };
    match sessions::find(tx, request.project(), id)? {
        Some(session) => Ok(Some(session)),
        None => Err(Error::unprocessable(format!("Session not found with ID {id}")).into()),
    }
}
