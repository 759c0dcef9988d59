//! A service that authenticates its callers by a Keystone, and its users.

use std::net::SocketAddr;

use freezer_api::auth::Strategy;
use freezer_api::trusts::{self, Trusts};
use front::context::Secret;
use keystone_auth::{Credentials, IdOrName, Login, LoginScope};
use serde_json::{Value, json};

use super::keystone::{Keystone, TRUSTEE, Token};
use crate::api::{Api, Node};
use crate::documents::{client, job};
use crate::http::{self, Answer};
use crate::rows::Rows;

/// A node with a Keystone, a central client and a new project.
pub struct Cloud<'a> {
    pub keystone: Keystone,
    pub central: String,
    pub project: String,
    api: &'a Api,
    node: Node,
}

/// A user with a token.
#[derive(Clone)]
pub struct User {
    pub id: String,
    pub token: String,
    /// The project of the URLs.
    pub project: String,
    address: SocketAddr,
}

impl<'a> Cloud<'a> {
    pub fn new(api: &'a Api) -> Self {
        Self::with(api, trusts::Settings::default())
    }

    pub fn with(api: &'a Api, settings: trusts::Settings) -> Self {
        let keystone = Keystone::start();
        let node = node(api, &keystone.url, &keystone.url, settings);
        let random = uuid::Uuid::new_v4().simple().to_string();
        let central = format!("central-{}", &random[..12]);
        let cloud = Self { keystone, central, project: random, api, node };
        let mut body = client(&cloud.central);
        body["is_central"] = json!(true);
        cloud.user("operator", &["admin"]).post("/clients", &body).expect(201);
        cloud
    }

    /// Starts a second node on the same database, which makes its trusts in the Keystone at `url`.
    pub fn another_node(&self, url: &str, settings: trusts::Settings) -> Node {
        node(self.api, &self.keystone.url, url, settings)
    }

    /// Creates a user with these roles on the cloud's project, and a token for it.
    pub fn user(&self, name: &str, roles: &[&'static str]) -> User {
        self.user_in(&self.project, name, roles)
    }

    /// Creates a user with these roles on a project, and a token for it.
    pub fn user_in(&self, project: &str, name: &str, roles: &[&'static str]) -> User {
        let id = format!("{name}-{}", &self.project[..12]);
        let token = uuid::Uuid::new_v4().to_string();
        self.keystone.with(|world| {
            world.tokens.insert(token.clone(), Token::new(&id, project, roles));
            let assigned = |role: &&'static str| (id.clone(), project.to_owned(), *role);
            world.assignments.extend(roles.iter().map(assigned));
        });
        User { id, token, project: project.to_owned(), address: self.node.address }
    }

    pub fn alice(&self) -> User {
        self.user("alice", &["member", "reader"])
    }

    /// A job on the central client.
    pub fn job(&self) -> Value {
        job(&self.central)
    }

    pub fn rows(&self) -> Rows {
        Rows::count(self.api, &self.project)
    }

    /// The ids of the trusts in Keystone.
    pub fn trusts(&self) -> Vec<String> {
        self.keystone.with(|world| world.trusts.keys().cloned().collect())
    }
}

fn node(api: &Api, keystone: &str, for_trusts: &str, settings: trusts::Settings) -> Node {
    let strategy = keystone_auth::Settings {
        login: login(keystone),
        http_request_max_retries: 0,
        ..keystone_auth::Settings::default()
    };
    api.node(
        Strategy::Keystone(Box::new(keystone_auth::Keystone::new(strategy).unwrap())),
        Trusts::new(self::settings(for_trusts, settings), 0).unwrap(),
    )
}

/// These settings with a login to Keystone.
pub fn settings(keystone: &str, settings: trusts::Settings) -> trusts::Settings {
    trusts::Settings { login: login(keystone), ..settings }
}

fn login(url: &str) -> Login {
    let credentials = Credentials::Password {
        user: IdOrName { name: Some(TRUSTEE.to_owned()), ..IdOrName::default() },
        password: Secret::new("secret"),
        scope: LoginScope::Project(IdOrName { name: Some("service".to_owned()), ..IdOrName::default() }),
    };
    Login { auth_url: url.to_owned(), credentials, ..Login::default() }
}

impl User {
    pub fn on(&self, node: &Node) -> Self {
        Self { address: node.address, ..self.clone() }
    }

    /// The same token, with another project in the URLs.
    pub fn reaching_for(&self, project: &str) -> Self {
        Self { project: project.to_owned(), ..self.clone() }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None)
    }

    /// Requests a list with a search body.
    pub fn search(&self, path: &str, body: &Value) -> Answer {
        self.send("GET", path, Some(body))
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, Some(body))
    }

    pub fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send("PATCH", path, Some(body))
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None)
    }

    /// Posts a job, and returns its id.
    #[track_caller]
    pub fn create(&self, body: &Value) -> String {
        self.post("/jobs", body).expect(201)["job_id"].as_str().unwrap().to_owned()
    }

    /// Puts a job on a further client, and returns the attachment's id.
    #[track_caller]
    pub fn attach(&self, job: &str, client: &str) -> String {
        let body = json!({"job_id": job, "client_id": client});
        self.post("/job-attachments", &body).expect(201)["id"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub fn remove(&self, job: &str) {
        self.delete(&format!("/jobs/{job}")).expect(204);
    }

    #[track_caller]
    pub fn show(&self, job: &str) -> Value {
        self.get(&format!("/jobs/{job}")).expect(200)
    }

    /// The trust of a job, if it has one.
    #[track_caller]
    pub fn trust_of(&self, job: &str) -> Option<String> {
        self.show(job)["user_credentials"]["trust_id"].as_str().map(str::to_owned)
    }

    /// Sends a request without the usual checks, as some answers are outages.
    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let body = body.map(Value::to_string);
        let target = format!("/v2/{}{path}", self.project);
        let headers = [("X-Auth-Token", &*self.token)];
        http::exchange(self.address, method, &target, &headers, body.as_deref().map(str::as_bytes))
    }
}
