//! Clients (contract, api-v2 §5).

use chrono::TimeDelta;
use front::error::{Error, Result};
use front::http::{Precondition, Reply};
use serde_json::{Value, json};

use super::Request;
use super::job_document::trust::release;
use crate::app::App;
use crate::document::clients::{COLLECTION, Liveness, parse, parse_patch, render, stable_part};
use crate::document::v1::remove_version;
use crate::store::clients::{self, Client, Registration};
use crate::store::counts::Resource;
use crate::store::job_attachments::{self, JobAttachment};
use crate::store::owners::is_client_name;
use crate::store::{self, Tx};

/// `GET /clients`
pub fn list(app: &App, request: &Request<'_>) -> Result<Reply> {
    let list_request = request.list_request(app, &COLLECTION)?;
    let wanted = (&list_request.query, &list_request.search);
    let list = |tx: &mut Tx<'_>, page, after: Option<&Client>| {
        clients::list(tx, request.visible(), wanted, page, liveness(app).up_between(), after)
    };
    let listing = request
        .searched_page(app, &list_request, &clients::KEYS, list, |client| render(client, liveness(app)))?;
    // Take the time after reading the rows: otherwise a poll in between would be in the future.
    let liveness = liveness(app);
    Ok(request.list_reply(list_request, listing, move |client, sink| sink.write(&render(client, liveness))))
}

/// `POST /clients`: registers a client, or updates its registration.
pub fn create(app: &App, request: &Request<'_>) -> Result<Reply> {
    let may = |rule| request.permissions.enforce(rule, request.project());
    let private = may("clients:create");
    if let Err(refusal) = &private {
        // A caller without either permission is refused before the body is parsed.
        may("clients:create_central").map_err(|_| refusal.clone())?;
    }
    let body = request.call.json()?;
    let is_central = body.get("is_central").and_then(Value::as_bool).unwrap_or(false);
    if is_central { may("clients:create_central") } else { private }?;
    let spec = parse(body)?;
    request.prepare_quota(app, Resource::Clients, 1)?;
    let registered = app.store.write(|tx| {
        let registered = clients::register(tx, request.project(), request.user(), &spec)?;
        // Only now is it known whether there is a new row. A refusal rolls it back.
        request.reserve(Resource::Clients, usize::from(registered == Registration::Created))?;
        Ok(registered)
    })?;
    let id = &spec.client_id;
    match registered {
        // The clients of version 1 expect a 409 for "already registered". The changes are stored nevertheless.
        Registration::Known if request.is_v1() => Err(already_registered(id)),
        Registration::Created | Registration::Known => {
            Ok(request.created("clients", id, &json!({"client_id": id})))
        }
        Registration::Taken => Err(already_registered(id)),
        Registration::IdTaken => {
            Err(Error::already_exists(format!("The uuid of client {id} belongs to another client.")))
        }
    }
}

/// `GET /clients/{client_id}`
pub fn show(app: &App, request: &Request<'_>) -> Result<Reply> {
    let name = request.id();
    let client = match is_client_name(name) {
        true => app.store.read(|tx| clients::by_name(tx, request.project(), name))?,
        false => None,
    };
    match client {
        Some(client) => {
            let mut document = render(&client, liveness(app));
            let tagged = stable_part(&document);
            if request.is_v1() {
                remove_version(&mut document);
            }
            Ok(Reply::document_tagged(200, &document, &tagged))
        }
        None => Err(Error::no("client", name)),
    }
}

/// `PATCH /clients/{client_id}`: lets an operator correct a registration. Jobs that are attached stay, whatever the new
/// capabilities are.
pub fn update(app: &App, request: &Request<'_>) -> Result<Reply> {
    let name = request.id();
    let precondition = Precondition::from_call(request.call)?;
    let change = parse_patch(request.call.json()?)?;
    if !is_client_name(name) {
        return Err(Error::no("client", name));
    }
    let client = app.store.write(|tx| {
        let client =
            clients::by_name(tx, request.project(), name)?.ok_or_else(|| Error::no("client", name))?;
        if client.project_id != request.project() {
            return Err(Error::forbidden("clients:update").into());
        }
        precondition.check(Some(&stable_part(&render(&client, liveness(app)))))?;
        clients::update(tx, &client, change.clone())?.ok_or_else(|| {
            Error::conflict(format!("There is another central client {name} on that host.")).into()
        })
    })?;
    let document = render(&client, liveness(app));
    Ok(Reply::document_tagged(200, &document, &stable_part(&document)))
}

/// `DELETE /clients/{client_id}`: refused while jobs are attached, unless `cascade=true` deletes them too.
pub fn delete(app: &App, request: &Request<'_>) -> Result<Reply> {
    let cascade = request.flag("cascade")?;
    let precondition = Precondition::from_call(request.call)?;
    let name = request.id();
    if !is_client_name(name) {
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
        precondition.check(Some(&stable_part(&render(&client, liveness(app)))))?;
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
                "Client {name} still has jobs: {}. Delete them first (freezer job-delete JOB_ID), or let the API delete \
                 them with the client: DELETE {}/v2/{}/clients/{name}?cascade=true.",
                id_list(&own),
                request.call.base_url,
                request.project(),
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

fn already_registered(id: &str) -> Error {
    Error::already_exists(format!("Client already registered with ID {id}"))
}

/// Decides which clients are up at this moment.
fn liveness(app: &App) -> Liveness {
    Liveness { now: store::now(), down_time: TimeDelta::seconds(app.client_down_time) }
}

/// The first few ids, and the number of the others.
fn id_list(jobs: &[JobAttachment]) -> String {
    const SHOWN: usize = 10;
    let mut text = jobs.iter().take(SHOWN).map(|job| job.id.as_str()).collect::<Vec<_>>().join(", ");
    if jobs.len() > SHOWN {
        text.push_str(&format!(" and {} more", jobs.len() - SHOWN));
    }
    text
}
