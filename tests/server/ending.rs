//! The graceful stop.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use front::server::Settings;

use crate::client::{Client, settings, start, start_with};

#[test]
fn requests_in_flight_are_finished() {
    let server = start();
    let address = server.address;
    let mut resting = server.connect();
    resting.ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let mut slow: Vec<_> = (0..40).map(|_| server.connect()).collect();
    slow.iter_mut().for_each(|client| client.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    let mut half = server.connect();
    half.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{");
    // A connection that the server may not have accepted yet.
    let mut late = server.connect();
    late.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let begun = Instant::now();
    let stopping = thread::spawn(move || server.stop());
    thread::sleep(Duration::from_millis(300));
    assert!(TcpStream::connect(address).is_err(), "the port is closed");
    half.send("}");
    for client in slow.iter_mut().chain([&mut half, &mut late]) {
        client.0.get_ref().set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let answer = client.answer();
        assert_eq!(answer.code(), 200);
        assert!(client.at_end());
    }
    assert!(resting.at_end());
    drop((slow, half, late, resting));
    stopping.join().unwrap();
    // 40 requests of half a second on 16 workers.
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn busy_clients_do_not_delay_the_stop() {
    let server = start();
    let address = server.address;
    let clients: Vec<_> = (0..8)
        .map(|_| {
            thread::spawn(move || {
                let mut answers = 0;
                while let Ok(stream) = TcpStream::connect(address) {
                    let mut client = Client(BufReader::new(stream));
                    for nth in 0.. {
                        let sent = client.0.get_mut().write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
                        let answered =
                            sent.is_ok() && client.0.fill_buf().is_ok_and(|bytes| !bytes.is_empty());
                        if nth == 0 && !answered {
                            // The kernel accepted this connection just before the port was closed; the server never saw it.
                            return answers;
                        }
                        assert!(answered);
                        let answer = client.answer();
                        answers += 1;
                        if answer.header("Connection") == Some("close") {
                            break;
                        }
                    }
                }
                answers
            })
        })
        .collect();
    thread::sleep(Duration::from_millis(300));
    let begun = Instant::now();
    server.stop();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    // Every request got an answer.
    let answers: usize = clients.into_iter().map(|client| client.join().unwrap()).sum();
    println!("{answers} answers");
}

#[test]
fn a_request_that_does_not_end_is_abandoned() {
    let server = start_with(Settings { drain: Duration::from_millis(400), ..settings() });
    let mut half = server.connect();
    half.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{");
    thread::sleep(Duration::from_millis(50));
    let begun = Instant::now();
    server.stop();
    assert!(begun.elapsed() < Duration::from_secs(1));
}
