//! Asking Keystone what a token is, once for all who want to know.

use std::sync::Arc;

use super::cache::{Cache, Key};
use super::flights::Flights;
use super::token::Token;
use super::{Client, Settings, refused};
use crate::error::{Error, Result};

/// So many questions are with Keystone at once. Each holds a connection of a client, of which there are 768: with a
/// Keystone that hangs there must be some left for those whose token is known.
const MAX_FLIGHTS: usize = 128;

/// So many requests wait for the answer to a question that another request has asked.
const MAX_WAITING: usize = 256;

/// Knows tokens, or asks.
pub struct Validator {
    client: Client,
    /// `None` for ever asking anew.
    cache: Option<Cache>,
    flights: Flights<(Key, bool), Result<Arc<Token>>>,
    include_catalog: bool,
}

impl Validator {
    /// # Errors
    /// A sentence for the operator: `auth_url` is no URL; a certificate or key cannot be read.
    pub fn new(settings: &Settings) -> std::result::Result<Self, String> {
        Ok(Self {
            client: Client::new(&settings.login, settings.http_request_max_retries)?,
            cache: settings.token_cache_time.map(|life| Cache::new(settings.cached_tokens, life)),
            flights: Flights::new(MAX_FLIGHTS, MAX_WAITING),
            include_catalog: settings.include_service_catalog,
        })
    }

    /// What a token is; with `allow_expired` also if it has ended lately. It may have ended since Keystone said it.
    ///
    /// # Errors
    /// 401: Keystone does not know it. 503: Keystone cannot be asked, or too many are asking.
    pub fn validate(&self, text: &str, allow_expired: bool) -> Result<Arc<Token>> {
        let key = Key::new(text);
        let known = || self.cache.as_ref()?.get(&key, allow_expired);
        if let Some(token) = known() {
            return Ok(token);
        }
        let answer = self.flights.join(&(key, allow_expired), || {
            // Somebody else may just have got the answer.
            if let Some(token) = known() {
                return Ok(token);
            }
            let token = Arc::new(self.ask(text, allow_expired)?);
            if let Some(cache) = &self.cache {
                cache.insert(key, allow_expired, Arc::clone(&token));
            }
            Ok(token)
        });
        answer.unwrap_or_else(|| {
            Err(Error::identity_unavailable(
                "too many requests wait for Keystone; this one was not let join them",
            ))
        })
    }

    fn ask(&self, text: &str, allow_expired: bool) -> Result<Token> {
        let path = match (self.include_catalog, allow_expired) {
            (true, false) => "/auth/tokens",
            (true, true) => "/auth/tokens?allow_expired=1",
            (false, false) => "/auth/tokens?nocatalog",
            (false, true) => "/auth/tokens?nocatalog&allow_expired=1",
        };
        // Without the second header Keystone keeps tokens with access rules from us: we might not know the rules.
        let headers = [("X-Subject-Token", text), ("OpenStack-Identity-Access-Rules", "1")];
        let answer = self.client.send_as_service("GET", path, &headers, None)?;
        match answer.status {
            200 => Token::parse(&answer.body).map_err(|error| {
                Error::identity_unavailable(format!("Keystone's answer about a token is unusable: {error}"))
            }),
            404 => Err(refused("Keystone does not know the token")),
            401 => Err(Error::identity_unavailable("Keystone refuses our own token, also a new one")),
            status => Err(Error::identity_unavailable(format!(
                "Keystone answers a question about a token with {status}"
            ))),
        }
    }
}
