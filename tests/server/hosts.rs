//! `Host`: HTTP/1.1 demands a good one, and `noauth` one of this machine.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::time::Duration;

use crate::client::start;
use crate::daemon::{CALLER, Daemon};
use crate::haproxy::Haproxy;

#[test]
fn a_request_has_one_good_host() {
    let server = start();
    for head in [
        "HTTP/1.1\r\n",
        "HTTP/1.1\r\nHost:\r\n",
        "HTTP/1.1\r\nHost: x\r\nHost: x\r\n",
        "HTTP/1.1\r\nHost: x y\r\n",
        "HTTP/1.1\r\nHost: http://x\r\n",
        "HTTP/1.1\r\nHost: u@x\r\n",
        "HTTP/1.0\r\nHost: x:y\r\n",
    ] {
        let mut client = server.connect();
        let answer = client.ask(format!("GET /a {head}\r\n"));
        assert_eq!(answer.code(), 400, "{head}");
        assert!(answer.json()["description"].as_str().unwrap().contains("Host"), "{head}");
        answer.id();
        assert!(client.at_end());
    }
    for head in ["HTTP/1.0\r\n", "HTTP/1.0\r\nHost: x\r\n", "HTTP/1.1\r\nHost: x:\r\n"] {
        assert_eq!(server.ask(format!("GET /a {head}\r\n")).code(), 200, "{head}");
    }
}

#[test]
fn the_authority_of_the_target_overrides_host() {
    let server = start();
    for (target, base_url) in [
        ("/a", "http://named:1"),
        ("http://other.example:8080/a", "http://other.example:8080"),
        ("http://u@other.example/a", "http://named:1"),
    ] {
        let answer = server.ask(format!("GET {target} HTTP/1.1\r\nHost: named:1\r\n\r\n"));
        assert_eq!(answer.json()["base_url"], base_url, "{target}");
    }
}

#[test]
fn noauth_serves_this_machine_alone() {
    let daemon = Daemon::start();
    let body = "{\"client_id\": \"web1\"}";
    let post = |host: &str| {
        let caller = CALLER.replace("Host: localhost", &format!("Host: {host}"));
        let length = body.len();
        let head = format!("POST /v2/p/clients HTTP/1.1\r\n{caller}Content-Length: {length}\r\n\r\n");
        daemon.connect().ask(head + body).code()
    };
    for host in ["rebind.attacker.example", "rebind.attacker.example:9090", "localhost.example", "192.0.2.1"]
    {
        assert_eq!(post(host), 400, "{host}");
    }
    let clients = daemon.connect().ask(format!("GET /v2/p/clients HTTP/1.1\r\n{CALLER}\r\n"));
    assert_eq!(clients.json()["clients"], serde_json::json!([]));
    for host in ["localhost:9090", "127.0.0.1", "[::1]:9090", "freezer.localhost"] {
        assert_eq!(post(host), 201, "{host}");
    }
}

#[test]
fn the_checks_of_the_shipped_haproxy_send_a_host() {
    let node = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = node.local_addr().unwrap();
    let _haproxy = Haproxy::start([address; 2]);
    let (stream, _) = node.accept().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let head: Vec<String> = lines.map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
    assert_eq!(head[0], "GET /healthcheck HTTP/1.1", "{head:?}");
    assert!(head.iter().any(|line| line.eq_ignore_ascii_case("host: localhost")), "{head:?}");
    // The service accepts that host.
    let server = start();
    assert_eq!(server.ask(head.join("\r\n") + "\r\n\r\n").code(), 200);
    let _ = (&stream).write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}
