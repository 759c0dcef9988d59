//! Who is calling: from a request to a [`Caller`], by one of the strategies.

use crate::document::is_id;
use crate::error::{Error, Result};
use crate::http::Call;
use crate::identity::{DOMAIN_ID, Standalone};
use crate::keystone::Keystone;
use crate::logging;

/// An authenticated caller: what its token says, and what a service token beside it says. The names are those of
/// oslo.context, which policies are written against (contract, conventions §2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// The user's id; empty for nobody (`delay_auth_decision`).
    pub user_id: String,
    /// The user's name, for the log.
    pub user_name: Option<String>,
    /// The domain that the user belongs to.
    pub user_domain_id: Option<String>,
    /// The project the token is for; none for a token of another scope.
    pub project_id: Option<String>,
    /// The project's name, for the log.
    pub project_name: Option<String>,
    /// The domain that this project belongs to.
    pub project_domain_id: Option<String>,
    /// The domain the token is for.
    pub domain_id: Option<String>,
    /// `all` for a token of the whole system.
    pub system_scope: Option<String>,
    /// The roles on what the token is for, implied ones included.
    pub roles: Vec<String>,
    /// Whether the token's project is the cloud's admin project; true where Keystone has none.
    pub is_admin_project: bool,
    /// The service on whose request the user's came, if it sent a token of its own.
    pub service: Option<Box<Service>>,
    /// The delegation that the token comes from, if any. Such a token gives no trusts.
    pub delegation: Option<Delegation>,
    /// The token itself, for what is asked of Keystone in the caller's name.
    pub token: Option<Secret>,
}

/// A delegation, which gives a token a part of a user's authority, usually for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Delegation {
    /// A trust.
    Trust,
    /// An application credential that is restricted, as they are unless Keystone is told otherwise.
    ApplicationCredential,
    /// An access token of OAuth 1.
    Oauth,
}

/// What a service token says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Service {
    /// The service user's id.
    pub user_id: String,
    /// Its domain.
    pub user_domain_id: Option<String>,
    /// The project its token is for.
    pub project_id: Option<String>,
    /// The domain that this project belongs to.
    pub project_domain_id: Option<String>,
    /// Its roles.
    pub roles: Vec<String>,
}

/// A token or password: it never gets into a log or a message.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps what must not be shown.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for sending it where it belongs.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// The most characters of a user's id.
const MAX_USER_ID: usize = 255;

impl Caller {
    /// Whether the caller has a role; names of roles know no case.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|r| r.eq_ignore_ascii_case(role))
    }

    /// Refuses a caller in whose name nothing could be stored. Keystone's ids may be those of a directory (LDAP).
    fn check_ids(&self) -> Result<()> {
        let user = &self.user_id;
        if user.chars().count() > MAX_USER_ID || user.chars().any(char::is_control) {
            return Err(Error::forbidden_caller(format!(
                "The id of your user cannot be stored here: it may have at most {MAX_USER_ID} characters, and no control \
                 characters."
            )));
        }
        match &self.project_id {
            Some(project) if !is_id(project) => Err(Error::forbidden_caller(
                "The id of your token's project cannot be stored here: it may have 1 to 64 letters and digits of ASCII, \
                 _ and -.",
            )),
            _ => Ok(()),
        }
    }

    /// What the log may say of the caller.
    fn log_identity(&self) -> logging::Identity {
        logging::Identity {
            user_id: Some(self.user_id.clone()).filter(|id| !id.is_empty()),
            user_name: self.user_name.clone(),
            user_domain_id: self.user_domain_id.clone(),
            project_id: self.project_id.clone(),
            project_name: self.project_name.clone(),
            project_domain_id: self.project_domain_id.clone(),
            domain_id: self.domain_id.clone(),
            system_scope: self.system_scope.clone(),
            roles: self.roles.clone(),
        }
    }
}

/// How callers are known (`[DEFAULT] auth_strategy`).
pub enum Strategy {
    /// The headers `X-Project-Id`, `X-User-Id`, `X-User-Name` and `X-Roles` are believed. For tests and load runs on loopback.
    Noauth,
    /// The built-in identity: `X-Auth-Token` holds a token that it gave out.
    Standalone(Standalone),
    /// Keystone: `X-Auth-Token` holds a token that it gave out.
    Keystone(Box<Keystone>),
}

impl Strategy {
    /// Who is calling.
    ///
    /// # Errors
    /// 401 when the request has no valid token; 403 when the ids of the caller cannot be stored; 503 when the token
    /// cannot be checked now.
    pub fn authenticate(&self, call: &Call) -> Result<Caller> {
        let caller = match self {
            Self::Noauth => believed(call)?,
            Self::Standalone(identity) => known(identity, call)?,
            Self::Keystone(keystone) => keystone.authenticate(call)?,
        };
        logging::identify(caller.log_identity());
        caller.check_ids()?;
        Ok(caller)
    }

    /// Whether a token says who is calling.
    pub fn has_tokens(&self) -> bool {
        !matches!(self, Self::Noauth)
    }

    /// The value of `WWW-Authenticate` in a 401: where to get what was missing.
    pub fn challenge(&self, call: &Call) -> String {
        match self {
            Self::Noauth => "Noauth".to_owned(),
            Self::Standalone(_) => Standalone::challenge(&call.base_url),
            Self::Keystone(keystone) => keystone.challenge(),
        }
    }
}

fn known(identity: &Standalone, call: &Call) -> Result<Caller> {
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

fn believed(call: &Call) -> Result<Caller> {
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
