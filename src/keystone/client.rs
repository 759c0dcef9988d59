//! Requests to Keystone, our own login among them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::flights::Flights;
use super::shares::Peer;
use super::{Login, endpoint, time};
use crate::auth::Secret;
use crate::error::{Error, Result};
use crate::outbound::{self, Answer, Failure, Stage};
use crate::workers;

/// A token of ours that lives no longer than this is not used any more; keystoneauth's `MIN_TOKEN_LIFE_SECONDS`.
const MIN_TOKEN_LIFE: TimeDelta = TimeDelta::seconds(120);

/// How long to wait before sending a request again, for the first time; then twice as long each time. keystoneauth's.
const FIRST_DELAY: Duration = Duration::from_millis(500);

/// After this long no request is sent again: nobody waits for its outcome any more.
const PATIENCE: Duration = Duration::from_secs(60);

/// So many may wait for one login of ours.
const MAX_WAITING: usize = 1024;

/// Keystone as one login of ours sees it. Nothing is sent before something is asked.
pub struct Client {
    login: Login,
    retries: u32,
    http: outbound::Client,
    /// The v3 base under `auth_url`, once it has been found out.
    auth_base: OnceLock<String>,
    session: Mutex<Option<Arc<Session>>>,
    /// By the number of the session that is to be replaced; 0 for whichever there is.
    logins: Flights<u64, Result<Arc<Session>>>,
    /// How many logins there were.
    count: AtomicU64,
}

/// A token of ours.
#[derive(Debug, Clone)]
pub struct ServiceToken {
    /// The token itself.
    pub token: Secret,
    /// Our user's id.
    pub user_id: String,
    /// When it ends.
    pub expires: DateTime<Utc>,
}

/// What one login brought.
struct Session {
    /// From 1.
    number: u64,
    token: ServiceToken,
    /// The v3 base to send requests to.
    endpoint: String,
}

impl Client {
    /// A client that sends a request again at most `retries` times if it got no answer.
    ///
    /// # Errors
    /// A sentence for the operator: `auth_url` is no URL; it is one of https and a certificate or key cannot be read.
    pub fn new(login: &Login, retries: u32) -> std::result::Result<Self, String> {
        // It is shown to callers and in the log: there is no place for a user and a password in it.
        let url = url::Url::parse(&login.auth_url).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https") && url.has_host() && !url.authority().contains('@')
        });
        let Some(url) = url else {
            return Err(
                "auth_url must be the http or https URL of Keystone, without a user in it.".to_owned()
            );
        };
        // requests, which is underneath keystoneauth, takes the one value for connecting and for waiting after it.
        let timeout =
            login.http.timeout.or(login.http.connect_timeout.map(|timeout| timeout.saturating_mul(2)));
        let settings = outbound::Settings { timeout, ..login.http.clone() };
        let http = match outbound::Client::new(&settings) {
            // DevStack names a cafile whether it has one or not, and keystoneauth reads it only for https.
            Err(why) if url.scheme() == "http" => {
                log::warn!(
                    "{why} It is not needed while auth_url is http; a Keystone that the catalogue has at https is not \
                     believed without it"
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
            logins: Flights::new(usize::MAX, MAX_WAITING),
            count: AtomicU64::new(0),
        })
    }

    /// The v3 base that requests go to: the catalogue's identity endpoint of the configured interface and region, or
    /// `auth_url` where the catalogue has none. Without a slash at the end.
    ///
    /// # Errors
    /// 503: we cannot log in.
    pub fn endpoint(&self) -> Result<String> {
        Ok(self.session(None)?.endpoint.clone())
    }

    /// A token of ours that is good for two minutes at least, unless Keystone gives out none that are.
    ///
    /// # Errors
    /// 503: we cannot log in.
    pub fn service(&self) -> Result<ServiceToken> {
        Ok(self.session(None)?.token.clone())
    }

    /// Sends a request with a token and waits for the answer, whatever its status. `path` begins with a slash and is
    /// below the v3 base.
    ///
    /// Without an answer it is sent again, a POST or PATCH only if Keystone was not connected to.
    ///
    /// # Errors
    /// 503: no answer came, or we cannot log in, which is how the endpoint is known.
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

    /// As [`Client::send`], with our own token. If Keystone refuses it (401), a new one is fetched and the request sent
    /// once more.
    ///
    /// # Errors
    /// 503: no answer came, or we cannot log in.
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

    /// The current session, or a new one: if there is none, if it is about to end, and if it is the `refused` one.
    fn session(&self, refused: Option<u64>) -> Result<Arc<Session>> {
        let current = || {
            let session = self.session.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
            let fresh = session.token.expires > Utc::now() + MIN_TOKEN_LIFE;
            (fresh && Some(session.number) != refused).then_some(session)
        };
        if let Some(session) = current() {
            return Ok(session);
        }
        let session = self.logins.join(Peer::OURSELVES, &refused.unwrap_or_default(), || {
            // Somebody else's login may just have ended.
            if let Some(session) = current() {
                return Ok(session);
            }
            let session = Arc::new(self.log_in()?);
            *self.session.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&session));
            Ok(session)
        });
        session.unwrap_or_else(|| Err(Error::identity_unavailable("too many wait for our own login")))
    }

    fn log_in(&self) -> Result<Session> {
        let base = self.auth_base()?;
        let answer = self.exchange("POST", &format!("{base}/auth/tokens"), &[], Some(&self.login.body()))?;
        if answer.status != 201 {
            let reason = self.reason(&answer);
            return Err(Error::identity_unavailable(format!("our own login failed at {base}: {reason}")));
        }
        let unusable =
            || Error::identity_unavailable(format!("the answer to our own login at {base} is unusable"));
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
            if left == 0 || !may_be_sent_again(method, &failure) || begun.elapsed() + delay > PATIENCE {
                return Err(Error::identity_unavailable(format!("no answer from Keystone: {failure}")));
            }
            log::warn!("no answer from Keystone: {failure}; asking again, {left} times at most");
            workers::while_parked(|| thread::sleep(delay));
            left -= 1;
            delay = delay.saturating_mul(2);
        }
    }

    /// What Keystone says of a login that failed, without what it may repeat of it.
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

fn may_be_sent_again(method: &str, failure: &Failure) -> bool {
    match failure.stage {
        Stage::Wrong => false,
        Stage::Connecting => true,
        Stage::Sent => !matches!(method, "POST" | "PATCH"),
    }
}
