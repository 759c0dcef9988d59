//! The service on a database, with the built-in identity.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::database::Database;
use crate::program::program;

/// A running service, which is killed when dropped.
pub struct Daemon {
    child: Child,
    address: String,
}

impl Daemon {
    pub fn start(database: &Database) -> Self {
        let arguments =
            ["serve", "--bind-host", "127.0.0.1", "--bind-port", "0", "--auth-strategy", "standalone"];
        let mut command = program(&arguments);
        command.args(["--database-connection", &database.url]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap_or_else(|| panic!("{line:?}"));
        Self { address: address.to_owned(), child }
    }

    /// Sends a request. Returns the status, the headers and the body.
    pub fn ask(&self, method: &str, path: &str, token: &str, body: &str) -> (u16, String, Value) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nX-Auth-Token: {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}",
            self.address
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_owned(), serde_json::from_str(body).unwrap_or_default())
    }

    /// Logs in on a project, and returns the token.
    pub fn log_in(&self, user: &str, password: &str, project: &str) -> String {
        let domain = json!({"id": "default"});
        let user = json!({"name": user, "domain": domain, "password": password});
        let identity = json!({"methods": ["password"], "password": {"user": user}});
        let scope = json!({"project": {"name": project, "domain": domain}});
        let body = json!({"auth": {"identity": identity, "scope": scope}}).to_string();
        let (status, head, body) = self.ask("POST", "/identity/v3/auth/tokens", "", &body);
        assert_eq!(status, 201, "{body}");
        let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("x-subject-token:"));
        line.unwrap().split_once(':').unwrap().1.trim().to_owned()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
