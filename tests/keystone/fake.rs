//! A Keystone for one test.

use std::collections::{HashMap, HashSet};
use std::io::{BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use chrono::{TimeDelta, Utc};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use super::wire::{self, Request};

/// The password that the service must log in with.
pub const PASSWORD: &str = "the service's password";

/// How the fake answers a request to validate a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    Answer,
    Hang,
    HangUp,
    HangUpOnce,
    Status(u16),
    Say(String),
}

/// The tokens that it knows, and the requests that it got.
pub struct Keystone {
    mode: Mutex<Mode>,
    changed: Condvar,
    tokens: Mutex<HashMap<String, Value>>,
    own: Mutex<HashSet<String>>,
    /// Lifetime of the service's own tokens, in seconds.
    pub own_life: AtomicI64,
    /// The catalogue in the service's own tokens.
    pub catalog: Mutex<Value>,
    /// The path before `/v3`.
    pub prefix: Mutex<String>,
    pub logins: AtomicUsize,
    pub validations: AtomicUsize,
    pub hanging: AtomicUsize,
    pub asked: Mutex<Vec<Request>>,
}

/// A running fake Keystone, which is stopped when dropped.
pub struct Fake {
    pub address: SocketAddr,
    pub keystone: Arc<Keystone>,
    scheme: &'static str,
    stop: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
    accept: Option<thread::JoinHandle<()>>,
}

pub fn in_seconds(seconds: i64) -> String {
    (Utc::now() + TimeDelta::seconds(seconds)).format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// Keystone's description of a member's token, with further keys.
pub fn member(user: &str, more: Value) -> Value {
    let mut token = json!({
        "user": {"id": user, "name": user, "domain": {"id": "default", "name": "Default"}},
        "project": {"id": format!("project-of-{user}"), "name": "p", "domain": {"id": "default", "name": "Default"}},
        "roles": [{"id": "r1", "name": "member"}, {"id": "r2", "name": "reader"}],
        "issued_at": in_seconds(-60),
        "expires_at": in_seconds(3600),
        "methods": ["password"],
        "audit_ids": ["a"],
        "catalog": [{"type": "backup", "endpoints": []}],
    });
    token.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    token
}

impl Fake {
    pub fn start() -> Self {
        Self::start_on(0, Arc::new(Keystone::new()), None)
    }

    pub fn start_tls(config: Arc<ServerConfig>) -> Self {
        Self::start_on(0, Arc::new(Keystone::new()), Some(config))
    }

    /// Another server process of the same Keystone, at the same address.
    pub fn restart(address: SocketAddr, keystone: Arc<Keystone>) -> Self {
        Self::start_on(address.port(), keystone, None)
    }

    fn start_on(port: u16, keystone: Arc<Keystone>, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let open = Arc::new(Mutex::new(Vec::new()));
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (state, flag, connections) = (Arc::clone(&keystone), Arc::clone(&stop), Arc::clone(&open));
        let accept = thread::spawn(move || {
            for stream in listener.incoming() {
                if flag.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let handle = stream.try_clone().unwrap();
                connections.lock().unwrap().push(stream.try_clone().unwrap());
                let (state, tls) = (Arc::clone(&state), tls.clone());
                thread::spawn(move || {
                    match tls {
                        None => state.serve(stream),
                        Some(config) => {
                            state.serve(StreamOwned::new(ServerConnection::new(config).unwrap(), stream));
                        }
                    }
                    // The other handles keep it open.
                    let _ = handle.shutdown(Shutdown::Both);
                });
            }
        });
        Self { address, keystone, scheme, stop, open, accept: Some(accept) }
    }

    pub fn url(&self) -> String {
        format!("{}://localhost:{}", self.scheme, self.address.port())
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.keystone.set(Mode::HangUp);
        let _ = TcpStream::connect(self.address);
        self.accept.take().unwrap().join().unwrap();
        for stream in self.open.lock().unwrap().iter() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Keystone {
    fn new() -> Self {
        Self {
            mode: Mutex::new(Mode::Answer),
            changed: Condvar::new(),
            tokens: Mutex::default(),
            own: Mutex::default(),
            own_life: AtomicI64::new(3600),
            catalog: Mutex::new(json!([])),
            prefix: Mutex::default(),
            logins: AtomicUsize::new(0),
            validations: AtomicUsize::new(0),
            hanging: AtomicUsize::new(0),
            asked: Mutex::default(),
        }
    }

    pub fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
        self.changed.notify_all();
    }

    pub fn knows(&self, text: &str, token: Value) {
        self.tokens.lock().unwrap().insert(text.to_owned(), token);
    }

    pub fn revoke(&self, text: &str) {
        self.tokens.lock().unwrap().remove(text);
    }

    /// Adds a token of the service's own that another process gave out.
    pub fn knows_own(&self, text: &str) {
        self.own.lock().unwrap().insert(text.to_owned());
    }

    /// Revokes every token of the service's own.
    pub fn revoke_own(&self) {
        self.own.lock().unwrap().clear();
    }

    /// Waits until `count` validations hang.
    pub fn until_hanging(&self, count: usize) {
        while self.hanging.load(Ordering::SeqCst) < count {
            thread::yield_now();
        }
    }

    pub fn validations(&self) -> usize {
        self.validations.load(Ordering::SeqCst)
    }

    pub fn logins(&self) -> usize {
        self.logins.load(Ordering::SeqCst)
    }

    fn serve(&self, stream: impl Read + Write) {
        let mut stream = BufReader::new(stream);
        while let Some(asked) = wire::read(&mut stream) {
            let stream = stream.get_mut();
            self.asked.lock().unwrap().push(asked.clone());
            let path = asked.target.split('?').next().unwrap();
            let prefix = self.prefix.lock().unwrap().clone();
            let answered = match (asked.method.as_str(), path.strip_prefix(&prefix)) {
                ("GET", Some("/")) => {
                    let versions = json!({"versions": {"values": [{"id": "v3.14", "links": []}]}});
                    wire::write(stream, 300, &[], &versions.to_string())
                }
                ("POST", Some("/v3/auth/tokens")) => self.log_in(stream, &asked),
                ("GET", Some("/v3/auth/tokens")) => self.validate(stream, &asked),
                (_, Some("/v3/hang-up")) => false,
                _ => wire::write(stream, 404, &[], "{}"),
            };
            if !answered {
                return;
            }
        }
    }

    fn log_in(&self, stream: &mut impl Write, asked: &Request) -> bool {
        let number = self.logins.fetch_add(1, Ordering::SeqCst) + 1;
        let body: Value = serde_json::from_slice(&asked.body).unwrap();
        let user = &body["auth"]["identity"]["password"]["user"];
        if user["password"] != PASSWORD {
            let error = json!({"error": {"code": 401, "message": format!("not {}", user["password"])}});
            return wire::write(stream, 401, &[], &error.to_string());
        }
        let text = format!("own-{number}");
        self.own.lock().unwrap().insert(text.clone());
        let expires = in_seconds(self.own_life.load(Ordering::SeqCst));
        let catalog = self.catalog.lock().unwrap().clone();
        let token = member("freezer", json!({"expires_at": expires, "catalog": catalog}));
        let headers = [("X-Subject-Token", text.as_str()), ("Content-Type", "application/json")];
        wire::write(stream, 201, &headers, &json!({"token": token}).to_string())
    }

    fn validate(&self, stream: &mut impl Write, asked: &Request) -> bool {
        self.validations.fetch_add(1, Ordering::SeqCst);
        let mode = self.mode.lock().unwrap().clone();
        match mode {
            Mode::Answer => {}
            Mode::Hang => {
                self.hanging.fetch_add(1, Ordering::SeqCst);
                let mode = self.mode.lock().unwrap();
                drop(self.changed.wait_while(mode, |mode| *mode == Mode::Hang).unwrap());
                self.hanging.fetch_sub(1, Ordering::SeqCst);
            }
            Mode::HangUp => return false,
            Mode::HangUpOnce => {
                self.set(Mode::Answer);
                return false;
            }
            Mode::Status(status) => return wire::write(stream, status, &[], "{\"error\": {}}"),
            Mode::Say(body) => return wire::write(stream, 200, &[], &body),
        }
        let own = asked.header("X-Auth-Token").unwrap_or_default();
        if !self.own.lock().unwrap().contains(own) {
            return wire::write(stream, 401, &[], "{\"error\": {}}");
        }
        let subject = asked.header("X-Subject-Token").unwrap_or_default();
        let token = self.tokens.lock().unwrap().get(subject).cloned();
        let lenient = asked.target.contains("allow_expired=1");
        match token {
            Some(token) if lenient || token["expires_at"].as_str().unwrap() > in_seconds(0).as_str() => {
                wire::write(stream, 200, &[], &json!({"token": token}).to_string())
            }
            _ => wire::write(stream, 404, &[], "{\"error\": {\"code\": 404}}"),
        }
    }
}
