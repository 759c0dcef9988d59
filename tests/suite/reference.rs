//! The published description of the API: the document and the page.

use freezer_api::routes::{Handler, ROUTES};
use front::health;
use front::http::proxy;
use front::server::Settings;
use serde_json::{Value, json};

use crate::api::{Api, Caller};
use crate::documents::{action, job};
use crate::http;
use crate::published;
use crate::routes::{Case, word};

on_every_backend! {
    the_document_needs_no_token,
    the_page_needs_no_token_and_suits_every_browser,
    the_document_and_the_page_work_behind_a_proxy,
    the_examples_succeed,
}

fn the_document_needs_no_token(api: &Api) {
    let answer = api.send("GET", "/v2/openapi.json", &[], None);
    let document = answer.expect(200);
    assert_eq!(answer.header("Content-Type"), Some("application/json"));
    assert_eq!(document["servers"], json!([{"url": api.url()}]));
    let mut expected = published::document().clone();
    expected["servers"] = document["servers"].clone();
    assert!(document == expected, "the tests check answers against another document");
    // Without authentication, the document mentions no token.
    assert!(!document.to_string().contains("X-Auth-Token"));
    assert_eq!(api.send("HEAD", "/v2/openapi.json", &[], None).status, 200);
    assert_eq!(api.send("GET", "/v2/openapi.json", &[("Accept", "text/html")], None).status, 406);
    assert_eq!(api.send("POST", "/v2/openapi.json", &[], None).status, 405);
}

fn the_page_needs_no_token_and_suits_every_browser(api: &Api) {
    for (path, accept) in [("/docs", "*/*"), ("/docs/", "text/html"), ("/docs", "application/json")] {
        let answer = api.send("GET", path, &[("Accept", accept)], None);
        assert_eq!(answer.status, 200, "{answer}");
        assert_eq!(answer.header("Content-Type"), Some("text/html; charset=utf-8"));
        let policy = answer.header("Content-Security-Policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"));
        let page = String::from_utf8(answer.body).unwrap();
        assert!(page.starts_with("<!DOCTYPE html>") && page.contains("href=\"/v2/openapi.json\""));
        assert!(page.contains("list_jobs") && page.contains("jobs:get_all"));
    }
    assert_eq!(api.send("DELETE", "/docs", &[], None).status, 405);
}

fn the_document_and_the_page_work_behind_a_proxy(api: &Api) {
    let proxy = proxy::Settings { parse_headers: true, path_prefix: "/backup".to_owned() };
    let address = api.beside(health::Settings::default(), Settings { proxy, ..Settings::default() });
    let tls = [("Host", "cloud.example"), ("X-Forwarded-Proto", "https")];
    let document = http::send(address, "GET", "/backup/v2/openapi.json", &tls, None).expect(200);
    assert_eq!(document["servers"][0]["url"], "https://cloud.example/backup");
    let page = http::send(address, "GET", "/backup/docs", &tls, None).body;
    assert!(String::from_utf8(page).unwrap().contains("href=\"/backup/v2/openapi.json\""));
}

/// Sends every example of a request to a service that has the resources of the examples.
fn the_examples_succeed(api: &Api) {
    let owner = api.project();
    owner.register("web1.example.com");
    owner.register("web2.example.com");
    let spoken_of = example("Job")["job_id"].clone();
    let (mut known, mut known_action) = (job("web1.example.com"), action());
    known["job_id"] = spoken_of.clone();
    known_action["action_id"] = example("Action")["action_id"].clone();
    owner.create("jobs", known);
    owner.create("actions", known_action);
    for route in ROUTES.iter().filter(|route| matches!(route.handler, Handler::Project(..))) {
        let item = &published::document()["paths"][route.path][word(route.method).to_lowercase()];
        let content = &item["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        let Some(name) = content.as_str().and_then(|reference| reference.rsplit('/').next()) else {
            continue;
        };
        let mut case = Case::new(route, &owner).unwrap();
        join_for_session_action(&owner, &case.path, spoken_of.as_str().unwrap());
        case.body = Some(example(name));
        case.send(&owner).expect(case.success);
    }
}

/// Adds the job of the examples to the session, if the request is an action on it.
fn join_for_session_action(owner: &Caller<'_>, path: &str, job: &str) {
    if let Some(session) = path.strip_prefix("/sessions/").and_then(|path| path.strip_suffix("/action")) {
        owner.put(&format!("/sessions/{session}/jobs/{job}")).expect(204);
    }
}

fn example(name: &str) -> Value {
    let example = &published::document()["components"]["schemas"][name]["examples"][0];
    assert!(!example.is_null(), "{name} has no example");
    example.clone()
}
