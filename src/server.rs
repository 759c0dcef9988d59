//! The daemon's front: listens, hands each request to the service on one of a fixed number of workers, and finishes
//! what was begun when told to stop.

mod edge;
mod probe;
mod signals;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

pub use edge::respond;

use crate::error::Result;
use crate::http::{Call, Reply};

/// How long the loop waits for a request before it looks at the stop flag. With 100 ms it never looked under load.
const POLL: Duration = Duration::from_millis(5);

/// What the front needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address or name to listen on.
    pub bind_host: String,
    /// The port; 0 picks a free one.
    pub bind_port: u16,
    /// How many requests are served at the same time.
    pub workers: usize,
    /// The largest body taken, in bytes; a larger one is a 413.
    pub max_request_body_size: usize,
    /// How long what was begun may take to finish after the signal to stop.
    pub drain: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bind_host: "0.0.0.0".to_owned(),
            bind_port: 9090,
            workers: 16,
            // oslo.middleware's.
            max_request_body_size: 114_688,
            drain: Duration::from_secs(30),
        }
    }
}

impl Settings {
    /// `host:port` for the hrefs of an answer to a request without a `Host`.
    fn authority(&self) -> String {
        match self.bind_host.parse::<IpAddr>() {
            Ok(ip) if ip.is_unspecified() => format!("localhost:{}", self.bind_port),
            Ok(IpAddr::V6(ip)) => format!("[{ip}]:{}", self.bind_port),
            _ => format!("{}:{}", self.bind_host, self.bind_port),
        }
    }
}

type Handler = Box<dyn Fn(&rouille::Request) -> rouille::Response + Send + Sync>;

/// A listening server.
pub struct Server {
    inner: rouille::Server<Handler>,
    drain: Duration,
}

impl Server {
    /// Listens; from here on connections queue up. Errors: the address is unknown, taken or forbidden.
    pub fn bind<F>(settings: Settings, service: F) -> io::Result<Self>
    where
        F: Fn(&Call) -> Result<Reply> + Send + Sync + 'static,
    {
        let (drain, workers) = (settings.drain, settings.workers.max(1));
        let address = (settings.bind_host.clone(), settings.bind_port);
        let handler: Handler = Box::new(move |request| {
            if request.raw_url() == probe::PATH {
                return rouille::Response::empty_204();
            }
            respond(&settings, &service, request)
        });
        let inner = rouille::Server::new(address, handler).map_err(io::Error::other)?.pool_size(workers);
        Ok(Self { inner, drain })
    }

    /// The address that is listened on, with the real port.
    pub fn local_addr(&self) -> SocketAddr {
        self.inner.server_addr()
    }

    /// Serves until `stop` is set, then answers what was begun, and returns when that is done or `drain` is over.
    pub fn run(self, stop: Arc<AtomicBool>) -> io::Result<()> {
        let done = Arc::new(AtomicBool::new(false));
        let (address, drain, probe_done) = (self.local_addr(), self.drain, Arc::clone(&done));
        thread::Builder::new().name("probe".to_owned()).spawn(move || probe::run(address, &probe_done))?;
        while !stop.load(Ordering::Relaxed) {
            self.inner.poll_timeout(POLL);
        }
        let (drained, finished) = mpsc::channel();
        thread::Builder::new().name("drain".to_owned()).spawn(move || {
            self.inner.poll_timeout(Duration::from_millis(100));
            self.inner.join();
            let _ = drained.send(());
        })?;
        if finished.recv_timeout(drain).is_err() {
            log::warn!("stopping with requests unanswered after {} s", drain.as_secs());
        }
        done.store(true, Ordering::Relaxed);
        Ok(())
    }
}

/// Listens, tells `on_ready` the address, and serves until SIGTERM or SIGINT.
pub fn serve<F>(settings: Settings, on_ready: impl FnOnce(SocketAddr), service: F) -> io::Result<()>
where
    F: Fn(&Call) -> Result<Reply> + Send + Sync + 'static,
{
    let server = Server::bind(settings, service)?;
    let stop = Arc::new(AtomicBool::new(false));
    signals::watch(Arc::clone(&stop))?;
    on_ready(server.local_addr());
    server.run(stop)
}
