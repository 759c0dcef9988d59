//! The API reference: the OpenAPI document and the HTML page. Neither needs a token or the database.

use front::error::Result;
use front::http::{Call, Reply, escape_html};
use serde_json::Value;

use crate::app::{ApiDocs, App};

/// `GET /v2/openapi.json`
pub fn document(app: &App, call: &Call) -> Result<Reply> {
    openapi(&app.api_docs, call)
}

/// `GET /v1/openapi.json`
pub fn document_v1(app: &App, call: &Call) -> Result<Reply> {
    openapi(&app.api_docs_v1, call)
}

/// `GET /docs`: HTML for any `Accept` header.
pub fn page(app: &App, call: &Call) -> Result<Reply> {
    let (before, after) = &app.api_docs.page;
    Ok(Reply::text(200, &format!("{before}{}{after}", escape_html(&call.prefix)))
        .with_header("Content-Type", "text/html; charset=utf-8")
        .with_header("Content-Security-Policy", app.api_docs.page_policy.clone())
        .with_header("X-Content-Type-Options", "nosniff")
        .with_header("Referrer-Policy", "no-referrer"))
}

fn openapi(docs: &ApiDocs, call: &Call) -> Result<Reply> {
    call.require_json()?;
    let (before, after) = &docs.document;
    let text = format!("{before}{}{after}", Value::from(call.base_url.as_str()));
    Ok(Reply::text(200, &text).with_header("Content-Type", "application/json"))
}
