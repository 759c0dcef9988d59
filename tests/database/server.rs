//! A server with two routes: one needs the database, and the other does not.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use freezer_api::store::Store;
use front::http::Reply;
use front::server::{Server, Settings};

/// Few, so that waiting requests would soon occupy all of them.
const WORKERS: usize = 2;

/// A running server.
pub struct Front(SocketAddr);

impl Front {
    /// With `GET /data`, which reads from the store, and `GET /healthcheck`.
    pub fn on(store: Store) -> Self {
        let settings = Settings {
            bind_host: "127.0.0.1".to_owned(),
            bind_port: 0,
            workers: WORKERS,
            ..Settings::default()
        };
        let server = Server::bind(settings, move |call| {
            if call.path == "/data" {
                store.read(|_| Ok(()))?;
            }
            Ok(Reply::empty(204))
        })
        .unwrap();
        let address = server.local_addr();
        std::thread::spawn(move || server.run(Arc::new(AtomicBool::new(false))));
        Self(address)
    }

    /// The status of the answer.
    pub fn get(&self, path: &str) -> u16 {
        let mut stream = TcpStream::connect(self.0).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// Sends `count` requests at the same time, and returns their statuses.
    pub fn get_at_once(&self, count: usize, path: &str) -> Vec<u16> {
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..count).map(|_| scope.spawn(|| self.get(path))).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        })
    }
}
