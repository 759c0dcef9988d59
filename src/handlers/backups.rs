//! Backups (contract, api-v2 §9).

use front::error::{Error, Result};
use front::http::{Precondition, Reply};
use serde_json::json;

use super::Request;
use crate::app::App;
use crate::document::backups::v1::{BackupJsonV1, add_user_name};
use crate::document::backups::{BackupJson, COLLECTION, max_size, parse, parse_patch, patched, render};
use crate::document::check_size;
use crate::store::backups::{self, Backup, BackupSpec};
use crate::store::counts::Resource;
use crate::store::{Tx, new_id, now};

/// `GET /backups`
pub fn list(app: &App, request: &Request<'_>) -> Result<Reply> {
    let list_request = request.list_request(app, &COLLECTION)?;
    let wanted = (&list_request.query, &list_request.search);
    let list = |tx: &mut Tx<'_>, page, after: Option<&Backup>| {
        backups::list(tx, request.visible(), wanted, page, after)
    };
    let listing = request.searched_page(app, &list_request, &backups::KEYS, list, render)?;
    let is_v1 = request.is_v1();
    Ok(request.list_reply(list_request, listing, move |backup, sink| match is_v1 {
        true => sink.write(&BackupJsonV1::listed(backup)),
        false => sink.write(&BackupJson::new(backup)),
    }))
}

/// `POST /backups`
pub fn create(app: &App, request: &Request<'_>) -> Result<Reply> {
    let mut body = request.call.json()?;
    // In version 1 a status is an ordinary key of the metadata, and the backup is available.
    let status = body.as_object_mut().filter(|_| request.is_v1()).and_then(|body| body.remove("status"));
    let mut spec = parse(body, now())?;
    spec.metadata.extend(status.map(|status| ("status".to_owned(), status)));
    if let (true, Some(name)) = (request.is_v1(), &request.caller.user_name) {
        add_user_name(&mut spec.metadata, name);
    }
    request.prepare_quota(app, Resource::Backups, 1)?;
    request.reserve(Resource::Backups, 1)?;
    let (id, owner) = (new_id(), (request.project(), request.user()));
    check_size("the backup", max_size(&spec, owner, &id), 0)?;
    app.store.write_statement(|tx| {
        tx.expect_room()?;
        backups::create(tx, owner, &id, &spec)
    })?;
    Ok(request.created("backups", &id, &json!({"backup_id": id})))
}

/// `GET /backups/{backup_id}`
pub fn show(app: &App, request: &Request<'_>) -> Result<Reply> {
    let id = request.valid_id().ok_or_else(|| Error::no("backup", request.id()))?;
    let backup = app.store.read_statement(|tx| backups::find(tx, request.project(), id))?;
    let backup = backup.ok_or_else(|| Error::no("backup", request.id()))?;
    Ok(match request.is_v1() {
        true => Reply::document(200, &BackupJsonV1::new(&backup)),
        false => Reply::document(200, &BackupJson::new(&backup)),
    })
}

/// `PATCH /backups/{backup_id}`: responds with the whole document.
pub fn update(app: &App, request: &Request<'_>) -> Result<Reply> {
    let precondition = Precondition::from_call(request.call)?;
    let patch = parse_patch(request.call.json()?)?;
    let id = request.valid_id().ok_or_else(|| Error::no("backup", request.id()))?;
    let backup = app.store.write(|tx| {
        let backup =
            backups::find(tx, request.project(), id)?.ok_or_else(|| Error::no("backup", request.id()))?;
        precondition.check(Some(&render(&backup)))?;
        let spec = patched(&backup, &patch)?;
        let owner = (&*backup.project_id, &*backup.user_id);
        let stored = BackupSpec { status: backup.status.clone(), metadata: backup.metadata.object() };
        check_size(&format!("backup {id}"), max_size(&spec, owner, id), max_size(&stored, owner, id))?;
        backups::update(tx, backup, spec)
    })?;
    Ok(Reply::document(200, &render(&backup)))
}

/// `DELETE /backups/{backup_id}`: 404 for a missing backup, which is a 204 for other resources.
pub fn delete(app: &App, request: &Request<'_>) -> Result<Reply> {
    let precondition = Precondition::from_call(request.call)?;
    let Some(id) = request.valid_id() else {
        precondition.check(None)?;
        return Err(Error::no("backup", request.id()));
    };
    let was_there = app.store.write(|tx| {
        let mut seen = None;
        if !precondition.is_empty() {
            let stored = backups::find(tx, request.project(), id)?;
            precondition.check(stored.as_ref().map(render).as_ref())?;
            seen = stored.map(|backup| backup.version);
        }
        backups::delete(tx, request.project(), id, seen)
    })?;
    if was_there { Ok(Reply::empty(204)) } else { Err(Error::no("backup", request.id())) }
}
