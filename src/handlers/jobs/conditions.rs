//! The conditions of a request on a job document.

use super::super::Request;
use super::{may_see_pid, sees_all};
use crate::document::jobs::JobJson;
use crate::error::Result;
use crate::http::{Precondition, entity_tag};
use crate::store::job_attachments::JobAttachment;
use crate::store::jobs::{self, JobHead};
use crate::store::{Failure, Outcome, Tx};

/// What a request demands of a job document, and how its caller sees one.
pub struct Conditions {
    precondition: Precondition,
    sees_all: bool,
}

impl Conditions {
    /// Reads them. To be called before the transaction: a rule may ask another service.
    pub fn of(request: &Request<'_>) -> Result<Self> {
        let precondition = Precondition::from_call(request.call)?;
        let sees_all = !precondition.is_empty() && sees_all(request)?;
        Ok(Self { precondition, sees_all })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.precondition.is_empty()
    }

    /// Holds them against a document that is there, and returns its head as it was then; without conditions nothing is
    /// looked up, and `None` is returned. What the document is made of stays so until the transaction has ended.
    pub fn check(
        &self,
        tx: &mut Tx<'_>,
        request: &Request<'_>,
        stored: &JobAttachment,
    ) -> Outcome<Option<JobHead>> {
        if self.precondition.is_empty() {
            return Ok(None);
        }
        jobs::hold(tx, stored)?;
        let head = jobs::find(tx, Some(&stored.project_id), &stored.id)?.ok_or(Failure::Stale)?;
        let view = jobs::complete(tx, vec![head])?.pop().ok_or(Failure::Stale)?;
        let with_pid = may_see_pid(request, self.sees_all, &view.head.client_project);
        self.precondition.check_tag(Some(entity_tag(&JobJson { view: &view, with_pid })))?;
        Ok(Some(view.head))
    }

    /// Holds them against a document that is not there.
    ///
    /// # Errors
    /// 412 when they ask for one.
    pub fn check_absent(&self) -> Result<()> {
        self.precondition.check(None)
    }
}
