//! Jobs and their events (contract, api-v2 §7). Each job document is one attachment.

use front::error::{Error, Result};
use front::http::{Method, Reply};
use serde_json::json;

use super::job_document::conditions::Conditions;
use super::job_document::trust::{self, TrustUse};
use super::job_document::{ALL_PROJECTS, PidAccess, may_see_pid, sees_all, stored_size, write};
use super::list::ListRequest;
use super::{Request, document_size};
use crate::app::App;
use crate::catalogue::jobs::{RunTimes, mentions, plan, replacement, replacement_mentions, requesting};
use crate::document::jobs::{
    self as document, COLLECTION, JobDocument, JobJson, parse, parse_event, render_for_search,
};
use crate::document::{is_id, search};
use crate::lifecycle::Event;
use crate::store::counts::Resource;
use crate::store::jobs::{JobListing, JobView, NewId, PolledClient};
use crate::store::listing::{CREATED_AT, Query};
use crate::store::{self, Failure, Outcome, Tx, clients, job_attachments, jobs, new_id};

/// The filters for which an index serves a list of the jobs of all projects.
const OF_ALL_PROJECTS: &[&str] = &["job_id", "client_id", "created_at"];

/// The rule for a scheduler's reports on its jobs.
const REPORTING: &str = "jobs:update";

/// `GET /jobs`. A search of the form that schedulers send is their client's poll, which delivers events: they are marked.
pub fn list(app: &App, request: &Request<'_>) -> Result<Reply> {
    let mut asked = request.list_request(app, &COLLECTION)?;
    let is_poll = is_poll(request, &asked)?;
    let sees_all = sees_all(request)?;
    // Version 1 has no such parameter.
    let project = match !request.is_v1() && request.flag("all_projects")? {
        true if sees_all => None,
        true => return Err(Error::forbidden(ALL_PROJECTS)),
        false => request.visible(),
    };
    if project.is_none() && !request.is_v1() {
        check_indexed(&asked.query)?;
        asked.indexed = OF_ALL_PROJECTS.to_vec();
    }
    let pid_access = PidAccess::new(request, sees_all);
    let shown = |view: &JobView| render_for_search(view, pid_access.has_pid(&view.head.client_project));
    let wanted = (&asked.query, &asked.search);
    let list = |tx: &mut Tx<'_>, page, after: Option<&JobView>| jobs::list(tx, project, wanted, page, after);
    let whole = |tx: &mut Tx<'_>| list(tx, asked.page, None);
    // A search may be a scheduler's poll, which must not read from a lagging replica, and which is recorded.
    let listing = if asked.search.is_empty() {
        match jobs::plain(&app.store, &app.readers, project, &asked.query, asked.page)? {
            Some(page) => JobListing { page, polled: Vec::new() },
            None => app.store.read_lagging(whole)?,
        }
    } else if jobs::KEYS.residual(&asked.search).is_empty() {
        match jobs::poll(&app.store, &app.readers, project, wanted, asked.page)? {
            Some(listing) => listing,
            None => app.store.read(whole)?,
        }
    } else {
        let chunk = |tx: &mut Tx<'_>, page, after: Option<&JobView>| Ok(list(tx, page, after)?.page);
        let page = request.searched_page(app, &asked, &jobs::KEYS, chunk, shown)?;
        // A scheduler's poll is answered by columns alone, so this is none.
        JobListing { page, polled: Vec::new() }
    };
    if is_poll {
        record_poll(app, request, &listing, project.is_none() && !request.is_v1())?;
    }
    Ok(request.list_reply(asked, listing.page, move |view, sink| {
        sink.write(&JobJson { view, with_pid: pid_access.has_pid(&view.head.client_project) })
    }))
}

/// Refuses filters and orders that no index serves over all projects. The search in the body is not restricted, because
/// central schedulers send it.
///
/// # Errors
/// 400.
fn check_indexed(query: &Query) -> Result<()> {
    if query.order() != CREATED_AT.name
        || query.filters.iter().any(|filter| !OF_ALL_PROJECTS.contains(&filter.key))
    {
        return Err(Error::invalid_parameter(format!(
            "The jobs of all projects are listed by {} and in the order of created_at only.",
            OF_ALL_PROJECTS.join(", ")
        )));
    }
    Ok(())
}

/// Whether a list has the form of a scheduler's poll: a GET of complete documents by one search, paged by offset. A HEAD, or
/// a list with `fields`, a filter, another order or another search, changes nothing.
fn is_poll(request: &Request<'_>, asked: &ListRequest) -> Result<bool> {
    let is_plain = request.call.method == Method::Get
        && asked.has_default_query
        && request.call.param("fields").is_none();
    Ok(is_plain && search::polling_client(&request.call.json()?).is_some())
}

/// The clients of a poll for which the caller may poll. The scheduler of a private client must be allowed to report on jobs.
/// That of a central client lists the jobs of all projects, which was checked before the list was read.
fn polling_clients<'l>(
    request: &Request<'_>,
    listing: &'l JobListing,
    of_all_projects: bool,
) -> Result<Vec<&'l PolledClient>> {
    let is_own = |client: &PolledClient| !client.is_central && client.project_id == request.project();
    let may_report =
        listing.polled.iter().any(is_own) && request.permissions.permits(REPORTING, request.project())?;
    let is_polling = |client: &&PolledClient| {
        if client.is_central { of_all_projects } else { may_report && is_own(client) }
    };
    Ok(listing.polled.iter().filter(is_polling).collect())
}

/// Marks the events in a client's poll as delivered, and the client as alive, if that is not recorded yet.
fn record_poll(app: &App, request: &Request<'_>, listing: &JobListing, of_all_projects: bool) -> Result<()> {
    let now = store::now();
    let polling = polling_clients(request, listing, of_all_projects)?;
    let seen: Vec<String> = polling
        .iter()
        .filter(|client| clients::is_stamp_due(client.last_seen_at, now))
        .map(|client| client.id.clone())
        .collect();
    let pending = |event: Event| {
        let attachments = listing.page.rows.iter().map(|view| &view.head.attachment);
        attachments
            .filter(|attachment| polling.iter().any(|client| client.id == attachment.client_id))
            .filter(|attachment| attachment.event == event.word() && !attachment.event_delivered)
            .map(|attachment| attachment.id.clone())
            .collect::<Vec<_>>()
    };
    let delivered: Vec<(Event, Vec<String>)> = [Event::Start, Event::Stop, Event::Abort, Event::Remove]
        .map(|event| (event, pending(event)))
        .into_iter()
        .filter(|(_, ids)| !ids.is_empty())
        .collect();
    if seen.is_empty() && delivered.is_empty() {
        return Ok(());
    }
    if delivered.is_empty() {
        return jobs::record_polls(&app.store, &app.readers, &seen);
    }
    app.store.write(|tx| {
        for (event, ids) in &delivered {
            job_attachments::mark_delivered(tx, ids.clone(), event.word())?;
        }
        if !seen.is_empty() {
            clients::stamp_seen(tx, &seen)?;
        }
        Ok(())
    })
}

/// `POST /jobs`
pub fn create(app: &App, request: &Request<'_>) -> Result<Reply> {
    let document = parse(&document::JOB, request.call.json()?)?;
    prepare_quotas(app, request, &document, 1)?;
    let fresh = new_id();
    // Version 1 gives every new job an id of its own.
    let given = document.id.as_deref().filter(|_| !request.is_v1());
    let id = given.map_or(NewId::Fresh(&fresh), NewId::Given);
    let free = |tx: &mut Tx<'_>| match id {
        NewId::Fresh(_) => Ok(()),
        NewId::Given(id) => free(tx, id),
    };
    let check = |tx: &mut Tx<'_>| {
        free(tx)?;
        write::check(tx, request, &document).map(Some)
    };
    trust::create(app, request, check, |need| {
        app.store.write(|tx| {
            free(tx)?;
            if let Some(need) = need
                && !need.still_pinned(tx, request)?
            {
                return Ok(TrustUse::Removed);
            }
            let (client, job) = write::insert(tx, request, id, &document, RunTimes::Unset)?;
            let job_id = &job.attachment.job_id;
            need.map_or(Ok(TrustUse::Used), |need| need.record(tx, request, &client, job_id))
        })
    })?;
    Ok(request.created("jobs", id.id(), &json!({"job_id": id.id()})))
}

/// `GET /jobs/{job_id}`. A caller that may list the jobs of all projects sees those of any project.
pub fn show(app: &App, request: &Request<'_>) -> Result<Reply> {
    let id = request.valid_id().ok_or_else(|| Error::no("job", request.id()))?;
    let sees_all = sees_all(request)?;
    let project = (!sees_all).then_some(request.project());
    let view = match jobs::view(&app.store, &app.readers, project, id)? {
        Some(view) => Some(view),
        None => app.store.read(|tx| match jobs::find(tx, project, id)? {
            Some(head) => Ok(jobs::complete(tx, vec![head])?.pop()),
            None => Ok(None),
        })?,
    };
    let view = view.ok_or_else(|| Error::no("job", request.id()))?;
    let with_pid = may_see_pid(request, sees_all, &view.head.client_project);
    Ok(Reply::stream_document(200, move |out| {
        Ok(serde_json::to_writer(out, &JobJson { view: &view, with_pid })?)
    }))
}

/// `PATCH /jobs/{job_id}`
pub fn update(app: &App, request: &Request<'_>) -> Result<Reply> {
    let id = request.valid_id().ok_or_else(|| Error::no("job", request.id()))?;
    let document = parse(&document::JOB_PATCH, request.call.json()?)?;
    prepare_quotas(app, request, &document, 0)?;
    let conditions = Conditions::from_request(request)?;
    let mentions = mentions(&document);
    let decided = |tx: &mut Tx<'_>| {
        let rows = write::load(tx, request, &conditions, &mentions)?
            .ok_or_else(|| Error::no("job", request.id()))?;
        let plan = plan(&rows, &document, write::room(request, &document, 0), tx.now, new_id)?;
        Ok::<_, Failure>((rows, plan))
    };
    // Schedulers mostly report on a run, which is one UPDATE and needs no transaction. What was read for that serves the
    // transaction, too, if it is the head alone: the compare-and-set covers the head.
    let mut seen = None;
    let version = match conditions.is_empty() && mentions.session.is_none() && mentions.actions.is_none() {
        true => app.store.compare_and_set(
            |tx| {
                let (rows, plan) = decided(tx)?;
                if plan.is_one_update() {
                    return Ok(Some((rows.head.attachment.version, (rows, plan))));
                }
                seen = Some((rows, plan)).filter(|(rows, _)| rows.is_head_only());
                Ok(None)
            },
            |tx, (rows, plan)| Ok(jobs::apply(tx, request.owner(), &rows, &plan)?.version()),
        )?,
        false => None,
    };
    let version = match version {
        Some(version) => version,
        None => document_size::write(
            app,
            |tx| stored_size(tx, request),
            |tx, size| {
                let (rows, plan) = seen.take().map_or_else(|| decided(tx), Ok)?;
                Ok(write::apply(tx, request, &rows, &plan, size)?.version())
            },
        )?,
    };
    Ok(Reply::json(200, &json!({"job_id": id, "version": version})))
}

/// `POST /jobs/{job_id}`: creates a job under this id, or replaces it.
pub fn replace(app: &App, request: &Request<'_>) -> Result<Reply> {
    let id = request.id();
    if !is_id(id) {
        return Err(Error::bad_request("A job's id has up to 64 letters, digits, - and _."));
    }
    let document = parse(&document::JOB, request.call.json()?)?;
    prepare_quotas(app, request, &document, 1)?;
    let conditions = Conditions::from_request(request)?;
    let mentions = replacement_mentions(&document);
    let version = document_size::write(
        app,
        |tx| stored_size(tx, request),
        |tx, size| {
            let Some(rows) = write::load(tx, request, &conditions, &mentions)? else {
                conditions.check_absent()?;
                if job_attachments::exists_in_other_project(tx, request.project(), id)? {
                    return Err(taken(id).into());
                }
                let id = NewId::Given(id);
                let (_, created) = write::insert(tx, request, id, &document, RunTimes::AsGiven)?;
                return Ok(created.version());
            };
            let plan = replacement(&rows, &document, write::room(request, &document, 0), tx.now, new_id)?;
            Ok(write::apply(tx, request, &rows, &plan, size)?.version())
        },
    )?;
    Ok(request.created("jobs", id, &json!({"job_id": id, "version": version})))
}

/// `DELETE /jobs/{job_id}`
pub fn delete(app: &App, request: &Request<'_>) -> Result<Reply> {
    let conditions = Conditions::from_request(request)?;
    let Some(id) = request.valid_id() else {
        conditions.check_absent()?;
        return Ok(Reply::empty(204));
    };
    let trusts = app.store.write(|tx| {
        let Some(attachment) = job_attachments::find(tx, request.project(), id)? else {
            conditions.check_absent()?;
            return Ok(Vec::new());
        };
        conditions.check(tx, request, &attachment)?;
        job_attachments::delete(tx, &attachment)
    })?;
    trust::release(app, request, trusts);
    Ok(Reply::empty(204))
}

/// `POST /jobs/{job_id}/event`: `{"start": null}`, and so on.
pub fn event(app: &App, request: &Request<'_>) -> Result<Reply> {
    let event = parse_event(request.call.json()?)?;
    let conditions = Conditions::from_request(request)?;
    let is_new = app.store.write(|tx| {
        let attachment = job_attachments::find(tx, request.project(), request.id())?;
        let attachment = attachment.ok_or_else(|| Error::no("job", request.id()))?;
        conditions.check(tx, request, &attachment)?;
        if attachment.event == event.word() {
            return Ok(false);
        }
        job_attachments::update(tx, &attachment, &requesting(event))?;
        Ok(true)
    })?;
    let result = if is_new { "success".to_owned() } else { format!("{} already requested", event.word()) };
    Ok(Reply::json(202, &json!({"result": result})))
}

/// Prepares the project's quotas for so many new jobs and for the new actions of a document.
fn prepare_quotas(app: &App, request: &Request<'_>, document: &JobDocument, jobs: usize) -> Result<()> {
    request.prepare_quota(app, Resource::Jobs, jobs)?;
    request.prepare_quota(app, Resource::Actions, document.new_actions())
}

/// Refuses an id that is taken.
fn free(tx: &mut Tx<'_>, id: &str) -> Outcome<()> {
    if job_attachments::is_taken(tx, id)? { Err(taken(id).into()) } else { Ok(()) }
}

fn taken(id: &str) -> Error {
    Error::already_exists(format!("Job already exists with ID {id}"))
}
