//! The services in the cloud: ours and the Python one, configured by the same files.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::{self, Answer};
use crate::keystone::Cloud;
use crate::process::{Process, free_port};

/// `/etc/freezer` of a cloud, in a directory of its own.
pub struct Etc {
    directory: TempDir,
}

/// A configuration: sections, and the lines in each.
pub type Sections = BTreeMap<&'static str, Vec<String>>;

/// The configuration of the installation guide, with this Keystone.
pub fn sections(cloud: &Cloud, user: &str) -> Sections {
    let authtoken = [
        format!("www_authenticate_uri = {}", cloud.url),
        format!("auth_url = {}", cloud.url),
        "auth_type = password".to_owned(),
        "project_domain_name = Default".to_owned(),
        "user_domain_name = Default".to_owned(),
        "project_name = service".to_owned(),
        format!("username = {user}"),
        format!("password = {user}-password"),
        "service_type = backup".to_owned(),
        "http_connect_timeout = 5".to_owned(),
    ];
    BTreeMap::from([
        ("DEFAULT", vec!["bind_host = 127.0.0.1".to_owned()]),
        ("keystone_authtoken", authtoken.to_vec()),
        ("storage", vec!["backend = sqlalchemy".to_owned(), "driver = sqlalchemy".to_owned()]),
        ("paste_deploy", vec!["config_file = freezer-paste.ini".to_owned()]),
    ])
}

impl Etc {
    /// Writes `freezer-api.conf`.
    pub fn new(sections: &Sections) -> Self {
        let etc = Self { directory: tempfile::tempdir().unwrap() };
        let mut text = String::new();
        for (section, lines) in sections {
            text += &format!("[{section}]\n{}\n\n", lines.join("\n"));
        }
        etc.write("freezer-api.conf", &text);
        etc
    }

    /// Adds to it.
    pub fn append(&self, text: &str) {
        let path = self.path().join("freezer-api.conf");
        let whole = fs::read_to_string(&path).unwrap() + text;
        fs::write(path, whole).unwrap();
    }

    /// Writes another file beside it.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// One of the two services, running.
pub struct Service {
    pub url: String,
    pub process: Process,
}

impl Service {
    /// Ours, by the files in `etc`; only the database and the port are its own.
    #[track_caller]
    pub fn ours(etc: &Etc) -> Self {
        let port = free_port();
        let mut command = Command::new(env!("CARGO_BIN_EXE_freezer-api"));
        command.args(["serve", "--config-file"]).arg(etc.path().join("freezer-api.conf"));
        Self::start(command, etc, "ours", port)
    }

    /// The Python service, with the same files.
    #[track_caller]
    pub fn upstream(etc: &Etc) -> Self {
        const SERVE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cloud/upstream/serve.py");
        etc.write("freezer-paste.ini", include_str!("upstream/freezer-paste.ini"));
        let port = free_port();
        let python = env::var("FREEZER_TEST_PYTHON")
            .unwrap_or_else(|_| panic!("FREEZER_TEST_PYTHON is not set: run scripts/test, which sets it"));
        let mut command = Command::new(python);
        command.arg(SERVE).arg(etc.path().join("freezer-api.conf")).arg(port.to_string());
        Self::start(command, etc, "upstream", port)
    }

    #[track_caller]
    fn start(mut command: Command, etc: &Etc, name: &str, port: u16) -> Self {
        let url = format!("http://127.0.0.1:{port}");
        let health = format!("{url}/healthcheck");
        own_settings(&mut command, etc, name, port);
        let log = etc.path().join(format!("{name}.log"));
        let process = Process::start(&mut command, log, || http::try_send("GET", &health, &[], None).is_ok());
        Self { url, process }
    }

    /// A request with a token.
    #[track_caller]
    pub fn ask(&self, method: &str, path: &str, token: &str, body: Option<&Value>) -> Answer {
        self.send(method, path, &[("X-Auth-Token", token)], body)
    }

    #[track_caller]
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Answer {
        http::send(method, &format!("{}{path}", self.url), headers, body)
    }
}

/// Options that the two services must not share, as environment variables, which override the file.
fn own_settings(command: &mut Command, etc: &Etc, name: &str, port: u16) {
    for (variable, _) in env::vars().filter(|(variable, _)| variable.starts_with("OS_")) {
        command.env_remove(variable);
    }
    let database = format!("sqlite:///{}", etc.path().join(format!("{name}.sqlite")).display());
    command.env("OS_DATABASE__CONNECTION", database).env("OS_DEFAULT__BIND_PORT", port.to_string());
}

/// An action that every member may post.
pub fn action() -> Value {
    json!({ "freezer_action": { "action": "backup", "path_to_backup": "/srv" } })
}
