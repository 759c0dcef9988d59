//! What the handlers of job documents share: the write, its conditions, the trust, and which callers see the
//! agent's process id.

pub mod conditions;
pub mod trust;
pub mod write;

use front::error::Result;

use super::{Request, document_size};
use crate::store::{Outcome, Tx, job_attachments};

/// The rule for requests that reach beyond the project in the path.
pub const ALL_PROJECTS: &str = "jobs:get_all_projects";

/// Whether the caller may see the jobs of all projects. Called before the transaction, because a policy rule may query
/// another service.
pub fn sees_all(request: &Request<'_>) -> Result<bool> {
    request.permissions.permits(ALL_PROJECTS, request.project())
}

/// The jobs whose agent's process id the caller sees. Only callers that may have to kill the agent need it.
pub struct PidAccess {
    sees_all: bool,
    project: Option<String>,
}

impl PidAccess {
    /// The caller's access. `sees_all`: whether the caller may see the jobs of all projects.
    pub fn new(request: &Request<'_>, sees_all: bool) -> Self {
        Self { sees_all, project: request.caller.project_id.clone() }
    }

    /// Whether the caller sees the process id of a job on a client of that project.
    pub fn has_pid(&self, client_project: &str) -> bool {
        self.sees_all || self.project.as_deref() == Some(client_project)
    }
}

/// Whether the caller sees the process id of a job on a client of that project.
pub fn may_see_pid(request: &Request<'_>, sees_all: bool, client_project: &str) -> bool {
    PidAccess::new(request, sees_all).has_pid(client_project)
}

/// The size of the job in the path: that of the largest of its documents, in bytes.
pub fn stored_size(tx: &mut Tx<'_>, request: &Request<'_>) -> Outcome<usize> {
    match job_attachments::find(tx, request.project(), request.id())? {
        Some(attachment) => Ok(document_size::largest_job(tx, &attachment.job_id)?.1),
        None => Ok(0),
    }
}
