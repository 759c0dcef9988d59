//! Action attachments: an action's place in a job. A change of one changes the job on each of its clients.

use front::error::{Error, Result};
use front::http::{Precondition, Reply};

use super::{Request, document_size};
use crate::app::App;
use crate::document::action_attachments::{COLLECTION, NewPlace, parse, parse_patch, render};
use crate::document::jobs::{MAX_ACTIONS, check_capability};
use crate::document::size;
use crate::store::action_attachments::{self, ActionAttachment, PlaceChange};
use crate::store::actions::{self, Action};
use crate::store::jobs::{self, Job};
use crate::store::{Outcome, Tx, job_attachments, new_id};

/// `GET /action-attachments`
pub fn list(app: &App, request: &Request<'_>) -> Result<Reply> {
    let list_request = request.list_request(app, &COLLECTION)?;
    let listing = app
        .store
        .read(|tx| action_attachments::list(tx, request.project(), &list_request.query, list_request.page))?;
    Ok(request.list_reply(list_request, listing, |attachment, sink| sink.write(&render(attachment))))
}

/// `POST /action-attachments`: puts an action into a job, after the last one or where the body says.
pub fn create(app: &App, request: &Request<'_>) -> Result<Reply> {
    let new = parse(request.call.json()?)?;
    let id = new_id();
    let place = app.store.write(|tx| {
        tx.expect_room()?;
        let job = jobs::definition(tx, request.project(), &new.job_id)?
            .ok_or_else(|| Error::unprocessable(format!("Job not found with ID {}", new.job_id)))?;
        let action = actions::find(tx, request.project(), &new.action_id)?
            .ok_or_else(|| Error::unprocessable(format!("Action not found with ID {}", new.action_id)))?;
        let places = action_attachments::of_job(tx, &job.id)?;
        if places.len() >= MAX_ACTIONS {
            return Err(Error::conflict(format!(
                "This job has {MAX_ACTIONS} actions, and can have no more."
            ))
            .into());
        }
        let priority = match new.place.priority {
            Some(priority) => check_free(&places, priority)?,
            None => next_priority(&places)?,
        };
        for client in job_attachments::clients_of(tx, &job.id)? {
            check_capability(&client, &action.spec)?;
        }
        jobs::touch(tx, &job)?;
        let place = new_attachment(tx, request, &id, &new, priority, &action);
        action_attachments::insert(tx, std::slice::from_ref(&place))?;
        document_size::check_job(tx, &job.id, 0)?;
        Ok(place)
    })?;
    let location = request.location("action-attachments", &id);
    Ok(Reply::document(201, &render(&place)).with_header("Location", location))
}

/// `GET /action-attachments/{action_attachment_id}`
pub fn show(app: &App, request: &Request<'_>) -> Result<Reply> {
    let (place, _) = app.store.read_statement(|tx| find(tx, request))?;
    Ok(Reply::document(200, &render(&place)))
}

/// `PATCH /action-attachments/{action_attachment_id}`
pub fn update(app: &App, request: &Request<'_>) -> Result<Reply> {
    let precondition = Precondition::from_call(request.call)?;
    let patch = parse_patch(request.call.json()?)?;
    let place = app.store.write(|tx| {
        let (place, job) = find(tx, request)?;
        precondition.check(Some(&render(&place)))?;
        let change = patch.effective(&place)?;
        if let Some(priority) = change.priority {
            check_free(&action_attachments::of_job(tx, &job.id)?, priority)?;
        }
        if change == PlaceChange::default() {
            return Ok(place);
        }
        jobs::touch(tx, &job)?;
        action_attachments::update(tx, &place, change)?;
        let changed = find(tx, request)?.0;
        if size(&render(&changed)) > size(&render(&place)) {
            document_size::check_job(tx, &job.id, 0)?;
        }
        Ok(changed)
    })?;
    Ok(Reply::document(200, &render(&place)))
}

/// `DELETE /action-attachments/{action_attachment_id}`: the action and the reports of its runs stay.
pub fn delete(app: &App, request: &Request<'_>) -> Result<Reply> {
    let precondition = Precondition::from_call(request.call)?;
    app.store.write(|tx| {
        let (place, job) = find(tx, request)?;
        precondition.check(Some(&render(&place)))?;
        jobs::touch(tx, &job)?;
        action_attachments::delete(tx, request.project(), vec![place.id])
    })?;
    Ok(Reply::empty(204))
}

/// The row of a new attachment. Values that the body does not have are the action's.
fn new_attachment(
    tx: &Tx<'_>,
    request: &Request<'_>,
    id: &str,
    new: &NewPlace,
    priority: i32,
    action: &Action,
) -> ActionAttachment {
    ActionAttachment {
        id: id.to_owned(),
        project_id: request.project().to_owned(),
        user_id: request.user().to_owned(),
        action_id: action.id.clone(),
        job_id: new.job_id.clone(),
        priority,
        retries: new.place.retries.unwrap_or(action.spec.max_retries),
        retry_interval: new.place.retry_interval.unwrap_or(action.spec.max_retries_interval),
        mandatory: new.place.mandatory.unwrap_or(action.spec.mandatory),
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    }
}

/// Returns the priority, if no action of the job has it.
///
/// # Errors
/// 409 if one has.
fn check_free(places: &[ActionAttachment], priority: i32) -> Result<i32> {
    match places.iter().find(|place| place.priority == priority) {
        None => Ok(priority),
        Some(place) => Err(Error::conflict(format!(
            "The action attachment {} has priority {priority} in this job.",
            place.id
        ))),
    }
}

/// The priority after the last one.
fn next_priority(places: &[ActionAttachment]) -> Result<i32> {
    let next = places.last().map_or(Some(0), |place| place.priority.checked_add(1));
    next.ok_or_else(|| {
        Error::conflict("There is no priority after that of this job's last action; choose one.")
    })
}

fn find(tx: &mut Tx<'_>, request: &Request<'_>) -> Outcome<(ActionAttachment, Job)> {
    let found = match request.valid_id() {
        Some(id) => action_attachments::find(tx, request.project(), id)?,
        None => None,
    };
    Ok(found.ok_or_else(|| Error::no("action attachment", request.id()))?)
}
