//! Preconditions (`If-Match` and others) of requests on a job document.

use front::error::Result;
use front::http::{Precondition, entity_tag};

use super::super::Request;
use super::{may_see_pid, sees_all};
use crate::document::jobs::JobJson;
use crate::store::job_attachments::JobAttachment;
use crate::store::jobs::{self, JobHead};
use crate::store::{Failure, Outcome, Tx};

/// A request's precondition, and whether its caller sees the agent's process id, which is part of the entity tag.
pub struct Conditions {
    precondition: Precondition,
    sees_all: bool,
}

impl Conditions {
    /// Reads them from a request. Called before the transaction, because a policy rule may query another service.
    pub fn from_request(request: &Request<'_>) -> Result<Self> {
        let precondition = Precondition::from_call(request.call)?;
        let sees_all = !precondition.is_empty() && sees_all(request)?;
        Ok(Self { precondition, sees_all })
    }

    /// Whether the request has none.
    pub fn is_empty(&self) -> bool {
        self.precondition.is_empty()
    }

    /// Locks an existing document until the transaction ends, checks it, and returns its head. Without conditions nothing is
    /// read or locked, and the result is `None`.
    pub fn check(
        &self,
        tx: &mut Tx<'_>,
        request: &Request<'_>,
        stored: &JobAttachment,
    ) -> Outcome<Option<JobHead>> {
        if self.precondition.is_empty() {
            return Ok(None);
        }
        jobs::lock_document(tx, stored)?;
        let head = jobs::find(tx, Some(&stored.project_id), &stored.id)?.ok_or(Failure::Stale)?;
        let view = jobs::complete(tx, vec![head])?.pop().ok_or(Failure::Stale)?;
        let with_pid = may_see_pid(request, self.sees_all, &view.head.client_project);
        self.precondition.check_tag(Some(entity_tag(&JobJson { view: &view, with_pid })))?;
        Ok(Some(view.head))
    }

    /// Checks them for a document that does not exist.
    ///
    /// # Errors
    /// 412 if they require one.
    pub fn check_absent(&self) -> Result<()> {
        self.precondition.check(None)
    }
}
