//! Validating tokens with Keystone. Concurrent requests with the same token share one validation.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::cache::{Cache, Key};
use crate::shares::Peer;
use crate::single_flight::SingleFlight;
use crate::token::Token;
use crate::{Client, Settings, refused};
use front::error::{Error, Result};

/// How many validations wait for Keystone's answer at a time. Each holds a client's connection, of which there are 768:
/// while Keystone hangs, enough must be left for requests whose tokens are cached.
const MAX_IN_FLIGHT: usize = 128;

/// Upper bound on the requests that wait, for a slot or for another request's validation.
const MAX_WAITING: usize = 256;

/// The shortest time between two log lines about rejected requests.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Validates tokens, from its cache or by asking Keystone.
pub struct Validator {
    client: Client,
    /// `None` if caching is off.
    cache: Option<Cache>,
    lookups: SingleFlight<(Key, bool), Result<Arc<Token>>>,
    include_catalog: bool,
    rejections: Mutex<Rejections>,
}

/// Counts requests that were rejected because too many wait. If each were logged, callers without a valid token could
/// flood the log.
#[derive(Default)]
struct Rejections {
    /// Since they were last logged.
    count: u64,
    logged_at: Option<Instant>,
}

impl Validator {
    /// # Errors
    /// A sentence for the operator: `auth_url` is not a URL, or a certificate or key cannot be read.
    pub fn new(settings: &Settings) -> std::result::Result<Self, String> {
        Ok(Self {
            client: Client::new(&settings.login, settings.http_request_max_retries)?,
            cache: settings.token_cache_time.map(|life| Cache::new(settings.cached_tokens, life)),
            lookups: SingleFlight::new(MAX_IN_FLIGHT, MAX_WAITING),
            include_catalog: settings.include_service_catalog,
            rejections: Mutex::default(),
        })
    }

    /// Validates a token; with `allow_expired` also one that has expired lately. A cached token may have expired since.
    ///
    /// # Errors
    /// 401: Keystone does not know the token. 503: Keystone does not answer, or too many requests wait for it.
    pub fn validate(&self, from: Peer, text: &str, allow_expired: bool) -> Result<Arc<Token>> {
        let key = Key::new(text);
        let known = || self.cache.as_ref()?.get(&key, allow_expired);
        if let Some(token) = known() {
            return Ok(token);
        }
        let answer = self.lookups.run(from, &(key, allow_expired), || {
            // Another request may have just completed this validation.
            if let Some(token) = known() {
                return Ok(token);
            }
            let token = Arc::new(self.fetch(text, allow_expired)?);
            if let Some(cache) = &self.cache {
                cache.insert(key, allow_expired, Arc::clone(&token));
            }
            Ok(token)
        });
        answer.unwrap_or_else(|| {
            self.log_rejection();
            Err(Error::identity_overloaded())
        })
    }

    fn log_rejection(&self) {
        let mut rejections = self.rejections.lock().unwrap_or_else(PoisonError::into_inner);
        rejections.count += 1;
        if rejections.logged_at.is_none_or(|logged| logged.elapsed() >= LOG_INTERVAL) {
            log::error!(
                "too many requests wait for Keystone: {} were answered with 503, including the latest; this is logged at \
                 most once a minute",
                rejections.count
            );
            *rejections = Rejections { count: 0, logged_at: Some(Instant::now()) };
        }
    }

    fn fetch(&self, text: &str, allow_expired: bool) -> Result<Token> {
        let path = match (self.include_catalog, allow_expired) {
            (true, false) => "/auth/tokens",
            (true, true) => "/auth/tokens?allow_expired=1",
            (false, false) => "/auth/tokens?nocatalog",
            (false, true) => "/auth/tokens?nocatalog&allow_expired=1",
        };
        // Keystone refuses to validate tokens with access rules without the second header, which says that the service
        // checks the rules.
        let headers = [("X-Subject-Token", text), ("OpenStack-Identity-Access-Rules", "1")];
        let answer = self.client.send_as_service("GET", path, &headers, None)?;
        match answer.status {
            200 => Token::parse(&answer.body).map_err(|error| {
                Error::identity_unavailable(format!("Keystone's answer about a token is unusable: {error}"))
            }),
            404 => Err(refused("Keystone does not know the token")),
            401 => {
                Err(Error::identity_unavailable("Keystone refuses the service's own token, also a new one"))
            }
            status => Err(Error::identity_unavailable(format!(
                "Keystone answers a question about a token with {status}"
            ))),
        }
    }
}
