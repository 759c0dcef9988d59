//! The real program, and all of its output.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// `freezer-api` in a directory of its own, at level debug.
pub struct Program {
    directory: tempfile::TempDir,
    serving: Option<Child>,
}

impl Program {
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), serving: None }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_freezer-api"));
        command
            .args(arguments)
            .current_dir(self.directory.path())
            .env_clear()
            .envs([("OS_DEFAULT__DEBUG", "true"), ("RUST_LOG", "trace"), ("RUST_BACKTRACE", "1")])
            // Do not wait for a database that is away.
            .envs([("OS_DATABASE__MAX_RETRIES", "0"), ("OS_DATABASE__RETRY_INTERVAL", "0")])
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end; gives back what it wrote.
    pub fn run(&self, arguments: &[&str], environment: &[(&str, &str)], input: &str) -> String {
        let mut child = self
            .command(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    /// Begins to serve; gives back the address.
    pub fn serve(&mut self) -> String {
        let output = File::create(self.path("output")).unwrap();
        let mut command = self.command(&["serve", "--bind-port", "0"]);
        command.stdout(output.try_clone().unwrap()).stderr(output);
        self.serving = Some(command.spawn().unwrap());
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let output = self.output();
            // The first start prints the path of the openrc file after it has written it.
            if let Some((_, rest)) = output.split_once("listening on http://")
                && output.contains("First start: ")
            {
                return rest.lines().next().unwrap().to_owned();
            }
            assert!(Instant::now() < until, "it does not serve: {output}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// What the service has written so far.
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.path("output")).unwrap()).into_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(mut child) = self.serving.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

/// Sends bytes as they are, and returns the whole answer.
pub fn send(address: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    // A reset may come after the answer.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends a request with a body.
pub fn request(address: &str, line: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    let head = format!(
        "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n"
    );
    send(address, (head + body).as_bytes())
}
