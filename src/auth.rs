//! Who is calling: from a request to a [`Caller`], by one of the strategies.

use crate::document::is_id;
use crate::error::{Error, Result};
use crate::http::Call;
use crate::identity::Standalone;

/// An authenticated caller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// The user's id.
    pub user_id: String,
    /// The project the token is for; none for a token of another scope.
    pub project_id: Option<String>,
    /// The roles on that project, implied ones included.
    pub roles: Vec<String>,
}

impl Caller {
    /// Whether the caller has a role; names of roles know no case.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|r| r.eq_ignore_ascii_case(role))
    }

    /// Whether the caller is an administrator or a service of the cloud.
    pub fn is_privileged(&self) -> bool {
        self.has_role("admin") || self.has_role("service")
    }
}

/// How callers are known (`[DEFAULT] auth_strategy`).
pub enum Strategy {
    /// The headers `X-Project-Id`, `X-User-Id` and `X-Roles` are believed. For tests and load runs on loopback.
    Noauth,
    /// The built-in identity: `X-Auth-Token` holds a token that it gave out.
    Standalone(Standalone),
}

impl Strategy {
    /// Who is calling.
    ///
    /// # Errors
    /// 401 when nobody known is; 503 when that cannot be found out just now.
    pub fn authenticate(&self, call: &Call) -> Result<Caller> {
        let caller = match self {
            Self::Noauth => believed(call)?,
            Self::Standalone(identity) => known(identity, call)?,
        };
        let project = caller.project_id.as_deref().unwrap_or("-");
        call.set_identity(format!("{} {project}", caller.user_id));
        Ok(caller)
    }

    /// The value of `WWW-Authenticate` in a 401: where to get what was missing.
    pub fn challenge(&self, call: &Call) -> String {
        match self {
            Self::Noauth => "Noauth".to_owned(),
            Self::Standalone(_) => Standalone::challenge(&call.base_url),
        }
    }
}

fn known(identity: &Standalone, call: &Call) -> Result<Caller> {
    let token = call.header("X-Auth-Token").map(str::trim).unwrap_or_default();
    let identity = identity.authenticate(token)?.ok_or_else(Error::unauthorized)?;
    Ok(Caller { user_id: identity.user_id, project_id: identity.project_id, roles: identity.roles })
}

fn believed(call: &Call) -> Result<Caller> {
    let id = |name| call.header(name).map(str::trim).filter(|value| is_id(value)).map(str::to_owned);
    let Some(user_id) = id("X-User-Id") else { return Err(Error::unauthorized()) };
    let roles = call.header("X-Roles").unwrap_or_default();
    Ok(Caller {
        user_id,
        project_id: id("X-Project-Id"),
        roles: roles.split(',').map(str::trim).filter(|r| !r.is_empty()).map(str::to_owned).collect(),
    })
}
