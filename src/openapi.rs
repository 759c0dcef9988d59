//! The API reference: an OpenAPI 3.1 document and an HTML page.
//!
//! Nothing is written twice. Paths, methods and policy rules come from the route table (`routes.rs`), the texts of
//! the rules from `rules.rs`, and the schemas are the shapes that validate requests (`document/shape.rs`).
//! [`operations`] adds the rest: the body, the responses and the errors of each route.

mod assembly;
mod components;
mod filters;
mod operation;
pub mod operations;
mod page;
mod parameters;

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::app::{ApiDocs, App};

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

/// Gives an app its API reference, which the first request renders.
pub fn with_api_docs(app: App) -> App {
    let settings = Settings {
        has_tokens: app.auth.has_tokens(),
        max_limit: app.max_limit,
        max_body: app.max_body,
        health_path: app.health.path(),
    };
    let v1 = settings.clone();
    App {
        api_docs: LazyLock::new(Box::new(move || render(&assembly::document(&settings)))),
        api_docs_v1: LazyLock::new(Box::new(move || render(&assembly::document_v1(&v1)))),
        ..app
    }
}

fn render(document: &Value) -> ApiDocs {
    // `servers` becomes the first key of the object.
    let rest = document.to_string().replacen('{', "}],", 1);
    ApiDocs {
        document: ("{\"servers\":[{\"url\":".to_owned(), rest),
        page: page::page(document),
        page_policy: page::content_security_policy(),
    }
}
