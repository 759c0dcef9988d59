//! Action reports: which action ran, when, for how long, and with what result.

pub mod log;

use front::error::{Error, Result};
use front::http::{Precondition, Reply};

use super::Request;
use super::list::operand;
use crate::app::App;
use crate::document::action_reports::{
    COLLECTION, ReportSpec, SINCE, UNTIL, parse, parse_patch, patched, render,
};
use crate::store::counts::Resource;
use crate::store::listing::{Filter, Kind, Op};
use crate::store::reports::{self, ActionReport, ReportView};
use crate::store::{Outcome, Tx, actions, clients, job_attachments, new_id};

/// `GET /action-reports`
pub fn list(app: &App, request: &Request<'_>) -> Result<Reply> {
    let mut list_request = request.list_request(app, &COLLECTION)?;
    for (name, op) in [(SINCE, Op::GreaterOrEqual), (UNTIL, Op::LessOrEqual)] {
        if let Some(text) = request.call.param(name) {
            let values = vec![operand(name, Kind::Time, text)?];
            list_request.query.filters.push(Filter { key: "report_date", op, values });
        }
    }
    let listing = app
        .store
        .read_lagging(|tx| reports::list(tx, request.project(), &list_request.query, list_request.page))?;
    Ok(request.list_reply(list_request, listing, |view, sink| sink.write(&render(view))))
}

/// `POST /action-reports`
pub fn create(app: &App, request: &Request<'_>) -> Result<Reply> {
    let spec = parse(request.call.json()?)?;
    let log = spec.log.clone().map(String::into_bytes);
    if let Some(log) = &log {
        check_log_size(app, log)?;
    }
    request.prepare_quota(app, Resource::Reports, 1)?;
    let view = app.store.write(|tx| {
        tx.expect_room()?;
        let report = new_report(tx, request, &spec)?;
        request.reserve(Resource::Reports, 1)?;
        reports::insert(tx, &report, log.clone())?;
        Ok(ReportView { report, has_log: log.is_some() })
    })?;
    let place = request.location("action-reports", &view.report.id);
    Ok(Reply::document(201, &render(&view)).with_header("Location", place))
}

/// `GET /action-reports/{action_report_id}`
pub fn show(app: &App, request: &Request<'_>) -> Result<Reply> {
    let view = app.store.read_lagging(|tx| find(tx, request))?;
    Ok(Reply::document(200, &render(&view)))
}

/// `PATCH /action-reports/{action_report_id}`
pub fn update(app: &App, request: &Request<'_>) -> Result<Reply> {
    let precondition = Precondition::from_call(request.call)?;
    let patch = parse_patch(request.call.json()?)?;
    let view = app.store.write(|tx| {
        let view = find(tx, request)?;
        precondition.check(Some(&render(&view)))?;
        let change = patched(&view.report, &patch)?;
        reports::update(tx, &view, change)
    })?;
    Ok(Reply::document(200, &render(&view)))
}

/// `DELETE /action-reports/{action_report_id}`
pub fn delete(app: &App, request: &Request<'_>) -> Result<Reply> {
    let precondition = Precondition::from_call(request.call)?;
    app.store.write(|tx| {
        let view = find(tx, request)?;
        precondition.check(Some(&render(&view)))?;
        reports::delete(tx, &view.report)
    })?;
    Ok(Reply::empty(204))
}

/// The report in the path.
fn find(tx: &mut Tx<'_>, request: &Request<'_>) -> Outcome<ReportView> {
    let id = request.valid_id().ok_or_else(|| Error::no("action report", request.id()))?;
    Ok(reports::find(tx, request.project(), id)?.ok_or_else(|| Error::no("action report", request.id()))?)
}

/// Checks the length of a log.
///
/// # Errors
/// 413 if it exceeds `[DEFAULT] action_report_max_log_size`; any log does if that is 0.
fn check_log_size(app: &App, log: &[u8]) -> Result<()> {
    let limit = app.max_log_size;
    if limit == 0 || log.len() > limit {
        let mut error = Error::too_large(limit);
        error.description = format!("A log can have {limit} bytes at most.");
        return Err(error);
    }
    Ok(())
}

/// The row of a new report. Checks that the resources that it refers to exist and belong together, and adds the ids
/// that follow from them.
fn new_report(tx: &mut Tx<'_>, request: &Request<'_>, spec: &ReportSpec) -> Outcome<ActionReport> {
    let project = request.project();
    let place = match &spec.action_attachment_id {
        Some(id) => {
            let place = reports::place(tx, project, id)?;
            Some(place.ok_or_else(|| missing("Action attachment", id))?)
        }
        None => None,
    };
    let attachment = match &spec.job_attachment_id {
        Some(id) => {
            let attachment = job_attachments::find(tx, project, id)?;
            Some(attachment.ok_or_else(|| missing("Job attachment", id))?)
        }
        None => None,
    };
    if let Some(id) = &spec.action_id
        && actions::find(tx, project, id)?.is_none()
    {
        return Err(missing("Action", id).into());
    }
    if let Some(place) = &place {
        if spec.action_id.as_ref().is_some_and(|action| *action != place.action_id) {
            let why = "The action attachment is of another action than action_id.";
            return Err(Error::unprocessable(why).into());
        }
        if attachment.as_ref().is_some_and(|attachment| attachment.job_id != place.job_id) {
            let why = "The action attachment is of another job than the job attachment.";
            return Err(Error::unprocessable(why).into());
        }
    }
    let client = match &attachment {
        Some(attachment) => clients::by_id(tx, &attachment.client_id)?,
        None => None,
    };
    let job_id = attachment.map(|attachment| attachment.job_id);
    Ok(ActionReport {
        id: new_id(),
        project_id: project.to_owned(),
        user_id: request.user().to_owned(),
        action_id: spec.action_id.clone().or_else(|| place.as_ref().map(|place| place.action_id.clone())),
        action_attachment_id: spec.action_attachment_id.clone(),
        job_attachment_id: spec.job_attachment_id.clone(),
        result: spec.result.clone(),
        time_elapsed: spec.time_elapsed,
        metadata: spec.metadata.clone(),
        job_id: job_id.or_else(|| place.map(|place| place.job_id)),
        client_id: client.map(|client| client.client_id),
        report_date: spec.report_date.unwrap_or(tx.now),
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    })
}

/// 422: a new report refers to a resource that does not exist in the project.
fn missing(what: &str, id: &str) -> Error {
    Error::unprocessable(format!("{what} not found with ID {id}"))
}
