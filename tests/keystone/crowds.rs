//! More unknown tokens than the service validates with Keystone at the same time.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use front::http::Call;
use keystone_auth::Keystone;
use serde_json::json;

use super::fake::{Fake, Mode, PASSWORD, member};
use super::house::keystone;

/// The status of a request with this token from this address.
fn outcome(keystone: &Keystone, from: [u8; 4], token: &str) -> u16 {
    let headers = vec![("X-Auth-Token".to_owned(), token.to_owned())];
    let from = SocketAddr::new(IpAddr::from(from), 50_000);
    let request = rouille::Request::fake_http_from(from, "GET", "/v2/p/jobs", headers, Vec::new());
    let call = Call::read(&request, "req-1", 1000, "localhost:9090").unwrap();
    keystone.authenticate(&call).map_or_else(|error| error.status(), |_| 200)
}

#[test]
fn garbage_from_one_address_blocks_no_new_user_of_another() {
    let fake = Fake::start();
    fake.keystone.knows("known", member("known", json!({})));
    let keystone = keystone(&fake);
    assert_eq!(outcome(&keystone, [10, 0, 0, 1], "known"), 200);
    fake.keystone.set(Mode::Hang);
    thread::scope(|scope| {
        let keystone = &keystone;
        let flood: Vec<_> = (0..400)
            .map(|number| scope.spawn(move || outcome(keystone, [10, 0, 0, 9], &format!("garbage-{number}"))))
            .collect();
        fake.keystone.until_hanging(96);
        thread::sleep(Duration::from_millis(200));
        assert_eq!(fake.keystone.validations(), 1 + 96, "one address does not get all slots");
        let new: Vec<_> = (1..=5)
            .map(|number| {
                let token = format!("new-{number}");
                fake.keystone.knows(&token, member(&token, json!({})));
                scope.spawn(move || outcome(keystone, [10, 0, 0, number], &token))
            })
            .collect();
        fake.keystone.until_hanging(96 + 5);
        assert_eq!(outcome(keystone, [10, 0, 0, 9], "known"), 200, "a cached token needs no slot");
        fake.keystone.set(Mode::Answer);
        for thread in new {
            assert_eq!(thread.join().unwrap(), 200);
        }
        let flood: Vec<u16> = flood.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert!(flood.iter().all(|status| matches!(status, 401 | 503)), "{flood:?}");
    });
}

#[test]
fn a_shared_address_is_no_outage() {
    let fake = Fake::start();
    let users: Vec<String> = (0..250).map(|number| format!("user-{number}")).collect();
    for user in &users {
        fake.keystone.knows(user, member(user, json!({})));
    }
    let keystone = keystone(&fake);
    // Makes the service log in, so that it has a token of its own.
    assert_eq!(outcome(&keystone, [10, 0, 0, 1], "unknown"), 401);
    fake.keystone.set(Mode::Hang);
    thread::scope(|scope| {
        let keystone = &keystone;
        let all: Vec<_> =
            users.iter().map(|user| scope.spawn(move || outcome(keystone, [10, 0, 0, 1], user))).collect();
        fake.keystone.until_hanging(96);
        fake.keystone.set(Mode::Answer);
        let statuses: Vec<u16> = all.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    });
}

#[test]
fn requests_without_a_slot_are_one_line_in_the_log() {
    let fake = Fake::start();
    let directory = tempfile::tempdir().unwrap();
    let configuration = directory.path().join("freezer-api.conf");
    std::fs::write(
        &configuration,
        format!(
            "[DEFAULT]\nbind_host = 127.0.0.1\nbind_port = 0\n[database]\nconnection = sqlite:///f.sqlite\n\
             [keystone_authtoken]\nauth_type = password\nauth_url = {}\nusername = freezer\nuser_domain_name = Default\n\
             password = {PASSWORD}\nproject_name = service\nproject_domain_name = Default\n\
             http_request_max_retries = 0\n[centralized_scheduler]\nenabled = false\n",
            fake.url()
        ),
    )
    .unwrap();
    let log = std::fs::File::create(directory.path().join("log")).unwrap();
    let mut service = Command::new(env!("CARGO_BIN_EXE_freezer-api"))
        .arg("serve")
        .arg("--config-file")
        .arg(&configuration)
        .current_dir(directory.path())
        .env("HOME", directory.path())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(service.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().trim_start_matches("listening on http://").to_owned();
    let send = |token: String| {
        let mut stream = TcpStream::connect(&address).unwrap();
        let head = format!("GET /v2/p/jobs HTTP/1.1\r\nHost: {address}\r\nX-Auth-Token: {token}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream
    };
    // Makes the service log in, so that it has a token of its own.
    let mut answer = [0; 12];
    send("unknown".to_owned()).read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 401");
    fake.keystone.set(Mode::Hang);
    // The hanging requests are never answered; the others wait for a slot, and are refused.
    let hanging: Vec<TcpStream> = (0..96).map(|number| send(format!("hanging-{number}"))).collect();
    fake.keystone.until_hanging(96);
    let turned_away: Vec<TcpStream> = (0..24).map(|number| send(format!("garbage-{number}"))).collect();
    for mut stream in turned_away {
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 503");
    }
    service.kill().unwrap();
    service.wait().unwrap();
    drop(hanging);
    let log = std::fs::read_to_string(directory.path().join("log")).unwrap();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("503")).collect();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(
        lines[0].contains(" ERROR ") && lines[0].contains("too many requests wait for Keystone"),
        "{lines:?}"
    );
}
