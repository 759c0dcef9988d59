//! Action attachments: an action's place in a job.

use super::Request;
use crate::error::{Error, Result};
use crate::http::Reply;
use crate::routes::App;

/// `GET /action-attachments`
pub fn list(_app: &App, _request: &Request<'_>) -> Result<Reply> {
    Err(Error::no_route())
}

/// `POST /action-attachments`
pub fn create(_app: &App, _request: &Request<'_>) -> Result<Reply> {
    Err(Error::no_route())
}

/// `GET /action-attachments/{action_attachment_id}`
pub fn show(_app: &App, _request: &Request<'_>) -> Result<Reply> {
    Err(Error::no_route())
}

/// `PATCH /action-attachments/{action_attachment_id}`
pub fn update(_app: &App, _request: &Request<'_>) -> Result<Reply> {
    Err(Error::no_route())
}

/// `DELETE /action-attachments/{action_attachment_id}`
pub fn delete(_app: &App, _request: &Request<'_>) -> Result<Reply> {
    Err(Error::no_route())
}
