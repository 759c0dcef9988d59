//! The route table: method, path, policy rule and handler of everything that the service answers, except the health
//! check, whose path is an option.

mod not_found;
pub mod route;

use front::error::{Error, Kind, Result};
use front::http::{Call, Method, Reply, not_modified};

use crate::api_v1;
use crate::app::App;
use crate::auth::Strategy;
use crate::document::is_id;
use crate::handlers::{self, Request, Version};
use crate::identity::handlers as identity;
use crate::quotas::Reservations;
pub use route::{Handler, Route};

use Method::{Delete, Get, Patch, Post, Put};
use handlers::{
    action_attachments, action_reports, actions, backups, clients, job_attachments, jobs, reference,
    sessions, versions,
};
use route::{JSON, project, public};

/// The routes of version 2.
pub const ROUTES: &[Route] = &[
    public(Get, "/", versions::list),
    public(Get, "/v2", versions::home),
    public(Get, "/v2/openapi.json", reference::document),
    public(Get, "/docs", reference::page),
    project(Get, "/v2/{project_id}/clients", "clients:get_all", clients::list),
    project(Post, "/v2/{project_id}/clients", "clients:create", clients::create),
    project(Get, "/v2/{project_id}/clients/{client_id}", "clients:get", clients::show),
    project(Patch, "/v2/{project_id}/clients/{client_id}", "clients:update", clients::update),
    project(Delete, "/v2/{project_id}/clients/{client_id}", "clients:delete", clients::delete),
    project(Get, "/v2/{project_id}/actions", "actions:get_all", actions::list),
    project(Post, "/v2/{project_id}/actions", "actions:create", actions::create),
    project(Get, "/v2/{project_id}/actions/{action_id}", "actions:get", actions::show),
    project(Patch, "/v2/{project_id}/actions/{action_id}", "actions:update", actions::update),
    project(Post, "/v2/{project_id}/actions/{action_id}", "actions:replace", actions::replace),
    project(Delete, "/v2/{project_id}/actions/{action_id}", "actions:delete", actions::delete),
    project(Get, "/v2/{project_id}/jobs", "jobs:get_all", jobs::list),
    project(Post, "/v2/{project_id}/jobs", "jobs:create", jobs::create),
    project(Get, "/v2/{project_id}/jobs/{job_id}", "jobs:get", jobs::show),
    project(Patch, "/v2/{project_id}/jobs/{job_id}", "jobs:update", jobs::update),
    project(Post, "/v2/{project_id}/jobs/{job_id}", "jobs:create", jobs::replace),
    project(Delete, "/v2/{project_id}/jobs/{job_id}", "jobs:delete", jobs::delete),
    project(Post, "/v2/{project_id}/jobs/{job_id}/event", "jobs:event:create", jobs::event),
    project(Get, "/v2/{project_id}/sessions", "sessions:get_all", sessions::list),
    project(Post, "/v2/{project_id}/sessions", "sessions:create", sessions::create),
    project(Get, "/v2/{project_id}/sessions/{session_id}", "sessions:get", sessions::show),
    project(Patch, "/v2/{project_id}/sessions/{session_id}", "sessions:update", sessions::update),
    project(Post, "/v2/{project_id}/sessions/{session_id}", "sessions:replace", sessions::replace),
    project(Delete, "/v2/{project_id}/sessions/{session_id}", "sessions:delete", sessions::delete),
    project(
        Post,
        "/v2/{project_id}/sessions/{session_id}/action",
        "sessions:action:create",
        sessions::action,
    ),
    project(
        Put,
        "/v2/{project_id}/sessions/{session_id}/jobs/{job_id}",
        "sessions:job:add",
        sessions::add_job,
    ),
    project(
        Delete,
        "/v2/{project_id}/sessions/{session_id}/jobs/{job_id}",
        "sessions:job:remove",
        sessions::remove_job,
    ),
    project(Get, "/v2/{project_id}/backups", "backups:get_all", backups::list),
    project(Post, "/v2/{project_id}/backups", "backups:create", backups::create),
    project(Get, "/v2/{project_id}/backups/{backup_id}", "backups:get", backups::show),
    project(Patch, "/v2/{project_id}/backups/{backup_id}", "backups:update", backups::update),
    project(Delete, "/v2/{project_id}/backups/{backup_id}", "backups:delete", backups::delete),
    project(
        Get,
        "/v2/{project_id}/action-attachments",
        "action_attachments:get_all",
        action_attachments::list,
    ),
    project(
        Post,
        "/v2/{project_id}/action-attachments",
        "action_attachments:create",
        action_attachments::create,
    ),
    project(
        Get,
        "/v2/{project_id}/action-attachments/{action_attachment_id}",
        "action_attachments:get",
        action_attachments::show,
    ),
    project(
        Patch,
        "/v2/{project_id}/action-attachments/{action_attachment_id}",
        "action_attachments:update",
        action_attachments::update,
    ),
    project(
        Delete,
        "/v2/{project_id}/action-attachments/{action_attachment_id}",
        "action_attachments:delete",
        action_attachments::delete,
    ),
    project(Get, "/v2/{project_id}/job-attachments", "job_attachments:get_all", job_attachments::list),
    project(Post, "/v2/{project_id}/job-attachments", "job_attachments:create", job_attachments::create),
    project(
        Get,
        "/v2/{project_id}/job-attachments/{job_attachment_id}",
        "job_attachments:get",
        job_attachments::show,
    ),
    project(
        Patch,
        "/v2/{project_id}/job-attachments/{job_attachment_id}",
        "job_attachments:update",
        job_attachments::update,
    ),
    project(
        Delete,
        "/v2/{project_id}/job-attachments/{job_attachment_id}",
        "job_attachments:delete",
        job_attachments::delete,
    ),
    project(Get, "/v2/{project_id}/action-reports", "action_reports:get_all", action_reports::list),
    project(Post, "/v2/{project_id}/action-reports", "action_reports:create", action_reports::create),
    project(
        Get,
        "/v2/{project_id}/action-reports/{action_report_id}",
        "action_reports:get",
        action_reports::show,
    ),
    project(
        Patch,
        "/v2/{project_id}/action-reports/{action_report_id}",
        "action_reports:update",
        action_reports::update,
    ),
    project(
        Delete,
        "/v2/{project_id}/action-reports/{action_report_id}",
        "action_reports:delete",
        action_reports::delete,
    ),
    Route {
        produces: action_reports::log::TYPES,
        ..project(
            Get,
            "/v2/{project_id}/action-reports/{action_report_id}/log",
            "action_reports:log:get",
            action_reports::log::show,
        )
    },
    project(
        Put,
        "/v2/{project_id}/action-reports/{action_report_id}/log",
        "action_reports:log:update",
        action_reports::log::write,
    ),
    project(
        Delete,
        "/v2/{project_id}/action-reports/{action_report_id}/log",
        "action_reports:log:delete",
        action_reports::log::delete,
    ),
];

/// Every route of this service: version 2, version 1 if it is enabled, and the built-in identity if it is used.
pub fn all(app: &App) -> impl Iterator<Item = Route> {
    let v1 = app.v1.map_or(&[] as &[Route], |_| api_v1::ROUTES);
    let identity = match &app.auth {
        Strategy::Standalone(_) => identity::ROUTES,
        Strategy::Noauth | Strategy::Keystone(_) => &[],
    };
    let identity = identity.iter().map(|&(method, path, handler)| Route {
        method,
        path,
        handler: Handler::Identity(handler),
        produces: JSON,
    });
    ROUTES.iter().chain(v1).copied().chain(identity)
}

/// The collections whose documents a client may send back as a whole.
const DOCUMENTS: &[&str] = &["actions", "backups", "jobs", "sessions"];

/// Whether a request changes or replaces a document, so that its body may be as large as the response to a GET. The
/// path may begin with a proxy's prefix.
pub fn takes_document(method: &str, path: &str) -> bool {
    let mut parts = path.rsplit('/').filter(|part| !part.is_empty()).skip(1);
    let noun = parts.next().is_some_and(|noun| DOCUMENTS.contains(&noun));
    let is_ours = match parts.next() {
        Some("v1") => true,
        Some(_) => parts.next() == Some("v2"),
        None => false,
    };
    matches!(method, "PATCH" | "POST") && noun && is_ours
}

/// Answers a request with the handler of its route.
///
/// # Errors
/// 404 or 405 without a route; 401, 403 and 406; the handler's errors.
pub fn dispatch(app: &App, call: &Call) -> Result<Reply> {
    answer(app, call).or_else(|error| match error.kind {
        // The challenge needs the authentication strategy, which only this layer knows. The server does not see a 401
        // as an error any more, so it is logged here.
        Kind::Unauthorized => {
            if error.log.is_some() {
                log::info!("{error}");
            }
            Ok(Reply::from_error(&error, &call.request_id)
                .with_header("WWW-Authenticate", app.auth.challenge(call)))
        }
        _ => Err(error),
    })
}

fn answer(app: &App, call: &Call) -> Result<Reply> {
    if app.health.is_for(call) {
        let store = app.store.clone();
        return Ok(app.health.answer(call, move |patience| store.ping(patience), || app.store.is_replaced()));
    }
    let method = call.method.dispatched();
    let matching: Vec<Route> = all(app).filter(|route| route.is_for(&call.segments)).collect();
    let Some(route) = matching.iter().find(|route| route.method == method) else {
        if method == Method::Options && !matching.is_empty() {
            return Ok(Reply::empty(200).with_header("Allow", allow(&matching)));
        }
        // Only callers with a token learn which paths a project has. On other paths a 401 would mislead: a client that
        // looks for an identity service at the wrong URL would request a token there for that very request, and hang.
        if not_found::is_of_project(&call.segments)
            && matching.iter().all(|route| matches!(route.handler, Handler::Project(..)))
        {
            app.auth.authenticate(call)?;
        }
        if matching.is_empty() {
            return Err(not_found::error(&app.auth, call));
        }
        return Err(Error::method_not_allowed(allow(&matching)));
    };
    match route.handler {
        Handler::Public(handler) => handler(app, call),
        Handler::Identity(handler) => match &app.auth {
            Strategy::Standalone(identity) => handler(identity, call),
            Strategy::Noauth | Strategy::Keystone(_) => Err(Error::no_route()),
        },
        Handler::V1(rule, handler) => {
            let caller = app.auth.authenticate(call)?;
            if call.preferred(route.produces).is_none() {
                return Err(Error::not_acceptable());
            }
            let reply = api_v1::answer(app, call, caller, route, (rule, handler))?;
            if method == Method::Get { not_modified(call, reply) } else { Ok(reply) }
        }
        Handler::Project(rule, handler) => {
            let caller = app.auth.authenticate(call)?;
            if call.preferred(route.produces).is_none() {
                return Err(Error::not_acceptable());
            }
            let path_params = route.path_params(&call.segments);
            let project = path_params.first().copied().unwrap_or_default();
            // Check before the policy does, which may put the project into the URL of another service.
            if !is_id(project) {
                return Err(Error::no_route());
            }
            let permissions = app.policy.permissions(&caller);
            // The registration of a central client has its own rule, and only the body shows whether it is one.
            if rule != "clients:create" {
                permissions.enforce(rule, project)?;
            }
            let request = Request {
                call,
                caller,
                permissions,
                path_params,
                version: Version::V2,
                reservations: Reservations::default(),
            };
            let reply = handler(app, &request)?;
            request.reservations.keep();
            if method == Method::Get { not_modified(call, reply) } else { Ok(reply) }
        }
    }
}

/// The value of an `Allow` header: the methods of one path's routes.
fn allow(routes: &[Route]) -> String {
    let mut words = Vec::new();
    for route in routes {
        let more: &[&str] = match route.method {
            Method::Get => &["GET", "HEAD"],
            Method::Post => &["POST"],
            Method::Put => &["PUT"],
            Method::Patch => &["PATCH"],
            Method::Delete => &["DELETE"],
            Method::Head | Method::Options | Method::Other => &[],
        };
        words.extend(more);
    }
    words.push("OPTIONS");
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_of_a_route_exists() {
        for route in ROUTES {
            if let Handler::Project(rule, _) = route.handler {
                assert!(crate::rules::DEFAULTS.iter().any(|default| default.name == rule), "{rule}");
            }
        }
    }
}
