//! The description of the API: the OpenAPI document, and the page to read. Neither needs a token or the database.

use crate::error::Result;
use crate::http::{Call, Reply};
use crate::openapi::{Published, Settings};
use crate::routes::{App, acceptable};

/// `GET /v2/openapi.json`
pub fn document(app: &App, call: &Call) -> Result<Reply> {
    acceptable(call)?;
    Ok(Reply::text(200, &published(app).document(&call.base_url))
        .with_header("Content-Type", "application/json"))
}

/// `GET /v1/openapi.json`
pub fn document_v1(app: &App, call: &Call) -> Result<Reply> {
    acceptable(call)?;
    let published = app.published_v1.get_or_init(|| Published::of_v1(&settings(app)));
    Ok(Reply::text(200, &published.document(&call.base_url)).with_header("Content-Type", "application/json"))
}

/// `GET /docs`: HTML, whatever is accepted.
pub fn page(app: &App, call: &Call) -> Result<Reply> {
    let published = published(app);
    Ok(Reply::text(200, &published.page(&call.prefix))
        .with_header("Content-Type", "text/html; charset=utf-8")
        .with_header("Content-Security-Policy", published.page_policy().to_owned())
        .with_header("X-Content-Type-Options", "nosniff")
        .with_header("Referrer-Policy", "no-referrer"))
}

/// What does not depend on the request is made once.
fn published(app: &App) -> &Published {
    app.published.get_or_init(|| Published::new(&settings(app)))
}

fn settings(app: &App) -> Settings {
    Settings {
        has_tokens: app.auth.has_tokens(),
        max_limit: app.max_limit,
        max_body: app.max_body,
        health_path: app.health.path(),
    }
}
