//! Sessions, their runs and their jobs (contract, api-v2 §8).

use front::error::{Error, Result};
use front::http::{Precondition, Reply};
use serde_json::json;

use super::{Request, document_size};
use crate::app::App;
use crate::catalogue::sessions as rules;
use crate::document::sessions::{
    self as document, COLLECTION, SessionAction, SessionJson, check_schedule, max_size, parse, parse_action,
    render,
};
use crate::document::{check_size, is_id};
use crate::store::counts::Resource;
use crate::store::job_attachments::{self, AttachmentChange};
use crate::store::jobs::{self, RunColumns};
use crate::store::sessions::{self, Parts, Session, SessionChange, SessionView};
use crate::store::{Outcome, Tx, new_id};

/// `GET /sessions`
pub fn list(app: &App, request: &Request<'_>) -> Result<Reply> {
    let asked = request.list_request(app, &COLLECTION)?;
    let wanted = (&asked.query, &asked.search);
    let list = |tx: &mut Tx<'_>, page, after: Option<&SessionView>| {
        sessions::list(tx, request.visible(), wanted, page, after)
    };
    let listing = request.searched_page(app, &asked, &sessions::KEYS, list, render)?;
    Ok(request.list_reply(asked, listing, |view, sink| sink.write(&SessionJson(view))))
}

/// `POST /sessions`
pub fn create(app: &App, request: &Request<'_>) -> Result<Reply> {
    let mut change = parse(&document::SESSION, request.call.json()?)?;
    change.status = Some("active".into());
    let id = new_id();
    request.prepare_quota(app, Resource::Sessions, 1)?;
    app.store.write(|tx| {
        check_schedule(&change, None, tx.now)?;
        insert(tx, request, &id, change.clone()).map(drop)
    })?;
    Ok(request.created("sessions", &id, &json!({"session_id": id})))
}

/// `GET /sessions/{session_id}`
pub fn show(app: &App, request: &Request<'_>) -> Result<Reply> {
    let view = app.store.read(|tx| {
        let session = found(tx, request)?;
        Ok(sessions::complete(tx, vec![session])?.pop())
    })?;
    view.map(|view| Reply::document(200, &SessionJson(&view)))
        .ok_or_else(|| Error::no("session", request.id()))
}

/// `PATCH /sessions/{session_id}`: sets the members of the body; `schedule` is replaced as a whole.
pub fn update(app: &App, request: &Request<'_>) -> Result<Reply> {
    let precondition = Precondition::from_call(request.call)?;
    let change = parse(&document::SESSION_PATCH, request.call.json()?)?;
    let version = document_size::write(
        app,
        |tx| stored_size(tx, request),
        |tx, stored| {
            let session = found(tx, request)?;
            check(tx, &precondition, Some(&session))?;
            check_schedule(&change, Some(&session), tx.now)?;
            let change = rules::patch(&session, change.clone());
            alter(tx, request, &session, change, stored)
        },
    )?;
    Ok(Reply::json(200, &json!({"session_id": request.id(), "version": version})))
}

/// `POST /sessions/{session_id}`: creates a session under this id, or replaces it; its jobs stay in it.
pub fn replace(app: &App, request: &Request<'_>) -> Result<Reply> {
    let id = request.id();
    if !is_id(id) {
        return Err(Error::bad_request("A session's id has up to 64 letters, digits, - and _."));
    }
    let precondition = Precondition::from_call(request.call)?;
    let change = parse(&document::SESSION_REPLACE, request.call.json()?)?;
    request.prepare_quota(app, Resource::Sessions, 1)?;
    let version = document_size::write(
        app,
        |tx| stored_size(tx, request),
        |tx, stored| {
            let session = sessions::find(tx, request.project(), id)?;
            check(tx, &precondition, session.as_ref())?;
            check_schedule(&change, session.as_ref(), tx.now)?;
            let Some(session) = session else {
                if sessions::exists_in_other_project(tx, request.project(), id)? {
                    return Err(Error::already_exists(format!("Session already exists with ID {id}")).into());
                }
                return Ok(insert(tx, request, id, change.clone())?.version);
            };
            let change = rules::replacement(change.clone(), tx.now);
            alter(tx, request, &session, change, stored)
        },
    )?;
    Ok(request.created("sessions", id, &json!({"session_id": id, "version": version})))
}

/// `DELETE /sessions/{session_id}`: its jobs stay, and are told to stop.
pub fn delete(app: &App, request: &Request<'_>) -> Result<Reply> {
    let precondition = Precondition::from_call(request.call)?;
    let Some(id) = request.valid_id() else {
        precondition.check(None)?;
        return Ok(Reply::empty(204));
    };
    app.store.write(|tx| {
        let session = sessions::find(tx, request.project(), id)?;
        check(tx, &precondition, session.as_ref())?;
        session.map_or(Ok(()), |session| sessions::delete(tx, &session))
    })?;
    Ok(Reply::empty(204))
}

/// `POST /sessions/{session_id}/action`
pub fn action(app: &App, request: &Request<'_>) -> Result<Reply> {
    let precondition = Precondition::from_call(request.call)?;
    let ask = parse_action(request.call.json()?)?;
    let answer = app.store.write(|tx| {
        let parts = match &ask {
            SessionAction::Start { job_id, .. } => Parts::Of(job_id),
            SessionAction::End { .. } => Parts::All,
        };
        let id = request.valid_id().unwrap_or_default();
        let rows = sessions::load_run(tx, request.owner(), id, parts)?
            .ok_or_else(|| Error::no("session", request.id()))?;
        check(tx, &precondition, Some(&rows.session))?;
        let (plan, answer) = match &ask {
            SessionAction::Start { job_id, tag } => rules::start(&rows, job_id, *tag, tx.now)?,
            SessionAction::End { job_id, result, tag } => rules::end(&rows, job_id, result, *tag, tx.now)?,
        };
        sessions::apply_run(tx, &rows.session, plan)?;
        Ok(answer)
    })?;
    Ok(Reply::json(202, &json!({"result": answer.result, "session_tag": answer.tag})))
}

/// `PUT /sessions/{session_id}/jobs/{job_id}`: a job joins the session, and leaves the one that it is in.
pub fn add_job(app: &App, request: &Request<'_>) -> Result<Reply> {
    let precondition = Precondition::from_call(request.call)?;
    app.store.write(|tx| {
        let session = found(tx, request)?;
        check(tx, &precondition, Some(&session))?;
        let job = job_attachments::find(tx, request.project(), request.inner_id())?;
        let job = job.ok_or_else(|| Error::no("job", request.inner_id()))?;
        if job.session_id.as_ref() != Some(&session.id) {
            let change = rules::joining(&session, &RunColumns::from_attachment(&job));
            jobs::join(tx, &session, &job, &change)?;
            document_size::check_session(tx, request, &session.id, 0)?;
            document_size::check_job(tx, &job.job_id, 0)?;
        }
        Ok(())
    })?;
    Ok(Reply::empty(204))
}

/// `DELETE /sessions/{session_id}/jobs/{job_id}`: a job leaves the session. A job that is not in it is not changed.
pub fn remove_job(app: &App, request: &Request<'_>) -> Result<Reply> {
    let precondition = Precondition::from_call(request.call)?;
    app.store.write(|tx| {
        let session = found(tx, request)?;
        check(tx, &precondition, Some(&session))?;
        match job_attachments::find(tx, request.project(), request.inner_id())? {
            Some(job) if job.session_id.as_ref() == Some(&session.id) => {
                if !precondition.is_empty() {
                    sessions::lock(tx, &session)?;
                }
                jobs::leave(tx, &job, &AttachmentChange::leaving_session()).map(drop)
            }
            _ => Ok(()),
        }
    })?;
    Ok(Reply::empty(204))
}

fn insert(tx: &mut Tx<'_>, request: &Request<'_>, id: &str, change: SessionChange) -> Outcome<Session> {
    tx.expect_room()?;
    request.reserve(Resource::Sessions, 1)?;
    let session = rules::creation(id, request.owner(), change, tx.now);
    let view = SessionView { session, members: Vec::new() };
    check_size(&format!("session {id}"), max_size(&view), 0)?;
    sessions::insert(tx, &view.session)?;
    Ok(view.session)
}

/// Changes a session and returns its new version. Its document may keep the stored size even if that exceeds the limit.
fn alter(
    tx: &mut Tx<'_>,
    request: &Request<'_>,
    session: &Session,
    change: SessionChange,
    stored: usize,
) -> Outcome<i32> {
    let schedule = change.scheduling.as_ref().map_or(0, |schedule| schedule.text().len());
    let version = sessions::update(tx, session, &change)?;
    if version != session.version {
        document_size::check_session(tx, request, &session.id, stored)?;
        document_size::check_members(tx, session, schedule)?;
    }
    Ok(version)
}

/// The size of the session in the path, in bytes.
fn stored_size(tx: &mut Tx<'_>, request: &Request<'_>) -> Outcome<usize> {
    let session = found(tx, request)?;
    document_size::largest_session(tx, session)
}

/// Checks a request's conditions for a session, or for its absence. Every change of its document increments the session's
/// version, so the caller's compare-and-set covers everything that was checked here.
fn check(tx: &mut Tx<'_>, precondition: &Precondition, session: Option<&Session>) -> Outcome<()> {
    if precondition.is_empty() {
        return Ok(());
    }
    let view = match session {
        Some(session) => sessions::complete(tx, vec![session.clone()])?.pop(),
        None => None,
    };
    Ok(precondition.check(view.as_ref().map(render).as_ref())?)
}

fn found(tx: &mut Tx<'_>, request: &Request<'_>) -> Outcome<Session> {
    let session = match request.valid_id() {
        Some(id) => sessions::find(tx, request.project(), id)?,
        None => None,
    };
    Ok(session.ok_or_else(|| Error::no("session", request.id()))?)
}
