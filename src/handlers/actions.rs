//! Actions (contract, api-v2 §6).

use front::error::{Error, Result};
use front::http::{Precondition, Reply};
use serde_json::json;

use super::{Request, document_size};
use crate::app::App;
use crate::document::actions::{ActionJson, COLLECTION, max_size, parse, parse_patch, patched, render};
use crate::document::{check_size, is_id};
use crate::store::actions::{self, Action, ActionSpec};
use crate::store::counts::Resource;
use crate::store::{Outcome, Tx, new_id};

/// `GET /actions`
pub fn list(app: &App, request: &Request<'_>) -> Result<Reply> {
    let list_request = request.list_request(app, &COLLECTION)?;
    let wanted = (&list_request.query, &list_request.search);
    let list = |tx: &mut Tx<'_>, page, after: Option<&Action>| {
        actions::list(tx, request.visible(), wanted, page, after)
    };
    let listing = request.searched_page(app, &list_request, &actions::KEYS, list, render)?;
    Ok(request.list_reply(list_request, listing, |action, sink| sink.write(&ActionJson::new(action))))
}

/// `POST /actions`
pub fn create(app: &App, request: &Request<'_>) -> Result<Reply> {
    let new = parse(request.call.json()?)?;
    let id = new.id.unwrap_or_else(new_id);
    request.prepare_quota(app, Resource::Actions, 1)?;
    app.store.write(|tx| {
        tx.expect_room()?;
        if actions::is_taken(tx, &id)? {
            return Err(taken(&id).into());
        }
        request.reserve(Resource::Actions, 1)?;
        insert(tx, request, &id, new.spec.clone())
    })?;
    Ok(request.created("actions", &id, &json!({"action_id": id})))
}

/// `GET /actions/{action_id}`
pub fn show(app: &App, request: &Request<'_>) -> Result<Reply> {
    let id = request.valid_id().ok_or_else(|| Error::no("action", request.id()))?;
    let action = app.store.read_statement(|tx| actions::find(tx, request.project(), id))?;
    action
        .map(|action| Reply::document(200, &ActionJson::new(&action)))
        .ok_or_else(|| Error::no("action", request.id()))
}

/// `PATCH /actions/{action_id}`
pub fn update(app: &App, request: &Request<'_>) -> Result<Reply> {
    let id = request.valid_id().ok_or_else(|| Error::no("action", request.id()))?;
    let precondition = Precondition::from_call(request.call)?;
    let patch = parse_patch(request.call.json()?)?;
    let version = app.store.write(|tx| {
        let action =
            actions::find(tx, request.project(), id)?.ok_or_else(|| Error::no("action", request.id()))?;
        precondition.check(Some(&render(&action)))?;
        let spec = patched(&action.spec, &patch);
        change(tx, action, spec)
    })?;
    Ok(Reply::json(200, &json!({"action_id": id, "version": version})))
}

/// `POST /actions/{action_id}`: creates an action with this id, or replaces it.
pub fn replace(app: &App, request: &Request<'_>) -> Result<Reply> {
    let id = request.id();
    if !is_id(id) {
        return Err(Error::bad_request("An action's id has up to 64 letters, digits, - and _."));
    }
    let precondition = Precondition::from_call(request.call)?;
    let spec = parse(request.call.json()?)?.spec;
    request.prepare_quota(app, Resource::Actions, 1)?;
    let version = app.store.write(|tx| {
        let stored = actions::find(tx, request.project(), id)?;
        precondition.check(stored.as_ref().map(render).as_ref())?;
        match stored {
            Some(action) => change(tx, action, spec.clone()),
            None if actions::exists_in_other_project(tx, request.project(), id)? => Err(taken(id).into()),
            None => {
                tx.expect_room()?;
                request.reserve(Resource::Actions, 1)?;
                Ok(insert(tx, request, id, spec.clone())?.version)
            }
        }
    })?;
    Ok(request.created("actions", id, &json!({"action_id": id, "version": version})))
}

/// `DELETE /actions/{action_id}`: also removes it from every job.
pub fn delete(app: &App, request: &Request<'_>) -> Result<Reply> {
    let precondition = Precondition::from_call(request.call)?;
    let Some(id) = request.valid_id() else {
        precondition.check(None)?;
        return Ok(Reply::empty(204));
    };
    app.store.write(|tx| {
        let mut seen = None;
        if !precondition.is_empty() {
            let stored = actions::find(tx, request.project(), id)?;
            precondition.check(stored.as_ref().map(render).as_ref())?;
            seen = stored.map(|action| action.version);
        }
        actions::delete(tx, request.project(), id, seen)
    })?;
    Ok(Reply::empty(204))
}

fn insert(tx: &mut Tx<'_>, request: &Request<'_>, id: &str, spec: ActionSpec) -> Outcome<Action> {
    let action = actions::new(tx, request.project(), request.user(), id, spec);
    check_size(&format!("action {id}"), max_size(&action), 0)?;
    actions::insert_all(tx, std::slice::from_ref(&action))?;
    Ok(action)
}

/// Changes an action, and returns its new version.
fn change(tx: &mut Tx<'_>, stored: Action, spec: ActionSpec) -> Outcome<i32> {
    let version = actions::update(tx, &stored, spec.clone())?;
    if version != stored.version {
        document_size::check_action(tx, &stored, &Action { spec, ..stored.clone() })?;
    }
    Ok(version)
}

fn taken(id: &str) -> Error {
    Error::already_exists(format!("Action already exists with ID {id}"))
}
