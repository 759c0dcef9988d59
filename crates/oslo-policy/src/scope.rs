//! The scope of a token, which a rule may demand besides its check (oslo.policy's scope types).

use std::fmt;

use front::context::Caller;

/// The scope of a token.
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
    /// The scope of the caller's token; `None` for an unscoped token. oslo.policy takes an unscoped token for a
    /// project's, but without a project id its caller can own none.
    pub fn from_caller(caller: &Caller) -> Option<Self> {
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
