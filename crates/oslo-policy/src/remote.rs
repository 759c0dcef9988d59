//! `http:` and `https:` checks: another service decides (oslo.policy, `_external.py`).

use front::outbound::{self, Client};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::Settings;
use super::python::Values;

/// The content of an http check's request.
pub struct Question<'a> {
    /// The rule with which the evaluation began, not the one that contains the check.
    pub rule: &'a str,
    pub target: &'a Values,
    pub credentials: &'a Values,
}

/// The client for http checks.
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
            // As oslo.policy: the authorities' file is read only for verification.
            remote.ca_file = None;
        }
        Ok(Self { client: Client::new(&remote)?, json: settings.remote_json })
    }

    /// Whether the answer's body is `True`, with or without quotes; the status does not matter.
    ///
    /// # Errors
    /// No answer came in time. The text is for the log, and holds nothing of the request but the host.
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
            // The host alone, because a URL may hold a password.
            let url = url::Url::parse(url).ok();
            let host = url.as_ref().and_then(url::Url::host_str).unwrap_or("an invalid URL");
            format!("no answer to an http check from {host}: {error}")
        })
    }
}

impl Question<'_> {
    fn json(&self) -> Value {
        json!({"rule": self.rule, "target": self.target, "credentials": self.credentials})
    }

    /// A form whose fields hold JSON.
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
