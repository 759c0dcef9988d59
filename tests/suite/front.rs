//! Requests through a proxy with a path prefix, and from pages of other origins.

use std::net::SocketAddr;

use front::cors;
use front::health;
use front::http::proxy;
use front::server::Settings;
use serde_json::json;

use crate::api::Api;
use crate::http::{self, Answer};

on_every_backend! {
    links_lead_back_through_the_proxy,
    the_prefix_is_not_part_of_any_name,
    a_cross_origin_page_may_read_every_answer,
}

const MEMBER: [(&str, &str); 3] = [("X-User-Id", "u"), ("X-Project-Id", "front"), ("X-Roles", "member")];

fn send(address: SocketAddr, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let body = Some(body.as_bytes()).filter(|body| !body.is_empty());
    http::send(address, method, target, &[&MEMBER, headers].concat(), body)
}

/// A server behind a TLS proxy that mounts it at `/backup`.
fn serve_behind_proxy(api: &Api, path_prefix: &str) -> SocketAddr {
    let proxy = proxy::Settings { parse_headers: true, path_prefix: path_prefix.to_owned() };
    api.beside(health::Settings::default(), Settings { proxy, ..Settings::default() })
}

fn links_lead_back_through_the_proxy(api: &Api) {
    let tls = [("Host", "cloud.example"), ("X-Forwarded-Proto", "https")];
    let stripped = [tls[0], tls[1], ("X-Forwarded-Prefix", "/backup")];
    for (own, before, headers) in
        [("/backup", "/backup", &tls[..]), ("", "", &stripped), ("/backup", "", &tls)]
    {
        let address = serve_behind_proxy(api, own);
        let versions = send(address, "GET", &format!("{before}/"), headers, "").expect(300);
        assert_eq!(
            versions["versions"][0]["links"],
            json!([
                {"rel": "self", "href": "https://cloud.example/backup/v2/"},
                {"rel": "collection", "href": "https://cloud.example/backup/"},
            ])
        );
        let home = send(address, "GET", &format!("{before}/v2/"), headers, "").expect(200);
        let template = &home["resources"]["rel/backups"]["href-template"];
        assert_eq!(template, "/backup/v2/{project_id}/backups/{backup_id}");
        assert_eq!(home["version"]["links"][0]["href"], "https://cloud.example/backup/v2/");

        let action = json!({"freezer_action": {"action": "backup"}}).to_string();
        let made = send(address, "POST", &format!("{before}/v2/front/actions/"), headers, &action);
        let id = made.expect(201)["action_id"].as_str().unwrap().to_owned();
        let location = made.header("Location").unwrap();
        assert_eq!(location, format!("https://cloud.example/backup/v2/front/actions/{id}"));
        // The resource is found at its location.
        let path = format!("{before}{}", location.strip_prefix("https://cloud.example/backup").unwrap());
        assert_eq!(send(address, "GET", &path, headers, "").expect(200)["action_id"], id);
    }
}

fn the_prefix_is_not_part_of_any_name(api: &Api) {
    let address = serve_behind_proxy(api, "/backup");
    let code = |method: &str, path: &str| send(address, method, path, &[], "").status;
    assert_eq!(code("GET", "/backup/v2/front/jobs"), 200);
    assert_eq!(code("GET", "/v2/front/jobs"), 200);
    assert_eq!(code("GET", "/backup/healthcheck"), 200);
    assert_eq!(code("GET", "/healthcheck"), 200);
    assert_eq!(code("GET", "/backups/v2/front/jobs"), 404);
    assert_eq!(code("GET", "/backup/backup/v2/front/jobs"), 404);
    assert_eq!(code("PUT", "/backup/v2/front/jobs"), 405);
    // The prefix does not bypass authentication or the policy.
    assert_eq!(http::send(address, "GET", "/backup/v2/front/jobs", &[], None).status, 401);
    assert_eq!(code("GET", "/backup/v2/another-project/jobs"), 403);
}

fn a_cross_origin_page_may_read_every_answer(api: &Api) {
    const PAGE: (&str, &str) = ("Origin", "https://horizon.example.com");
    let page = cors::Settings { allowed_origins: vec![PAGE.1.to_owned()], ..cors::Settings::default() };
    let address =
        api.beside(health::Settings::default(), Settings { cors: vec![page], ..Settings::default() });
    for (method, path, body, code) in [
        ("GET", "/", "", 300),
        ("GET", "/v2", "", 200),
        ("GET", "/healthcheck", "", 200),
        ("HEAD", "/healthcheck", "", 204),
        ("GET", "/v2/front/jobs", "", 200),
        ("GET", "/v2/another-project/jobs", "", 403),
        ("GET", "/v2/front/jobs/none", "", 404),
        ("GET", "/nowhere", "", 404),
        ("PUT", "/v2/front/jobs", "", 405),
        ("POST", "/v2/front/jobs", "{", 400),
        ("OPTIONS", "/v2/front/jobs", "", 200),
    ] {
        let answer = send(address, method, path, &[PAGE], body);
        assert_eq!(answer.status, code, "{answer}");
        assert_eq!(answer.header("Access-Control-Allow-Origin"), Some(PAGE.1), "{answer}");
        assert_eq!(
            answer.header("Access-Control-Expose-Headers"),
            Some("X-OpenStack-Request-ID"),
            "{answer}"
        );
        assert!(answer.header("Vary").unwrap().ends_with("Origin"), "{answer}");
    }
    let stranger = http::send(address, "GET", "/v2/front/jobs", &[PAGE], None);
    assert_eq!((stranger.status, stranger.header("Access-Control-Allow-Origin")), (401, Some(PAGE.1)));
    assert_eq!(stranger.header("Vary"), Some("Accept,X-Auth-Token,Origin"));
    // A preflight needs neither a token nor a route.
    for path in ["/v2/front/jobs", "/nowhere", "/healthcheck"] {
        let preflight = [PAGE, ("Access-Control-Request-Method", "POST")];
        let answer = http::send(address, "OPTIONS", path, &preflight, None);
        assert_eq!(answer.status, 200, "{answer}");
        assert_eq!(answer.header("Access-Control-Allow-Methods"), Some("POST"), "{answer}");
    }
    let plain = send(address, "OPTIONS", "/v2/front/jobs", &[], "");
    assert_eq!((plain.status, plain.header("Allow")), (200, Some("GET, HEAD, POST, OPTIONS")));
    assert_eq!(plain.header("Access-Control-Allow-Origin"), None);
}
