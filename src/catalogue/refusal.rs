//! Why a change is refused.

use front::error::Error;

use crate::store::Failure;

/// Why a change is refused. Each becomes one answer.
#[derive(Debug, Clone)]
pub enum Refusal {
    /// 422: the project sees no client of that name or uuid.
    UnknownClient(String),
    /// 422: the project has no such session.
    UnknownSession(String),
    /// 409: the job already has an attachment on the client.
    AlreadyOnClient {
        /// The client's name.
        client: String,
        /// The attachment's id.
        attachment: String,
    },
    /// 400: the scheduler's tag of a session's run is higher than the session's.
    TagTooHigh {
        /// The session's tag.
        session: i32,
        /// The scheduler's.
        requested: i64,
    },
    /// 409: the session has begun as many runs as it can count.
    TagUsedUp,
    /// 400: the job is not in the session.
    NotInSession,
    /// What a document's own rules, or a quota, refuse.
    Document(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Document(error)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::UnknownClient(name) => Self::unprocessable(format!("Client not found with ID {name}")),
            Refusal::UnknownSession(id) => Self::unprocessable(format!("Session not found with ID {id}")),
            Refusal::AlreadyOnClient { client, attachment } => {
                Self::conflict(format!("This job already is on client {client}, as {attachment}."))
            }
            Refusal::TagTooHigh { session, requested } => Self::bad_request(format!(
                "requested tag value too high. Session tag: {session}, requested: {requested}"
            )),
            Refusal::TagUsedUp => Self::conflict("The session tag is used up."),
            Refusal::NotInSession => Self::bad_request("job_id not found in session"),
            Refusal::Document(error) => error,
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Error::from(refusal).into()
    }
}
