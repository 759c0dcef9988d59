//! A plain HTTP client for all three services.

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::{HeaderMap, Request};

/// Longer than any timeout of the services.
const PATIENCE: Duration = Duration::from_secs(60);

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
    /// The request, for messages.
    asked: String,
}

/// Sends a request, on a connection of its own.
///
/// # Errors
/// There was no answer; why.
pub fn try_send(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Result<Answer, String> {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        .max_idle_connections(0)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .allow_non_standard_methods(true)
        .proxy(None)
        .build();
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let sent = body.map(Value::to_string).unwrap_or_default();
    let agent = Agent::new_with_config(config);
    let answer = match body {
        Some(_) => agent.run(request.header("Content-Type", "application/json").body(sent.as_str()).unwrap()),
        None => agent.run(request.body(()).unwrap()),
    };
    let asked = format!("{method} {url} {sent}");
    let mut answer = answer.map_err(|error| format!("{asked}: {error}"))?;
    let status = answer.status().as_u16();
    let body = answer.body_mut().read_to_string().map_err(|error| format!("{asked}: {error}"))?;
    Ok(Answer { status, headers: answer.headers().clone(), body, asked })
}

/// As [`send`], where an answer must come.
#[track_caller]
pub fn send(method: &str, url: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Answer {
    try_send(method, url, headers, body).unwrap_or_else(|error| panic!("{error}"))
}

impl Answer {
    /// The body of an answer that must have this status; otherwise the test fails and shows the exchange.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self}");
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body: String = self.body.chars().take(2000).collect();
        write!(f, "{}\n-> {} {:?}\n{body}", self.asked, self.status, self.headers)
    }
}
