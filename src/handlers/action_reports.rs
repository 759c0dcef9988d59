//! Action reports: what was run, when, how long, and how it ended.

pub mod log;

use super::Request;
use crate::error::{Error, Result};
use crate::http::Reply;
use crate::routes::App;

/// `GET /action-reports`
pub fn list(_app: &App, _request: &Request<'_>) -> Result<Reply> {
    Err(Error::no_route())
}

/// `POST /action-reports`
pub fn create(_app: &App, _request: &Request<'_>) -> Result<Reply> {
    Err(Error::no_route())
}

/// `GET /action-reports/{action_report_id}`
pub fn show(_app: &App, _request: &Request<'_>) -> Result<Reply> {
    Err(Error::no_route())
}

/// `PATCH /action-reports/{action_report_id}`
pub fn update(_app: &App, _request: &Request<'_>) -> Result<Reply> {
    Err(Error::no_route())
}

/// `DELETE /action-reports/{action_report_id}`
pub fn delete(_app: &App, _request: &Request<'_>) -> Result<Reply> {
    Err(Error::no_route())
}
