//! A service with policy files of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use freezer_api::app::App;
use freezer_api::auth::Strategy;
use freezer_api::routes;
use freezer_api::store::Store;
use freezer_api::store::engine::migrations;
use freezer_api::store::engine::url::DatabaseUrl;
use front::outbound::{self, Answer, Client};
use front::server::{self, Server};
use oslo_policy::{Policy, Settings};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A running service with `noauth`, which trusts the callers' own headers.
pub struct House {
    url: String,
    client: Client,
    directory: TempDir,
}

impl House {
    /// A service with this policy file.
    pub fn new(policy: &str) -> Self {
        Self::with(policy, Settings::default())
    }

    /// As [`Self::new`], with other settings.
    pub fn with(policy: &str, settings: Settings) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("policy.yaml"), policy).unwrap();
        let settings = Settings { config_dirs: vec![directory.path().to_owned()], ..settings };
        let database = directory.path().join("freezer.sqlite");
        let database = DatabaseUrl::parse(database.to_str().unwrap()).unwrap();
        migrations::sync(&database).unwrap();
        let app = App::new(
            Store::new(database, 4),
            Strategy::Noauth,
            Policy::new(settings, freezer_api::rules::DEFAULTS).unwrap(),
        );
        let front = server::Settings {
            bind_host: "127.0.0.1".to_owned(),
            bind_port: 0,
            workers: 2,
            ..server::Settings::default()
        };
        let server = Server::bind(front, move |call| routes::dispatch(&app, call)).unwrap();
        let url = format!("http://{}", server.local_addr());
        std::thread::spawn(move || server.run(Arc::new(AtomicBool::new(false))));
        Self { url, client: Client::new(&outbound::Settings::default()).unwrap(), directory }
    }

    /// The directory of the policy files.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Writes one of them.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A user's request with a token for the project `own`; the path is below `/v2`.
    pub fn send(&self, roles: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let headers = [("X-User-Id", "u"), ("X-Project-Id", "own"), ("X-Roles", roles)];
        let body = body.map(Value::to_string);
        let url = format!("{}/v2{path}", self.url);
        self.client.send(method, &url, &headers, body.as_ref().map(String::as_bytes)).unwrap()
    }

    /// The status of a GET.
    pub fn get(&self, roles: &str, path: &str) -> u16 {
        self.send(roles, "GET", path, None).status
    }
}

/// The text of an answer.
pub fn body(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or(Value::Null)
}

/// A client to register.
pub fn client(name: &str) -> Value {
    json!({"client_id": name, "hostname": name})
}

/// A job for it.
pub fn job(client: &str) -> Value {
    let action = json!({"action": "backup", "mode": "fs", "backup_name": "b", "container": "c", "path_to_backup": "/"});
    json!({"client_id": client, "job_actions": [{"freezer_action": action}], "job_schedule": {"current_pid": 7}})
}
