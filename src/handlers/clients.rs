//! Clients (contract, api-v2 §5).

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::Request;
use super::jobs::trust::release;
use crate::document::clients::{COLLECTION, FIELDS, Liveness, lasting, parse, parse_patch, render};
use crate::document::search;
use crate::error::{Error, Result};
use crate::http::{Precondition, Reply};
use crate::routes::App;
use crate::store;
use crate::store::clients::{self, Registered};
use crate::store::job_attachments::{self, JobAttachment};

/// `GET /clients`
pub fn list(app: &App, request: &Request<'_>) -> Result<Reply> {
    let asked = request.asked(app, &COLLECTION)?;
    let liveness = liveness(app);
    let up_since = liveness.up_since();
    let listing = app.store.read_lagging(|tx| {
        let wanted = (&asked.query, &asked.search);
        clients::list(tx, request.project(), wanted, asked.page, up_since, |client, rest| {
            search::matches(&render(client, liveness), rest, FIELDS)
        })
    })?;
    Ok(request.listed(
        asked,
        listing,
        |client| &client.uuid,
        move |client, sink| sink.put(&render(client, liveness)),
    ))
}

/// `POST /clients`: register, or register again.
pub fn create(app: &App, request: &Request<'_>) -> Result<Reply> {
    let may = |rule| request.standing.enforce(rule, request.project());
    let private = may("clients:create");
    if let Err(refusal) = &private {
        // Whoever may do neither hears nothing about the body.
        may("clients:create_central").map_err(|_| refusal.clone())?;
    }
    let body = request.call.json()?;
    let is_central = body.get("is_central").and_then(Value::as_bool).unwrap_or(false);
    if is_central { may("clients:create_central") } else { private }?;
    let spec = parse(body)?;
    let registered = app.store.write(|tx| clients::register(tx, request.project(), request.user(), &spec))?;
    let id = &spec.client_id;
    match registered {
        Registered::Created | Registered::Known => {
            Ok(request.created("clients", id, &json!({"client_id": id})))
        }
        Registered::Taken => Err(Error::already_exists(format!("Client already registered with ID {id}"))),
        Registered::IdTaken => {
            Err(Error::already_exists(format!("The uuid of client {id} belongs to another client.")))
        }
    }
}

/// `GET /clients/{client_id}`
pub fn show(app: &App, request: &Request<'_>) -> Result<Reply> {
    let name = request.id();
    let client = match valid(name) {
        true => app.store.read(|tx| clients::by_name(tx, request.project(), name))?,
        false => None,
    };
    match client {
        Some(client) => {
            let document = render(&client, liveness(app));
            Ok(Reply::document_tagged(200, &document, &lasting(&document)))
        }
        None => Err(unknown(name)),
    }
}

/// `PATCH /clients/{client_id}`: what an operator corrects of what the client says of itself. Jobs that are attached
/// keep working, whatever it can do from now on.
pub fn update(app: &App, request: &Request<'_>) -> Result<Reply> {
    let name = request.id();
    let precondition = Precondition::of(request.call)?;
    let change = parse_patch(request.call.json()?)?;
    if !valid(name) {
        return Err(unknown(name));
    }
    let liveness = liveness(app);
    let client = app.store.write(|tx| {
        let client = clients::by_name(tx, request.project(), name)?.ok_or_else(|| unknown(name))?;
        if client.project_id != request.project() {
            return Err(Error::forbidden("clients:update").into());
        }
        precondition.check(Some(&lasting(&render(&client, liveness))))?;
        clients::update(tx, &client, change.clone())?.ok_or_else(|| {
            Error::conflict(format!("There is another central client {name} on that host.")).into()
        })
    })?;
    let document = render(&client, liveness);
    Ok(Reply::document_tagged(200, &document, &lasting(&document)))
}

/// `DELETE /clients/{client_id}`: refused while jobs are attached, unless `cascade=true` takes them along.
pub fn delete(app: &App, request: &Request<'_>) -> Result<Reply> {
    let cascade = request.flag("cascade")?;
    let precondition = Precondition::of(request.call)?;
    let name = request.id();
    if !valid(name) {
        precondition.check(None)?;
        return Ok(Reply::empty(204));
    }
    let trusts = app.store.write(|tx| {
        let Some(client) = clients::by_name(tx, request.project(), name)? else {
            precondition.check(None)?;
            return Ok(Vec::new());
        };
        if client.project_id != request.project() {
            return Err(Error::forbidden("clients:delete").into());
        }
        precondition.check(Some(&lasting(&render(&client, liveness(app)))))?;
        let attached = clients::attached_jobs(tx, &client.id)?;
        let (own, foreign): (Vec<_>, Vec<_>) =
            attached.into_iter().partition(|job| job.project_id == request.project());
        if !foreign.is_empty() {
            return Err(Error::conflict(format!(
                "Central client {name} still runs {} jobs of other projects; they must be deleted there.",
                foreign.len()
            ))
            .into());
        }
        if !own.is_empty() && !cascade {
            return Err(Error::conflict(format!(
                "Client {name} still has jobs: {}. Delete them first, or delete the client with ?cascade=true.",
                named(&own)
            ))
            .into());
        }
        let trusts = job_attachments::delete_all(tx, request.project(), &own)?;
        clients::delete(tx, &client)?;
        Ok(trusts)
    })?;
    release(app, request, trusts);
    Ok(Reply::empty(204))
}

fn unknown(name: &str) -> Error {
    Error::not_found(format!("No client found with ID {name}"))
}

/// Who is up at this moment.
fn liveness(app: &App) -> Liveness {
    Liveness { now: store::now(), down_time: TimeDelta::seconds(app.client_down_time) }
}

/// A client's name holds only what fits a path segment and an index; anything else names no client.
fn valid(name: &str) -> bool {
    (1..=255).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

/// The first few ids, and how many more.
fn named(jobs: &[JobAttachment]) -> String {
    const SHOWN: usize = 10;
    let mut text = jobs.iter().take(SHOWN).map(|job| job.id.as_str()).collect::<Vec<_>>().join(", ");
    if jobs.len() > SHOWN {
        text.push_str(&format!(" and {} more", jobs.len() - SHOWN));
    }
    text
}
