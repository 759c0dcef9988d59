//! THE TABLE: method, path, policy rule, handler. Everything the service answers is in it, but for the health check,
//! which is wherever the operator wants it.

mod lost;

use std::sync::OnceLock;

use crate::api_v1;
use crate::auth::Strategy;
use crate::document::is_id;
use crate::error::{Error, Kind, Result};
use crate::handlers::{self, Request, Version};
use crate::http::{Call, Method, Reply, not_modified};
use crate::identity::handlers as identity;
use crate::openapi::Published;
use crate::policy::Policy;
use crate::quotas::{Quotas, Reservations};
use crate::store::Store;
use crate::trusts::Trusts;

/// What the handlers work with.
pub struct App {
    /// The database.
    pub store: Store,
    /// How callers are known.
    pub auth: Strategy,
    /// What callers may do.
    pub policy: Policy,
    /// The trusts of jobs on central clients; none without a Keystone.
    pub trusts: Option<Trusts>,
    /// The health check.
    pub health: Health,
    /// The most that a list gives at once, whatever `limit` says; 1000, and never below 500, which the dashboard
    /// asks for (contract, api-v2 §2 "Paging").
    pub max_limit: i64,
    /// The most bytes that a body may have, and one that changes or replaces a document; the server sees to it, and the
    /// description says it.
    pub max_body: (usize, usize),
    /// The description of all this, once somebody has asked for it.
    pub published: OnceLock<Published>,
    /// Which rows version 1 of the API shows; `None` while it is off.
    pub v1: Option<api_v1::Scope>,
    /// The description of version 1.
    pub published_v1: OnceLock<Published>,
    /// How old, in seconds, the last poll of a client that is up can be; 180.
    pub client_down_time: i64,
    /// The most bytes that the log of a report can have; 65536, and with 0 none is kept.
    pub max_log_size: usize,
    /// The quotas of a project.
    pub quotas: Quotas,
}

impl App {
    /// An app with the defaults of everything but its database, its callers and its policy.
    pub fn new(store: Store, auth: Strategy, policy: Policy) -> Self {
        Self {
            store,
            auth,
            policy,
            trusts: None,
            health: Health::default(),
            max_limit: 1000,
            max_body: (114_688, 4_194_304),
            published: OnceLock::new(),
            v1: None,
            published_v1: OnceLock::new(),
            client_down_time: 180,
            max_log_size: 65_536,
            quotas: Quotas::default(),
        }
    }
}

/// Who may use a route, and what answers.
#[derive(Clone, Copy)]
pub enum Handler {
    /// No token needed.
    Public(fn(&App, &Call) -> Result<Reply>),
    /// The built-in identity's, which asks for a token where it wants one.
    Identity(identity::Handler),
    /// A token is needed, and this policy rule must allow it in the path's project.
    Project(&'static str, fn(&App, &Request<'_>) -> Result<Reply>),
    /// The same for a path of version 1, whose project is the token's or the resource's.
    V1(&'static str, api_v1::Handler),
}

/// One line of the table.
#[derive(Clone, Copy)]
pub struct Route {
    /// The method; HEAD goes to GET's.
    pub method: Method,
    /// The path; a part in braces stands for any one segment.
    pub path: &'static str,
    /// Who may, and what answers.
    pub handler: Handler,
    /// The media types of its answers; errors are JSON everywhere.
    pub produces: &'static [&'static str],
}

/// The media types of a route that says nothing else.
pub(crate) const JSON: &[&str] = &["application/json"];

pub(crate) const fn public(
    method: Method,
    path: &'static str,
    handler: fn(&App, &Call) -> Result<Reply>,
) -> Route {
    Route { method, path, handler: Handler::Public(handler), produces: JSON }
}

const fn project(
    method: Method,
    path: &'static str,
    rule: &'static str,
    handler: fn(&App, &Request<'_>) -> Result<Reply>,
) -> Route {
    Route { method, path, handler: Handler::Project(rule, handler), produces: JSON }
}

use Method::{Delete, Get, Patch, Post, Put};
use handlers::health::Health;
use handlers::{
    action_attachments, action_reports, actions, backups, clients, job_attachments, jobs, reference,
    sessions, versions,
};

/// The table.
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

/// Every route of this service: the table, version 1 where it is on, and the built-in identity's.
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

impl Route {
    /// Whether the path is this route's.
    fn is_for(&self, segments: &[String]) -> bool {
        let mut parts = self.parts();
        segments.iter().all(|segment| parts.next().is_some_and(|part| is_bound(part) || part == segment))
            && parts.next().is_none()
    }

    /// The segments of a path of this route that the braces stand for, in order.
    pub(crate) fn bound<'c>(&self, segments: &'c [String]) -> Vec<&'c str> {
        let pairs = self.parts().zip(segments);
        pairs.filter(|(part, _)| is_bound(part)).map(|(_, segment)| segment.as_str()).collect()
    }

    fn parts(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter(|part| !part.is_empty())
    }
}

/// The nouns whose documents can be sent back as a whole.
const DOCUMENTS: &[&str] = &["actions", "backups", "jobs", "sessions"];

/// Whether a request changes or replaces a document, and may send back as much as a GET of it gives. There may be a proxy's
/// prefix before the path.
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

/// Whether any segment goes with this part of a route's path.
fn is_bound(part: &str) -> bool {
    part.starts_with('{')
}

/// Answers a request by the table.
///
/// # Errors
/// What the handler fails with; 403, 404 and 405 as the table says; 406.
pub fn dispatch(app: &App, call: &Call) -> Result<Reply> {
    answer(app, call).or_else(|error| match error.kind {
        // Only this room knows where a token is to be had. What becomes an answer here is no error to the rooms around,
        // which log those.
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
        return Ok(app.health.answer(&app.store, call));
    }
    let method = call.method.dispatched();
    let matching: Vec<Route> = all(app).filter(|route| route.is_for(&call.segments)).collect();
    let Some(route) = matching.iter().find(|route| route.method == method) else {
        if method == Method::Options && !matching.is_empty() {
            return Ok(Reply::empty(200).with_header("Allow", allow(&matching)));
        }
        // Only callers with a token learn which paths a project has. Elsewhere a 401 would mislead: a client that looks
        // for an identity service at the wrong URL would request a token there to send that very request, and hang.
        if lost::is_of_project(&call.segments)
            && matching.iter().all(|route| matches!(route.handler, Handler::Project(..)))
        {
            app.auth.authenticate(call)?;
        }
        if matching.is_empty() {
            return Err(lost::error(&app.auth, call));
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
            let bound = route.bound(&call.segments);
            let project = bound.first().copied().unwrap_or_default();
            // Before the policy, which may put it into another service's address.
            if !is_id(project) {
                return Err(Error::no_route());
            }
            let permissions = app.policy.permissions(&caller);
            // A client's registration as a central one has a rule of its own, and only the body tells.
            if rule != "clients:create" {
                permissions.enforce(rule, project)?;
            }
            let request = Request {
                call,
                caller,
                permissions,
                bound,
                version: Version::V2,
                reservations: Reservations::default(),
            };
            let reply = handler(app, &request)?;
            request.reservations.keep();
            if method == Method::Get { not_modified(call, reply) } else { Ok(reply) }
        }
    }
}

/// # Errors
/// 406 when the request takes no JSON.
pub fn acceptable(call: &Call) -> Result<()> {
    if call.accepts_json() { Ok(()) } else { Err(Error::not_acceptable()) }
}

/// The value of an `Allow` header: what the routes of one path take.
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
    fn every_rule_of_the_table_exists() {
        for route in ROUTES {
            if let Handler::Project(rule, _) = route.handler {
                assert!(crate::policy::is_known(rule), "{rule}");
            }
        }
    }
}
