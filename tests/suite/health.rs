//! The health check (contract, conventions §3).

#[cfg(any(feature = "mysql", feature = "postgres"))]
mod outage;

use std::net::SocketAddr;
use std::sync::Arc;

use freezer_api::store::engine::url::DatabaseUrl;
use front::health::Settings;
use front::http::proxy;
use front::server;
use serde_json::{Value, json};

use crate::api::{self, Api};
use crate::http;

on_every_backend! {
    the_health_check_needs_no_token,
    the_detailed_health_check_queries_the_database,
    the_path_of_the_health_check_can_be_set,
    the_health_check_answers_allowed_addresses_only,
}

fn the_health_check_needs_no_token(api: &Api) {
    let ask = |method: &str, accept: &str| {
        let answer = api.send(method, "/healthcheck", &[("Accept", accept)], None);
        let body = String::from_utf8(answer.body.clone()).unwrap();
        (answer.status, answer.header("Content-Type").unwrap_or_default().to_owned(), body)
    };
    let plain = "text/plain; charset=utf-8".to_owned();
    for accept in ["text/plain", "*/*", "image/png", ""] {
        assert_eq!(ask("GET", accept), (200, plain.clone(), "OK".to_owned()));
    }
    for method in ["POST", "PUT", "BREW", "OPTIONS"] {
        assert_eq!(ask(method, "*/*"), (200, plain.clone(), "OK".to_owned()), "{method}");
    }
    assert!(ask("GET", "text/html").2.contains("OK"));
    let answer = api.send("GET", "/healthcheck/below", &[("Accept", "application/json")], None);
    assert_eq!(answer.expect(200), json!({"detailed": false, "reasons": ["OK"]}));
    assert_eq!(ask("HEAD", "*/*").0, 204);

    // An operator takes the node out of service.
    std::fs::write(&api.disable_file, "").unwrap();
    assert_eq!(ask("GET", "*/*"), (503, plain, "DISABLED BY FILE".to_owned()));
    assert_eq!(ask("HEAD", "*/*").0, 503);
    std::fs::remove_file(&api.disable_file).unwrap();
    assert_eq!(ask("GET", "*/*").0, 200);
}

fn detailed() -> Settings {
    Settings { detailed: true, disable_by_file_path: None, ..Settings::default() }
}

/// The status of a server, and what its health check says in JSON.
fn ask(address: SocketAddr, path: &str) -> (u16, Value) {
    let answer = http::send(address, "GET", path, &[("Accept", "application/json")], None);
    (answer.status, answer.json())
}

fn the_detailed_health_check_queries_the_database(api: &Api) {
    let address = api.beside(detailed(), server::Settings::default());
    let (status, said) = ask(address, "/healthcheck");
    assert_eq!((status, &said["detailed"]), (200, &json!(true)));
    let keys: Vec<_> = said.as_object().unwrap().keys().map(String::as_str).collect();
    for key in ["now", "platform"] {
        assert!(keys.contains(&key), "{said}");
    }
    assert_eq!(
        said["reasons"],
        json!([
            {"class": "HealthcheckResult", "details": "disable_by_file_path is not set", "reason": "OK"},
            {"class": "DatabaseHealthcheckResult", "details": "The database answers", "reason": "OK"},
        ])
    );
    assert_eq!(http::send(address, "HEAD", "/healthcheck", &[], None).status, 204);

    // A missing database makes the detailed health check fail; without details, the database is not checked.
    let nowhere = DatabaseUrl::parse("sqlite:////nowhere/secret-place/freezer.sqlite").unwrap();
    let address = api::serve(api::app(&nowhere, detailed()), server::Settings::default(), Arc::default());
    let (status, said) = ask(address, "/healthcheck");
    assert_eq!((status, &said["reasons"][1]["reason"]), (503, &json!("DATABASE UNAVAILABLE")));
    assert!(!said.to_string().contains("secret-place"), "{said}");
    let plain = http::send(address, "GET", "/healthcheck", &[("Accept", "text/plain")], None);
    assert_eq!((plain.status, plain.body.as_slice()), (503, &b"OK\nDATABASE UNAVAILABLE"[..]));
    assert_eq!(http::send(address, "HEAD", "/healthcheck", &[], None).status, 503);
    let address =
        api::serve(api::app(&nowhere, Settings::default()), server::Settings::default(), Arc::default());
    assert_eq!(ask(address, "/healthcheck"), (200, json!({"detailed": false, "reasons": ["OK"]})));
}

fn the_path_of_the_health_check_can_be_set(api: &Api) {
    let health = Settings { path: "/_/healthcheck".to_owned(), ..Settings::default() };
    let proxy = proxy::Settings { parse_headers: false, path_prefix: "/backup".to_owned() };
    let address = api.beside(health, server::Settings { proxy, ..server::Settings::default() });
    for path in ["/_/healthcheck", "/_/healthcheck/below", "/backup/_/healthcheck"] {
        assert_eq!(ask(address, path).0, 200, "{path}");
    }
    for path in ["/healthcheck", "/backup/healthcheck", "/_"] {
        assert_eq!(ask(address, path).0, 404, "{path}");
    }
}

fn the_health_check_answers_allowed_addresses_only(api: &Api) {
    let health = |ranges: &[&str], ignore_proxied_requests| {
        let allowed_source_ranges = ranges.iter().map(|range| (*range).to_owned()).collect();
        let settings = Settings { allowed_source_ranges, ignore_proxied_requests, ..Settings::default() };
        // A client cannot forge its address by a header.
        let proxy = proxy::Settings { parse_headers: true, path_prefix: String::new() };
        let address = api.beside(settings, server::Settings { proxy, ..server::Settings::default() });
        let said = [("X-Forwarded-For", "192.0.2.1")];
        let direct = http::send(address, "GET", "/healthcheck", &[], None).status;
        (direct, http::send(address, "GET", "/healthcheck", &said, None).status)
    };
    assert_eq!(health(&[], false), (200, 200));
    assert_eq!(health(&["192.0.2.0/24"], false), (404, 404));
    assert_eq!(health(&["192.0.2.0/24", "127.0.0.0/8"], false), (200, 200));
    assert_eq!(health(&[], true), (200, 404));
}
