//! Keystone: whose token it is, asked as keystonemiddleware's `auth_token` asks (contract, conventions §1).

use std::time::Duration;

use crate::auth::{Caller, Secret};
use crate::error::{Error, Result};
use crate::http::Call;
use crate::outbound;

/// `[keystone_authtoken]`. The defaults are keystonemiddleware's.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `www_authenticate_uri`: where a caller without a token is sent; the identity endpoint where nobody says.
    pub www_authenticate_uri: Option<String>,
    /// `delay_auth_decision` (false): let requests without a valid token through, for the policy to decide.
    pub delay_auth_decision: bool,
    /// `http_request_max_retries` (3): how often a request to Keystone that got no answer is sent again.
    pub http_request_max_retries: u32,
    /// `token_cache_time` (300 s): how long a validated token is believed; `None` for ever asking anew (-1).
    pub token_cache_time: Option<Duration>,
    /// `include_service_catalog` (true): whether the catalogue comes with the validated token.
    pub include_service_catalog: bool,
    /// `service_token_roles` (`service`): one of these makes a service token one.
    pub service_token_roles: Vec<String>,
    /// `service_token_roles_required` (true): a service token without one of those roles is refused.
    pub service_token_roles_required: bool,
    /// `service_type`: ours, for access rules of application credentials.
    pub service_type: Option<String>,
    /// Who we are to Keystone, and where it is.
    pub login: Login,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            www_authenticate_uri: None,
            delay_auth_decision: false,
            http_request_max_retries: 3,
            token_cache_time: Some(Duration::from_secs(300)),
            include_service_catalog: true,
            service_token_roles: vec!["service".to_owned()],
            service_token_roles_required: true,
            service_type: None,
            login: Login::default(),
        }
    }
}

/// A section with an auth plugin's options (keystoneauth's `auth_type` and what belongs to it).
#[derive(Debug, Clone, Default)]
pub struct Login {
    /// `auth_url`: where to log in, with or without a version.
    pub auth_url: String,
    /// `interface` (internal): which of the catalogue's identity endpoints is asked.
    pub interface: Option<String>,
    /// `region_name`: of which region.
    pub region_name: Option<String>,
    /// Who logs in.
    pub credentials: Credentials,
    /// TLS and time-outs: `cafile`, `certfile`, `keyfile`, `insecure`, `http_connect_timeout`.
    pub http: outbound::Settings,
}

/// Who logs in, and to what.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// `auth_type = password` or `v3password`.
    Password {
        /// Who.
        user: Named,
        /// `password`
        password: Secret,
        /// To what.
        scope: LoginScope,
    },
    /// `auth_type = v3applicationcredential`.
    ApplicationCredential {
        /// `application_credential_id`, or `application_credential_name` with a user.
        credential: AppCredential,
        /// `application_credential_secret`
        secret: Secret,
    },
}

impl Default for Credentials {
    fn default() -> Self {
        Self::Password {
            user: Named::default(),
            password: Secret::new(String::new()),
            scope: LoginScope::Unscoped,
        }
    }
}

/// An application credential, by id or by name.
#[derive(Debug, Clone)]
pub enum AppCredential {
    /// `application_credential_id`
    Id(String),
    /// `application_credential_name` of a user.
    Name(String, Named),
}

/// A user or project by id, or by name in a domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// The id; stronger than the name.
    pub id: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The id of the domain that the name is in.
    pub domain_id: Option<String>,
    /// Its name.
    pub domain_name: Option<String>,
}

/// What a login is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginScope {
    /// Nothing in particular.
    Unscoped,
    /// A project.
    Project(Named),
    /// A domain: its id or name is in `domain_id` or `domain_name`.
    Domain(Named),
    /// `system_scope = all`
    System,
    /// `trust_id`
    Trust(String),
}

/// Callers are who Keystone says they are.
pub struct Keystone {
    settings: Settings,
}

impl Keystone {
    /// Nothing is asked yet: a Keystone that is away at the start is an outage like any other.
    ///
    /// # Errors
    /// A sentence for the operator: a certificate or key cannot be read.
    pub fn new(settings: Settings) -> std::result::Result<Self, String> {
        Ok(Self { settings })
    }

    /// Who is calling.
    ///
    /// # Errors
    /// 401 without a valid token; 503 when Keystone cannot be asked.
    pub fn authenticate(&self, _call: &Call) -> Result<Caller> {
        Err(Error::unauthorized())
    }

    /// The value of `WWW-Authenticate`.
    pub fn challenge(&self) -> String {
        let uri = self.settings.www_authenticate_uri.as_ref().unwrap_or(&self.settings.login.auth_url);
        format!("Keystone uri=\"{uri}\"")
    }
}
