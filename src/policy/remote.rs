//! `http:` and `https:` checks: another service decides (oslo.policy, `_external.py`).

use serde_json::{Value, json};
use url::form_urlencoded;

use super::Settings;
use super::python::Values;
use crate::outbound::{self, Client};

/// What the other service is told.
pub struct Question<'a> {
    /// The rule that was asked first, not the one in which the check stands.
    pub rule: &'a str,
    /// What is asked for.
    pub target: &'a Values,
    /// Who asks.
    pub credentials: &'a Values,
}

/// The way to the services that decide.
#[derive(Debug)]
pub struct Remote {
    client: Client,
    json: bool,
}

impl Remote {
    /// `[oslo_policy] remote_*`
    ///
    /// # Errors
    /// A sentence for the operator: a certificate or key cannot be read.
    pub fn new(settings: &Settings) -> Result<Self, String> {
        let mut remote = settings.remote.clone();
        if remote.insecure {
            // As there: without verification nobody looks at the authorities.
            remote.ca_file = None;
        }
        Ok(Self { client: Client::new(&remote)?, json: settings.remote_json })
    }

    /// Whether the service says `True`, in quotes or without, and nothing else; the status does not matter.
    ///
    /// # Errors
    /// Nobody answers, or not in time: in words for the log, without what was sent.
    pub fn allows(&self, url: &str, question: &Question<'_>) -> Result<bool, String> {
        let (content_type, body) = if self.json {
            ("application/json", question.json().to_string())
        } else {
            ("application/x-www-form-urlencoded", question.form())
        };
        let answer = self.send(url, content_type, &body)?;
        Ok(String::from_utf8_lossy(&answer.body).trim_matches('"') == "True")
    }

    fn send(&self, url: &str, content_type: &str, body: &str) -> Result<outbound::Answer, String> {
        let headers = [("Content-Type", content_type), ("Accept", "*/*")];
        self.client.send("POST", url, &headers, Some(body.as_bytes())).map_err(|error| {
            // No more than the host: an address may hold a password.
            let url = url::Url::parse(url).ok();
            let host = url.as_ref().and_then(url::Url::host_str).unwrap_or("nobody");
            format!("no answer to an http check from {host}: {error}")
        })
    }
}

impl Question<'_> {
    fn json(&self) -> Value {
        json!({"rule": self.rule, "target": self.target, "credentials": self.credentials})
    }

    /// Each part as JSON in a field of a form.
    fn form(&self) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("rule", json!(self.rule)),
            ("target", json!(self.target)),
            ("credentials", json!(self.credentials)),
        ] {
            form.append_pair(name, &value.to_string());
        }
        form.finish()
    }
}
