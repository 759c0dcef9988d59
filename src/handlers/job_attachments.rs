//! Job attachments: a job on a client, alone or in a session. Several of one job are a fleet.

use super::Request;
use crate::error::{Error, Result};
use crate::http::Reply;
use crate::routes::App;

/// `GET /job-attachments`
pub fn list(_app: &App, _request: &Request<'_>) -> Result<Reply> {
    Err(Error::no_route())
}

/// `POST /job-attachments`
pub fn create(_app: &App, _request: &Request<'_>) -> Result<Reply> {
    Err(Error::no_route())
}

/// `GET /job-attachments/{job_attachment_id}`
pub fn show(_app: &App, _request: &Request<'_>) -> Result<Reply> {
    Err(Error::no_route())
}

/// `PATCH /job-attachments/{job_attachment_id}`
pub fn update(_app: &App, _request: &Request<'_>) -> Result<Reply> {
    Err(Error::no_route())
}

/// `DELETE /job-attachments/{job_attachment_id}`
pub fn delete(_app: &App, _request: &Request<'_>) -> Result<Reply> {
    Err(Error::no_route())
}
