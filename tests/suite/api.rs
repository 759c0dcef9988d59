//! The server under test (one per backend and run), and its callers.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use freezer_api::app::App;
use freezer_api::auth::Strategy;
use freezer_api::loggers;
use freezer_api::openapi::with_api_docs;
use freezer_api::routes;
use freezer_api::store::Store;
use freezer_api::store::engine::connection::AnyConnection;
use freezer_api::store::engine::url::DatabaseUrl;
use freezer_api::trusts::Trusts;
use front::health::{self, Health};
use front::server::{Server, Settings};
use oslo_policy::Policy;
use serde_json::Value;

use crate::database;
use crate::http::{self, Answer};

/// As many as a race has threads, so that its requests contend in the database and not for a worker.
const WORKERS: usize = 16;

/// A running server.
pub struct Api {
    address: SocketAddr,
    database: DatabaseUrl,
    /// The health check fails while this file exists.
    pub disable_file: PathBuf,
}

pub fn sqlite() -> &'static Api {
    static API: OnceLock<Api> = OnceLock::new();
    API.get_or_init(|| Api::on(database::sqlite()))
}

#[cfg(feature = "mysql")]
pub fn mysql() -> &'static Api {
    const DATABASES: &str = "SELECT schema_name AS name FROM information_schema.schemata";
    static API: OnceLock<Api> = OnceLock::new();
    API.get_or_init(|| match std::env::var("FREEZER_TEST_API_URL") {
        Ok(url) => Api::running(&url, &std::env::var("FREEZER_TEST_MYSQL_URL").unwrap()),
        Err(_) => Api::on(database::on_server("FREEZER_TEST_MYSQL_URL", DATABASES)),
    })
}

#[cfg(feature = "postgres")]
pub fn postgres() -> &'static Api {
    const DATABASES: &str = "SELECT datname::text AS name FROM pg_database";
    static API: OnceLock<Api> = OnceLock::new();
    API.get_or_init(|| Api::on(database::on_server("FREEZER_TEST_POSTGRES_URL", DATABASES)))
}

impl Api {
    fn on(database: DatabaseUrl) -> Self {
        // Only errors: the messages of the tests already show each answer.
        let levels = vec![(String::new(), log::LevelFilter::Error)];
        oslo_log::init(&oslo_log::Settings { levels, ..oslo_log::Settings::default() }, loggers::ALIASES)
            .unwrap();
        let disable_file = std::env::temp_dir().join(format!("healthcheck-{}", uuid::Uuid::new_v4()));
        let health = health::Settings {
            disable_by_file_path: Some(disable_file.clone()),
            ..health::Settings::default()
        };
        let address = serve(app(&database, health), Settings::default(), Arc::default());
        Self { address, database, disable_file }
    }

    /// A service without authentication that already runs on that database.
    #[cfg(feature = "mysql")]
    fn running(url: &str, database: &str) -> Self {
        let url = url::Url::parse(url).unwrap();
        let address = url.socket_addrs(|| None).unwrap()[0];
        let database = DatabaseUrl::parse(database).unwrap();
        Self { address, database, disable_file: PathBuf::new() }
    }

    /// Starts another server on the same database.
    pub fn beside(&self, health: health::Settings, settings: Settings) -> SocketAddr {
        serve(app(&self.database, health), settings, Arc::default())
    }

    /// Starts another node on the same database, with another way of authentication.
    pub fn node(&self, auth: Strategy, trusts: Trusts) -> Node {
        let store = Store::new(self.database.clone(), WORKERS as u32);
        let policy = Policy::new(oslo_policy::Settings::default(), freezer_api::rules::DEFAULTS).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let app = App { trusts: Some(trusts), ..App::new(store, auth, policy) };
        Node { address: serve(app, Settings::default(), Arc::clone(&stop)), stop }
    }

    /// Starts another node on the same database, with other settings.
    pub fn node_with(&self, change: impl FnOnce(&mut App)) -> Node {
        let mut app = app(&self.database, health::Settings::default());
        change(&mut app);
        let stop = Arc::new(AtomicBool::new(false));
        Node { address: serve(app, Settings::default(), Arc::clone(&stop)), stop }
    }

    /// A member of a new project.
    pub fn project(&self) -> Caller<'_> {
        let id = uuid::Uuid::new_v4().simple().to_string();
        Caller {
            api: self,
            user: format!("user-{}", &id[..8]),
            own: id.clone(),
            project: id,
            roles: "member,reader".to_owned(),
        }
    }

    /// Sends any request, without a token.
    pub fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Answer {
        http::send(self.address, method, target, headers, body)
    }

    /// Sends a GET with this `Host` header.
    pub fn send_to_host(&self, host: &str, target: &str) -> Answer {
        http::send(self.address, "GET", target, &[("Host", host)], None)
    }

    /// The store of another node on the same database, for what HTTP does not show.
    pub fn store(&self) -> Store {
        Store::new(self.database.clone(), 1)
    }

    /// A connection to the same database, for what HTTP does not show.
    pub fn database(&self) -> AnyConnection {
        database::connect(&self.database)
    }

    /// The service's own address, as it begins the links.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// A server that stops when it is dropped.
pub struct Node {
    pub address: SocketAddr,
    stop: Arc<AtomicBool>,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

/// The application without authentication.
pub fn app(database: &DatabaseUrl, health: health::Settings) -> App {
    let store = Store::new(database.clone(), WORKERS as u32);
    let policy = Policy::new(oslo_policy::Settings::default(), freezer_api::rules::DEFAULTS).unwrap();
    let health = Health::new(health).unwrap();
    App { health, ..App::new(store, Strategy::Noauth, policy) }
}

/// Starts a server on a free port.
pub fn serve(app: App, settings: Settings, stop: Arc<AtomicBool>) -> SocketAddr {
    let settings = Settings {
        bind_host: "127.0.0.1".to_owned(),
        bind_port: 0,
        workers: WORKERS,
        takes_document: routes::takes_document,
        ..settings
    };
    let app = with_api_docs(app);
    let server = Server::bind(settings, move |call| routes::dispatch(&app, call)).unwrap();
    let address = server.local_addr();
    std::thread::spawn(move || server.run(stop));
    address
}

/// A user with a token for a project. Paths are below `/v2/{project}`.
#[derive(Clone)]
pub struct Caller<'a> {
    pub api: &'a Api,
    pub user: String,
    /// The project of the URLs.
    pub project: String,
    /// The project of the token.
    own: String,
    roles: String,
}

impl Caller<'_> {
    /// Another user of the same project.
    pub fn colleague(&self) -> Self {
        Self { user: format!("{}-colleague", self.user), ..self.clone() }
    }

    /// The same user with other roles, separated by commas.
    pub fn with_roles(&self, roles: &str) -> Self {
        Self { roles: roles.to_owned(), ..self.clone() }
    }

    /// The same token, with the other caller's project in the URLs.
    pub fn reaching_for(&self, other: &Caller<'_>) -> Self {
        Self { project: other.project.clone(), ..self.clone() }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None)
    }

    /// Requests a list with a search body.
    pub fn search(&self, path: &str, body: Value) -> Answer {
        self.json("GET", path, &body)
    }

    pub fn post(&self, path: &str, body: Value) -> Answer {
        self.json("POST", path, &body)
    }

    pub fn patch(&self, path: &str, body: Value) -> Answer {
        self.json("PATCH", path, &body)
    }

    pub fn put(&self, path: &str) -> Answer {
        self.send("PUT", path, None)
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None)
    }

    pub fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(method, path, Some(body.to_string().as_bytes()))
    }

    pub fn send(&self, method: &str, path: &str, body: Option<&[u8]>) -> Answer {
        self.send_with(method, path, &[], body)
    }

    pub fn send_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Answer {
        let token = [("X-User-Id", &*self.user), ("X-Project-Id", &*self.own), ("X-Roles", &*self.roles)];
        let target = format!("/v2/{}{path}", self.project);
        self.api.send(method, &target, &[&token, headers].concat(), body)
    }

    /// Creates a resource and returns its id: `create("jobs", ..)` posts to `/jobs` and returns the `job_id`.
    #[track_caller]
    pub fn create(&self, noun: &str, body: Value) -> String {
        let answer = self.post(&format!("/{noun}"), body).expect(201);
        let key = format!("{}_id", noun.trim_end_matches('s'));
        answer[&key].as_str().unwrap_or_else(|| panic!("no {key} in {answer}")).to_owned()
    }

    /// The document of an existing resource: `show("jobs", id)`.
    #[track_caller]
    pub fn show(&self, noun: &str, id: &str) -> Value {
        self.get(&format!("/{noun}/{id}")).expect(200)
    }

    /// The documents in a list.
    #[track_caller]
    pub fn list(&self, noun: &str) -> Vec<Value> {
        self.find_documents(noun, Value::Object(serde_json::Map::new()))
    }

    /// The documents that a search finds.
    #[track_caller]
    pub fn find_documents(&self, noun: &str, search: Value) -> Vec<Value> {
        let answer = self.search(&format!("/{noun}?limit=500"), search).expect(200);
        answer[noun].as_array().unwrap_or_else(|| panic!("no list of {noun} in {answer}")).clone()
    }
}
