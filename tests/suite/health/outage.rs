//! A database server that hangs, or drops connections: reached over a line that the test can hold or cut.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use freezer_api::server;
use freezer_api::store::url::DatabaseUrl;
use serde_json::json;

use super::{ask, detailed};
use crate::api;

#[cfg(feature = "mysql")]
#[test]
fn mysql() {
    a_database_that_hangs_is_noticed_and_asked_once("FREEZER_TEST_MYSQL_URL", 3306);
}

#[cfg(feature = "postgres")]
#[test]
fn postgres() {
    a_database_that_hangs_is_noticed_and_asked_once("FREEZER_TEST_POSTGRES_URL", 5432);
}

fn a_database_that_hangs_is_noticed_and_asked_once(variable: &str, port: u16) {
    let url = std::env::var(variable).unwrap_or_else(|_| panic!("run scripts/test, or set {variable}"));
    let mut url = url::Url::parse(&url).unwrap();
    let host = url.host_str().unwrap_or("127.0.0.1");
    let line = Line::to((host, url.port().unwrap_or(port)).to_socket_addrs().unwrap().next().unwrap());
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(line.address.port())).unwrap();
    let database = DatabaseUrl::parse(url.as_str()).unwrap();
    let address = api::serve(api::app(&database, detailed()), server::Settings::default(), Arc::default());
    let healthy = || ask(address, "/healthcheck").0 == 200;

    let recovers = || {
        let begun = Instant::now();
        while !healthy() {
            assert!(begun.elapsed() < Duration::from_secs(60), "it has come back");
            thread::sleep(Duration::from_millis(50));
        }
    };

    assert!(healthy());
    // Connections that rested too long are no outage. A line that is cut while one is being opened is, for a moment:
    // on a busy machine that may happen.
    let goes_unnoticed = || {
        line.cut();
        let at_once = healthy();
        recovers();
        at_once
    };
    assert!((0..5).any(|_| goes_unnoticed()));

    let before = line.connections();
    line.held.store(true, Ordering::SeqCst);
    let (status, said) = ask(address, "/healthcheck");
    assert_eq!((status, &said["reasons"][1]["reason"]), (503, &json!("DATABASE UNAVAILABLE")));
    let begun = Instant::now();
    for _ in 0..50 {
        assert!(!healthy());
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "nobody waits for an answer that is being waited for");
    assert_eq!(line.connections(), before, "nobody asks again");

    line.held.store(false, Ordering::SeqCst);
    recovers();
}

/// A line to a database server.
struct Line {
    address: SocketAddr,
    /// Whether bytes stay where they are.
    held: Arc<AtomicBool>,
    made: Arc<AtomicUsize>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Line {
    fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let line = Self {
            address: listener.local_addr().unwrap(),
            held: Arc::default(),
            made: Arc::default(),
            open: Arc::default(),
        };
        let (held, made, open) = (Arc::clone(&line.held), Arc::clone(&line.made), Arc::clone(&line.open));
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
        line
    }

    /// Ends all connections there are.
    fn cut(&self) {
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// How many connections have ever been made.
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
