//! The route table of version 1: the paths of version 2 without the project, with the same rules and handlers.

use front::http::Method::{self, Delete, Get, Patch, Post, Put};

use crate::handlers::{actions, backups, clients, jobs, sessions, versions};
use crate::routes::route::{Handler, JSON, ProjectHandler, Route, public};

const fn v1(method: Method, path: &'static str, rule: &'static str, handler: ProjectHandler) -> Route {
    Route { method, path, handler: Handler::V1(rule, handler), produces: JSON }
}

/// The routes of version 1.
pub const ROUTES: &[Route] = &[
    public(Get, "/v1", versions::home_v1),
    public(Get, "/v1/openapi.json", crate::handlers::reference::document_v1),
    v1(Get, "/v1/clients", "clients:get_all", clients::list),
    v1(Post, "/v1/clients", "clients:create", clients::create),
    v1(Get, "/v1/clients/{client_id}", "clients:get", clients::show),
    v1(Delete, "/v1/clients/{client_id}", "clients:delete", clients::delete),
    v1(Get, "/v1/actions", "actions:get_all", actions::list),
    v1(Post, "/v1/actions", "actions:create", actions::create),
    v1(Get, "/v1/actions/{action_id}", "actions:get", actions::show),
    v1(Patch, "/v1/actions/{action_id}", "actions:update", actions::update),
    v1(Post, "/v1/actions/{action_id}", "actions:replace", actions::replace),
    v1(Delete, "/v1/actions/{action_id}", "actions:delete", actions::delete),
    v1(Get, "/v1/jobs", "jobs:get_all", jobs::list),
    v1(Post, "/v1/jobs", "jobs:create", jobs::create),
    v1(Get, "/v1/jobs/{job_id}", "jobs:get", jobs::show),
    v1(Patch, "/v1/jobs/{job_id}", "jobs:update", jobs::update),
    v1(Post, "/v1/jobs/{job_id}", "jobs:create", jobs::replace),
    v1(Delete, "/v1/jobs/{job_id}", "jobs:delete", jobs::delete),
    v1(Post, "/v1/jobs/{job_id}/event", "jobs:event:create", jobs::event),
    v1(Get, "/v1/sessions", "sessions:get_all", sessions::list),
    v1(Post, "/v1/sessions", "sessions:create", sessions::create),
    v1(Get, "/v1/sessions/{session_id}", "sessions:get", sessions::show),
    v1(Patch, "/v1/sessions/{session_id}", "sessions:update", sessions::update),
    v1(Post, "/v1/sessions/{session_id}", "sessions:replace", sessions::replace),
    v1(Delete, "/v1/sessions/{session_id}", "sessions:delete", sessions::delete),
    v1(Post, "/v1/sessions/{session_id}/action", "sessions:action:create", sessions::action),
    v1(Put, "/v1/sessions/{session_id}/jobs/{job_id}", "sessions:job:add", sessions::add_job),
    v1(Delete, "/v1/sessions/{session_id}/jobs/{job_id}", "sessions:job:remove", sessions::remove_job),
    v1(Get, "/v1/backups", "backups:get_all", backups::list),
    v1(Post, "/v1/backups", "backups:create", backups::create),
    v1(Get, "/v1/backups/{backup_id}", "backups:get", backups::show),
    v1(Delete, "/v1/backups/{backup_id}", "backups:delete", backups::delete),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_of_a_resource_has_the_rule_and_the_handler_of_version_2() {
        for route in ROUTES {
            let Handler::V1(rule, handler) = route.handler else { continue };
            let path = route.path.replacen("/v1", "/v2/{project_id}", 1);
            let twin = crate::routes::ROUTES.iter().find(|v2| v2.method == route.method && v2.path == path);
            let Some(Handler::Project(its_rule, its_handler)) = twin.map(|twin| twin.handler) else {
                panic!("{path} is no path of version 2");
            };
            assert_eq!(rule, its_rule, "{path}");
            assert!(std::ptr::fn_addr_eq(handler, its_handler), "{path}");
        }
    }
}
