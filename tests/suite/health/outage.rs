//! A database server that hangs or drops connections. The test reaches it through a proxy that it can stall or cut.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use freezer_api::store::engine::url::DatabaseUrl;
use front::server;
use serde_json::json;

use super::{ask, detailed};
use crate::api;

#[cfg(feature = "mysql")]
#[test]
fn mysql() {
    a_hanging_database_is_reported_and_queried_once("FREEZER_TEST_MYSQL_URL", 3306);
}

#[cfg(feature = "postgres")]
#[test]
fn postgres() {
    a_hanging_database_is_reported_and_queried_once("FREEZER_TEST_POSTGRES_URL", 5432);
}

fn a_hanging_database_is_reported_and_queried_once(variable: &str, port: u16) {
    let url = std::env::var(variable).unwrap_or_else(|_| panic!("run scripts/test, or set {variable}"));
    let mut url = url::Url::parse(&url).unwrap();
    let host = url.host_str().unwrap_or("127.0.0.1");
    let proxy = Proxy::to((host, url.port().unwrap_or(port)).to_socket_addrs().unwrap().next().unwrap());
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(proxy.address.port())).unwrap();
    let database = DatabaseUrl::parse(url.as_str()).unwrap();
    let address = api::serve(api::app(&database, detailed()), server::Settings::default(), Arc::default());
    let healthy = || ask(address, "/healthcheck").0 == 200;

    let recovers = || {
        let begun = Instant::now();
        while !healthy() {
            assert!(begun.elapsed() < Duration::from_secs(60), "the health check does not recover");
            thread::sleep(Duration::from_millis(50));
        }
    };

    assert!(healthy());
    // Cut idle connections are no outage. A connection that is cut while it is being opened is a short one, which
    // may happen on a busy machine.
    let goes_unnoticed = || {
        proxy.cut();
        let at_once = healthy();
        recovers();
        at_once
    };
    assert!((0..5).any(|_| goes_unnoticed()));

    let before = proxy.connections();
    proxy.held.store(true, Ordering::SeqCst);
    let (status, said) = ask(address, "/healthcheck");
    assert_eq!((status, &said["reasons"][1]["reason"]), (503, &json!("DATABASE UNAVAILABLE")));
    let begun = Instant::now();
    for _ in 0..50 {
        assert!(!healthy());
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "further requests do not wait for the pending check");
    assert_eq!(proxy.connections(), before, "further requests open no connection");

    proxy.held.store(false, Ordering::SeqCst);
    recovers();
}

/// A TCP proxy before a database server.
struct Proxy {
    address: SocketAddr,
    /// Whether the proxy stalls, and passes no bytes on.
    held: Arc<AtomicBool>,
    made: Arc<AtomicUsize>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            held: Arc::default(),
            made: Arc::default(),
            open: Arc::default(),
        };
        let (held, made, open) = (Arc::clone(&proxy.held), Arc::clone(&proxy.made), Arc::clone(&proxy.open));
        thread::spawn(move || {
            for near in listener.incoming() {
                let (near, far) = (near.unwrap(), TcpStream::connect(server).unwrap());
                made.fetch_add(1, Ordering::SeqCst);
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (from, to, held) =
                        (from.try_clone().unwrap(), to.try_clone().unwrap(), Arc::clone(&held));
                    thread::spawn(move || pass(from, to, &held));
                }
                open.lock().unwrap().extend([near, far]);
            }
        });
        proxy
    }

    /// Cuts all connections.
    fn cut(&self) {
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// The number of connections that were ever opened.
    fn connections(&self) -> usize {
        self.made.load(Ordering::SeqCst)
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, held: &AtomicBool) {
    let mut bytes = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut bytes) {
        while held.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(5));
        }
        if to.write_all(&bytes[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
