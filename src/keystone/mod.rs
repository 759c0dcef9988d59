//! Keystone: whose token it is, asked as keystonemiddleware's `auth_token` asks (contract, conventions §1).

mod access_rules;
mod cache;
mod client;
mod endpoint;
mod flights;
mod login;
pub mod memcached;
mod shares;
mod time;
mod token;
mod validation;

use std::sync::Arc;
use std::time::Duration;

pub use client::{Client, ServiceToken};
pub use login::{AppCredential, Credentials, Login, LoginScope, Named};

use crate::auth::Caller;
use crate::error::{Error, Kind, Result};
use crate::http::Call;
use access_rules::AccessRule;
use shares::Peer;
use token::Token;
use validation::Validator;

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
    /// How many validated tokens are remembered at most (20,000); no option of oslo's.
    pub cached_tokens: usize,
    /// `memcached_servers` and the `memcache` options: where validated tokens are remembered for other processes as well.
    pub memcached: Option<memcached::Settings>,
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
            cached_tokens: 20_000,
            memcached: None,
            include_service_catalog: true,
            service_token_roles: vec!["service".to_owned()],
            service_token_roles_required: true,
            service_type: None,
            login: Login::default(),
        }
    }
}

/// No token is longer than this, in bytes. Fernet and JWS tokens have a few hundred, the PKI tokens of old had more.
const MAX_TOKEN: usize = 8192;

/// Callers are who Keystone says they are.
pub struct Keystone {
    settings: Settings,
    validator: Validator,
}

impl Keystone {
    /// Nothing is asked yet: a Keystone that is away at the start is an outage like any other.
    ///
    /// # Errors
    /// A sentence for the operator: `auth_url` is no URL; a certificate or key cannot be read.
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

    /// Who is calling.
    ///
    /// With `delay_auth_decision` the decision is left to the service behind; freezer-api's has ever been to refuse
    /// whoever is not known, so that all it changes is what follows from an outage (401) and from an invalid service
    /// token beside a valid one of a user (it is ignored).
    ///
    /// # Errors
    /// 401 without a valid token; 503 when Keystone cannot be asked.
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

    /// The token of a service that vouches for a request.
    fn service(&self, call: &Call, text: &str) -> Result<Vouching> {
        let token = self.valid(call, text, false)?;
        let has_role = token.has_one_of(&self.settings.service_token_roles);
        if self.settings.service_token_roles_required && !has_role {
            return Err(refused("the service token has none of the service_token_roles"));
        }
        Ok(Vouching { token, allow_expired: has_role })
    }

    /// The token of the user who sent a request.
    fn user(&self, call: &Call, text: &str, service: Option<&Vouching>) -> Result<Arc<Token>> {
        let token = self.valid(call, text, service.is_some_and(|service| service.allow_expired))?;
        // A service acts on what the user has asked of it, which is nothing that the rules know of.
        if let Some(rules) = &token.access_rules
            && service.is_none()
        {
            self.check_access(rules, token.catalog.as_deref(), call)?;
        }
        Ok(token)
    }

    fn valid(&self, call: &Call, text: &str, allow_expired: bool) -> Result<Arc<Token>> {
        if text.is_empty() || text.len() > MAX_TOKEN || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(refused("what was sent as a token cannot be one"));
        }
        let token = self.validator.validate(Peer::new(call.client), text, allow_expired)?;
        if !allow_expired && token.has_expired() {
            return Err(refused("the token has expired"));
        }
        if token.bound_to_kerberos {
            return Err(refused("the token is bound to Kerberos, which is not spoken here"));
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

/// A service that vouches for a request.
struct Vouching {
    token: Arc<Token>,
    /// Whether the user's token may have ended meanwhile.
    allow_expired: bool,
}

/// The trimmed token in `X-Auth-Token`, or where that header is not sent in `X-Storage-Token`.
fn user_token(call: &Call) -> Option<&str> {
    let header = if call.header("X-Auth-Token").is_some() { "X-Auth-Token" } else { "X-Storage-Token" };
    token_in(call, header)
}

fn token_in<'c>(call: &'c Call, header: &str) -> Option<&'c str> {
    call.header(header).map(str::trim).filter(|token| !token.is_empty())
}

/// 401, and for the log why.
fn refused(why: &str) -> Error {
    Error { log: Some(why.to_owned()), ..Error::unauthorized() }
}
