//! Failures of the service, and malformed requests.

use std::net::Shutdown;

use front::server::Settings;
use serde_json::json;

use crate::client::{settings, start, start_with};

#[test]
fn a_panic_and_an_outage_are_answered_in_json() {
    let server = start();
    let mut client = server.connect();
    for path in ["/panic", "/storage"] {
        let answer = client.ask(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assert_eq!(answer.code(), 500);
        assert_eq!(
            (&answer.json()["code"], &answer.json()["request_id"]),
            (&json!(500), &json!(answer.id()))
        );
        let text = answer.json().to_string();
        assert!(!text.contains("own words") && !text.contains("table gone"), "{text}");
    }
}

#[test]
fn a_header_cannot_begin_another() {
    let answer = start().ask("GET /split HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!((answer.header("Location"), answer.header("X-Evil")), (Some("/a??X-Evil: 1"), None));
}

#[test]
fn a_malformed_request_is_refused_in_the_contracts_form() {
    let server = start();
    let long = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "a".repeat(70_000));
    for request in [
        "hello\r\n\r\n",
        "GET /\r\n\r\n",
        "GET / HTTP/2.0\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: abc\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
        &long,
    ] {
        let mut client = server.connect();
        let answer = client.ask(request);
        assert_eq!((answer.code(), answer.header("Connection")), (400, Some("close")), "{request:.60}");
        assert_eq!(
            (&answer.json()["code"], &answer.json()["request_id"]),
            (&json!(400), &json!(answer.id()))
        );
        assert!(client.at_end());
    }
}

#[test]
fn a_bad_request_leaves_the_connection_open() {
    let server = start();
    let mut client = server.connect();
    for (line, body) in [("/%ff", "{}"), ("/%zz", "{}"), ("/?a=%00", "{}"), ("/", "{"), ("/", "\"\\u0000\"")]
    {
        let length = body.len();
        let answer = client.ask(format!(
            "POST {line} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}"
        ));
        assert_eq!((answer.code(), answer.header("Connection")), (400, Some("keep-alive")), "{line} {body}");
    }
}

#[test]
fn text_beyond_ascii_is_understood() {
    let answer = start().ask("GET /é HTTP/1.1\r\nHost: localhost\r\nX-Name: Zoë\r\n\r\n");
    assert_eq!(answer.json()["segments"], json!(["é"]));
}

#[test]
fn a_client_that_stops_in_the_middle_is_told_so() {
    let server = start();
    for request in [
        "GET / HT",
        "GET / HTTP/1.1\r\nHost",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{}",
    ] {
        let mut client = server.connect();
        client.send(request);
        client.0.get_ref().shutdown(Shutdown::Write).unwrap();
        assert_eq!(client.answer().code(), 400, "{request}");
    }
}

#[test]
fn a_body_that_is_too_large_is_not_read() {
    let server = start();
    for length in
        ["114689", "1000000000000", "1000000000000000", "18446744073709551615", "99999999999999999999999"]
    {
        let mut client = server.connect();
        let answer =
            client.ask(format!("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"));
        assert_eq!((answer.code(), answer.header("Connection")), (413, Some("close")), "{length}");
        assert_eq!(answer.json()["title"], "Request Entity Too Large");
        assert_eq!(answer.json()["description"], "The request body is larger than 114688 bytes.");
        assert!(client.at_end());
    }
    // A client that sends the whole body before it reads still gets the answer.
    let mut client = server.connect();
    let body = vec![b'a'; 8_000_000];
    client.send(format!("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len()));
    assert_eq!(client.ask(&body).code(), 413);
}

#[test]
fn chunks_are_cut_at_the_limit() {
    let server = start();
    let mut client = server.connect();
    client.send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    for _ in 0..8 {
        client.send(format!("4000\r\n{}\r\n", "a".repeat(0x4000)));
    }
    let answer = client.answer();
    assert_eq!((answer.code(), answer.header("Connection")), (413, Some("close")));
}

#[test]
fn the_limit_is_configurable() {
    let chunk = "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    for (limit, request, code) in [
        (2, "Content-Length: 2\r\n\r\n{}", 200),
        (2, chunk, 200),
        (1, "Content-Length: 2\r\n\r\n{}", 413),
        (1, chunk, 413),
        // The server must not send anything.
        (0, "\r\n", 200),
        (0, "Content-Length: 0\r\n\r\n", 200),
        (0, "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200),
        (0, "Content-Length: 2\r\n\r\n{}", 413),
        (0, chunk, 413),
    ] {
        let server = start_with(Settings { max_request_body_size: limit, ..settings() });
        assert_eq!(
            server.ask(format!("POST / HTTP/1.1\r\nHost: localhost\r\n{request}")).code(),
            code,
            "{limit} {request}"
        );
    }
}
