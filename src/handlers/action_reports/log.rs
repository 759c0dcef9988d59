//! The log of a run that failed.

use super::super::Request;
use crate::error::{Error, Result};
use crate::http::Reply;
use crate::routes::App;

/// `GET /action-reports/{action_report_id}/log`
pub fn show(_app: &App, _request: &Request<'_>) -> Result<Reply> {
    Err(Error::no_route())
}

/// `PUT /action-reports/{action_report_id}/log`
pub fn write(_app: &App, _request: &Request<'_>) -> Result<Reply> {
    Err(Error::no_route())
}

/// `DELETE /action-reports/{action_report_id}/log`
pub fn delete(_app: &App, _request: &Request<'_>) -> Result<Reply> {
    Err(Error::no_route())
}
