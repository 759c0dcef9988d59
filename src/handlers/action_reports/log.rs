//! The log of a run that failed: raw bytes, below the report.

use super::{Request, found, render, unknown};
use crate::document::action_reports::SUCCESS;
use crate::error::{Error, Result};
use crate::http::{Precondition, Reply};
use crate::routes::App;
use crate::store::reports::{self, ReportChange, ReportView};

const TEXT: &str = "text/plain";
const BYTES: &str = "application/octet-stream";

/// The media types that a log is read and written in.
pub const TYPES: &[&str] = &[TEXT, BYTES];

/// `GET /action-reports/{action_report_id}/log`: text if it is text, and if text is wanted.
pub fn show(app: &App, request: &Request<'_>) -> Result<Reply> {
    let id = request.valid_id().ok_or_else(|| unknown(request))?;
    let found = app.store.read_lagging(|tx| reports::find_log(tx, request.project(), id))?;
    let (report, log) = found.ok_or_else(|| unknown(request))?;
    let log = log.ok_or_else(|| without_log(request))?;
    let offers = if std::str::from_utf8(&log).is_ok() { TYPES } else { &[BYTES] };
    let content_type = match request.call.preferred(offers) {
        Some(TEXT) => "text/plain; charset=utf-8",
        Some(_) => BYTES,
        None => return Err(Error::not_acceptable()),
    };
    // Whatever changes the log changes the report, so that its tag is good for both.
    let whole = Reply::document(200, &render(&ReportView { report, has_log: true }));
    let mut reply = Reply { body: Some(log), ..Reply::empty(200) }
        .with_header("Content-Type", content_type)
        // No browser is to make anything else of what an agent has sent.
        .with_header("X-Content-Type-Options", "nosniff")
        .with_header("Vary", "Accept");
    if let Some(tag) = whole.header("ETag") {
        reply = reply.with_header("ETag", tag.to_owned());
    }
    Ok(reply)
}

/// `PUT /action-reports/{action_report_id}/log`
pub fn write(app: &App, request: &Request<'_>) -> Result<Reply> {
    let precondition = Precondition::of(request.call)?;
    let content_type = request.call.header("Content-Type").unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    if !kind.is_empty() && !TYPES.iter().any(|known| kind.eq_ignore_ascii_case(known)) {
        return Err(Error::unsupported_type(TYPES));
    }
    let log = &request.call.body;
    bounded(app, log)?;
    app.store.write(|tx| {
        let view = found(tx, request)?;
        precondition.check(Some(&render(&view)))?;
        if view.report.result == SUCCESS {
            return Err(Error::conflict("The run succeeded; only one that did not keeps a log.").into());
        }
        reports::update(tx, &view, ReportChange { log: Some(Some(log.clone())), ..ReportChange::default() })
    })?;
    Ok(Reply::empty(204))
}

/// `DELETE /action-reports/{action_report_id}/log`
pub fn delete(app: &App, request: &Request<'_>) -> Result<Reply> {
    let precondition = Precondition::of(request.call)?;
    app.store.write(|tx| {
        let view = found(tx, request)?;
        if !view.has_log {
            return Err(without_log(request).into());
        }
        precondition.check(Some(&render(&view)))?;
        reports::update(tx, &view, ReportChange { log: Some(None), ..ReportChange::default() })
    })?;
    Ok(Reply::empty(204))
}

/// Sees to it that a log is not longer than the operator wants to keep.
///
/// # Errors
/// 413 when it is, and for every log when none is to be kept.
pub(super) fn bounded(app: &App, log: &[u8]) -> Result<()> {
    let limit = app.max_log_size;
    if limit == 0 || log.len() > limit {
        let mut error = Error::too_large(limit);
        error.description = format!("A log can have {limit} bytes at most.");
        return Err(error);
    }
    Ok(())
}

fn without_log(request: &Request<'_>) -> Error {
    Error::not_found(format!("Action report {} has no log.", request.id()))
}
