//! The API reference: the OpenAPI document and the HTML page. Neither needs a token or the database.

use crate::error::Result;
use crate::http::{Call, Reply};
use crate::openapi::{ApiDocs, Settings};
use crate::routes::{App, check_accepts_json};

/// `GET /v2/openapi.json`
pub fn document(app: &App, call: &Call) -> Result<Reply> {
    check_accepts_json(call)?;
    Ok(Reply::text(200, &api_docs(app).document(&call.base_url))
        .with_header("Content-Type", "application/json"))
}

/// `GET /v1/openapi.json`
pub fn document_v1(app: &App, call: &Call) -> Result<Reply> {
    check_accepts_json(call)?;
    let api_docs = app.api_docs_v1.get_or_init(|| ApiDocs::new_v1(&settings(app)));
    Ok(Reply::text(200, &api_docs.document(&call.base_url)).with_header("Content-Type", "application/json"))
}

/// `GET /docs`: HTML for any `Accept` header.
pub fn page(app: &App, call: &Call) -> Result<Reply> {
    let api_docs = api_docs(app);
    Ok(Reply::text(200, &api_docs.page(&call.prefix))
        .with_header("Content-Type", "text/html; charset=utf-8")
        .with_header("Content-Security-Policy", api_docs.page_policy().to_owned())
        .with_header("X-Content-Type-Options", "nosniff")
        .with_header("Referrer-Policy", "no-referrer"))
}

/// The reference of version 2, rendered by the first request.
fn api_docs(app: &App) -> &ApiDocs {
    app.api_docs.get_or_init(|| ApiDocs::new(&settings(app)))
}

fn settings(app: &App) -> Settings {
    Settings {
        has_tokens: app.auth.has_tokens(),
        max_limit: app.max_limit,
        max_body: app.max_body,
        health_path: app.health.path(),
    }
}
