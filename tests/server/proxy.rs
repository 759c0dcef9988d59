//! Behind a proxy: whose address, host and path an answer and a log line carry.

use std::sync::{Mutex, OnceLock};

use front::http::proxy;
use front::server::Settings;

use crate::client::{Running, settings, start, start_with};

fn behind(path_prefix: &str) -> Running {
    let proxy = proxy::Settings { parse_headers: true, path_prefix: path_prefix.to_owned() };
    start_with(Settings { proxy, ..settings() })
}

/// The base URL and the path that the service sees.
fn seen(server: &Running, path: &str, headers: &[&str]) -> (String, String) {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let answer = server.ask(format!("GET {path} HTTP/1.1\r\nHost: node:9090\r\n{headers}\r\n"));
    let text = |key: &str| answer.json()[key].as_str().unwrap().to_owned();
    (text("base_url"), text("path"))
}

#[test]
fn valid_proxy_headers_set_the_base_of_hrefs() {
    let server = behind("");
    for (headers, expected) in [
        (&[][..], "http://node:9090"),
        (&["X-Forwarded-Proto: https"], "https://node:9090"),
        (&["X-Forwarded-Proto: https", "X-Forwarded-Host: cloud.example"], "https://cloud.example"),
        (&["X-Forwarded-Host: cloud.example:8443"], "http://cloud.example:8443"),
        (&["X-Forwarded-Prefix: /backup"], "http://node:9090/backup"),
        (&["Forwarded: proto=https;host=cloud.example"], "https://cloud.example"),
        (&["Forwarded: proto=https;host=\"[2001:db8::1]:8443\""], "https://[2001:db8::1]:8443"),
        (
            &["Forwarded: for=192.0.2.1;proto=https", "X-Forwarded-Host: old", "X-Forwarded-Prefix: /b"],
            "https://node:9090/b",
        ),
        (&["X-Forwarded-Proto: javascript"], "http://node:9090"),
        (&["X-Forwarded-Host: evil/path"], "http://node:9090"),
        (&["X-Forwarded-Host: u@evil"], "http://node:9090"),
        (&["Forwarded: host=\"evil\\\"><script>\""], "http://node:9090"),
        (&["X-Forwarded-Prefix: //evil.example\"><script>"], "http://node:9090"),
    ] {
        assert_eq!(seen(&server, "/v2/", headers).0, expected, "{headers:?}");
    }
}

#[test]
fn proxy_headers_are_ignored_unless_configured() {
    let headers = [
        "Forwarded: proto=https;host=evil;for=192.0.2.1",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: evil",
        "X-Forwarded-Prefix: /evil",
    ];
    assert_eq!(seen(&start(), "/v2", &headers), ("http://node:9090".to_owned(), "/v2".to_owned()));
}

#[test]
fn a_prefix_is_cut_off_before_routing_and_put_into_hrefs() {
    let server = behind("/cloud/backup");
    let plain = "http://node:9090/cloud/backup";
    let taken = "X-Forwarded-Prefix: /cloud/backup";
    for (path, headers, base_url, routed) in [
        ("/cloud/backup", &[][..], plain, "/"),
        ("/cloud/backup/", &[], plain, "/"),
        ("//cloud//backup//v2/a%20b/jobs/", &[], plain, "/v2/a%20b/jobs"),
        ("/%63loud/backup/v2", &[], plain, "/v2"),
        ("http://node:9090/cloud/backup/v2", &[], plain, "/v2"),
        ("/cloud/backup/cloud/backup", &[], plain, "/cloud/backup"),
        // Straight to the port.
        ("/v2", &[], plain, "/v2"),
        ("/", &[], plain, "/"),
        ("/cloud/backups", &[], plain, "/cloud/backups"),
        ("/cloud%2Fbackup", &[], plain, "/cloud%2Fbackup"),
        // A proxy that strips the prefix and says so, one that keeps it and says so, and two in a row.
        ("/v2", &[taken], plain, "/v2"),
        ("/cloud/backup/v2", &[taken], plain, "/v2"),
        ("/cloud/backup/v2", &["X-Forwarded-Prefix: /eu"], "http://node:9090/eu/cloud/backup", "/v2"),
    ] {
        let expected = (base_url.to_owned(), routed.to_owned());
        assert_eq!(seen(&server, path, headers), expected, "{path} {headers:?}");
    }
}

// --- the log ------------------------------------------------------------------------------------------------------

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Keep;

impl log::Log for Keep {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        LINES.lock().unwrap().push(record.args().to_string());
    }

    fn flush(&self) {}
}

/// The log line of one request, which is sent as `GET {path}`; the path tells it from others.
fn logged(server: &Running, path: &str, rest: &str) -> String {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        log::set_boxed_logger(Box::new(Keep)).unwrap();
        log::set_max_level(log::LevelFilter::Info);
    });
    server.ask(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{rest}\r\n"));
    let lines = LINES.lock().unwrap();
    let line = lines.iter().find(|line| line.contains(&format!("\"GET {path}\"")));
    line.unwrap_or_else(|| panic!("no line for {path}")).clone()
}

#[test]
fn the_clients_address_is_logged_and_not_the_proxys() {
    let server = behind("/backup");
    for (path, headers, address) in [
        ("/backup/log-1", "X-Forwarded-For: 192.0.2.1, 10.0.0.1\r\n", "192.0.2.1"),
        ("/log-2", "Forwarded: for=\"[2001:db8::1]:4711\"\r\n", "2001:db8::1"),
        ("/log-3", "Forwarded: for=_hidden\r\n", "_hidden"),
        ("/log-4", "X-Forwarded-For: 1.2.3.4 \"GET /x\" status: 200\r\n", "1.2.3.4??GET??x??status:?200"),
        ("/log-5", "", "127.0.0.1"),
        ("/log-6", "X-Forwarded-For: \r\n", "127.0.0.1"),
        // Refused before the request is parsed.
        ("/log-7", "X-Forwarded-For: 192.0.2.7\r\nContent-Length: 99999999\r\n", "192.0.2.7"),
        ("/log-%zz", "X-Forwarded-For: 192.0.2.8\r\n", "192.0.2.8"),
    ] {
        let line = logged(&server, path, headers);
        assert!(line.starts_with(&format!("{address} \"GET {path}\" status: ")), "{line}");
    }
    let line = logged(&start(), "/log-9", "X-Forwarded-For: 192.0.2.1\r\n");
    assert!(line.starts_with("127.0.0.1 "), "{line}");
}
