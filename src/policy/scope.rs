//! What a token is for, which a rule may ask for besides its check (oslo.policy's scope types).

use std::fmt;

use crate::auth::Caller;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The whole system.
    System,
    /// A domain.
    Domain,
    /// A project.
    Project,
}

impl Scope {
    /// What the caller's token is for; `None` for a token that only says who somebody is. oslo.policy takes that one
    /// for a project's, but nobody can own a project without naming it.
    pub fn of(caller: &Caller) -> Option<Self> {
        if caller.system_scope.as_deref().is_some_and(|scope| !scope.is_empty()) {
            Some(Self::System)
        } else if caller.domain_id.as_deref().is_some_and(|id| !id.is_empty()) {
            Some(Self::Domain)
        } else {
            caller.project_id.as_deref().filter(|id| !id.is_empty()).map(|_| Self::Project)
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "system",
            Self::Domain => "domain",
            Self::Project => "project",
        })
    }
}
