//! The cloud's Keystone: its users' tokens, and further users for tests that revoke tokens.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::http::{self, Answer};
use crate::process::Process;

/// What the file says that `keystone/serve.py` wrote.
pub struct Cloud {
    /// Keystone's URL, without a version.
    pub url: String,
    described: Value,
    directory: PathBuf,
}

/// The scope in the body of a login.
pub fn on_project(id: &str) -> Value {
    json!({ "project": { "id": id } })
}

impl Cloud {
    #[track_caller]
    pub fn get() -> Self {
        let path = env::var("FREEZER_TEST_KEYSTONE").unwrap_or_else(|_| {
            panic!("FREEZER_TEST_KEYSTONE is not set: run scripts/test, which starts a Keystone")
        });
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{path}: {error}. Run scripts/test, which starts a Keystone"));
        let described: Value = serde_json::from_str(&text).unwrap();
        let url = described["url"].as_str().unwrap().to_owned();
        Self { url, described, directory: Path::new(&path).parent().unwrap().to_owned() }
    }

    /// Something that `seed.py` made: `id(&["projects", "alpha"])`.
    #[track_caller]
    pub fn id(&self, path: &[&str]) -> &str {
        let found = path.iter().fold(&self.described, |value, key| &value[key]);
        found.as_str().unwrap_or_else(|| panic!("no {path:?} in the cloud's description"))
    }

    pub fn project(&self, name: &str) -> &str {
        self.id(&["projects", name])
    }

    pub fn user(&self, name: &str) -> &str {
        self.id(&["users", name, "id"])
    }

    /// A user's token for a project.
    #[track_caller]
    pub fn token(&self, user: &str, project: &str) -> String {
        self.log_in(user, on_project(self.project(project)))
    }

    /// A user's token with this scope, or `"unscoped"`.
    #[track_caller]
    pub fn log_in(&self, user: &str, scope: Value) -> String {
        let password = json!({ "user": { "id": self.user(user), "password": format!("{user}-password") } });
        self.authenticate(json!({ "methods": ["password"], "password": password }), scope)
    }

    /// The token of one of the member's application credentials.
    #[track_caller]
    pub fn credential(&self, name: &str) -> String {
        self.application(self.id(&["credentials", name]), &format!("{name}-password"))
    }

    #[track_caller]
    pub fn authenticate(&self, identity: Value, scope: Value) -> String {
        let mut auth = json!({ "identity": identity });
        if !scope.is_null() {
            auth["scope"] = scope;
        }
        let answer = self.ask("POST", "auth/tokens", None, Some(json!({ "auth": auth })));
        answer.expect(201);
        answer.header("X-Subject-Token").unwrap().to_owned()
    }

    /// The first administrator's token, for changing the cloud.
    #[track_caller]
    pub fn admin(&self) -> String {
        let domain = json!({ "id": "default" });
        let user = json!({ "name": "admin", "domain": domain, "password": "admin-password" });
        let identity = json!({ "methods": ["password"], "password": { "user": user } });
        self.authenticate(identity, json!({ "project": { "name": "admin", "domain": domain } }))
    }

    /// A request below `/v3/`.
    #[track_caller]
    pub fn ask(&self, method: &str, path: &str, token: Option<&str>, body: Option<Value>) -> Answer {
        let url = format!("{}/v3/{path}", self.url);
        let token: Vec<_> = token.map(|token| ("X-Auth-Token", token)).into_iter().collect();
        // On SQLite, Keystone fails when it does not get a lock.
        let mut tries = (0..5).map(|_| http::send(method, &url, &token, body.as_ref()));
        tries.by_ref().take(4).find(|answer| answer.status != 500).or_else(|| tries.next()).unwrap()
    }

    /// Makes something in the cloud, or changes it, as its administrator.
    #[track_caller]
    pub fn change(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let answer = self.ask(method, path, Some(&self.admin()), body);
        assert!(answer.status < 300, "{answer}");
        serde_json::from_str(&answer.body).unwrap_or_default()
    }

    /// Revokes a token.
    #[track_caller]
    pub fn revoke(&self, token: &str) {
        let url = format!("{}/v3/auth/tokens", self.url);
        let headers = [("X-Auth-Token", token), ("X-Subject-Token", token)];
        http::send("DELETE", &url, &headers, None).expect(204);
    }

    /// A user for one test alone, with these roles on a project. Its password is its name with `-password`.
    #[track_caller]
    pub fn new_user(&self, project: &str, roles: &[&str]) -> NewUser {
        let name = format!("user-{}", uuid::Uuid::new_v4().simple());
        let user = json!({ "name": name, "password": format!("{name}-password"), "domain_id": "default" });
        let made = self.change("POST", "users", Some(json!({ "user": user })));
        let id = made["user"]["id"].as_str().unwrap().to_owned();
        for role in roles {
            let found = self.change("GET", &format!("roles?name={role}"), None);
            let role = found["roles"][0]["id"].as_str().unwrap();
            self.change("PUT", &format!("projects/{project}/users/{id}/roles/{role}"), None);
        }
        NewUser { name, id }
    }

    /// A further application credential of a user for a project.
    #[track_caller]
    pub fn new_credential(&self, user: &str, project: &str, more: Value) -> NewCredential {
        let secret = uuid::Uuid::new_v4().simple().to_string();
        let mut credential = json!({ "name": format!("credential-{secret}"), "secret": secret });
        credential.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let path = format!("users/{}/application_credentials", self.user(user));
        let body = json!({ "application_credential": credential });
        let made = self.ask("POST", &path, Some(&self.token(user, project)), Some(body)).expect(201);
        NewCredential { id: made["application_credential"]["id"].as_str().unwrap().to_owned(), secret }
    }

    /// A user's token with a lifetime of this many seconds, that of the credential used for the login.
    #[track_caller]
    pub fn short_lived(&self, user: &str, project: &str, seconds: i64) -> String {
        let end = chrono::Utc::now() + chrono::TimeDelta::seconds(seconds);
        let end = end.format("%Y-%m-%dT%H:%M:%S.%6fZ").to_string();
        let credential = self.new_credential(user, project, json!({ "expires_at": end }));
        self.application(&credential.id, &credential.secret)
    }

    /// The token of a new application credential that may do everything its user may, giving trusts included.
    #[track_caller]
    pub fn unrestricted(&self, user: &str, project: &str) -> String {
        let credential = self.new_credential(user, project, json!({ "unrestricted": true }));
        self.application(&credential.id, &credential.secret)
    }

    #[track_caller]
    fn application(&self, id: &str, secret: &str) -> String {
        let credential = json!({ "id": id, "secret": secret });
        let identity = json!({ "methods": ["application_credential"], "application_credential": credential });
        self.authenticate(identity, Value::Null)
    }

    /// Another Keystone, on the same users, keys and tokens, on `port`. Its tokens live for `expiration` seconds.
    #[track_caller]
    pub fn another(&self, port: u16, expiration: u32) -> Process {
        let start: Vec<&str> =
            self.described["start"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let (port, expiration) = (port.to_string(), expiration.to_string());
        let log = self.directory.join(format!("keystone-{port}.log"));
        let url = format!("http://127.0.0.1:{port}/v3");
        Process::start(
            Command::new(start[0]).args(&start[1..]).args(["--port", &port, "--expiration", &expiration]),
            log,
            || http::try_send("GET", &url, &[], None).is_ok(),
        )
    }

    /// The same cloud as [`another`](Self::another) Keystone has it.
    pub fn at(&self, port: u16) -> Self {
        Self { url: format!("http://127.0.0.1:{port}"), ..Self::get() }
    }
}

/// A user made by a test.
pub struct NewUser {
    pub name: String,
    pub id: String,
}

impl NewUser {
    /// Its token for a project.
    #[track_caller]
    pub fn token(&self, cloud: &Cloud, project: &str) -> String {
        let password = json!({ "user": { "id": self.id, "password": format!("{}-password", self.name) } });
        let identity = json!({ "methods": ["password"], "password": password });
        cloud.authenticate(identity, on_project(project))
    }
}

/// An application credential made by a test.
pub struct NewCredential {
    pub id: String,
    pub secret: String,
}
