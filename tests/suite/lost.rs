//! Unknown paths: a 404 without a token, whose text says what is wrong with the URL.

use std::sync::Arc;

use freezer_api::auth::Strategy;
use freezer_api::identity::{self, Standalone};
use front::server::Settings;
use serde_json::json;

use crate::api::{Api, Node, serve};
use crate::http;

on_every_backend! {
    an_unknown_path_is_a_404_without_a_token,
    a_known_path_tells_its_methods_without_a_token,
    paths_below_a_project_need_a_token,
    a_request_for_the_identity_service_is_told_where_it_is,
    a_path_without_its_project_says_so,
}

const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"];

/// A node with the built-in identity.
fn standalone(api: &Api) -> Node {
    let identity = Standalone::new(api.store(), &identity::Settings::default());
    api.node_with(|app| app.auth = Strategy::Standalone(identity))
}

fn an_unknown_path_is_a_404_without_a_token(api: &Api) {
    let noauth = api.node_with(|_| {});
    for node in [&noauth, &standalone(api)] {
        for path in [
            "/v3",
            "/v3/",
            "/v3/auth/tokens",
            "/v2.0",
            "/v2.0/tokens",
            "/v1",
            "/v1/p/jobs",
            "/foo",
            "/jobs",
            "/p/jobs",
            "/V2/p/jobs",
            "/v2x/p/jobs",
            "/docs/x",
            "/identity/v2.0",
            "/identity/v3/nope",
            "/identity/v3/auth/tokens/x",
            "/identity/v3/users",
            "/%2e%2e/v2",
            "*",
        ] {
            for method in METHODS {
                for token in [&[][..], &[("X-Auth-Token", "nonsense")]] {
                    let answer = http::send(node.address, method, path, token, None);
                    assert_eq!(answer.status, 404, "{answer}");
                    assert_eq!(answer.header("WWW-Authenticate"), None, "{answer}");
                }
            }
        }
    }
}

fn a_known_path_tells_its_methods_without_a_token(api: &Api) {
    let node = standalone(api);
    for (path, known) in [
        ("/", "GET, HEAD, OPTIONS"),
        ("/v2", "GET, HEAD, OPTIONS"),
        ("/v2/openapi.json", "GET, HEAD, OPTIONS"),
        ("/docs", "GET, HEAD, OPTIONS"),
        ("/identity", "GET, HEAD, OPTIONS"),
        ("/identity/v3", "GET, HEAD, OPTIONS"),
        ("/identity/v3/projects", "GET, HEAD, OPTIONS"),
        ("/identity/v3/auth/catalog", "GET, HEAD, OPTIONS"),
    ] {
        for method in ["POST", "PUT", "PATCH", "DELETE", "BREW"] {
            let answer = http::exchange(node.address, method, path, &[], None);
            answer.expect(405);
            assert_eq!(answer.header("Allow"), Some(known), "{answer}");
        }
    }
}

fn paths_below_a_project_need_a_token(api: &Api) {
    let node = standalone(api);
    for path in ["/v2/p", "/v2/clients", "/v2/p/nothing", "/v2/p/jobs/a/b", "/v2/v2/p/jobs"] {
        for method in METHODS {
            let answer = http::send(node.address, method, path, &[], None);
            assert_eq!(answer.status, 401, "{answer}");
        }
    }
}

fn a_request_for_the_identity_service_is_told_where_it_is(api: &Api) {
    let node = standalone(api);
    let identity = format!("http://{}/identity/v3", node.address);
    for (method, path) in [
        ("GET", "/v3"),
        ("POST", "/v3/auth/tokens"),
        ("GET", "/v2.0"),
        ("POST", "/v2.0/tokens"),
        ("GET", "/identity/v2.0"),
        ("GET", "/identity/v3/nope"),
        ("GET", "/keystone/v3"),
        ("GET", "/foo"),
        ("POST", "/identity/v3/v3/auth/tokens"),
    ] {
        let refusal = http::send(node.address, method, path, &[], Some(b"{}")).expect(404);
        assert!(refusal["description"].as_str().unwrap().contains(&identity), "{refusal}");
        // The same text in the form that Keystone's clients read.
        let error = json!({"code": 404, "title": "404 Not Found", "message": refusal["description"]});
        assert_eq!(refusal["error"], error);
    }
    // Without the built-in identity, the text does not mention one.
    let refusal = api.send("GET", "/v3", &[], None).expect(404);
    assert_eq!(refusal["description"], "There is no resource at this path.");
}

fn a_path_without_its_project_says_so(api: &Api) {
    let token = [("X-User-Id", "u"), ("X-Project-Id", "p"), ("X-Roles", "member")];
    for (path, hint) in [
        ("/v2/clients", "project's id is missing"),
        ("/v2/clients/", "project's id is missing"),
        ("/v2/jobs/1", "project's id is missing"),
        ("/v2/action-reports/1/log", "project's id is missing"),
        ("/v2/v2/p/clients", "/v2 twice"),
        ("/p/clients", "has to begin with /v2/{project_id}"),
        ("/clients", "has to begin with /v2/{project_id}"),
        ("/v1/nothing", "version 2 begin with /v2/{project_id}"),
    ] {
        let refusal = api.send("GET", path, &token, None).expect(404);
        assert!(refusal["description"].as_str().unwrap().contains(hint), "{path}: {refusal}");
    }
    let refusal = api.send("GET", "/v2/p/nothing", &token, None).expect(404);
    assert_eq!(refusal["description"], "There is no resource at this path.");
    // Behind a prefix, the text names the address that the client used.
    let identity = Standalone::new(api.store(), &identity::Settings::default());
    let policy =
        oslo_policy::Policy::new(oslo_policy::Settings::default(), freezer_api::rules::DEFAULTS).unwrap();
    let app = freezer_api::app::App::new(api.store(), Strategy::Standalone(identity), policy);
    let proxy = front::http::proxy::Settings { parse_headers: false, path_prefix: "/backup".to_owned() };
    let address = serve(app, Settings { proxy, ..Settings::default() }, Arc::default());
    let refusal = http::send(address, "GET", "/backup/v3", &[], None).expect(404);
    let identity = format!("http://{address}/backup/identity/v3");
    assert!(refusal["description"].as_str().unwrap().contains(&identity), "{refusal}");
}
