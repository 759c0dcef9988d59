//! A service of the test's own: a fresh database, the built-in identity over it, and a way to speak to it.

use std::io::Read;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use diesel::prelude::*;
use freezer_api::cli::user::{OpenrcContext, UserCommand, run_with};
use freezer_api::identity::{Role, Settings, Standalone, handlers};
use freezer_api::store::Store;
use freezer_api::store::engine::connection::AnyConnection;
use freezer_api::store::engine::manager::establish;
use freezer_api::store::engine::migrations;
use freezer_api::store::engine::url::{Backend, DatabaseUrl};
use freezer_api::store::schema::identity_tokens;
use front::error::Error;
use front::http::{Call, Method};
use front::server;
use serde_json::{Value, json};

pub struct House {
    pub standalone: Standalone,
    pub store: Store,
    database: Database,
    /// The openrc file of the first start.
    pub openrc: PathBuf,
    /// Each request comes from another address, unless a test gives one.
    addresses: AtomicU16,
}

struct Database {
    url: DatabaseUrl,
    /// The server and the name to drop at the end.
    drop: Option<(DatabaseUrl, String)>,
    _directory: Option<tempfile::TempDir>,
}

pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Value,
}

/// Runs a test on every backend that is built in.
pub fn on_every_backend(test: impl Fn(House)) {
    test(House::new(Database::sqlite()));
    #[cfg(feature = "mysql")]
    test(House::new(Database::on_server("FREEZER_TEST_MYSQL_URL")));
    #[cfg(feature = "postgres")]
    test(House::new(Database::on_server("FREEZER_TEST_POSTGRES_URL")));
}

impl Database {
    fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("freezer.sqlite");
        let url = DatabaseUrl::parse(path.to_str().unwrap()).unwrap();
        Self { url, drop: None, _directory: Some(directory) }
    }

    #[cfg(any(feature = "mysql", feature = "postgres"))]
    fn on_server(variable: &str) -> Self {
        use diesel::connection::SimpleConnection;

        let server =
            std::env::var(variable).unwrap_or_else(|_| panic!("run scripts/test, or set {variable}"));
        let name = format!("freezer_identity_{}", uuid::Uuid::new_v4().simple());
        let admin = DatabaseUrl::parse(&server).unwrap();
        establish(&admin).unwrap().batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
        let mut url = url::Url::parse(&server).unwrap();
        url.set_path(&name);
        let url = DatabaseUrl::parse(url.as_str()).unwrap();
        Self { url, drop: Some((admin, name)), _directory: None }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        use diesel::connection::SimpleConnection;

        if let Some((admin, name)) = &self.database.drop {
            // PostgreSQL waits until no connection is left, and the pool still has some.
            let force = if admin.backend() == Backend::Postgres { " WITH (FORCE)" } else { "" };
            let mut admin = establish(admin).unwrap();
            admin.batch_execute(&format!("DROP DATABASE {name}{force}")).unwrap();
        }
    }
}

impl House {
    fn new(database: Database) -> Self {
        migrations::sync(&database.url).unwrap();
        let store = Store::new(database.url.clone(), 8);
        let standalone = Standalone::new(store.clone(), &patient());
        let openrc = PathBuf::from("/nonexistent/openrc");
        Self { standalone, store, database, openrc, addresses: AtomicU16::new(0) }
    }

    /// The same service with another lifetime of tokens.
    pub fn with_token_lifetime(self, token_lifetime: Duration) -> Self {
        self.restarted(&Settings { token_lifetime, ..patient() })
    }

    /// The same database after a restart of the service.
    pub fn restarted(mut self, settings: &Settings) -> Self {
        self.standalone = Standalone::new(self.store.clone(), settings);
        self
    }

    /// Runs the service's background work once.
    pub fn upkeep(&self) {
        self.standalone.upkeep().round().unwrap();
    }

    /// A connection to the database, beside the service's own.
    pub fn connection(&self) -> AnyConnection {
        establish(&self.database.url).unwrap()
    }

    /// Sets the expiry of every token to one second ago.
    pub fn expire_tokens(&self) {
        let past = freezer_api::store::now() - chrono::TimeDelta::seconds(1);
        let times = (identity_tokens::issued_at.eq(past), identity_tokens::expires_at.eq(past));
        diesel::update(identity_tokens::table).set(times).execute(&mut self.connection()).unwrap();
    }

    pub fn count_tokens(&self) -> i64 {
        identity_tokens::table.count().get_result(&mut self.connection()).unwrap()
    }

    /// Sends a request through routing and authentication, to a route of the public table.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.ask_at(&server::Settings::default(), method, path, headers, body)
    }

    /// As [`Self::ask`], with another edge.
    pub fn ask_at(
        &self,
        edge: &server::Settings,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let [high, low] = self.addresses.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        self.ask_from_at(IpAddr::from([10, 9, high, low]), edge, method, path, headers, body)
    }

    fn ask_from_at(
        &self,
        address: IpAddr,
        edge: &server::Settings,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut all = vec![("Host".to_owned(), "backup.example:9090".to_owned())];
        all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let request = rouille::Request::fake_http_from(
            SocketAddr::new(address, 4711),
            method,
            path,
            all,
            body.to_vec(),
        );
        let service = |call: &Call| {
            let route = handlers::ROUTES.iter().find(|(method, path, _)| {
                let parts: Vec<_> = path.split('/').skip(1).collect();
                *method == call.method.dispatched()
                    && parts.len() == call.segments.len()
                    && parts
                        .iter()
                        .zip(&call.segments)
                        .all(|(part, given)| part.starts_with('{') || part == given)
            });
            let (_, _, handler) = route.ok_or_else(Error::no_route)?;
            handler(&self.standalone, call)
        };
        let response = server::respond(edge, &service, &request);
        let mut text = String::new();
        response.data.into_reader_and_size().0.read_to_string(&mut text).unwrap();
        let headers =
            response.headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() };
        Answer { status: response.status_code, headers, body }
    }

    pub fn get(&self, path: &str, token: &str) -> Answer {
        self.ask("GET", path, &[("X-Auth-Token", token)], b"")
    }

    pub fn on_token(&self, method: &str, token: &str, subject: &str) -> Answer {
        let headers = [("X-Auth-Token", token), ("X-Subject-Token", subject)];
        self.ask(method, "/identity/v3/auth/tokens", &headers, b"")
    }

    pub fn log_in(&self, identity: Value, scope: Option<Value>) -> Answer {
        let mut auth = json!({ "identity": identity });
        if let Some(scope) = scope {
            auth["scope"] = scope;
        }
        let body = json!({ "auth": auth }).to_string();
        self.ask("POST", "/identity/v3/auth/tokens", &[], body.as_bytes())
    }

    /// Logs in by name from an address.
    pub fn password_from(&self, address: &str, name: &str, password: &str) -> Answer {
        let body = json!({"auth": {"identity": by_password(json!({"name": name, "password": password}))}});
        self.ask_from(address, "/identity/v3/auth/tokens", &[], &body)
    }

    /// Sends a POST from an address.
    pub fn ask_from(&self, address: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let edge = server::Settings {
            proxy: front::http::proxy::Settings { parse_headers: true, ..Default::default() },
            ..server::Settings::default()
        };
        let body = body.to_string();
        self.ask_from_at(address.parse().unwrap(), &edge, "POST", path, headers, body.as_bytes())
    }

    /// Logs in by name.
    pub fn password(&self, name: &str, password: &str, scope: Option<Value>) -> Answer {
        self.log_in(
            by_password(json!({"name": name, "domain": {"id": "default"}, "password": password})),
            scope,
        )
    }

    /// The token of a login by name that succeeds.
    pub fn token(&self, name: &str, password: &str) -> String {
        self.password(name, password, None).subject()
    }

    /// Runs `freezer-api user ...` and gives back what it prints.
    pub fn run(&self, command: UserCommand, input: &str) -> Result<String, String> {
        let mut output = Vec::new();
        let around = OpenrcContext {
            path: self.openrc.clone(),
            auth_url: "http://127.0.0.1:9090/identity/v3".to_owned(),
            prompt: |name| Ok(format!("typed by {name}")),
        };
        run_with(&self.store, &command, &around, &mut input.as_bytes(), &mut output)?;
        Ok(String::from_utf8(output).unwrap())
    }

    /// A user with a role on a project, which is made unless there is one of that name.
    pub fn user(&self, name: &str, password: &str, project: &str, role: Role) {
        self.run(UserCommand::ProjectCreate { name: project.to_owned() }, "").ok();
        let command = UserCommand::Create {
            name: name.to_owned(),
            project: Some(project.to_owned()),
            roles: vec![role],
            password_stdin: true,
        };
        self.run(command, password).unwrap();
    }
}

/// The settings of most tests: an address that is locked out for too many failures stays locked out.
pub fn patient() -> Settings {
    Settings { login_refill: Duration::from_secs(3600), ..Settings::default() }
}

pub fn by_password(user: Value) -> Value {
    json!({"methods": ["password"], "password": {"user": user}})
}

pub fn by_token(token: &str) -> Value {
    json!({"methods": ["token"], "token": {"id": token}})
}

pub fn on_project(name: &str) -> Option<Value> {
    Some(json!({"project": {"name": name, "domain": {"name": "Default"}}}))
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The token that a login gave.
    pub fn subject(&self) -> String {
        assert_eq!(self.status, 201, "{}", self.body);
        self.header("X-Subject-Token").unwrap().to_owned()
    }

    pub fn roles(&self) -> Vec<&str> {
        let roles = self.body["token"]["roles"].as_array().map(Vec::as_slice).unwrap_or_default();
        roles.iter().map(|role| role["name"].as_str().unwrap()).collect()
    }

    /// Keystone's form of an error.
    pub fn assert_error(&self, status: u16) {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.body["error"]["code"], status, "{}", self.body);
        assert!(self.body["error"]["title"].is_string() && self.body["error"]["message"].is_string());
    }
}

/// The name of a method.
pub fn word(method: Method) -> &'static str {
    match method {
        Method::Post => "POST",
        Method::Delete => "DELETE",
        _ => "GET",
    }
}
