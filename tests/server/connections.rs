//! Many concurrent connections.

use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use front::http::{Call, Reply};
use front::server::{Server, Settings};

use crate::client::{Client, settings, start, start_with};

#[test]
fn connections_made_at_once_all_get_their_answers() {
    let rounds: usize = std::env::var("ROUNDS").ok().and_then(|r| r.parse().ok()).unwrap_or(25);
    let mut worst = Duration::ZERO;
    for _ in 0..rounds {
        let server = start();
        let begun = Instant::now();
        let mut clients: Vec<_> = (0..40)
            .map(|_| {
                let mut client = server.connect();
                client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
                client
            })
            .collect();
        for client in &mut clients {
            assert_eq!(client.answer().code(), 200);
        }
        worst = worst.max(begun.elapsed());
    }
    println!("slowest of {rounds} rounds: {worst:?}");
    assert!(worst < Duration::from_secs(2));
}

#[test]
fn slow_clients_keep_no_worker_busy() {
    let server = start_with(Settings { workers: 2, ..settings() });
    let mut slow: Vec<_> = (0..50)
        .map(|_| {
            let mut client = server.connect();
            client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n{");
            client
        })
        .collect();
    assert_eq!(server.ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").code(), 200);
    slow[0].send(format!("{:4998}}}", ""));
    assert_eq!(slow[0].answer().code(), 200);
}

#[test]
fn no_more_requests_are_served_at_once_than_there_are_workers() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (n, m) = (Arc::clone(&now), Arc::clone(&most));
    let server = Server::bind(Settings { workers: 3, ..settings() }, move |_: &Call| {
        m.fetch_max(n.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(20));
        n.fetch_sub(1, Ordering::SeqCst);
        Ok(Reply::empty(204))
    })
    .unwrap();
    let address = server.local_addr();
    thread::spawn(move || server.run(Arc::new(AtomicBool::new(false))));
    let clients = (0..12).map(|_| {
        thread::spawn(move || {
            let mut client = Client(BufReader::new(TcpStream::connect(address).unwrap()));
            assert_eq!(client.ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").code(), 204);
        })
    });
    clients.collect::<Vec<_>>().into_iter().for_each(|client| client.join().unwrap());
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[test]
fn an_idle_connection_makes_room_for_a_new_one() {
    let server = start_with(Settings { max_connections: 4, ..settings() });
    let mut clients: Vec<_> = (0..4).map(|_| server.connect()).collect();
    for client in &mut clients {
        assert_eq!(client.ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").code(), 200);
    }
    thread::sleep(Duration::from_millis(300));
    let mut new = server.connect();
    assert_eq!(new.ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").code(), 200);
    let ended = clients.iter_mut().filter_map(|client| {
        client.0.get_ref().set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        client.at_end().then_some(())
    });
    assert_eq!(ended.count(), 1);
    assert_eq!(new.ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").code(), 200);
}

#[test]
fn clients_that_never_read_block_no_others() {
    const PLACES: usize = 12;
    let settings = Settings { workers: 2, max_connections: PLACES, ..settings() };
    // More bytes than the system's socket buffers hold.
    let server = Server::bind(settings, |call: &Call| {
        Ok(Reply::text(200, &"x".repeat(if call.path == "/list" { 16_000_000 } else { 1 })))
    })
    .unwrap();
    let address = server.local_addr();
    thread::spawn(move || server.run(Arc::new(AtomicBool::new(false))));
    let ask = |path: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).unwrap();
        // The answer has begun.
        assert_eq!(stream.peek(&mut [0]).unwrap(), 1);
        stream
    };
    // First all workers are busy, then all connection slots are taken as well, which are reused in turn.
    let idle: Vec<_> = (0..PLACES - 1).map(|_| ask("/list")).collect();
    let slowest = |clients: usize| {
        let times = (0..clients).map(|_| {
            let begun = Instant::now();
            ask("/");
            begun.elapsed()
        });
        times.max().unwrap()
    };
    assert!((0..3).any(|_| slowest(5) < Duration::from_secs(1)));
    let more: Vec<_> = (0..2 * PLACES).map(|_| ask("/list")).collect();
    assert!((0..3).any(|_| slowest(5) < Duration::from_secs(1)));
    drop((idle, more));
}
