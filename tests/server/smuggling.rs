//! Requests that two servers might parse differently: each is refused or parsed as RFC 9112 says, so that bytes hidden in
//! its body or after its end are never served as another client's request.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use front::http::{Call, Reply};
use front::server::Server;
use serde_json::{Value, json};

use crate::client::{Client, Ending, settings};
use crate::daemon::connect;
use crate::haproxy::Haproxy;
use crate::poisons::POISONS;

/// A server that answers each request with its path, and records the paths.
struct Node {
    address: SocketAddr,
    paths: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
}

impl Node {
    fn start() -> Self {
        let paths = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&paths);
        let service = move |call: &Call| {
            kept.lock().unwrap().push(call.path.clone());
            Ok(Reply::json(200, &json!({ "path": call.path })))
        };
        let server = Server::bind(settings(), service).unwrap();
        let (address, stop) = (server.local_addr(), Arc::new(AtomicBool::new(false)));
        let flag = Arc::clone(&stop);
        thread::spawn(move || server.run(flag));
        Self { address, paths, stop }
    }

    /// The requests that were served for one poison, in order.
    fn served(&self, id: &str) -> String {
        let paths = self.paths.lock().unwrap();
        paths.iter().filter_map(|path| path.strip_prefix(&format!("/{id}/"))).map(letter).collect()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

/// P for the poison, S for what is smuggled, A for what comes after.
fn letter(name: &str) -> char {
    name.chars().next().unwrap().to_ascii_uppercase()
}

/// What is sent: the poison, and on the same connection a request that comes after it.
fn bytes(method: &str, id: &str, poison: &str) -> Vec<u8> {
    let smuggled = format!("GET /{id}/smuggled HTTP/1.1\r\nHost: x\r\n\r\n");
    let length = smuggled.len();
    let text = poison
        .replace("<start>", "<method> /<id>/poison HTTP/1.1\r\nHost: x\r\n")
        .replace("<method>", method)
        .replace("<id>", id)
        .replace("<length>", &length.to_string())
        .replace("<length+5>", &(length + 5).to_string())
        .replace("<hex>", &format!("{length:x}"))
        .replace("<long>", &"a".repeat(70_000))
        .replace("<many>", &"X: y\r\n".repeat(200))
        .replace("<smuggled>", &smuggled);
    (text + &format!("GET /{id}/after HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).into_bytes()
}

/// All the answers on one connection: a letter for each, and R for a refusal.
fn answers(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    // A server that refuses a request need not read the rest of it.
    let _ = stream.write_all(bytes);
    let mut all = Vec::new();
    // The server may wait for more bytes: there are none.
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    if stream.read_to_end(&mut all).is_err() {
        let _ = stream.shutdown(Shutdown::Write);
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let _ = stream.read_to_end(&mut all);
    }
    let mut all = &all[..];
    let mut letters = String::new();
    while !all.is_empty() {
        let end = all.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no answer: {all:?}")) + 4;
        let head = String::from_utf8(all[..end].to_vec()).unwrap().to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        let body = &all[end..end + length];
        all = &all[end + length..];
        if head.starts_with("http/1.1 200") {
            let body: Value = serde_json::from_slice(body).unwrap();
            letters.push(letter(body["path"].as_str().unwrap().rsplit('/').next().unwrap()));
        } else if !head.starts_with("http/1.1 100") {
            let code: u16 = head[9..12].parse().unwrap();
            assert!((400..500).contains(&code), "{head}");
            letters.push('R');
        }
    }
    letters
}

#[test]
fn each_poison_is_refused_or_parsed_correctly() {
    let node = Node::start();
    let mut wrong = Vec::new();
    for (nth, (name, expected, poison)) in POISONS.iter().enumerate() {
        for method in ["GET", "POST"] {
            let id = format!("{method}{nth}");
            let got = answers(node.address, &bytes(method, &id, poison));
            assert_eq!(node.served(&id), got.replace('R', ""), "{method} {name}");
            if got != *expected {
                wrong.push(format!("{method} {name}: {got} instead of {expected}"));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn behind_haproxy_each_client_gets_its_own_answers() {
    let node = Node::start();
    let haproxy = Haproxy::start([node.address, node.address]);
    let stop = AtomicBool::new(false);
    let asked = AtomicUsize::new(0);
    // On connections that are kept here, and shared between HAProxy and the node.
    let ask = |others: &mut Client| {
        let path = format!("/others/{}", asked.fetch_add(1, Ordering::SeqCst));
        let answer = others.ask(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert_eq!((answer.code(), answer.json()["path"].as_str()), (200, Some(path.as_str())));
    };
    thread::scope(|scope| {
        let ending = Ending(&stop);
        let background: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut others = connect(haproxy.address);
                    while !stop.load(Ordering::SeqCst) {
                        ask(&mut others);
                    }
                })
            })
            .collect();
        let mut others = [(); 2].map(|()| connect(haproxy.address));
        for (nth, (name, _, poison)) in POISONS.iter().enumerate() {
            for method in ["GET", "POST"] {
                let id = format!("{method}{nth}");
                let got = answers(haproxy.address, &bytes(method, &id, poison));
                println!("{name}: {got}");
                others.iter_mut().for_each(ask);
                others.iter_mut().for_each(ask);
                // This client got an answer to each request that was served, in order.
                assert_eq!(node.served(&id), got.replace('R', ""), "{method} {name}");
            }
        }
        drop(ending);
        background.into_iter().for_each(|thread| thread.join().unwrap());
    });
    let paths = node.paths.lock().unwrap();
    let own = paths.iter().filter(|path| path.starts_with("/others/")).count();
    assert_eq!(own, asked.load(Ordering::SeqCst), "nothing was served twice");
}
