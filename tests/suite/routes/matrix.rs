//! Every route x role x own, another's or no project. The permissions are the contract's table (api-v2 §3), which is
//! repeated here in the simplest form.

use freezer_api::routes::{ROUTES, Route};
use serde_json::Value;

use super::case::Case;
use crate::api::{Api, Caller};
use crate::http::Answer;

on_every_backend! {
    each_role_may_use_its_routes_only,
}

/// Combinations of roles that a token may have.
const ROLES: &[&str] = &[
    "",
    "stranger",
    "backup_operator",
    "reader",
    "READER",
    "member",
    "service",
    "admin",
    "Admin",
    "member,reader",
    "reader,service",
    "stranger,admin",
];

/// Whether a role suffices, in the token's own project (`own`) or in another.
fn may(rule: &str, role: &str, own: bool) -> bool {
    let (noun, deed) = rule.split_once(':').unwrap();
    let reads = matches!(deed, "get" | "get_all" | "log:get");
    match role.to_lowercase().as_str() {
        "admin" => true,
        "service" => reads || matches!(noun, "backups" | "action_reports"),
        "member" => own,
        "reader" => own && reads,
        _ => false,
    }
}

fn each_role_may_use_its_routes_only(api: &Api) {
    for route in ROUTES {
        let (owner, stranger) = (api.project(), api.project());
        let Some(untouched) = Case::new(route, &owner) else { continue };
        let unknown = unknown(route);
        for roles in ROLES {
            for (caller, own) in [(&owner, true), (&stranger, false)] {
                let caller = caller.with_roles(roles).reaching_for(&owner);
                if roles.split(',').any(|role| may(untouched.rule, role, own)) {
                    let case = Case::new(route, &owner).unwrap();
                    case.send(&caller).expect(case.success);
                } else {
                    // The refusal is the same for an existing and an unknown resource.
                    let there = comparable_refusal(&untouched.send(&caller), roles);
                    assert_eq!(there, comparable_refusal(&untouched.send_to(&caller, &unknown), roles));
                }
            }
            let there =
                comparable_refusal(&without_project(api, &untouched, &owner, &untouched.path, roles), roles);
            assert_eq!(
                there,
                comparable_refusal(&without_project(api, &untouched, &owner, &unknown, roles), roles)
            );
        }
        // No refused request has changed anything.
        untouched.send(&owner).expect(untouched.success);
    }
}

/// The refusal, without the members that differ in each answer.
fn comparable_refusal(answer: &Answer, roles: &str) -> Value {
    let mut body = answer.expect(403);
    assert_eq!(body["title"], "Access Forbidden", "{roles}: {answer}");
    body["request_id"].take();
    body
}

/// The route's path below the project, with unknown ids.
fn unknown(route: &Route) -> String {
    let path = route.path.strip_prefix("/v2/{project_id}").unwrap();
    let filled = |part: &str| match part {
        "{client_id}" => "no-such-host".to_owned(),
        id if id.starts_with('{') => "0".repeat(32),
        word => word.to_owned(),
    };
    path.split('/').map(filled).collect::<Vec<_>>().join("/")
}

/// Sends the request with a token that is for no project.
fn without_project(api: &Api, case: &Case, owner: &Caller<'_>, path: &str, roles: &str) -> Answer {
    let body = case.body.as_ref().map(Value::to_string);
    let target = format!("/v2/{}{path}", owner.project);
    let headers = [("X-User-Id", owner.user.as_str()), ("X-Roles", roles)];
    api.send(case.method, &target, &headers, body.as_ref().map(String::as_bytes))
}
