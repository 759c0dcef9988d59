//! What holds for every route of the table: its roles, its methods, and its refusals.

mod case;
mod matrix;

pub use case::{Case, word};

use freezer_api::routes::{Handler, ROUTES};
use serde_json::{Value, json};

use crate::api::{Api, Caller};
use crate::documents::action;
use crate::http::Answer;

on_every_backend! {
    every_route_needs_a_token_for_a_project,
    every_path_refuses_the_methods_it_does_not_have,
    every_path_tells_its_methods,
    head_is_get_without_the_body,
    extra_slashes_make_no_difference,
    a_request_that_does_not_accept_json_is_refused,
    a_body_needs_no_content_type,
    unknown_paths_below_a_project_need_a_token,
    a_resource_of_another_project_is_not_found,
    a_project_in_the_path_must_be_an_id,
    the_service_makes_the_request_id,
}

fn every_route_needs_a_token_for_a_project(api: &Api) {
    let owner = api.project();
    let user = ("X-User-Id", owner.user.as_str());
    for case in Case::all(&owner) {
        let target = format!("/v2/{}{}", owner.project, case.path);
        let body = case.body.as_ref().map(Value::to_string);
        let body = body.as_ref().map(String::as_bytes);
        for headers in [&[][..], &[("X-Project-Id", &*owner.project), ("X-Roles", "admin")]] {
            let answer = api.send(case.method, &target, headers, body);
            let refusal = answer.expect(401);
            assert!(answer.header("WWW-Authenticate").is_some(), "{answer}");
            // This is the form of every OpenStack service.
            assert_eq!(refusal["error"]["code"], 401);
            assert_eq!(refusal["error"]["title"], "Unauthorized");
            assert!(refusal["error"]["message"].is_string());
        }
        api.send(case.method, &target, &[user, ("X-Roles", "admin")], body).expect(403);
        // No refused request has changed anything.
        case.send(&owner).expect(case.success);
    }
}

fn every_path_refuses_the_methods_it_does_not_have(api: &Api) {
    let owner = api.project();
    for (path, methods) in paths(&owner) {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"] {
            if methods.contains(&method) {
                continue;
            }
            let answer = owner.send(method, &path, Some(b"{}"));
            assert_eq!(answer.expect(405)["title"], "405 Method Not Allowed");
            assert_eq!(allowed(&answer), complete(&methods), "{method} {path}");
            let target = format!("/v2/{}{path}", owner.project);
            api.send(method, &target, &[], None).expect(401);
        }
    }
    for (path, allow) in [("/", "GET, HEAD, OPTIONS"), ("/v2", "GET, HEAD, OPTIONS")] {
        let answer = api.send("POST", path, &[], None);
        answer.expect(405);
        assert_eq!(answer.header("Allow"), Some(allow));
    }
}

fn every_path_tells_its_methods(api: &Api) {
    let owner = api.project();
    for (path, methods) in paths(&owner) {
        for target in [format!("/v2/{}{path}", owner.project), format!("/v2/{}{path}/", owner.project)] {
            let answer = api.send("OPTIONS", &target, &[], None);
            assert_eq!((answer.status, answer.body.len()), (200, 0), "{answer}");
            assert_eq!(allowed(&answer), complete(&methods), "{path}");
        }
    }
    api.send("OPTIONS", "/v2/p/nothing", &[], None).expect(401);
}

fn head_is_get_without_the_body(api: &Api) {
    let owner = api.project();
    for case in Case::all(&owner).into_iter().filter(Case::is_read) {
        let (get, head) = (owner.get(&case.path), owner.send("HEAD", &case.path, None));
        assert_eq!((get.status, head.status), (200, 200));
        assert!(!get.body.is_empty() && head.body.is_empty());
        assert_eq!(head.header("Content-Type"), get.header("Content-Type"));
        assert_eq!(head.header("Content-Length"), Some(&*get.body.len().to_string()), "{head}");
    }
    assert_eq!(owner.send("HEAD", "/jobs/unknown", None).status, 404);
    assert_eq!(owner.with_roles("").send("HEAD", "/jobs", None).status, 403);
    assert_eq!(owner.send("HEAD", "/jobs/a/event", None).status, 405);
}

fn extra_slashes_make_no_difference(api: &Api) {
    let owner = api.project();
    for variant in ["{}/", "/{}", "{}///"] {
        for case in Case::all(&owner) {
            case.send_to(&owner, &variant.replace("{}", &case.path)).expect(case.success);
        }
    }
    // A client that appends to an endpoint with a final slash sends two slashes.
    let token = [("X-User-Id", "u"), ("X-Project-Id", &*owner.project), ("X-Roles", "reader")];
    api.send("GET", &format!("//v2/{}/jobs/", owner.project), &token, None).expect(200);
    api.send("GET", &format!("//v2//{}//jobs//?limit=1", owner.project), &token, None).expect(200);
}

fn a_request_that_does_not_accept_json_is_refused(api: &Api) {
    let owner = api.project();
    // A log is not JSON.
    for case in Case::all(&owner).into_iter().filter(|case| case.rule != "action_reports:log:get") {
        let body = case.body.as_ref().map(Value::to_string);
        let body = body.as_ref().map(String::as_bytes);
        for accept in ["text/html", "application/xml, text/*;q=0.5", "application/json;q=0"] {
            let answer = owner.send_with(case.method, &case.path, &[("Accept", accept)], body);
            assert_eq!(answer.status, 406, "{answer}");
            assert_eq!(answer.header("Vary"), Some("Accept,X-Auth-Token"));
        }
        // No refused request has changed anything.
        let answer = owner.send_with(case.method, &case.path, &[("Accept", "text/html, */*;q=0.1")], body);
        answer.expect(case.success);
    }
}

fn a_body_needs_no_content_type(api: &Api) {
    let owner = api.project();
    for content_type in ["application/json", "text/plain", "application/x-www-form-urlencoded", "nonsense"] {
        for case in Case::all(&owner).iter().filter(|case| case.method == "POST") {
            let body = case.body.as_ref().unwrap().to_string();
            let headers = [("Content-Type", content_type)];
            owner.send_with("POST", &case.path, &headers, Some(body.as_bytes())).expect(case.success);
        }
    }
}

fn unknown_paths_below_a_project_need_a_token(api: &Api) {
    let owner = api.project();
    for path in [
        "/nothing",
        "/jobs/a/b",
        "/jobs/a/event/b",
        "/sessions/a/jobs",
        "/sessions/a/jobs/b/c",
        "",
        "/a/b/c/d/e/f",
    ] {
        let target = format!("/v2/{}{path}", owner.project);
        for method in ["GET", "POST", "DELETE", "OPTIONS", "BREW"] {
            api.send(method, &target, &[], None).expect(401);
            assert_eq!(owner.send(method, path, None).expect(404)["title"], "404 Not Found");
        }
    }
    let token = [("X-User-Id", "u"), ("X-Project-Id", "p"), ("X-Roles", "admin")];
    for target in ["/v2/p", "/v2/p/Jobs"] {
        api.send("GET", target, &[], None).expect(401);
        api.send("GET", target, &token, None).expect(404);
    }
}

fn a_resource_of_another_project_is_not_found(api: &Api) {
    let (alice, bob) = (api.project(), api.project());
    let (hers, his) = (Case::all(&alice), Case::all(&bob));
    for (case, foreign) in hers.iter().zip(&his).filter(|(case, _)| case.path.matches('/').count() > 1) {
        let (noun, rest) = foreign.path[1..].split_once('/').unwrap();
        // Creating under a chosen id has to tell that the id is taken. Names of clients are per project.
        if noun == "clients" || (case.method == "POST" && !rest.contains('/')) {
            continue;
        }
        let unknown: Vec<&str> =
            rest.split('/').map(|part| if part.len() == 32 { "0".repeat(32).leak() } else { part }).collect();
        let unknown = format!("/{noun}/{}", unknown.join("/"));
        let (foreign, unknown) = (case.send_to(&alice, &foreign.path), case.send_to(&alice, &unknown));
        assert_eq!(foreign.status, unknown.status, "{foreign}\n{unknown}");
        assert_ne!(foreign.status / 100, 5);
        let same = |answer: &Answer| {
            if answer.body.is_empty() {
                return Value::Null;
            }
            let mut body = answer.json();
            body["request_id"] = Value::Null;
            let text = body["description"].as_str().unwrap_or_default();
            let words: Vec<&str> = text.split(' ').filter(|word| word.len() < 32).collect();
            body["description"] = json!(words.join(" "));
            body
        };
        assert_eq!(same(&foreign), same(&unknown));
    }
    // The resources still exist.
    for case in his {
        case.send(&bob).expect(case.success);
    }
}

fn a_project_in_the_path_must_be_an_id(api: &Api) {
    let admin = api.project().with_roles("admin");
    let token = [("X-User-Id", "u"), ("X-Project-Id", "p"), ("X-Roles", "admin")];
    let long = "x".repeat(65);
    for project in ["a%20b", "%C3%A9", "a%2Fb", &long, "%27", "a.b"] {
        api.send("GET", &format!("/v2/{project}/jobs"), &token, None).expect(404);
        let body = action().to_string();
        api.send("POST", &format!("/v2/{project}/actions"), &token, Some(body.as_bytes())).expect(404);
        api.send("GET", &format!("/v2/{project}/jobs"), &[token[0], token[1]], None).expect(404);
    }
    admin.get("/jobs").expect(200);
}

fn the_service_makes_the_request_id(api: &Api) {
    let alice = api.project();
    let inbound = "req-01234567-89ab-cdef-0123-456789abcdef";
    let ids: Vec<String> = ["nonsense", inbound, inbound]
        .into_iter()
        .map(|id| {
            let answer = alice.send_with("GET", "/jobs", &[("X-OpenStack-Request-ID", id)], None);
            answer.header("x-openstack-request-id").unwrap().to_owned()
        })
        .collect();
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && !ids.contains(&inbound.to_owned()));
}

/// The paths below a project, each with its methods in the table.
fn paths(owner: &Caller<'_>) -> Vec<(String, Vec<&'static str>)> {
    let templates: Vec<&str> = ROUTES.iter().map(|route| route.path).collect();
    let mut seen: Vec<&str> = Vec::new();
    let mut paths = Vec::new();
    for route in ROUTES.iter().filter(|route| matches!(route.handler, Handler::Project(..))) {
        if seen.contains(&route.path) {
            continue;
        }
        seen.push(route.path);
        let methods = ROUTES.iter().zip(&templates).filter(|(_, path)| **path == route.path);
        let methods = methods.map(|(route, _)| word(route.method)).collect();
        paths.push((Case::new(route, owner).unwrap().path, methods));
    }
    paths
}

/// The methods that an answer allows, in order.
fn allowed(answer: &Answer) -> Vec<String> {
    let allow = answer.header("Allow").unwrap_or_else(|| panic!("no Allow: {answer}"));
    let mut methods: Vec<String> = allow.split(", ").map(str::to_owned).collect();
    methods.sort();
    methods
}

/// Adds HEAD to GET, and OPTIONS to all methods.
fn complete(methods: &[&str]) -> Vec<String> {
    let mut methods: Vec<String> = methods.iter().map(|method| (*method).to_owned()).collect();
    if methods.contains(&"GET".to_owned()) {
        methods.push("HEAD".to_owned());
    }
    methods.push("OPTIONS".to_owned());
    methods.sort();
    methods
}
