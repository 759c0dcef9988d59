//! Clients (contract, api-v2 §5).

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::Request;
use super::jobs::trust::release;
use crate::document::clients::{COLLECTION, FIELDS, Liveness, lasting, parse, parse_patch, render};
use crate::document::search;
use crate::document::v1::remove_version;
use crate::error::{Error, Result};
use crate::http::{Precondition, Reply};
use crate::routes::App;
use crate::store::clients::{self, Client, Registration};
use crate::store::counts::Resource;
use crate::store::job_attachments::{self, JobAttachment};
use crate::store::owners::is_client_name as valid;
use crate::store::{self, Tx};

/// `GET /clients`
pub fn list(app: &App, request: &Request<'_>) -> Result<Reply> {
    fn id(client: &Client) -> &str {
        &client.uuid
    }
    let asked = request.asked(app, &COLLECTION)?;
    let wanted = (&asked.query, &asked.search);
    let rest = clients::residual(&asked.search);
    let list = |tx: &mut Tx<'_>, page, after: Option<&Client>| {
        clients::list(tx, request.visible(), wanted, page, liveness(app).up_between(), after)
    };
    let listing = match rest.is_empty() {
        true => app.store.read_lagging(|tx| list(tx, asked.page, None))?,
        false => request.scanned(app, &asked, list, id, |client| {
            search::matches(&render(client, liveness(app)), &rest, FIELDS)
        })?,
    };
    // After the rows were read: a poll of a moment ago is not in the future.
    let liveness = liveness(app);
    Ok(request.listed(asked, listing, id, move |client, sink| sink.put(&render(client, liveness))))
}

/// `POST /clients`: register, or register again.
pub fn create(app: &App, request: &Request<'_>) -> Result<Reply> {
    let may = |rule| request.permissions.enforce(rule, request.project());
    let private = may("clients:create");
    if let Err(refusal) = &private {
        // Whoever may do neither hears nothing about the body.
        may("clients:create_central").map_err(|_| refusal.clone())?;
    }
    let body = request.call.json()?;
    let is_central = body.get("is_central").and_then(Value::as_bool).unwrap_or(false);
    if is_central { may("clients:create_central") } else { private }?;
    let spec = parse(body)?;
    request.prepare_quota(app, Resource::Clients, 1)?;
    let registered = app.store.write(|tx| {
        let registered = clients::register(tx, request.project(), request.user(), &spec)?;
        // Only now it is known whether there is a new row; a refusal takes it back.
        request.reserve(Resource::Clients, usize::from(registered == Registration::Created))?;
        Ok(registered)
    })?;
    let id = &spec.client_id;
    match registered {
        // The clients of version 1 take the 409 for "registered already"; what changed is kept all the same.
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
    let client = match valid(name) {
        true => app.store.read(|tx| clients::by_name(tx, request.project(), name))?,
        false => None,
    };
    match client {
        Some(client) => {
            let mut document = render(&client, liveness(app));
            let tagged = lasting(&document);
            if request.is_v1() {
                remove_version(&mut document);
            }
            Ok(Reply::document_tagged(200, &document, &tagged))
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
    let client = app.store.write(|tx| {
        let client = clients::by_name(tx, request.project(), name)?.ok_or_else(|| unknown(name))?;
        if client.project_id != request.project() {
            return Err(Error::forbidden("clients:update").into());
        }
        precondition.check(Some(&lasting(&render(&client, liveness(app)))))?;
        clients::update(tx, &client, change.clone())?.ok_or_else(|| {
            Error::conflict(format!("There is another central client {name} on that host.")).into()
        })
    })?;
    let document = render(&client, liveness(app));
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
                "Client {name} still has jobs: {}. Delete them first (freezer job-delete JOB_ID), or let the API delete \
                 them with the client: DELETE {}/v2/{}/clients/{name}?cascade=true.",
                named(&own),
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

fn unknown(name: &str) -> Error {
    Error::not_found(format!("No client found with ID {name}"))
}

/// Who is up at this moment.
fn liveness(app: &App) -> Liveness {
    Liveness { now: store::now(), down_time: TimeDelta::seconds(app.client_down_time) }
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
