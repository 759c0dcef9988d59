//! The caller of a request, as authentication found it.

use crate::error::{Error, Result};

/// An authenticated caller: the attributes of its token, and of a service token beside it. The names are those of
/// oslo.context, which policies use (contract, conventions §2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// The user's id; empty for an unauthenticated caller (`delay_auth_decision`).
    pub user_id: String,
    /// The user's name, for the log.
    pub user_name: Option<String>,
    /// The id of the user's domain.
    pub user_domain_id: Option<String>,
    /// The id of the token's project; none for a token of another scope.
    pub project_id: Option<String>,
    /// The project's name, for the log.
    pub project_name: Option<String>,
    /// The id of the project's domain.
    pub project_domain_id: Option<String>,
    /// The id of the token's domain, if its scope is a domain.
    pub domain_id: Option<String>,
    /// `all` for a token whose scope is the system.
    pub system_scope: Option<String>,
    /// The roles in the token's scope, including implied ones.
    pub roles: Vec<String>,
    /// Whether the token's project is the cloud's admin project; true if Keystone has none.
    pub is_admin_project: bool,
    /// The service that sent the request on the user's behalf, if it added a token of its own.
    pub service: Option<Box<Service>>,
    /// The delegation that the token was issued under, if any. Such a token cannot create a trust.
    pub delegation: Option<Delegation>,
    /// The token itself, for requests to Keystone in the caller's name.
    pub token: Option<Secret>,
}

/// A delegation: it gives a token a part of a user's authority, usually for a limited time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delegation {
    /// A trust.
    Trust,
    /// A restricted application credential, which is the default kind.
    ApplicationCredential,
    /// An OAuth 1 access token.
    Oauth,
}

/// The attributes of a service token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Service {
    /// The service user's id.
    pub user_id: String,
    /// The id of the service user's domain.
    pub user_domain_id: Option<String>,
    /// The id of the token's project.
    pub project_id: Option<String>,
    /// The id of the project's domain.
    pub project_domain_id: Option<String>,
    /// Its roles.
    pub roles: Vec<String>,
}

/// A token or password. Its `Debug` form hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text that must not be shown.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for sending it to the service that it is meant for.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Whether `id` has the form of an id of this service or of Keystone: `^[\w-]{1,64}$` in ASCII (contract, api-v2 §2
/// "IDs"). No other text is sent to the database as an id, because a backend could convert it to one that exists.
pub fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// The longest user id, in characters.
const MAX_USER_ID: usize = 255;

impl Caller {
    /// Whether the caller has a role; upper and lower case are the same.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|r| r.eq_ignore_ascii_case(role))
    }

    /// Refuses a caller whose ids do not fit the database. Keystone's user ids may come from a directory (LDAP).
    ///
    /// # Errors
    /// 403 that names the id and its limit.
    pub fn check_ids(&self) -> Result<()> {
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

    /// The part of the caller that log lines may show.
    pub fn log_identity(&self) -> oslo_log::Identity {
        oslo_log::Identity {
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
