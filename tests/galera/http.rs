//! The HTTP client: a member of a project, over persistent connections.

use std::time::Duration;

use serde_json::Value;

/// Upper bound for an answer.
const PATIENCE: Duration = Duration::from_secs(40);

pub struct Caller {
    agent: ureq::Agent,
    project: String,
}

/// An answer. Status 0 stands for none: it is unknown whether the request was carried out.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub tag: Option<String>,
    pub body: Value,
}

impl Answer {
    /// Whether the service says that it carried out the request.
    pub fn is_done(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the service refused the request, and so did not carry it out.
    pub fn is_refused(&self) -> bool {
        (400..500).contains(&self.status)
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.body
    }
}

impl Caller {
    pub fn of(project: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .proxy(None)
            .allow_non_standard_methods(true)
            .build();
        Self { agent: config.into(), project: project.to_owned() }
    }

    pub fn get(&self, port: u16, path: &str) -> Answer {
        self.send(port, "GET", path, None, None)
    }

    pub fn post(&self, port: u16, path: &str, body: &Value) -> Answer {
        self.send(port, "POST", path, Some(body), None)
    }

    pub fn patch(&self, port: u16, path: &str, body: &Value, tag: Option<&str>) -> Answer {
        self.send(port, "PATCH", path, Some(body), tag)
    }

    pub fn delete(&self, port: u16, path: &str) -> Answer {
        self.send(port, "DELETE", path, None, None)
    }

    pub fn send(
        &self,
        port: u16,
        method: &str,
        path: &str,
        body: Option<&Value>,
        tag: Option<&str>,
    ) -> Answer {
        let url = format!("http://127.0.0.1:{port}/v2/{}{path}", self.project);
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(url)
            .header("X-User-Id", "galera")
            .header("X-Project-Id", &self.project)
            .header("X-Roles", "member,reader")
            .header("Content-Type", "application/json");
        if let Some(tag) = tag {
            request = request.header("If-Match", tag);
        }
        let text = body.map(Value::to_string).unwrap_or_default();
        let outcome = match body {
            Some(_) => self.agent.run(request.body(text).unwrap()),
            None => self.agent.run(request.body(()).unwrap()),
        };
        let Ok(mut response) = outcome else { return Answer { status: 0, tag: None, body: Value::Null } };
        let tag = response.headers().get("etag").and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let status = response.status().as_u16();
        match response.body_mut().read_to_string() {
            Ok(text) => {
                let body = serde_json::from_str(&text).unwrap_or(Value::Null);
                Answer { status, tag, body }
            }
            Err(_) => Answer { status: 0, tag: None, body: Value::Null },
        }
    }
}
