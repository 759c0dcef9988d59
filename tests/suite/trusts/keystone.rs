//! A fake Keystone with tokens and trusts, which checks trusts as release 30 does.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

/// The scheduler's user, which logs in with a password.
pub const TRUSTEE: &str = "freezer-service";

/// A running fake Keystone. It stops when it is dropped.
pub struct Keystone {
    pub url: String,
    address: SocketAddr,
    world: Arc<Mutex<World>>,
    stop: Arc<AtomicBool>,
}

/// The state of the fake Keystone.
#[derive(Default)]
pub struct World {
    pub tokens: BTreeMap<String, Token>,
    pub trusts: BTreeMap<String, Value>,
    /// The roles that users have on projects. Keystone checks these when a user delegates roles.
    pub assignments: Vec<(String, String, &'static str)>,
    /// Whether the trustee may delete the trusts of other users.
    pub trustee_is_admin: bool,
    pub trustee_is_gone: bool,
    /// Answers every request for trusts with this status.
    pub fails_with: Option<u16>,
    /// Methods and paths of the requests for trusts.
    pub asked: Vec<String>,
    /// Runs once, after a trust was read or made and before the answer.
    pub meanwhile: Option<Box<dyn FnOnce() + Send>>,
}

/// A token.
#[derive(Clone)]
pub struct Token {
    pub user: String,
    pub project: String,
    pub roles: Vec<&'static str>,
    /// Further members of the token's document.
    pub more: Value,
    /// Whether the token is of an application credential.
    pub is_delegated: bool,
    /// Whether Keystone refuses the token, which the service still caches.
    pub is_revoked: bool,
}

impl Keystone {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (world, stop) = (Arc::new(Mutex::new(World::default())), Arc::new(AtomicBool::new(false)));
        let (shared, stopped) = (Arc::clone(&world), Arc::clone(&stop));
        thread::spawn(move || {
            for stream in listener.incoming().take_while(|_| !stopped.load(Ordering::SeqCst)) {
                let world = Arc::clone(&shared);
                thread::spawn(move || serve(&world, stream.unwrap()));
            }
        });
        Self { url: format!("http://{address}"), address, world, stop }
    }

    pub fn with<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.world.lock().unwrap())
    }

    /// The number of requests for trusts that begin with `what` ("METHOD /path").
    pub fn count(&self, what: &str) -> usize {
        self.with(|world| world.asked.iter().filter(|asked| asked.starts_with(what)).count())
    }
}

impl Drop for Keystone {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

/// The parts of a request that this Keystone uses.
struct Request {
    method: String,
    path: String,
    /// By names in lower case.
    headers: BTreeMap<String, String>,
    body: Value,
}

impl Request {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// One request per connection.
fn serve(world: &Mutex<World>, mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    if !matches!(reader.read_line(&mut line), Ok(1..)) {
        return;
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let (status, body) = answer(world, &Request { method, path, headers, body });
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let head = format!(
        "HTTP/1.1 {status} Status\r\nConnection: close\r\nX-Subject-Token: service-token\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all((head + &body).as_bytes());
}

/// A status and a body.
type Response = (u16, Value);

fn answer(world: &Mutex<World>, request: &Request) -> Response {
    let path = request.path.split('?').next().unwrap_or_default();
    match (request.method.as_str(), path) {
        ("GET", "/") => (300, json!({"versions": {"values": [{"id": "v3.14"}]}})),
        ("POST", "/v3/auth/tokens") => (201, Token::new(TRUSTEE, "service", &["service"]).shown()),
        ("GET", "/v3/auth/tokens") => {
            match world.lock().unwrap().tokens.get(request.header("x-subject-token")) {
                Some(token) => (200, token.shown()),
                None => refusal(404, "Failed to validate token"),
            }
        }
        (method, path) if path.starts_with("/v3/OS-TRUST/trusts") => {
            let mut world = world.lock().unwrap();
            world.asked.push(format!("{method} {path}"));
            if let Some(status) = world.fails_with {
                return refusal(status, "as you wish");
            }
            let id = path.trim_start_matches("/v3/OS-TRUST/trusts").trim_start_matches('/');
            let answer = world.serve_trusts(id, request);
            let meanwhile = world.meanwhile.take();
            drop(world);
            if let Some(meanwhile) = meanwhile {
                meanwhile();
            }
            answer
        }
        _ => refusal(404, "no such path"),
    }
}

impl World {
    fn serve_trusts(&mut self, id: &str, request: &Request) -> Response {
        let method = request.method.as_str();
        let caller = match request.header("x-auth-token") {
            "service-token" if self.trustee_is_admin => Token::new(TRUSTEE, "service", &["admin"]),
            "service-token" => Token::new(TRUSTEE, "service", &["service"]),
            other => match self.tokens.get(other) {
                Some(token) if !token.is_revoked => token.clone(),
                _ => return refusal(401, "The request you have made requires authentication."),
            },
        };
        if method == "POST" {
            return self.create(&caller, &request.body["trust"]);
        }
        let Some(trust) = self.trusts.get(id) else { return refusal(404, "Could not find trust") };
        let is = |key: &str| trust[key] == caller.user.as_str();
        let is_admin = caller.roles.contains(&"admin");
        let allowed = match method {
            "GET" => is_admin || is("trustor_user_id") || is("trustee_user_id"),
            _ => is_admin || is("trustor_user_id"),
        };
        if !allowed {
            return refusal(403, "You are not authorized to perform the requested action");
        }
        if caller.is_delegated {
            return refusal(403, "Delegated tokens cannot manage trusts.");
        }
        if method == "GET" {
            return (200, json!({"trust": trust}));
        }
        self.trusts.remove(id);
        (204, Value::Null)
    }

    fn create(&mut self, caller: &Token, asked: &Value) -> Response {
        if asked["trustor_user_id"] != caller.user.as_str() {
            return refusal(403, "The authenticated user should match the trustor");
        }
        if caller.is_delegated {
            return refusal(403, "Delegated tokens cannot manage trusts.");
        }
        if self.trustee_is_gone || asked["trustee_user_id"] != TRUSTEE {
            return refusal(404, "Could not find user");
        }
        let roles = asked["roles"].as_array().unwrap();
        if roles.is_empty() {
            return refusal(403, "At least one role should be specified");
        }
        for role in roles {
            let has = |(user, project, has): &(String, String, &str)| {
                *user == caller.user && asked["project_id"] == project.as_str() && role["name"] == *has
            };
            if !self.assignments.iter().any(has) {
                return refusal(404, &format!("Could not find role: {}.", role["name"]));
            }
        }
        let id = uuid::Uuid::new_v4().simple().to_string();
        let mut trust = asked.clone();
        let more = json!({
            "id": id, "deleted_at": null, "expires_at": null, "remaining_uses": null, "redelegation_count": 0,
            "redelegated_trust_id": null,
        });
        trust.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.trusts.insert(id, trust.clone());
        (201, json!({"trust": trust}))
    }
}

impl Token {
    pub fn new(user: &str, project: &str, roles: &[&'static str]) -> Self {
        Self {
            user: user.to_owned(),
            project: project.to_owned(),
            roles: roles.to_vec(),
            more: json!({}),
            is_delegated: false,
            is_revoked: false,
        }
    }

    fn shown(&self) -> Value {
        let role = |role: &&str| json!({"id": format!("id-of-{role}"), "name": role});
        let domain = json!({"id": "default", "name": "Default"});
        let mut token = json!({"token": {
            "methods": ["password"],
            "user": {"id": self.user, "name": self.user, "domain": domain},
            "project": {"id": self.project, "name": self.project, "domain": domain},
            "roles": self.roles.iter().map(role).collect::<Vec<_>>(),
            "issued_at": "2026-01-01T00:00:00.000000Z",
            "expires_at": "2099-01-01T00:00:00.000000Z",
            "audit_ids": ["a"],
            "catalog": [],
        }});
        token["token"].as_object_mut().unwrap().extend(self.more.as_object().unwrap().clone());
        token
    }
}

fn refusal(status: u16, message: &str) -> Response {
    (status, json!({"error": {"code": status, "message": message}}))
}
