//! The service over HTTP while Keystone hangs or is down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use freezer_api::app::App;
use freezer_api::auth::Strategy;
use freezer_api::routes;
use freezer_api::store::Store;
use freezer_api::store::engine::migrations;
use freezer_api::store::engine::url::DatabaseUrl;
use front::outbound::{self, Answer};
use front::server::{self, Server};
use oslo_policy::Policy;
use serde_json::{Value, json};

use super::fake::{Fake, Mode, member};
use super::house::keystone;

const WORKERS: usize = 2;

/// The whole service, with few workers.
struct Service {
    address: String,
    client: outbound::Client,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<std::io::Result<()>>>,
    _directory: tempfile::TempDir,
}

impl Service {
    fn start(fake: &Fake) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = DatabaseUrl::parse(directory.path().join("f.sqlite").to_str().unwrap()).unwrap();
        migrations::sync(&database).unwrap();
        let auth = Strategy::Keystone(Box::new(keystone(fake)));
        let policy = Policy::new(oslo_policy::Settings::default(), freezer_api::rules::DEFAULTS).unwrap();
        let app = App::new(Store::new(database, WORKERS as u32), auth, policy);
        let settings = server::Settings {
            bind_host: "127.0.0.1".to_owned(),
            bind_port: 0,
            workers: WORKERS,
            ..server::Settings::default()
        };
        let server = Server::bind(settings, move |call| routes::dispatch(&app, call)).unwrap();
        let address = format!("http://{}", server.local_addr());
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let client = outbound::Client::new(&outbound::Settings::default()).unwrap();
        let thread = Some(thread::spawn(move || server.run(flag)));
        Self { address, client, stop, thread, _directory: directory }
    }

    /// Fails after one minute without an answer.
    fn get(&self, path: &str, token: Option<&str>) -> Answer {
        let headers: Vec<_> = token.map(|token| ("X-Auth-Token", token)).into_iter().collect();
        self.client.send("GET", &format!("{}{path}", self.address), &headers, None).unwrap()
    }

    fn jobs(&self, user: &str) -> u16 {
        self.get(&format!("/v2/project-of-{user}/jobs"), Some(user)).status
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.take().unwrap().join().unwrap().unwrap();
    }
}

#[test]
fn a_hanging_keystone_delays_no_cached_caller() {
    let fake = Fake::start();
    let users: Vec<_> = (0..10 * WORKERS).map(|number| format!("user-{number}")).collect();
    for user in users.iter().map(String::as_str).chain(["known"]) {
        fake.keystone.knows(user, member(user, json!({})));
    }
    let service = Service::start(&fake);
    assert_eq!(service.jobs("known"), 200);
    fake.keystone.set(Mode::Hang);
    thread::scope(|scope| {
        let hanging: Vec<_> = users.iter().map(|user| scope.spawn(|| service.jobs(user))).collect();
        let joining: Vec<_> = users.iter().map(|user| scope.spawn(|| service.jobs(user))).collect();
        fake.keystone.until_hanging(users.len());
        for _ in 0..20 {
            assert_eq!(service.jobs("known"), 200);
            assert_eq!(service.get("/healthcheck", None).status, 200);
            assert!(matches!(service.get("/", None).status, 200 | 300));
            assert_eq!(service.get("/v2/p/jobs", None).status, 401);
        }
        assert!(hanging.iter().chain(&joining).all(|thread| !thread.is_finished()));
        fake.keystone.set(Mode::Answer);
        for thread in hanging.into_iter().chain(joining) {
            assert_eq!(thread.join().unwrap(), 200);
        }
    });
    assert_eq!(
        fake.keystone.validations(),
        users.len() + 1,
        "a second request for the same token joined the first"
    );
}

#[test]
fn an_outage_is_reported_in_plain_text() {
    let fake = Fake::start();
    let service = Service::start(&fake);
    fake.keystone.set(Mode::Status(500));
    let answer = service.get("/v2/p/jobs", Some("token"));
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(answer.header("retry-after"), Some("5"));
    assert_eq!(answer.body, b"The Keystone service is temporarily unavailable.");
    assert!(answer.header("www-authenticate").is_none());
    drop(fake);
    assert_eq!(service.get("/v2/p/jobs", Some("token")).status, 503);
    assert_eq!(service.get("/healthcheck", None).status, 200);
}

#[test]
fn a_refusal_names_where_to_get_a_token() {
    let fake = Fake::start();
    let service = Service::start(&fake);
    for token in [None, Some("unknown")] {
        let answer = service.get("/v2/p/jobs", token);
        assert_eq!(answer.status, 401);
        let challenge = format!("Keystone uri=\"{}\"", fake.url());
        assert_eq!(answer.header("www-authenticate"), Some(challenge.as_str()));
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!((&body["error"]["code"], &body["error"]["title"]), (&json!(401), &json!("Unauthorized")));
        assert_eq!(body["error"]["message"], "The request you have made requires authentication.");
    }
}
