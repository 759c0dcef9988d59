//! Authentication: turns a request into a [`Caller`] by the configured strategy.

use front::context::Caller;
use front::error::{Error, Result};
use front::http::Call;
use keystone_auth::Keystone;

use crate::identity::{DOMAIN_ID, Standalone};

/// How callers are authenticated (`[DEFAULT] auth_strategy`).
pub enum Strategy {
    /// Trusts the headers `X-Project-Id`, `X-User-Id`, `X-User-Name` and `X-Roles`. For tests and load runs on loopback.
    Noauth,
    /// The built-in identity, which issued the token in `X-Auth-Token`.
    Standalone(Standalone),
    /// Keystone, which issued the token in `X-Auth-Token`.
    Keystone(Box<Keystone>),
}

impl Strategy {
    /// Authenticates the caller.
    ///
    /// # Errors
    /// 401 when the request has no valid token; 403 when the caller's ids do not fit the database; 503 when the token cannot
    /// be validated now.
    pub fn authenticate(&self, call: &Call) -> Result<Caller> {
        let caller = match self {
            Self::Noauth => noauth_caller(call)?,
            Self::Standalone(identity) => standalone_caller(identity, call)?,
            Self::Keystone(keystone) => keystone.authenticate(call)?,
        };
        oslo_log::identify(caller.log_identity());
        caller.check_ids()?;
        Ok(caller)
    }

    /// Whether callers authenticate by a token.
    pub fn has_tokens(&self) -> bool {
        !matches!(self, Self::Noauth)
    }

    /// The value of `WWW-Authenticate` in a 401: where to get a token.
    pub fn challenge(&self, call: &Call) -> String {
        match self {
            Self::Noauth => "Noauth".to_owned(),
            Self::Standalone(_) => Standalone::challenge(&call.base_url),
            Self::Keystone(keystone) => keystone.challenge(),
        }
    }
}

fn standalone_caller(identity: &Standalone, call: &Call) -> Result<Caller> {
    let token = call.header("X-Auth-Token").map(str::trim).unwrap_or_default();
    let identity = identity.authenticate(token)?.ok_or_else(Error::unauthorized)?;
    let domain = || Some(DOMAIN_ID.to_owned());
    Ok(Caller {
        user_id: identity.user_id,
        user_name: Some(identity.user_name),
        user_domain_id: domain(),
        project_domain_id: identity.project_id.as_ref().and_then(|_| domain()),
        project_id: identity.project_id,
        project_name: identity.project_name,
        roles: identity.roles,
        is_admin_project: true,
        ..Caller::default()
    })
}

fn noauth_caller(call: &Call) -> Result<Caller> {
    let id = |name| call.header(name).map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned);
    let Some(user_id) = id("X-User-Id") else { return Err(Error::unauthorized()) };
    let roles = call.header("X-Roles").unwrap_or_default();
    Ok(Caller {
        user_id,
        user_name: id("X-User-Name"),
        project_id: id("X-Project-Id"),
        roles: roles.split(',').map(str::trim).filter(|r| !r.is_empty()).map(str::to_owned).collect(),
        is_admin_project: true,
        ..Caller::default()
    })
}
