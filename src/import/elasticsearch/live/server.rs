//! Sends requests to the server, and recognises its product and release.

use std::thread::sleep;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use front::outbound::{Answer, Client, Settings, Stage};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;
use url::Url;

use crate::import::elasticsearch::Options;
use crate::import::{Error, Result};

/// The longest page of 500 documents, in bytes.
const MAX_ANSWER: u64 = 128 << 20;

/// How often a request to a busy server is repeated.
const RETRIES: u32 = 5;

/// The longest wait for a busy server.
const LONGEST: Duration = Duration::from_secs(30);

/// What may stand in a path as it is; an index may be several, or a pattern.
const PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b',').remove(b'*').remove(b'+');

/// Why a page could not be read.
pub enum Trouble {
    /// Trying again does not help.
    Fatal(Error),
    /// The server has lost the read, or the answer was lost; it has to begin anew.
    Lost(String),
    /// Fewer or more documents came than were found.
    Incomplete { read: u64, sentence: String },
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Fatal(error)
    }
}

/// The server.
pub struct Server {
    http: Client,
    base: String,
    authorization: Option<String>,
    /// Scheme, host and port, for sentences.
    pub name: String,
    /// The first number of its release; OpenSearch counts as 7, which it came from.
    pub major: u64,
    /// Whether it is OpenSearch.
    pub is_opensearch: bool,
    release: String,
}

impl Server {
    /// Connects, and recognises the server.
    pub fn open(url: &str, options: &Options) -> Result<Self> {
        let mut url =
            Url::parse(url).map_err(|error| format!("The address of Elasticsearch is no URL: {error}."))?;
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let own = (!url.username().is_empty()).then(|| {
            let pair = format!("{}:{}", decoded(url.username()), decoded(url.password().unwrap_or_default()));
            format!("Basic {}", STANDARD.encode(pair))
        });
        // They cannot be refused: the URL has a host.
        _ = url.set_username("");
        _ = url.set_password(None);
        url.set_query(None);
        url.set_fragment(None);
        let http = Client::new(&Settings {
            ca_file: options.ca_file.clone(),
            cert_file: options.cert_file.clone(),
            key_file: options.key_file.clone(),
            insecure: options.insecure,
            timeout: Some(Duration::from_secs(300)),
            max_answer: Some(MAX_ANSWER),
            ..Settings::default()
        })?;
        let mut server = Self {
            http,
            base: url.as_str().trim_end_matches('/').to_owned(),
            authorization: options.authorization.clone().or(own),
            name: url.origin().ascii_serialization(),
            major: 0,
            is_opensearch: false,
            release: String::new(),
        };
        server.recognise()?;
        Ok(server)
    }

    fn recognise(&mut self) -> Result<()> {
        let answer = self.ask_once("GET", "/", None).map_err(|(_, why)| format!("{why}."))?;
        // The right to read an index does not include this one. What 7.x takes, 2.x to 9.x take, too.
        if answer.status == 403 {
            self.major = 7;
            self.release = "of a release that it does not tell".to_owned();
            return Ok(());
        }
        let answer = self.expect_success(answer)?;
        let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let text = |path: &str| json.pointer(path).and_then(Value::as_str);
        let Some(number) = text("/version/number") else {
            return Err(format!("{} is no Elasticsearch: its answer names no version.", self.name).into());
        };
        let major = number.split('.').next().and_then(|major| major.parse().ok());
        let Some(major) = major else {
            return Err(format!("{} names no version that can be read: {number}.", self.name).into());
        };
        self.is_opensearch = text("/version/distribution") == Some("opensearch");
        self.major = if self.is_opensearch { 7 } else { major };
        self.release = number.to_owned();
        Ok(())
    }

    /// The product and release, for the operator.
    pub fn title(&self) -> String {
        let product = if self.is_opensearch { "OpenSearch" } else { "Elasticsearch" };
        format!("{product} {} at {}", self.release, self.name)
    }

    /// The documents of an index; `None` if there is none of that name.
    pub fn count(&self, index: &str) -> Result<Option<u64>> {
        let path = format!("/{}/_count", encoded(index));
        self.count_at(&path)
    }

    /// The documents of each type, which there are up to 6.x. A few requests, answered from the index's own figures.
    pub fn count_types(&self, index: &str) -> Result<Vec<(&'static str, u64)>> {
        let mut counts = Vec::new();
        if self.major < 7 {
            for kind in ["clients", "actions", "jobs", "sessions", "backups"] {
                let path = format!("/{}/{kind}/_count", encoded(index));
                match self.count_at(&path)? {
                    Some(count) if count > 0 => counts.push((kind, count)),
                    _ => {}
                }
            }
        }
        Ok(counts)
    }

    fn count_at(&self, path: &str) -> Result<Option<u64>> {
        let answer = self.ask("GET", path, None, Again::Yes).map_err(fatal)?;
        if answer.status == 404 {
            return Ok(None);
        }
        let answer = self.expect_success(answer)?;
        let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        match json.get("count").and_then(Value::as_u64) {
            Some(count) => Ok(Some(count)),
            None => Err(format!("{} does not say how many documents there are.", self.name).into()),
        }
    }

    /// Sends a request. It is repeated with growing waits if the server is busy or cannot be reached.
    pub fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&Body>,
        again: Again,
    ) -> std::result::Result<Answer, Trouble> {
        let mut tries = 0;
        loop {
            let (wait, why) = match self.ask_once(method, path, body) {
                Ok(answer) if !matches!(answer.status, 429 | 503) => return Ok(answer),
                Ok(answer) => {
                    (answer.header("retry-after").and_then(|it| it.parse().ok()), self.refusal(&answer))
                }
                Err((Stage::NotSendable, why)) => return Err(Trouble::Fatal(format!("{why}.").into())),
                // It may have been carried out, and the next page would be the one after it.
                Err((Stage::MaybeSent, why)) if again == Again::No => {
                    return Err(Trouble::Lost(format!("{why}.")));
                }
                Err((_, why)) => (None, format!("{why}.")),
            };
            tries += 1;
            if tries > RETRIES {
                return Err(Trouble::Fatal(why.into()));
            }
            log::warn!("{why} It is asked again ({tries} of {RETRIES})");
            match wait {
                Some(seconds) => sleep(Duration::from_secs(seconds).min(LONGEST)),
                None => self.pause(tries),
            }
        }
    }

    /// Sends a request once, without repeating it.
    pub fn once(&self, method: &str, path: &str, body: &Body) -> Option<Answer> {
        self.ask_once(method, path, Some(body)).ok()
    }

    /// Waits before a further try: half a second, and twice as long each time.
    pub fn pause(&self, tries: u32) {
        sleep((Duration::from_millis(250) * 2_u32.saturating_pow(tries)).min(LONGEST));
    }

    fn ask_once(
        &self,
        method: &str,
        path: &str,
        body: Option<&Body>,
    ) -> std::result::Result<Answer, (Stage, String)> {
        let mut headers = vec![("Accept", "application/json")];
        if let Some(value) = &self.authorization {
            headers.push(("Authorization", value.as_str()));
        }
        if let Some(body) = body {
            headers.push(("Content-Type", body.content_type()));
        }
        let url = format!("{}{path}", self.base);
        let outcome = self.http.try_send(method, &url, &headers, body.map(Body::bytes).as_deref());
        outcome.map_err(|failure| (failure.stage, failure.to_string()))
    }

    /// An answer that is one, or a sentence.
    pub fn expect_success(&self, answer: Answer) -> Result<Answer> {
        if (200..300).contains(&answer.status) { Ok(answer) } else { Err(self.refusal(&answer).into()) }
    }

    /// A sentence on an answer that refuses.
    pub fn refusal(&self, answer: &Answer) -> String {
        let reason = match answer.status {
            401 => "the user, password, key or token is not accepted".to_owned(),
            403 => "the user may not do this".to_owned(),
            300..=399 => "it sends to another address, which is not followed".to_owned(),
            _ => error_in(&answer.body),
        };
        format!("{} answered {}: {reason}.", self.name, answer.status)
    }
}

/// Whether a request may be repeated if its answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    Yes,
    No,
}

/// What a request brings.
#[derive(Debug)]
pub enum Body {
    Json(Value),
    /// The id of a scroll as 1.x takes it.
    Text(String),
}

impl Body {
    fn content_type(&self) -> &'static str {
        match self {
            Self::Json(_) => "application/json",
            Self::Text(_) => "text/plain",
        }
    }

    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Json(json) => json.to_string().into_bytes(),
            Self::Text(text) => text.clone().into_bytes(),
        }
    }
}

/// An index's name as it stands in a path.
pub fn encoded(index: &str) -> String {
    utf8_percent_encode(index, PATH).to_string()
}

/// What an error says, in short: a text up to 1.x, an object since.
pub fn error_in(body: &[u8]) -> String {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |path: &str| json.pointer(path).and_then(Value::as_str);
    let found = match (text("/error"), text("/error/type"), text("/error/reason")) {
        (Some(text), _, _) => text.to_owned(),
        (None, Some(kind), Some(reason)) => format!("{kind}: {reason}"),
        (None, Some(kind), None) => kind.to_owned(),
        _ => "no reason is given".to_owned(),
    };
    found.chars().take(300).collect()
}

fn fatal(trouble: Trouble) -> Error {
    match trouble {
        Trouble::Fatal(error) => error,
        Trouble::Lost(why) => why.into(),
        Trouble::Incomplete { sentence, .. } => sentence.into(),
    }
}
