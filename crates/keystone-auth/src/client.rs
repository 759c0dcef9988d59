//! Requests to Keystone, including the service's own login.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::shares::Peer;
use crate::single_flight::SingleFlight;
use crate::{Login, endpoint, time};
use front::context::Secret;
use front::error::{Error, Result};
use front::outbound::{self, Answer, Failure, Stage};
use front::workers;

/// A service token with less time left is replaced; keystoneauth's `MIN_TOKEN_LIFE_SECONDS`.
const MIN_TOKEN_LIFE: TimeDelta = TimeDelta::seconds(120);

/// The first back-off before a retry, which doubles with each further retry; keystoneauth's value.
const FIRST_DELAY: Duration = Duration::from_millis(500);

/// Upper bound on the time in which a request is retried. After it, no client waits for the outcome any more.
const MAX_RETRY_TIME: Duration = Duration::from_secs(60);

/// How many requests may wait for one login of the service.
const MAX_WAITING: usize = 1024;

/// A client of Keystone with the service's credentials. It logs in with the first request that needs a token.
pub struct Client {
    login: Login,
    retries: u32,
    http: outbound::Client,
    /// The v3 base under `auth_url`, once it is known.
    auth_base: OnceLock<String>,
    session: Mutex<Option<Arc<Session>>>,
    /// Logins in progress, by the number of the refused session that each replaces; 0 if none was refused.
    logins: SingleFlight<u64, Result<Arc<Session>>>,
    /// The number of logins so far.
    count: AtomicU64,
}

/// The service's own token.
#[derive(Debug, Clone)]
pub struct ServiceToken {
    /// The token itself.
    pub token: Secret,
    /// The id of the service's user.
    pub user_id: String,
    /// When the token expires.
    pub expires: DateTime<Utc>,
}

/// The result of one login.
struct Session {
    /// Counts logins, from 1.
    number: u64,
    token: ServiceToken,
    /// The v3 base to send requests to.
    endpoint: String,
}

impl Client {
    /// A client that sends a request again, at most `retries` times, if no answer came.
    ///
    /// # Errors
    /// A sentence for the operator: `auth_url` is not a URL, or it is https and a certificate or key cannot be read.
    pub fn new(login: &Login, retries: u32) -> std::result::Result<Self, String> {
        // The URL is shown to callers and in the log, so it must not hold a user and a password.
        let url = url::Url::parse(&login.auth_url).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https") && url.has_host() && !url.authority().contains('@')
        });
        let Some(url) = url else {
            return Err(
                "auth_url must be the http or https URL of Keystone, without a user in it.".to_owned()
            );
        };
        // Python's requests, which keystoneauth uses, applies this value to connecting and then to waiting.
        let timeout =
            login.http.timeout.or(login.http.connect_timeout.map(|timeout| timeout.saturating_mul(2)));
        let settings = outbound::Settings { timeout, ..login.http.clone() };
        let http = match outbound::Client::new(&settings) {
            // DevStack sets cafile even if there is no such file, and keystoneauth reads it only for https.
            Err(why) if url.scheme() == "http" => {
                log::warn!(
                    "{why} It is not needed while auth_url is http; a Keystone that the catalogue has at https is not \
                     trusted without it"
                );
                outbound::Client::new(&settings.without_files())?
            }
            http => http?,
        };
        Ok(Self {
            http,
            login: login.clone(),
            retries,
            auth_base: OnceLock::new(),
            session: Mutex::new(None),
            logins: SingleFlight::new(usize::MAX, MAX_WAITING),
            count: AtomicU64::new(0),
        })
    }

    /// The v3 base that requests go to: the catalogue's identity endpoint of the configured interface and region, or
    /// `auth_url` if the catalogue has none. It has no slash at the end.
    ///
    /// # Errors
    /// 503: the service cannot log in.
    pub fn endpoint(&self) -> Result<String> {
        Ok(self.session(None)?.endpoint.clone())
    }

    /// The service's own token. It has at least two minutes left, unless Keystone issues shorter ones.
    ///
    /// # Errors
    /// 503: the service cannot log in.
    pub fn service(&self) -> Result<ServiceToken> {
        Ok(self.session(None)?.token.clone())
    }

    /// Sends a request with a token and waits for the answer, whatever its status. `path` begins with a slash and is
    /// below the v3 base.
    ///
    /// If no answer comes, the request is sent again; a POST or PATCH only if there was no connection.
    ///
    /// # Errors
    /// 503: no answer came, or the service cannot log in, by which it learns the endpoint.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        token: &Secret,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer> {
        self.send_to(&self.endpoint()?, method, path, token, headers, body)
    }

    /// As [`Client::send`], with the service's own token. If Keystone refuses the token (401), the client logs in again and
    /// sends the request once more.
    ///
    /// # Errors
    /// 503: no answer came, or the service cannot log in.
    pub fn send_as_service(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer> {
        let send = |session: &Session| {
            self.send_to(&session.endpoint, method, path, &session.token.token, headers, body)
        };
        let session = self.session(None)?;
        let answer = send(&session)?;
        if answer.status != 401 {
            return Ok(answer);
        }
        log::info!("Keystone refuses the service token; logging in again");
        send(&*self.session(Some(session.number))?)
    }

    fn send_to(
        &self,
        endpoint: &str,
        method: &str,
        path: &str,
        token: &Secret,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer> {
        let mut all = vec![("X-Auth-Token", token.reveal())];
        all.extend(headers);
        self.exchange(method, &format!("{endpoint}{path}"), &all, body)
    }

    /// The current session. Logs in if there is none, if its token is about to expire, or if it is the `refused` one.
    fn session(&self, refused: Option<u64>) -> Result<Arc<Session>> {
        let current = || {
            let session = self.session.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
            let fresh = session.token.expires > Utc::now() + MIN_TOKEN_LIFE;
            (fresh && Some(session.number) != refused).then_some(session)
        };
        if let Some(session) = current() {
            return Ok(session);
        }
        let session = self.logins.run(Peer::SERVICE_ITSELF, &refused.unwrap_or_default(), || {
            // Another thread's login may have just completed.
            if let Some(session) = current() {
                return Ok(session);
            }
            let session = Arc::new(self.log_in()?);
            *self.session.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&session));
            Ok(session)
        });
        session.unwrap_or_else(|| {
            Err(Error::identity_unavailable("too many requests wait for the service's own login"))
        })
    }

    fn log_in(&self) -> Result<Session> {
        let base = self.auth_base()?;
        let answer = self.exchange("POST", &format!("{base}/auth/tokens"), &[], Some(&self.login.body()))?;
        if answer.status != 201 {
            let reason = self.reason(&answer);
            return Err(Error::identity_unavailable(format!(
                "the service's own login failed at {base}: {reason}"
            )));
        }
        let unusable = || {
            Error::identity_unavailable(format!(
                "the answer to the service's own login at {base} is unusable"
            ))
        };
        let body: Value = serde_json::from_slice(&answer.body).map_err(|_| unusable())?;
        let token = &body["token"];
        let service = ServiceToken {
            token: Secret::new(answer.header("x-subject-token").ok_or_else(unusable)?),
            user_id: token["user"]["id"].as_str().ok_or_else(unusable)?.to_owned(),
            expires: token["expires_at"].as_str().and_then(time::parse).ok_or_else(unusable)?,
        };
        let interface = self.login.interface.as_deref().unwrap_or("internal");
        let region = self.login.region_name.as_deref();
        let endpoint = match endpoint::in_catalog(&token["catalog"], interface, region) {
            Some(url) => self.v3_base(url)?,
            None => {
                log::warn!(
                    "Keystone's catalogue has no {interface} identity endpoint; auth_url is used instead"
                );
                base
            }
        };
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(Session { number, token: service, endpoint })
    }

    fn auth_base(&self) -> Result<String> {
        if let Some(base) = self.auth_base.get() {
            return Ok(base.clone());
        }
        let base = self.v3_base(&self.login.auth_url)?;
        Ok(self.auth_base.get_or_init(|| base).clone())
    }

    /// The v3 base under a URL, which may or may not have a version in it.
    fn v3_base(&self, url: &str) -> Result<String> {
        let root = match endpoint::versioned(url) {
            Ok(base) => return Ok(base),
            Err(root) => root,
        };
        let answer = self.exchange("GET", &format!("{root}/"), &[], None)?;
        match endpoint::has_v3(&answer.body) {
            Some(true) => {}
            Some(false) => {
                return Err(Error::identity_unavailable(format!("there is no Keystone v3 under {root}")));
            }
            None => log::warn!(
                "no version document at {root} (status {}); /v3 is looked for under it",
                answer.status
            ),
        }
        Ok(format!("{root}/v3"))
    }

    fn exchange(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer> {
        let mut headers = headers.to_vec();
        headers.push(("Accept", "application/json"));
        let body = body.map(Value::to_string);
        if body.is_some() {
            headers.push(("Content-Type", "application/json"));
        }
        let begun = Instant::now();
        let mut delay = FIRST_DELAY;
        let mut left = self.retries;
        loop {
            let failure = match self.http.try_send(method, url, &headers, body.as_deref().map(str::as_bytes))
            {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            if left == 0 || !may_be_retried(method, &failure) || begun.elapsed() + delay > MAX_RETRY_TIME {
                return Err(Error::identity_unavailable(format!("no answer from Keystone: {failure}")));
            }
            log::warn!("no answer from Keystone: {failure}; retrying, {left} times at most");
            workers::while_parked(|| thread::sleep(delay));
            left -= 1;
            delay = delay.saturating_mul(2);
        }
    }

    /// Keystone's reason for a failed login, without the secret in case the message repeats it.
    fn reason(&self, answer: &Answer) -> String {
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let message = body["error"]["message"].as_str().unwrap_or_default();
        if message.is_empty() || message.contains(self.login.secret()) {
            return format!("status {}", answer.status);
        }
        let line: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
        format!("status {}: {line}", answer.status)
    }
}

fn may_be_retried(method: &str, failure: &Failure) -> bool {
    match failure.stage {
        Stage::NotSendable => false,
        Stage::NotConnected => true,
        Stage::MaybeSent => !matches!(method, "POST" | "PATCH"),
    }
}
