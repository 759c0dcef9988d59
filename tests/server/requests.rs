//! Ordinary requests.

use std::io::Read;

use front::server::respond;
use serde_json::{Value, json};

use crate::client::{echo, settings, start};

#[test]
fn a_request_is_parsed() {
    let server = start();
    let answer = server.ask(
        "GET //v2/p%20q///jobs/?limit=1&x=a+b HTTP/1.1\r\nHost: backup.example:9090\r\nContent-Length: 7\r\n\
         X-OpenStack-Request-ID: req-01234567-89ab-cdef-0123-456789abcdef\r\n\r\n{\"a\":1}",
    );
    assert_eq!(answer.status, "HTTP/1.1 200 OK");
    assert_eq!(answer.header("Content-Type"), Some("application/json"));
    assert_eq!(answer.header("Connection"), Some("keep-alive"));
    assert_ne!(answer.id(), "req-01234567-89ab-cdef-0123-456789abcdef");
    assert_eq!(
        answer.json(),
        json!({
            "method": "Get",
            "path": "/v2/p%20q/jobs",
            "segments": ["v2", "p q", "jobs"],
            "query": [["limit", "1"], ["x", "a b"]],
            "base_url": "http://backup.example:9090",
            "port": server.address.port(),
            "global": "req-01234567-89ab-cdef-0123-456789abcdef",
            "body": {"a": 1},
        })
    );
}

#[test]
fn a_connection_serves_many_requests() {
    let server = start();
    let mut client = server.connect();
    let one = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
    let first = client.ask(one).id().to_owned();
    assert_ne!(client.ask(one).id(), first);
    // Two pipelined requests are answered in order.
    client.send("GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\nPOST /2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}");
    assert_eq!(client.answer().json()["path"], "/1");
    assert_eq!(client.answer().json()["path"], "/2");
    let last = client.ask("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_eq!((last.code(), last.header("Connection")), (200, Some("close")));
    assert!(client.at_end());
}

#[test]
fn http_1_0_ends_after_one_answer() {
    let server = start();
    let mut client = server.connect();
    let answer = client.ask("GET / HTTP/1.0\r\n\r\n");
    assert_eq!(answer.header("Connection"), Some("close"));
    assert_eq!(answer.json()["base_url"], format!("http://{}", server.address));
    assert!(client.at_end());
    let mut client = server.connect();
    for _ in 0..2 {
        let answer = client.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        assert_eq!(answer.header("Connection"), Some("keep-alive"));
    }
}

#[test]
fn bodies_come_by_length_and_by_chunks() {
    let server = start();
    let mut client = server.connect();
    let chunked = "PATCH / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: Chunked\r\n\r\n4\r\n{\"a\"\r\n3\r\n:1}\r\n0\r\n\r\n";
    assert_eq!(client.ask(chunked).json()["body"], json!({"a": 1}));
    let large = format!("\"{}\"", "a".repeat(100_000));
    let request =
        format!("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{large}", large.len());
    assert_eq!(client.ask(request).json()["body"].as_str().unwrap().len(), 100_000);
    assert_eq!(
        client.ask("DELETE / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n").json()["body"],
        json!({})
    );
}

#[test]
fn answers_have_the_declared_length() {
    let server = start();
    let mut client = server.connect();
    let large = client.ask("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!((large.body.len(), large.header("Transfer-Encoding")), (300_000, None));
    client.send("HEAD /large HTTP/1.1\r\nHost: localhost\r\n\r\nGET /gone HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let head: Vec<_> = std::iter::from_fn(|| Some(client.line()).filter(|line| !line.is_empty())).collect();
    assert!(head.contains(&"Content-Length: 300000".to_owned()), "{head:?}");
    let gone = client.answer();
    assert_eq!((gone.code(), gone.header("Content-Length"), gone.header("Content-Type")), (204, None, None));
    gone.id();
    assert_eq!(client.answer().code(), 200);
}

#[test]
fn expect_100_continue_is_answered() {
    let server = start();
    let mut client = server.connect();
    client.send("POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(client.line(), "HTTP/1.1 100 Continue");
    assert_eq!(client.line(), "");
    assert_eq!(client.ask("{}").code(), 200);
    let answer = client
        .ask("POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 200000\r\n\r\n");
    assert_eq!((answer.code(), answer.header("Connection")), (413, Some("close")));
}

#[test]
fn the_closure_answers_without_a_socket() {
    let request = rouille::Request::fake_http("POST", "/v2/", vec![], br#"{"a": 2}"#.to_vec());
    let response = respond(&settings(), &echo, &request);
    assert_eq!(response.status_code, 200);
    assert!(response.headers.iter().any(|(name, _)| name == "x-openstack-request-id"));
    let mut body = String::new();
    response.data.into_reader_and_size().0.read_to_string(&mut body).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["body"], json!({"a": 2}));
}
