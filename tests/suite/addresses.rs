//! The address by which a client reaches the service, and the links built from it.

use std::sync::Arc;

use freezer_api::app::App;
use freezer_api::auth::Strategy;
use freezer_api::identity::{self, Standalone};
use front::health;
use front::http::{Endpoint, proxy};
use front::server::Settings;
use oslo_policy::Policy;
use serde_json::json;

use crate::api::{Api, serve};
use crate::documents::action;
use crate::http::{self, Answer};

on_every_backend! {
    every_link_begins_with_the_public_endpoint,
    the_login_url_begins_with_the_public_endpoint,
    a_foreign_host_header_is_refused_with_noauth,
}

const MEMBER: [(&str, &str); 3] = [("X-User-Id", "u"), ("X-Project-Id", "addresses"), ("X-Roles", "member")];

fn settings_with_public_endpoint() -> Settings {
    let endpoint = Endpoint::parse("https://cloud.example.com/backup/").unwrap();
    let proxy = proxy::Settings { parse_headers: true, path_prefix: "/inner".to_owned() };
    Settings { public_endpoint: Some(endpoint), proxy, ..Settings::default() }
}

fn every_link_begins_with_the_public_endpoint(api: &Api) {
    let address = api.beside(health::Settings::default(), settings_with_public_endpoint());
    let lies = [
        ("Host", "evil.example"),
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Prefix", "/evil"),
    ];
    let send = |method: &str, path: &str, body: Option<&[u8]>| -> Answer {
        http::exchange(address, method, path, &[&MEMBER[..], &lies].concat(), body)
    };
    let base = "https://cloud.example.com/backup";
    for before in ["", "/inner"] {
        let versions = send("GET", &format!("{before}/"), None).expect(300);
        assert_eq!(versions["versions"][0]["links"][0]["href"], format!("{base}/v2/"));
        let home = send("GET", &format!("{before}/v2"), None).expect(200);
        let template = &home["resources"]["rel/backups"]["href-template"];
        assert_eq!(template, "/backup/v2/{project_id}/backups/{backup_id}");
        let description = send("GET", &format!("{before}/v2/openapi.json"), None).expect(200);
        assert_eq!(description["servers"], json!([{"url": base}]));
        let action = action().to_string();
        let made = send("POST", &format!("{before}/v2/addresses/actions"), Some(action.as_bytes()));
        let id = made.expect(201)["action_id"].clone();
        let location = format!("{base}/v2/addresses/actions/{}", id.as_str().unwrap());
        assert_eq!(made.header("Location"), Some(location.as_str()));
    }
    let list = send("GET", "/v2/addresses/actions?limit=1", None).expect(200);
    let next = list["actions_links"][0]["href"].as_str().unwrap();
    assert!(next.starts_with(&format!("{base}/v2/addresses/actions?limit=1&marker=")), "{next}");
}

fn the_login_url_begins_with_the_public_endpoint(api: &Api) {
    let identity = Standalone::new(api.store(), &identity::Settings::default());
    let policy = Policy::new(oslo_policy::Settings::default(), freezer_api::rules::DEFAULTS).unwrap();
    let app = App::new(api.store(), Strategy::Standalone(identity), policy);
    let address = serve(app, settings_with_public_endpoint(), Arc::default());
    let send = |path: &str| http::exchange(address, "GET", path, &[("Host", "evil.example")], None);
    for path in ["/v2/p/jobs", "/identity/v3/auth/projects"] {
        let answer = send(path);
        let challenge = "Keystone uri=\"https://cloud.example.com/backup/identity\"";
        assert_eq!((answer.status, answer.header("WWW-Authenticate")), (401, Some(challenge)), "{answer}");
    }
    let version = send("/identity/v3").expect(200);
    let link = &version["version"]["links"][0]["href"];
    assert_eq!(link, "https://cloud.example.com/backup/identity/v3/");
}

fn a_foreign_host_header_is_refused_with_noauth(api: &Api) {
    let proxy = proxy::Settings { parse_headers: true, path_prefix: String::new() };
    let settings = Settings { loopback_hosts_only: true, proxy, ..Settings::default() };
    let address = api.beside(health::Settings::default(), settings);
    let caller = api.project();
    let token = [("X-User-Id", "u"), ("X-Project-Id", &*caller.project), ("X-Roles", "admin")];
    let target = format!("/v2/{}/actions", caller.project);
    let body = action().to_string();
    let post = |target: &str, headers: &[(&str, &str)]| {
        http::exchange(address, "POST", target, &[&token[..], headers].concat(), Some(body.as_bytes()))
    };
    for host in [
        "rebind.attacker.example",
        "rebind.attacker.example:9090",
        "localhost.attacker.example",
        "127.0.0.1.attacker.example",
        "10.0.0.1",
        "0.0.0.0:9090",
        "[::2]",
        "169.254.1.1",
    ] {
        for headers in [
            &[("Host", host)][..],
            &[("Host", "localhost"), ("X-Forwarded-Host", host)],
            &[("Host", "localhost"), ("Forwarded", &format!("host=\"{host}\""))],
        ] {
            let refusal = post(&target, headers).expect(400);
            let description = refusal["description"].as_str().unwrap();
            assert!(description.contains("noauth") && description.contains(host), "{refusal}");
        }
        let refusal = post(&format!("http://{host}{target}"), &[("Host", "localhost")]).expect(400);
        assert!(refusal["description"].as_str().unwrap().contains(host), "{refusal}");
        // No other path is served either.
        for path in ["/", "/v2", "/docs", "/healthcheck", "/nowhere"] {
            assert_eq!(http::exchange(address, "GET", path, &[("Host", host)], None).status, 400);
        }
    }
    assert!(caller.list("actions").is_empty());
    let own =
        ["localhost", "LOCALHOST:1", "a.localhost:9090", "127.0.0.1", "127.8.9.10:80", "[::1]", "[::1]:9090"];
    for host in own {
        post(&target, &[("Host", host)]).expect(201);
        post(&format!("http://{host}{target}"), &[("Host", "localhost")]).expect(201);
    }
    assert_eq!(caller.list("actions").len(), 2 * own.len());
}
