//! Authentication by Keystone tokens, as keystonemiddleware's `auth_token` does it (contract, conventions §1).

mod access_rules;
mod cache;
mod client;
mod endpoint;
mod login;
mod shares;
mod single_flight;
mod time;
mod token;
mod validation;

use std::sync::Arc;
use std::time::Duration;

pub use client::{Client, ServiceToken};
pub use login::{AppCredential, Credentials, IdOrName, Login, LoginScope};

use access_rules::AccessRule;
use front::context::Caller;
use front::error::{Error, Kind, Result};
use front::http::Call;
use shares::Peer;
use token::Token;
use validation::Validator;

/// `[keystone_authtoken]`. The defaults are keystonemiddleware's.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `www_authenticate_uri`: where a caller without a token is sent; `auth_url` if it is not set.
    pub www_authenticate_uri: Option<String>,
    /// `delay_auth_decision` (false): let requests without a valid token through, for the policy to decide.
    pub delay_auth_decision: bool,
    /// `http_request_max_retries` (3): how often a request to Keystone without an answer is sent again.
    pub http_request_max_retries: u32,
    /// `token_cache_time` (300 s): how long a validated token is cached; `None` (-1) for no caching.
    pub token_cache_time: Option<Duration>,
    /// The most tokens that the process caches (20,000). oslo has no such option.
    pub cached_tokens: usize,
    /// `include_service_catalog` (true): whether Keystone sends the catalogue with a validated token.
    pub include_service_catalog: bool,
    /// `service_token_roles` (`service`): a service token must have one of these roles.
    pub service_token_roles: Vec<String>,
    /// `service_token_roles_required` (true): a service token without one of those roles is refused.
    pub service_token_roles_required: bool,
    /// `service_type`: the type of this service, for access rules of application credentials.
    pub service_type: Option<String>,
    /// Where Keystone is, and the service's own credentials.
    pub login: Login,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            www_authenticate_uri: None,
            delay_auth_decision: false,
            http_request_max_retries: 3,
            token_cache_time: Some(Duration::from_secs(300)),
            cached_tokens: 20_000,
            include_service_catalog: true,
            service_token_roles: vec!["service".to_owned()],
            service_token_roles_required: true,
            service_type: None,
            login: Login::default(),
        }
    }
}

/// The longest token, in bytes. Fernet and JWS tokens have a few hundred; the former PKI tokens had more.
const MAX_TOKEN: usize = 8192;

/// Authenticates callers by asking Keystone about their tokens.
pub struct Keystone {
    settings: Settings,
    validator: Validator,
}

impl Keystone {
    /// Sends nothing yet: if Keystone is away at the start, requests fail as in any other outage.
    ///
    /// # Errors
    /// A sentence for the operator: `auth_url` is not a URL, or a certificate or key cannot be read.
    pub fn new(settings: Settings) -> std::result::Result<Self, String> {
        if settings.www_authenticate_uri.is_none() {
            log::warn!(
                "www_authenticate_uri is not set: callers without a token are sent to auth_url, which they may not \
                 be able to reach"
            );
        }
        if !settings.service_token_roles_required {
            log::warn!(
                "service_token_roles_required is off: any valid token is taken for a service token, and lifts the \
                 access rules of application credentials"
            );
        }
        Ok(Self { validator: Validator::new(&settings)?, settings })
    }

    /// Authenticates the caller.
    ///
    /// With `delay_auth_decision`, keystonemiddleware leaves the decision to the service behind it. freezer-api has always
    /// refused an unauthenticated caller, so the option has two effects only: an outage is a 401, and an invalid service
    /// token beside a valid user token is ignored.
    ///
    /// # Errors
    /// 401 without a valid token; 503 when Keystone does not answer.
    pub fn authenticate(&self, call: &Call) -> Result<Caller> {
        let text = user_token(call).ok_or_else(Error::unauthorized)?;
        let service = match token_in(call, "X-Service-Token") {
            None => None,
            Some(text) => match self.service(call, text) {
                Err(error) if self.settings.delay_auth_decision => {
                    log::warn!("the service token is ignored: {error}");
                    None
                }
                service => Some(service?),
            },
        };
        let user = self.user(call, text, service.as_ref()).map_err(|error| match error.kind {
            Kind::IdentityUnavailable if self.settings.delay_auth_decision => {
                if !error.is_counted() {
                    log::error!("{error}");
                }
                Error::unauthorized()
            }
            _ => error,
        })?;
        Ok(user.caller(text, service.as_ref().map(|service| &*service.token)))
    }

    /// Validates the token of the service that sends a request on behalf of a user.
    fn service(&self, call: &Call, text: &str) -> Result<ServiceAuth> {
        let token = self.validated(call, text, false)?;
        let has_role = token.has_one_of(&self.settings.service_token_roles);
        if self.settings.service_token_roles_required && !has_role {
            return Err(refused("the service token has none of the service_token_roles"));
        }
        Ok(ServiceAuth { token, allow_expired: has_role })
    }

    /// Validates the user's token.
    fn user(&self, call: &Call, text: &str, service: Option<&ServiceAuth>) -> Result<Arc<Token>> {
        let token = self.validated(call, text, service.is_some_and(|service| service.allow_expired))?;
        // Access rules cover the user's request to the service, not the service's request to this one.
        if let Some(rules) = &token.access_rules
            && service.is_none()
        {
            self.check_access(rules, token.catalog.as_deref(), call)?;
        }
        Ok(token)
    }

    fn validated(&self, call: &Call, text: &str, allow_expired: bool) -> Result<Arc<Token>> {
        if text.is_empty() || text.len() > MAX_TOKEN || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(refused("the token in the request is malformed"));
        }
        let token = self.validator.validate(Peer::new(call.client), text, allow_expired)?;
        if !allow_expired && token.has_expired() {
            return Err(refused("the token has expired"));
        }
        if token.bound_to_kerberos {
            return Err(refused("the token is bound to Kerberos, which is not supported"));
        }
        Ok(token)
    }

    fn check_access(&self, rules: &[AccessRule], catalog: Option<&[String]>, call: &Call) -> Result<()> {
        let Some(service_type) = &self.settings.service_type else {
            log::warn!(
                "an application credential with access rules is refused, because service_type is not set in \
                 [keystone_authtoken]"
            );
            return Err(refused("access rules cannot be checked without a service_type"));
        };
        if catalog.is_some_and(|types| !types.contains(service_type)) {
            log::warn!(
                "an application credential with access rules is refused, because the catalogue has no service of the \
                 service_type {service_type} that is set in [keystone_authtoken]"
            );
            return Err(refused("the service_type is not in the catalogue"));
        }
        if access_rules::allow(rules, service_type, call) {
            return Ok(());
        }
        Err(refused("no access rule of the application credential allows this request"))
    }

    /// The value of `WWW-Authenticate`.
    pub fn challenge(&self) -> String {
        let uri = self.settings.www_authenticate_uri.as_ref().unwrap_or(&self.settings.login.auth_url);
        format!("Keystone uri=\"{uri}\"")
    }
}

/// A validated service token.
struct ServiceAuth {
    token: Arc<Token>,
    /// Whether the user's token may have expired meanwhile.
    allow_expired: bool,
}

/// The trimmed token in `X-Auth-Token`, or without that header in `X-Storage-Token`.
fn user_token(call: &Call) -> Option<&str> {
    let header = if call.header("X-Auth-Token").is_some() { "X-Auth-Token" } else { "X-Storage-Token" };
    token_in(call, header)
}

fn token_in<'c>(call: &'c Call, header: &str) -> Option<&'c str> {
    call.header(header).map(str::trim).filter(|token| !token.is_empty())
}

/// A 401 with a reason for the log.
fn refused(why: &str) -> Error {
    Error { log: Some(why.to_owned()), ..Error::unauthorized() }
}
