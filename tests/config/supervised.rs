//! What the service tells systemd, and the socket that it takes over from there.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::program::{Place, Running};

const SERVE: &str = "serve --auth-strategy noauth --bind-port 0";

/// The socket that systemd reads.
struct Manager(UnixDatagram);

impl Manager {
    fn new(place: &Place) -> Self {
        let socket = UnixDatagram::bind(place.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self(socket)
    }

    /// The next message that has this line.
    fn wait_for(&self, line: &str) -> String {
        let mut seen = Vec::new();
        loop {
            let mut buffer = [0; 4096];
            let Ok(length) = self.0.recv(&mut buffer) else { panic!("no {line:?} after {seen:?}") };
            let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if message.lines().any(|this| this.starts_with(line)) {
                return message;
            }
            seen.push(message);
        }
    }
}

fn command(place: &Place) -> Command {
    let mut command = place.command(SERVE);
    command.env("NOTIFY_SOCKET", place.path().join("notify"));
    command
}

#[test]
fn readiness_reloads_and_the_stop_are_told() {
    let place = Place::new();
    let manager = Manager::new(&place);
    let mut running = Running::start(command(&place));
    assert!(manager.wait_for("READY=1").contains("STATUS=Serving"));
    running.signal("HUP");
    manager.wait_for("RELOADING=1");
    manager.wait_for("READY=1");
    running.signal("TERM");
    manager.wait_for("STOPPING=1");
    assert!(running.ended());
}

#[test]
fn the_watchdog_is_fed_while_the_service_answers() {
    let place = Place::new();
    let manager = Manager::new(&place);
    let mut command = command(&place);
    command.env("WATCHDOG_USEC", "300000");
    let running = Running::start(command);
    for _ in 0..3 {
        manager.wait_for("WATCHDOG=1");
    }
    // A process that is stopped feeds nothing.
    running.signal("STOP");
    thread::sleep(Duration::from_millis(300));
    manager.0.set_nonblocking(true).unwrap();
    while manager.0.recv(&mut [0; 4096]).is_ok() {}
    thread::sleep(Duration::from_millis(600));
    assert!(manager.0.recv(&mut [0; 4096]).is_err());
    running.signal("CONT");
}

#[cfg(feature = "mysql")]
#[test]
fn the_start_is_given_more_time_while_the_database_is_awaited() {
    let place = Place::new();
    let manager = Manager::new(&place);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = command(&place);
    command.arg("--database-connection").arg(format!("mysql://f:f@127.0.0.1:{port}/freezer"));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    assert!(manager.wait_for("EXTEND_TIMEOUT_USEC=").contains("STATUS=Waiting for the database"));
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The service on a socket that is handed over as file descriptor 3.
fn activated(place: &Place, listener: &TcpListener) -> Running {
    let socket: OwnedFd = listener.try_clone().unwrap().into();
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg("exec 3<&0 0</dev/null; export LISTEN_PID=$$ LISTEN_FDS=1; exec \"$0\" \"$@\"")
        .arg(env!("CARGO_BIN_EXE_freezer-api"))
        .args(SERVE.split(' '))
        .current_dir(place.path())
        .env("HOME", place.path())
        .stdin(Stdio::from(socket));
    Running::start(command)
}

#[test]
fn a_restart_behind_a_socket_loses_no_connection() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let ask = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        write!(stream, "GET /healthcheck HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map(|_| answer)
    };
    let mut first = activated(&place, &listener);
    assert_eq!(first.url, format!("http://{address}"));
    assert!(ask().unwrap().starts_with("HTTP/1.1 200"));

    let clients: Vec<_> = (0..4)
        .map(|_| {
            thread::spawn(move || {
                let until = Instant::now() + Duration::from_secs(4);
                let mut answers = 0;
                while Instant::now() < until {
                    let answer = ask().unwrap_or_else(|error| panic!("after {answers}: {error}"));
                    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
                    answers += 1;
                }
                answers
            })
        })
        .collect();
    thread::sleep(Duration::from_millis(500));
    first.signal("TERM");
    assert!(first.ended());
    // Requests wait in the socket's queue meanwhile.
    thread::sleep(Duration::from_millis(500));
    let _second = activated(&place, &listener);
    for client in clients {
        assert!(client.join().unwrap() > 10);
    }
}

#[test]
fn several_sockets_are_refused() {
    let place = Place::new();
    let output = Command::new("sh")
        .arg("-c")
        .arg("export LISTEN_PID=$$ LISTEN_FDS=2; exec \"$0\" serve --auth-strategy noauth 3</dev/null 4</dev/null")
        .arg(env!("CARGO_BIN_EXE_freezer-api"))
        .current_dir(place.path())
        .env("HOME", place.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(78), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("ListenStream"), "{output:?}");
    assert!(fs::read_dir(place.path()).unwrap().count() <= 2);
}
