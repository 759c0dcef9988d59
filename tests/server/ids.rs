//! Request ids: ours and the caller's, in every answer and in the log.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::client::{Client, start};

const GLOBAL: &str = "req-01234567-89ab-cdef-0123-456789abcdef";

#[test]
fn every_answer_has_an_id_of_its_own() {
    let server = start();
    let mut seen = std::collections::HashSet::new();
    for (request, code) in [
        ("GET / HTTP/1.1\r\nHost: localhost\r\n", 200),
        ("GET /gone HTTP/1.1\r\nHost: localhost\r\n", 204),
        ("GET /storage HTTP/1.1\r\nHost: localhost\r\n", 500),
        ("GET /panic HTTP/1.1\r\nHost: localhost\r\n", 500),
        ("GET /%zz HTTP/1.1\r\nHost: localhost\r\n", 400),
        ("GET / HTTP/3\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 114689\r\n", 413),
    ] {
        let answer = server.ask(format!("{request}X-OpenStack-Request-ID: {GLOBAL}\r\n\r\n"));
        assert_eq!(answer.code(), code, "{request}");
        assert_ne!(answer.id(), GLOBAL);
        assert!(seen.insert(answer.id().to_owned()));
        assert_eq!(answer.headers.matches("x-openstack-request-id").count(), 1);
        if code >= 400 {
            assert_eq!(answer.json()["request_id"], answer.id());
        }
    }
}

#[test]
fn the_callers_id_counts_if_it_is_well_formed() {
    let server = start();
    let global = |id: &str| {
        let answer =
            server.ask(format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Openstack-Request-Id: {id}\r\n\r\n"));
        answer.json()["global"].clone()
    };
    assert_eq!(global(GLOBAL), GLOBAL);
    for bad in [
        "",
        "req-",
        "01234567-89ab-cdef-0123-456789abcdef",
        "req-01234567-89AB-CDEF-0123-456789ABCDEF",
        "req-0123456789abcdef0123456789abcdef",
        "req-01234567-89ab-cdef-0123-456789abcdeg",
        "req-01234567-89ab-cdef-0123-456789abcdef0",
        "req-01234567-89ab-cdef-0123-456789abcdef x",
        "REQ-01234567-89ab-cdef-0123-456789abcdef",
    ] {
        assert_eq!(global(bad), Value::Null, "{bad}");
    }
}

/// The daemon, which is killed when dropped.
struct Daemon(std::process::Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn both_ids_are_in_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let mut daemon = Daemon(
        Command::new(env!("CARGO_BIN_EXE_freezer-api"))
            .args(["serve", "--bind-host", "127.0.0.1", "--bind-port", "0", "--auth-strategy", "noauth"])
            .args(["--database-connection", "sqlite:///freezer.sqlite"])
            .current_dir(directory.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut said = BufReader::new(daemon.0.stdout.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let address =
        line.trim().strip_prefix("listening on http://").unwrap_or_else(|| panic!("{line}")).to_owned();
    let mut ids = Vec::new();
    for request in [
        "GET /one HTTP/1.1\r\nHost: localhost\r\n",
        "POST /two HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999\r\n",
    ] {
        let mut stream = TcpStream::connect(&address).unwrap();
        write!(stream, "{request}X-OpenStack-Request-ID: {GLOBAL}\r\n\r\n").unwrap();
        ids.push(Client(BufReader::new(stream)).answer().id().to_owned());
    }
    daemon.0.kill().unwrap();
    let mut log = String::new();
    daemon.0.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    for (id, path) in ids.iter().zip(["/one", "/two"]) {
        let line = log.lines().find(|line| line.contains(path)).unwrap_or_else(|| panic!("{log}"));
        assert!(line.contains(&format!("[{GLOBAL} {id} ")), "{line}");
    }
}
