//! The API reference: an OpenAPI 3.1 document and an HTML page.
//!
//! Nothing is written twice. Paths, methods and policy rules come from the route table (`routes.rs`), the texts of
//! the rules from `policy/defaults.rs`, and the schemas are the shapes that validate requests (`document/shape.rs`).
//! [`operations`] adds the rest: the body, the responses and the errors of each route.

mod assembly;
mod components;
mod filters;
mod operation;
pub mod operations;
mod page;
mod parameters;

use serde_json::{Value, json};

pub use operation::Operation;

/// The server's URL in a document that the CLI writes: the default address.
pub const DEFAULT_SERVER: &str = "http://127.0.0.1:9090";

/// The parts of the reference that depend on the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Whether requests need a token; false with `auth_strategy` noauth.
    pub has_tokens: bool,
    /// The maximum `limit` of a list.
    pub max_limit: i64,
    /// The maximum size of a body in bytes, and of one that changes or replaces a document.
    pub max_body: (usize, usize),
    /// The path of the health check.
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

/// The OpenAPI document of the service at `server`.
pub fn document(settings: &Settings, server: &str) -> Value {
    let mut document = assembly::document(settings);
    document["servers"] = json!([{"url": server}]);
    document
}

/// The OpenAPI document of version 1.
pub fn document_v1(settings: &Settings, server: &str) -> Value {
    let mut document = assembly::document_v1(settings);
    document["servers"] = json!([{"url": server}]);
    document
}

/// The reference as text. Only the URL of the service differs between requests.
pub struct ApiDocs {
    /// The document before and after the server's URL.
    document: (String, String),
    /// The page before and after the prefix of the service's paths.
    page: (String, String),
    /// The page's `Content-Security-Policy`.
    policy: String,
}

impl ApiDocs {
    /// Renders the reference of version 2.
    pub fn new(settings: &Settings) -> Self {
        Self::from_document(&assembly::document(settings))
    }

    /// Renders the reference of version 1.
    pub fn new_v1(settings: &Settings) -> Self {
        Self::from_document(&assembly::document_v1(settings))
    }

    fn from_document(document: &Value) -> Self {
        let page = page::page(document);
        // `servers` becomes the first key of the object.
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
