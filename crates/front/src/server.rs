//! The HTTP server: it listens, reads requests, serves a limited number of them at once, and finishes them when it is
//! told to stop.
//!
//! Requests and responses are rouille's, but not the connection layer. That layer (tiny_http 0.12) leaves connections
//! unanswered when many arrive at once, reads without a time-out, stops accepting for good when the process runs out of
//! open files, and crashes on a request with a very large `Content-Length`. None of this can be fixed from outside.

mod answer;
mod body;
mod connection;
mod deadline;
mod edge;
mod head;
mod limits;
mod listener;
mod refusal;
mod registry;
mod signals;

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub use edge::respond;
pub use listener::reachable;

use crate::cors;
use crate::error::{Error, Result};
use crate::http::{Call, Endpoint, Reply, proxy};
use crate::supervisor;
use crate::workers::Workers;
use answer::Answer;
use head::Framing;
use limits::LargeBodies;
use registry::Registry;

/// The maximum number of connections that wait to be accepted. The system's limit (`net.core.somaxconn`) is usually
/// 4096.
const BACKLOG: i32 = 4096;

/// The interval at which the stop flag is checked.
const LOOK: Duration = Duration::from_millis(20);

/// How long a new connection may take to send its request while the server stops.
const GRACE: Duration = Duration::from_millis(200);

/// The settings of the server.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address or name to listen on.
    pub bind_host: String,
    /// The port; 0 picks a free one.
    pub bind_port: u16,
    /// The maximum number of requests that are served at the same time.
    pub workers: usize,
    /// The maximum number of open connections. For a new one, the server closes the connection that has been idle for
    /// longest, or else the one that has waited longest for its client. Each connection takes one of the process's open
    /// files, whose limit may reduce this number.
    pub max_connections: usize,
    /// The maximum size of a body in bytes; a larger one is a 413.
    pub max_request_body_size: usize,
    /// The same for requests that may send a whole document back. It is larger because clients escape characters
    /// outside ASCII, which takes up to three times the bytes that they received.
    pub max_document_body_size: usize,
    /// Whether a request with this method and path may send a whole document back.
    pub takes_document: fn(method: &str, path: &str) -> bool,
    /// Which headers of a proxy are trusted.
    pub proxy: proxy::Settings,
    /// The URL with which links in responses begin (`[DEFAULT] public_endpoint`); `None` takes the host of the request.
    pub public_endpoint: Option<Endpoint>,
    /// Whether to serve only requests that name a loopback host. It protects against DNS rebinding: a web page whose
    /// name resolves to 127.0.0.1 sends its own name.
    pub loopback_hosts_only: bool,
    /// Which pages of other origins may use the service (`[cors]` and `[cors.<name>]`).
    pub cors: Vec<cors::Settings>,
    /// How long requests may take to finish after the signal to stop.
    pub drain: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bind_host: "0.0.0.0".to_owned(),
            bind_port: 9090,
            workers: 16,
            max_connections: 768,
            // oslo.middleware's default.
            max_request_body_size: 114_688,
            max_document_body_size: 4 * 1024 * 1024,
            takes_document: |_, _| false,
            proxy: proxy::Settings::default(),
            public_endpoint: None,
            loopback_hosts_only: false,
            cors: Vec::new(),
            drain: Duration::from_secs(30),
        }
    }
}

impl Settings {
    /// The maximum size of the body for this method and target, in bytes.
    fn body_limit(&self, method: &str, target: &str) -> usize {
        match (self.takes_document)(method, crate::http::path_of(target)) {
            true => self.max_document_body_size,
            false => self.max_request_body_size,
        }
    }

    /// The `host:port` of links in the response to a request without a `Host`.
    fn authority(&self) -> String {
        match self.bind_host.parse::<IpAddr>() {
            Ok(ip) if ip.is_unspecified() => format!("localhost:{}", self.bind_port),
            Ok(IpAddr::V6(ip)) => format!("[{ip}]:{}", self.bind_port),
            _ => format!("{}:{}", self.bind_host, self.bind_port),
        }
    }
}

type Handler = Box<dyn Fn(&Settings, &rouille::Request) -> Answer + Send + Sync>;

/// The state that all connections share.
struct Front {
    settings: Settings,
    handler: Handler,
    workers: Arc<Workers>,
    registry: Arc<Registry>,
    large_bodies: LargeBodies,
    /// Whether the listening socket stays open when the process ends, because systemd holds it too.
    keeps_port: bool,
    stopping: AtomicBool,
}

impl Front {
    fn stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Whether a request has a body, and one within the limit as far as its framing shows.
    fn admits(&self, framing: Framing, limit: usize) -> bool {
        match framing {
            Framing::Length(length) => (1..=limit as u64).contains(&length),
            Framing::Chunked => true,
        }
    }

    /// Whether a body with this framing is read and may be larger than `max_request_body_size`.
    fn is_large(&self, framing: Framing, limit: usize) -> bool {
        let usual = self.settings.max_request_body_size;
        match framing {
            Framing::Length(length) => length > usual as u64 && length <= limit as u64,
            Framing::Chunked => limit > usual,
        }
    }

    fn respond(&self, request: &rouille::Request) -> Answer {
        let _place = self.workers.take();
        (self.handler)(&self.settings, request)
    }

    fn refuse(&self, request: &rouille::Request, error: Error) -> Answer {
        edge::refuse(&self.settings, request, error)
    }
}

/// A listening server.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    front: Arc<Front>,
}

impl Server {
    /// Listens on the configured address. From now on the system queues connections.
    ///
    /// # Errors
    /// The address is unknown, in use or forbidden.
    pub fn bind<F>(settings: Settings, service: F) -> io::Result<Self>
    where
        F: Fn(&Call) -> Result<Reply> + Send + Sync + 'static,
    {
        let listener = TcpListener::bind((settings.bind_host.as_str(), settings.bind_port))?;
        // Call `listen` again with a longer queue: the standard library's has 128 places, and a client that finds the
        // queue full retries after a second.
        socket2::SockRef::from(&listener).listen(BACKLOG)?;
        Self::on(listener, false, settings, service)
    }

    /// Uses a socket on which systemd listens, and which stays open when this process ends.
    ///
    /// # Errors
    /// The socket does not listen.
    pub fn inherit<F>(listener: TcpListener, settings: Settings, service: F) -> io::Result<Self>
    where
        F: Fn(&Call) -> Result<Reply> + Send + Sync + 'static,
    {
        listener.set_nonblocking(false)?;
        Self::on(listener, true, settings, service)
    }

    fn on<F>(listener: TcpListener, keeps_port: bool, mut settings: Settings, service: F) -> io::Result<Self>
    where
        F: Fn(&Call) -> Result<Reply> + Send + Sync + 'static,
    {
        let address = listener.local_addr()?;
        settings.bind_port = address.port();
        settings.max_connections = limits::max_connections(settings.max_connections, settings.workers);
        let front = Front {
            workers: Workers::new(settings.workers),
            settings,
            handler: Box::new(move |settings, request| edge::serve(settings, &service, request)),
            large_bodies: LargeBodies::default(),
            registry: Arc::default(),
            keeps_port,
            stopping: AtomicBool::new(false),
        };
        Ok(Self { listener, address, front: Arc::new(front) })
    }

    /// The address of the listening socket, with the actual port.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is set. Then it closes the port, answers the requests that have arrived, and returns when
    /// these are finished, or after `drain`.
    pub fn run(self, stop: Arc<AtomicBool>) -> io::Result<()> {
        let Self { listener, address, front } = self;
        let accepting = Arc::clone(&front);
        let accept = thread::Builder::new().name("accept".to_owned());
        let accept = accept.spawn(move || listener::run(&accepting, listener))?;
        while !stop.load(Ordering::SeqCst) {
            thread::sleep(LOOK);
        }
        supervisor::stopping("Finishing what was begun");
        let until = Instant::now() + front.settings.drain;
        front.stopping.store(true, Ordering::SeqCst);
        while !accept.is_finished() && Instant::now() < until {
            // If this fails, another client may wake the listener, or the next round does.
            let _ = listener::wake(address);
            thread::sleep(LOOK);
        }
        front.registry.wait_empty(until.min(Instant::now() + GRACE));
        loop {
            front.registry.close_idle();
            let open = front.registry.wait_empty(until.min(Instant::now() + GRACE));
            if open == 0 {
                return Ok(());
            }
            if Instant::now() >= until {
                log::warn!("stopping with {open} connections unfinished");
                return Ok(());
            }
        }
    }
}

/// Listens, unless a socket is `inherited`, passes the address to `on_ready`, and serves until SIGTERM or SIGINT.
/// `on_hangup` runs at each SIGHUP.
pub fn serve<F>(
    settings: Settings,
    inherited: Option<TcpListener>,
    on_ready: impl FnOnce(SocketAddr),
    on_hangup: impl Fn() + Send + 'static,
    service: F,
) -> io::Result<()>
where
    F: Fn(&Call) -> Result<Reply> + Send + Sync + 'static,
{
    let server = match inherited {
        Some(listener) => Server::inherit(listener, settings, service)?,
        None => Server::bind(settings, service)?,
    };
    let stop = Arc::new(AtomicBool::new(false));
    signals::watch(Arc::clone(&stop), on_hangup)?;
    on_ready(server.local_addr());
    server.run(stop)
}
