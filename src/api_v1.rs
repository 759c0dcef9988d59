//! Version 1 of the API (contract, api-v1): a second route table with the handlers of version 2.
//!
//! A path of version 1 names no project. [`answer`] takes the project from the token, or from the resource that the
//! path names, and hands the request to the handler of version 2 with that project. Which rows a caller sees is the
//! [`Scope`](crate::scope::Scope): a resource outside of it is a 404, and lists do not contain it. Documents are those of version 2, with
//! the additional keys that clients of version 1 read; [`Request::is_v1`] tells a handler which version the request
//! uses.

mod routes;

use front::context::Caller;
use front::error::{Error, Result};
use front::http::{Call, Method, Reply};

use crate::app::App;
use crate::document::is_id;
use crate::handlers::{Request, Version};
use crate::quotas::Reservations;
use crate::routes::route::{ProjectHandler, Route};
use crate::scope::VisibleRows;
use crate::store::owners::{self, Noun};
pub use routes::ROUTES;

/// Answers a request by a route of version 1.
///
/// # Errors
/// 403 for a token without a project, or if the policy refuses; 404 for a resource outside of the scope; the handler's
/// errors.
pub fn answer(
    app: &App,
    call: &Call,
    caller: Caller,
    route: &Route,
    (rule, handler): (&str, ProjectHandler),
) -> Result<Reply> {
    let Some(project) = caller.project_id.clone().filter(|project| is_id(project)) else {
        return Err(Error::forbidden(rule));
    };
    let permissions = app.policy.permissions(&caller);
    // The registration of a central client has its own rule, and only the body shows whether it is one.
    if rule != "clients:create" {
        permissions.enforce(rule, &project)?;
    }
    let visible = app.v1.unwrap_or_default().visible_rows(&caller);
    let ids = route.path_params(&call.segments);
    let project = match (noun(route.path), ids.first()) {
        (Some(noun), Some(id)) => project_of(app, noun, id, route, &visible, project)?,
        _ => project,
    };
    let path_params = std::iter::once(project.as_str()).chain(ids).collect();
    let request = Request {
        call,
        caller,
        permissions,
        path_params,
        version: Version::V1(visible),
        reservations: Reservations::default(),
    };
    let reply = handler(app, &request)?;
    request.reservations.keep();
    Ok(reply)
}

/// The project of the resource in the path, if the caller sees it. A replacement (POST) of a missing resource creates
/// it in the token's project.
fn project_of(
    app: &App,
    noun: Noun,
    id: &str,
    route: &Route,
    visible: &VisibleRows,
    project: String,
) -> Result<String> {
    let replaces = route.method == Method::Post && route.path.ends_with('}');
    let is_name = match noun {
        Noun::Client => owners::is_client_name(id),
        _ => is_id(id),
    };
    if !is_name {
        // The handler refuses a malformed id of a new resource with a better text.
        return if replaces { Ok(project) } else { Err(unknown(noun, id)) };
    }
    let within = (!visible.in_any_project).then_some(project.as_str());
    let (found, exists) = app.store.read(|tx| {
        let found = owners::projects_of(tx, noun, id, within, visible.user.as_deref())?;
        // The id may be taken by a resource that the caller does not see.
        let exists = found.is_empty() && replaces && owners::exists(tx, noun, id)?;
        Ok((found, exists))
    })?;
    if exists {
        let title = noun.title();
        return Err(Error::already_exists(format!("{title} already exists with ID {id}")));
    }
    match found.iter().find(|found| **found == project).or(found.first()) {
        Some(found) => Ok(found.clone()),
        None if replaces => Ok(project),
        None => Err(unknown(noun, id)),
    }
}

/// The noun of a path of version 1.
fn noun(path: &str) -> Option<Noun> {
    match path.split('/').nth(2)? {
        "clients" => Some(Noun::Client),
        "actions" => Some(Noun::Action),
        "jobs" => Some(Noun::Job),
        "sessions" => Some(Noun::Session),
        "backups" => Some(Noun::Backup),
        _ => None,
    }
}

fn unknown(noun: Noun, id: &str) -> Error {
    Error::not_found(format!("No {} found with ID {id}", noun.title().to_lowercase()))
}
