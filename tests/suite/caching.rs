//! What a cache between a client and the service may store (RFC 9111).

use freezer_api::auth::Strategy;
use freezer_api::identity::{self, Standalone};
use front::cors;
use front::health;
use front::server::Settings;
use serde_json::Value;

use crate::api::Api;
use crate::http;
use crate::routes::Case;

on_every_backend! {
    resources_of_a_project_are_private,
    refusals_below_a_project_are_private,
    public_documents_are_revalidated,
    answers_of_the_identity_service_are_not_stored,
    a_cross_origin_answer_also_varies_by_origin,
}

const PRIVATE: Option<&str> = Some("private, no-cache");

fn resources_of_a_project_are_private(api: &Api) {
    let alice = api.project();
    for case in Case::all(&alice) {
        let body = case.body.as_ref().map(Value::to_string);
        let answer = alice.send(case.method, &case.path, body.as_ref().map(String::as_bytes));
        answer.expect(case.success);
        assert_eq!(answer.header("Cache-Control"), PRIVATE, "{answer}");
        let vary = answer.header("Vary").unwrap_or_else(|| panic!("no Vary: {answer}"));
        assert_eq!(vary.split(',').filter(|name| *name == "X-Auth-Token").count(), 1, "{answer}");
    }
    // A 304 has the headers that the 200 would have had.
    let id = alice.create("actions", crate::documents::action());
    let path = format!("/actions/{id}");
    let tag = alice.get(&path).header("ETag").unwrap().to_owned();
    let known = alice.send_with("GET", &path, &[("If-None-Match", &tag)], None);
    assert_eq!((known.status, known.header("Cache-Control")), (304, PRIVATE));
    assert_eq!(known.header("Vary"), Some("X-Auth-Token"));
}

fn refusals_below_a_project_are_private(api: &Api) {
    let alice = api.project();
    let large = " ".repeat(200_000);
    let jobs = format!("/v2/{}/jobs", alice.project);
    for (status, answer) in [
        (401, api.send("GET", &jobs, &[], None)),
        (403, alice.with_roles("").get("/jobs")),
        (404, alice.get("/jobs/none")),
        (404, alice.get("/nothing")),
        (405, alice.put("/jobs")),
        (406, alice.send_with("GET", "/jobs", &[("Accept", "text/html")], None)),
        (400, alice.get("/jobs?limit=x")),
        (400, alice.send("POST", "/jobs", Some(b"{"))),
        (400, alice.get("/jobs/%zz")),
        (413, alice.send("POST", "/jobs", Some(large.as_bytes()))),
    ] {
        assert_eq!(answer.status, status, "{answer}");
        assert_eq!(answer.header("Cache-Control"), PRIVATE, "{answer}");
        assert_eq!(answer.header("Vary"), Some("Accept,X-Auth-Token"), "{answer}");
    }
}

fn public_documents_are_revalidated(api: &Api) {
    for path in ["/", "/v2", "/v2/", "/v2/openapi.json", "/docs"] {
        let answer = api.send("GET", path, &[], None);
        assert_eq!(answer.header("Cache-Control"), Some("no-cache"), "{answer}");
    }
    for path in ["/healthcheck", "/healthcheck/x", "/nowhere", "/v3"] {
        let answer = api.send("GET", path, &[], None);
        assert_eq!(answer.header("Cache-Control"), Some("no-store"), "{answer}");
    }
}

fn answers_of_the_identity_service_are_not_stored(api: &Api) {
    let identity = Standalone::new(api.store(), &identity::Settings::default());
    let node = api.node_with(|app| app.auth = Strategy::Standalone(identity));
    for (method, path) in [
        ("GET", "/identity"),
        ("GET", "/identity/v3"),
        ("POST", "/identity/v3/auth/tokens"),
        ("GET", "/identity/v3/auth/tokens"),
        ("GET", "/identity/v3/projects"),
        ("GET", "/identity/v3/nope"),
    ] {
        let answer = http::exchange(node.address, method, path, &[], None);
        assert_eq!(answer.header("Cache-Control"), Some("no-store"), "{answer}");
    }
}

fn a_cross_origin_answer_also_varies_by_origin(api: &Api) {
    const PAGE: (&str, &str) = ("Origin", "https://horizon.example.com");
    let page = cors::Settings { allowed_origins: vec![PAGE.1.to_owned()], ..cors::Settings::default() };
    let address =
        api.beside(health::Settings::default(), Settings { cors: vec![page], ..Settings::default() });
    let token = [("X-User-Id", "u"), ("X-Project-Id", "caching"), ("X-Roles", "member"), PAGE];
    for (path, vary) in [
        ("/v2/caching/jobs", "X-Auth-Token,Origin"),
        ("/v2/caching/jobs/none", "Accept,X-Auth-Token,Origin"),
        ("/v2", "Origin"),
    ] {
        let answer = http::send(address, "GET", path, &token, None);
        assert_eq!(answer.header("Vary"), Some(vary), "{answer}");
    }
}
