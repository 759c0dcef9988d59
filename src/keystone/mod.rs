//! Keystone: whose token it is, asked as keystonemiddleware's `auth_token` asks (contract, conventions §1).

mod client;
mod endpoint;
mod flights;
mod login;
mod time;

use std::time::Duration;

pub use client::{Client, ServiceToken};
pub use login::{AppCredential, Credentials, Login, LoginScope, Named};

use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::http::Call;

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
