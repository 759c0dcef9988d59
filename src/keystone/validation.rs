//! Asking Keystone what a token is, once for all who want to know.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::cache::{Cache, Key};
use super::flights::Flights;
use super::memcached::{Context, Memcached};
use super::shares::Peer;
use super::token::Token;
use super::{Client, Settings, refused};
use crate::error::{Error, Result};

/// So many questions are with Keystone at once. Each holds a connection of a client, of which there are 768: with a
/// Keystone that hangs there must be some left for those whose token is known.
const MAX_FLIGHTS: usize = 128;

/// Upper bound on the requests that wait, for a place or for the answer to another request's question.
const MAX_WAITING: usize = 256;

/// How often the log says that requests were turned away for want of a place.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Knows tokens, or asks.
pub struct Validator {
    client: Client,
    /// `None` for ever asking anew.
    memory: Option<Memory>,
    flights: Flights<(Key, bool), Result<Arc<Token>>>,
    include_catalog: bool,
    turned_away: Mutex<TurnedAway>,
}

/// Requests that found no place. Each of them in the log would let callers without any token write it.
#[derive(Default)]
struct TurnedAway {
    /// Since the log said so.
    count: u64,
    said: Option<Instant>,
}

/// What Keystone said a short while ago.
struct Memory {
    /// To this process.
    own: Cache,
    /// To any process.
    shared: Option<Memcached>,
    /// For how long it is believed.
    life: Duration,
}

impl Validator {
    /// # Errors
    /// A sentence for the operator: `auth_url` is no URL; a certificate or key cannot be read.
    pub fn new(settings: &Settings) -> std::result::Result<Self, String> {
        Ok(Self {
            client: Client::new(&settings.login, settings.http_request_max_retries)?,
            memory: settings.token_cache_time.map(|life| Memory::new(settings, life)).transpose()?,
            flights: Flights::new(MAX_FLIGHTS, MAX_WAITING),
            include_catalog: settings.include_service_catalog,
            turned_away: Mutex::default(),
        })
    }

    /// What a token is; with `allow_expired` also if it has ended lately. It may have ended since Keystone said it.
    ///
    /// # Errors
    /// 401: Keystone does not know it. 503: Keystone cannot be asked, or too many are asking.
    pub fn validate(&self, from: Peer, text: &str, allow_expired: bool) -> Result<Arc<Token>> {
        let key = Key::new(text);
        let known = || self.memory.as_ref()?.own.get(&key, allow_expired);
        if let Some(token) = known() {
            return Ok(token);
        }
        let answer = self.flights.join(from, &(key, allow_expired), || {
            // Somebody else may just have got the answer.
            if let Some(token) = known() {
                return Ok(token);
            }
            if let Some(token) = self.memory.as_ref().and_then(|memory| memory.recall(key, allow_expired)) {
                return Ok(token);
            }
            let token = Arc::new(self.ask(text, allow_expired)?);
            if let Some(memory) = &self.memory {
                memory.note(key, allow_expired, &token);
            }
            Ok(token)
        });
        answer.unwrap_or_else(|| {
            self.turn_away();
            Err(Error::identity_overloaded())
        })
    }

    fn turn_away(&self) {
        let mut turned_away = self.turned_away.lock().unwrap_or_else(PoisonError::into_inner);
        turned_away.count += 1;
        if turned_away.said.is_none_or(|said| said.elapsed() >= LOG_INTERVAL) {
            log::error!(
                "too many requests wait for Keystone: {} were answered with 503, the last one's among them; this is said \
                 once a minute",
                turned_away.count
            );
            *turned_away = TurnedAway { count: 0, said: Some(Instant::now()) };
        }
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

impl Memory {
    fn new(settings: &Settings, life: Duration) -> std::result::Result<Self, String> {
        let context = Context {
            keystone: settings.login.auth_url.clone(),
            catalog: settings.include_service_catalog,
            life,
        };
        let shared = settings.memcached.as_ref().map(|memcached| Memcached::new(memcached, context));
        Ok(Self { own: Cache::new(settings.cached_tokens), shared: shared.transpose()?, life })
    }

    /// What another process was told, which this one believes for as long as that one.
    fn recall(&self, key: Key, allow_expired: bool) -> Option<Arc<Token>> {
        let known = self.shared.as_ref()?.get(&key, allow_expired)?;
        let token = Arc::new(known.token);
        self.own.insert(key, known.allow_expired, Arc::clone(&token), known.life);
        Some(token)
    }

    fn note(&self, key: Key, allow_expired: bool, token: &Arc<Token>) {
        self.own.insert(key, allow_expired, Arc::clone(token), self.life);
        if let Some(shared) = &self.shared {
            shared.put(&key, allow_expired, token);
        }
    }
}
