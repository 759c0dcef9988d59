//! Backups (contract, api-v2 §9).

use serde_json::{Value, json};

use super::Request;
use crate::document::backups::v1::{name_user, render as render_v1};
use crate::document::backups::{COLLECTION, FIELDS, parse, parse_patch, patched, render};
use crate::document::search;
use crate::error::{Error, Result};
use crate::http::{Precondition, Reply};
use crate::routes::App;
use crate::store::backups::{self, Backup};
use crate::store::new_id;

/// `GET /backups`
pub fn list(app: &App, request: &Request<'_>) -> Result<Reply> {
    let asked = request.asked(app, &COLLECTION)?;
    let listing = app.store.read_lagging(|tx| {
        backups::list(tx, request.project(), (&asked.query, &asked.search), asked.page, |backup, rest| {
            search::matches(&render(backup), rest, FIELDS)
        })
    })?;
    Ok(request.listed(&asked, &listing, |backup| &backup.id, |backup| shown(request, backup)))
}

/// `POST /backups`
pub fn create(app: &App, request: &Request<'_>) -> Result<Reply> {
    let mut spec = parse(request.call.json()?)?;
    if let (true, Some(name)) = (request.is_v1(), &request.caller.user_name) {
        name_user(&mut spec.metadata, name);
    }
    let (id, owner) = (new_id(), (request.project(), request.user()));
    app.store.write_one(|tx| backups::create(tx, owner, &id, &spec))?;
    Ok(request.created("backups", &id, &json!({"backup_id": id})))
}

/// `GET /backups/{backup_id}`
pub fn show(app: &App, request: &Request<'_>) -> Result<Reply> {
    let id = request.valid_id().ok_or_else(|| missing(request))?;
    let backup = app.store.read_one(|tx| backups::by_id(tx, request.project(), id))?;
    let backup = backup.ok_or_else(|| missing(request))?;
    let mut document = shown(request, &backup);
    if request.is_v1() {
        document["_version"] = backup.version.into();
    }
    Ok(Reply::document(200, &document))
}

/// `PATCH /backups/{backup_id}`: answers with the whole document.
pub fn update(app: &App, request: &Request<'_>) -> Result<Reply> {
    let precondition = Precondition::of(request.call)?;
    let patch = parse_patch(request.call.json()?)?;
    let id = request.valid_id().ok_or_else(|| missing(request))?;
    let backup = app.store.write(|tx| {
        let backup = backups::by_id(tx, request.project(), id)?.ok_or_else(|| missing(request))?;
        precondition.check(Some(&render(&backup)))?;
        let spec = patched(&backup, &patch)?;
        backups::update(tx, backup, spec)
    })?;
    Ok(Reply::document(200, &render(&backup)))
}

/// `DELETE /backups/{backup_id}`: unlike every other noun's, 404 for a backup that is not there.
pub fn delete(app: &App, request: &Request<'_>) -> Result<Reply> {
    let precondition = Precondition::of(request.call)?;
    let Some(id) = request.valid_id() else {
        precondition.check(None)?;
        return Err(missing(request));
    };
    let was_there = app.store.write(|tx| {
        let mut seen = None;
        if !precondition.is_empty() {
            let stored = backups::by_id(tx, request.project(), id)?;
            precondition.check(stored.as_ref().map(render).as_ref())?;
            seen = stored.map(|backup| backup.version);
        }
        backups::delete(tx, request.project(), id, seen)
    })?;
    if was_there { Ok(Reply::empty(204)) } else { Err(missing(request)) }
}

/// The document in the form of the request's version.
fn shown(request: &Request<'_>, backup: &Backup) -> Value {
    if request.is_v1() { render_v1(backup) } else { render(backup) }
}

fn missing(request: &Request<'_>) -> Error {
    Error::not_found(format!("No backup found with ID {}", request.id()))
}
