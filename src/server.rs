//! The daemon's front: listens, reads requests, has at most so many of them served at once, and finishes what was
//! begun when told to stop.
//!
//! Requests and responses are rouille's; its connection layer is not used. That layer (tiny_http 0.12) leaves
//! connections unanswered when many arrive at once, reads without a time-out, stops accepting for good when the open
//! files run out, and dies of one request with a large enough `Content-Length`. None of it can be mended from outside.

mod answer;
mod body;
mod connection;
mod edge;
mod head;
mod limits;
mod listener;
mod refusal;
mod registry;
mod signals;
mod timed;

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
use crate::routes::takes_document;
use crate::supervisor;
use crate::workers::Workers;
use answer::Answer;
use head::Framing;
use limits::LargeBodies;
use registry::Registry;

/// How many connections may wait to be accepted; the system's own limit (`net.core.somaxconn`) is 4096 mostly.
const BACKLOG: i32 = 4096;

/// How often the stop flag is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// How long a connection that was just made may take to bring its request when we are about to stop.
const GRACE: Duration = Duration::from_millis(200);

/// What the front needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address or name to listen on.
    pub bind_host: String,
    /// The port; 0 picks a free one.
    pub bind_port: u16,
    /// How many requests are served at the same time.
    pub workers: usize,
    /// How many connections are open at the same time; for a further one the one is ended that rests longest or else
    /// has kept us waiting longest. Each takes one of the open files the system allows, and where these are few there
    /// are fewer connections.
    pub max_connections: usize,
    /// The largest body taken, in bytes; a larger one is a 413.
    pub max_request_body_size: usize,
    /// The same where a whole document may be sent back: clients escape characters outside ASCII, and so send up to
    /// three times the bytes that they got.
    pub max_document_body_size: usize,
    /// What is believed of a proxy in front of us.
    pub proxy: proxy::Settings,
    /// With what the links of answers begin (`[DEFAULT] public_endpoint`); none: with what the request says.
    pub public_endpoint: Option<Endpoint>,
    /// Whether only requests are served that address this machine by a loopback name or address. A page whose name was
    /// made to lead to 127.0.0.1 (DNS rebinding) sends its own name.
    pub loopback_hosts_only: bool,
    /// Which pages of other origins may use the service (`[cors]` and `[cors.<name>]`).
    pub cors: Vec<cors::Settings>,
    /// How long what was begun may take to finish after the signal to stop.
    pub drain: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bind_host: "0.0.0.0".to_owned(),
            bind_port: 9090,
            workers: 16,
            max_connections: 768,
            // oslo.middleware's.
            max_request_body_size: 114_688,
            max_document_body_size: 4 * 1024 * 1024,
            proxy: proxy::Settings::default(),
            public_endpoint: None,
            loopback_hosts_only: false,
            cors: Vec::new(),
            drain: Duration::from_secs(30),
        }
    }
}

impl Settings {
    /// The largest body that a request of this method and target may have, in bytes.
    fn body_limit(&self, method: &str, target: &str) -> usize {
        match takes_document(method, crate::http::path_of(target)) {
            true => self.max_document_body_size,
            false => self.max_request_body_size,
        }
    }

    /// `host:port` for the hrefs of an answer to a request without a `Host`.
    fn authority(&self) -> String {
        match self.bind_host.parse::<IpAddr>() {
            Ok(ip) if ip.is_unspecified() => format!("localhost:{}", self.bind_port),
            Ok(IpAddr::V6(ip)) => format!("[{ip}]:{}", self.bind_port),
            _ => format!("{}:{}", self.bind_host, self.bind_port),
        }
    }
}

type Handler = Box<dyn Fn(&Settings, &rouille::Request) -> Answer + Send + Sync>;

/// What all connections share.
struct Front {
    settings: Settings,
    handler: Handler,
    workers: Arc<Workers>,
    registry: Arc<Registry>,
    large_bodies: LargeBodies,
    /// Whether the listening socket stays open when the process ends: systemd has it, too.
    keeps_port: bool,
    stopping: AtomicBool,
}

impl Front {
    fn stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Whether a body framed like this is there and may be sent.
    fn admits(&self, framing: Framing, limit: usize) -> bool {
        match framing {
            Framing::Length(length) => (1..=limit as u64).contains(&length),
            Framing::Chunked => true,
        }
    }

    /// Whether a body framed like this may be larger than bodies usually are, and is to be read.
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
    /// Listens; from here on connections queue up.
    ///
    /// # Errors
    /// The address is unknown, taken or forbidden.
    pub fn bind<F>(settings: Settings, service: F) -> io::Result<Self>
    where
        F: Fn(&Call) -> Result<Reply> + Send + Sync + 'static,
    {
        let listener = TcpListener::bind((settings.bind_host.as_str(), settings.bind_port))?;
        // Again: Rust lets 128 connections wait to be accepted. A client that finds so many there tries again after a
        // second.
        socket2::SockRef::from(&listener).listen(BACKLOG)?;
        Self::on(listener, false, settings, service)
    }

    /// Takes a socket that systemd listens on, and that it keeps when this process ends.
    ///
    /// # Errors
    /// It is no listening socket.
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
        settings.max_connections = limits::connections(settings.max_connections, settings.workers);
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

    /// The address that is listened on, with the real port.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is set; then closes the port, answers what has arrived, and returns when that is done, or
    /// after `drain`.
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
            // If this fails another client may wake it, or we shall try again.
            let _ = listener::wake(address);
            thread::sleep(LOOK);
        }
        front.registry.wait_empty(until.min(Instant::now() + GRACE));
        loop {
            front.registry.end_resting();
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

/// Listens, unless a socket is `inherited`, tells `on_ready` the address, and serves until SIGTERM or SIGINT; `on_hangup` runs at each SIGHUP.
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
