//! Requests of pages of other origins.

use front::cors;
use front::server::Settings;

use crate::client::{Answer, Running, settings, start, start_with};

const HORIZON: &str = "https://horizon.example.com";

fn for_horizon() -> Running {
    let horizon = cors::Settings { allowed_origins: vec![HORIZON.to_owned()], ..cors::Settings::default() };
    start_with(Settings { cors: vec![horizon], ..settings() })
}

/// The headers about origins, one a line, without what their names have in common.
fn about_origins(answer: &Answer) -> Vec<String> {
    let lines = answer.headers.lines();
    lines.filter_map(|line| line.strip_prefix("Access-Control-")).map(str::to_owned).collect()
}

#[test]
fn a_preflight_never_reaches_the_service() {
    let server = for_horizon();
    // Whatever the service would answer for the path, and even if it could not parse it.
    for path in ["/", "/v2/p/jobs", "/healthcheck", "/storage", "/panic", "/%zz", "*"] {
        let answer = server.ask(format!(
            "OPTIONS {path} HTTP/1.1\r\nHost: localhost\r\nOrigin: {HORIZON}\r\nAccess-Control-Request-Method: PATCH\r\n\
             Access-Control-Request-Headers: x-auth-token, content-type\r\n\r\n"
        ));
        assert_eq!(
            (answer.code(), answer.body.len(), answer.header("Content-Type")),
            (200, 0, None),
            "{path}"
        );
        assert_eq!((answer.header("Vary"), answer.header("Allow")), (Some("Origin"), None));
        assert_eq!(
            about_origins(&answer),
            [
                &format!("Allow-Origin: {HORIZON}"),
                "Allow-Credentials: true",
                "Max-Age: 3600",
                "Allow-Methods: PATCH",
                "Allow-Headers: x-auth-token,content-type",
            ]
        );
        answer.id();
    }
}

#[test]
fn a_preflight_that_is_refused_is_a_200_that_allows_nothing() {
    let server = for_horizon();
    for (origin, asked) in [
        ("https://evil.example.com", "Access-Control-Request-Method: GET"),
        (HORIZON, "Access-Control-Request-Method: BREW"),
        (HORIZON, "Access-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: X-Evil"),
    ] {
        let answer = server.ask(format!(
            "OPTIONS /panic HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}\r\n{asked}\r\n\r\n"
        ));
        assert_eq!((answer.code(), answer.header("Vary"), answer.body.len()), (200, None, 0));
        assert_eq!(about_origins(&answer), [""; 0], "{origin} {asked}");
        answer.id();
    }
}

#[test]
fn an_options_request_that_is_no_preflight_goes_to_the_service() {
    let preflight = format!("Origin: {HORIZON}\r\nAccess-Control-Request-Method: GET\r\n");
    for (server, headers) in [
        (for_horizon(), format!("Origin: {HORIZON}\r\n")),
        (for_horizon(), "Access-Control-Request-Method: GET\r\n".to_owned()),
        (for_horizon(), String::new()),
        // This server knows no origin.
        (start(), preflight),
    ] {
        let answer = server.ask(format!("OPTIONS /a HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n"));
        assert_eq!((answer.code(), &answer.json()["method"]), (200, &"Options".into()), "{headers}");
    }
}

#[test]
fn every_answer_is_readable_by_the_page() {
    let server = for_horizon();
    let origin = format!("Origin: {HORIZON}\r\n");
    for (request, code, vary) in [
        ("GET /a HTTP/1.1\r\nHost: localhost\r\n", 200, "Origin"),
        ("HEAD /gone HTTP/1.1\r\nHost: localhost\r\n", 204, "Origin"),
        ("GET /storage HTTP/1.1\r\nHost: localhost\r\n", 500, "Accept,Origin"),
        ("GET /panic HTTP/1.1\r\nHost: localhost\r\n", 500, "Accept,Origin"),
        ("GET /%zz HTTP/1.1\r\nHost: localhost\r\n", 400, "Accept,Origin"),
        ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 114689\r\n", 413, "Accept,Origin"),
        ("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n", 400, "Accept,Origin"),
    ] {
        let end = if code == 400 { "\r\nnonsense\r\n" } else { "\r\n" };
        let ask = |origin: &str| server.ask(format!("{request}{origin}{end}"));
        let answer = ask(&origin);
        assert_eq!((answer.code(), answer.header("Vary")), (code, Some(vary)), "{request}");
        let allowed = format!("Allow-Origin: {HORIZON}");
        let expected = [&allowed, "Allow-Credentials: true", "Expose-Headers: X-OpenStack-Request-ID"];
        assert_eq!(about_origins(&answer), expected, "{request}");
        for origin in ["Origin: https://evil\r\n", "Origin: \r\n", ""] {
            let answer = ask(origin);
            assert_eq!((answer.code(), about_origins(&answer).len()), (code, 0), "{request} {origin}");
            assert_eq!(answer.header("Vary"), vary.strip_suffix(",Origin"));
        }
    }
}
