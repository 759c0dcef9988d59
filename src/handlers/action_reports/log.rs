//! The log of a failed run: raw bytes, at a path below the report's.

use front::error::{Error, Result};
use front::http::{Precondition, Reply};

use super::{Request, check_log_size, find, render};
use crate::app::App;
use crate::document::action_reports::SUCCESS;
use crate::store::reports::{self, ReportChange, ReportView};

const TEXT: &str = "text/plain";
const BYTES: &str = "application/octet-stream";

/// The media types of a log in requests and responses.
pub const TYPES: &[&str] = &[TEXT, BYTES];

/// `GET /action-reports/{action_report_id}/log`: as text if the log is UTF-8 and the client accepts text, else as
/// bytes.
pub fn show(app: &App, request: &Request<'_>) -> Result<Reply> {
    let id = request.valid_id().ok_or_else(|| Error::no("action report", request.id()))?;
    let found = app.store.read_lagging(|tx| reports::find_log(tx, request.project(), id))?;
    let (report, log) = found.ok_or_else(|| Error::no("action report", request.id()))?;
    let log = log.ok_or_else(|| without_log(request))?;
    let offers = if std::str::from_utf8(&log).is_ok() { TYPES } else { &[BYTES] };
    let content_type = match request.call.preferred(offers) {
        Some(TEXT) => "text/plain; charset=utf-8",
        Some(_) => BYTES,
        None => return Err(Error::not_acceptable()),
    };
    // Every change of the log changes the report, so the report's tag covers both.
    let whole = Reply::document(200, &render(&ReportView { report, has_log: true }));
    let mut reply = Reply { body: Some(log), ..Reply::empty(200) }
        .with_header("Content-Type", content_type)
        // A browser must not guess another type from the agent's bytes.
        .with_header("X-Content-Type-Options", "nosniff")
        .with_header("Vary", "Accept");
    if let Some(tag) = whole.header("ETag") {
        reply = reply.with_header("ETag", tag.to_owned());
    }
    Ok(reply)
}

/// `PUT /action-reports/{action_report_id}/log`
pub fn write(app: &App, request: &Request<'_>) -> Result<Reply> {
    let precondition = Precondition::from_call(request.call)?;
    let content_type = request.call.header("Content-Type").unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    if !kind.is_empty() && !TYPES.iter().any(|known| kind.eq_ignore_ascii_case(known)) {
        return Err(Error::unsupported_type(TYPES));
    }
    let log = &request.call.body;
    check_log_size(app, log)?;
    app.store.write(|tx| {
        let view = find(tx, request)?;
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
    let precondition = Precondition::from_call(request.call)?;
    app.store.write(|tx| {
        let view = find(tx, request)?;
        if !view.has_log {
            return Err(without_log(request).into());
        }
        precondition.check(Some(&render(&view)))?;
        reports::update(tx, &view, ReportChange { log: Some(None), ..ReportChange::default() })
    })?;
    Ok(Reply::empty(204))
}

fn without_log(request: &Request<'_>) -> Error {
    Error::not_found(format!("Action report {} has no log.", request.id()))
}
