//! The API, described by itself: an OpenAPI 3.1 document, and a page to read.
//!
//! There is no second copy of anything. Paths, methods and policy rules are the table's (`routes.rs`), what the rules
//! say is theirs (`policy/defaults.rs`), and the schemas are the shapes that requests are checked by
//! (`document/shape.rs`). [`operations`] says the rest: which shape a route takes, what it answers, and how it fails.

mod assembly;
mod components;
mod filters;
mod operation;
pub mod operations;
mod page;
mod parameters;

use serde_json::{Value, json};

pub use operation::Operation;

/// Where the CLI says the service is, as it is without configuration.
pub const DEFAULT_SERVER: &str = "http://127.0.0.1:9090";

/// What is different from one service to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Whether a token is asked for; not with `auth_strategy` noauth.
    pub has_tokens: bool,
    /// The most that a list gives at once.
    pub max_limit: i64,
    /// The most bytes that a body may have.
    pub max_body: (usize, usize),
    /// Where the health check is.
    pub health_path: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            has_tokens: true,
            max_limit: 1000,
            max_body: (114_688, 4_194_304),
            health_path: "/healthcheck".to_owned(),
        }
    }
}

/// The description of the API of the service at `server`.
pub fn document(settings: &Settings, server: &str) -> Value {
    let mut document = assembly::document(settings);
    document["servers"] = json!([{"url": server}]);
    document
}

/// The description of version 1 of that API.
pub fn document_v1(settings: &Settings, server: &str) -> Value {
    let mut document = assembly::document_v1(settings);
    document["servers"] = json!([{"url": server}]);
    document
}

/// The description, ready to be sent: what differs between requests is only where the service is.
pub struct Published {
    /// The document, before and after the server's address.
    document: (String, String),
    /// The page, before and after the prefix of our paths.
    page: (String, String),
    /// What a browser may do with the page.
    policy: String,
}

impl Published {
    /// Describes the service with these settings.
    pub fn new(settings: &Settings) -> Self {
        Self::of(&assembly::document(settings))
    }

    /// Describes version 1 of the API of the service with these settings.
    pub fn of_v1(settings: &Settings) -> Self {
        Self::of(&assembly::document_v1(settings))
    }

    fn of(document: &Value) -> Self {
        let page = page::page(document);
        // The servers are one key more of the object, its first.
        let rest = document.to_string().replacen('{', "}],", 1);
        Self {
            document: ("{\"servers\":[{\"url\":".to_owned(), rest),
            page,
            policy: page::content_security_policy(),
        }
    }

    /// The document of the service at `server`.
    pub fn document(&self, server: &str) -> String {
        let (before, after) = &self.document;
        format!("{before}{}{after}", Value::from(server))
    }

    /// The page, for a service whose paths begin with `prefix`.
    pub fn page(&self, prefix: &str) -> String {
        let (before, after) = &self.page;
        format!("{before}{}{after}", page::escaped(prefix))
    }

    /// The page's `Content-Security-Policy`.
    pub fn page_policy(&self) -> &str {
        &self.policy
    }
}
