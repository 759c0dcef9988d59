//! The HTTP front, spoken to over plain sockets.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use freezer_api::error::{Error, Result};
use freezer_api::http::{Call, Reply};
use freezer_api::server::{Server, Settings, respond};
use serde_json::{Value, json};

// --- the service behind the front: says what it was asked ---------------------------------------------------------

fn echo(call: &Call) -> Result<Reply> {
    match call.segments.first().map(String::as_str) {
        Some("panic") => panic!("the handler's own words"),
        Some("storage") => Err(Error::storage("table gone")),
        Some("gone") => Ok(Reply::empty(204)),
        Some("large") => Ok(Reply::text(200, &"x".repeat(300_000))),
        Some("split") => Ok(Reply::empty(201).with_header("Location", "/a\r\nX-Evil: 1")),
        Some("slow") => {
            thread::sleep(Duration::from_millis(500));
            Ok(Reply::text(200, "slow"))
        }
        _ => Ok(Reply::json(
            200,
            &json!({
                "method": format!("{:?}", call.method),
                "path": call.path,
                "segments": call.segments,
                "query": call.query,
                "base_url": call.base_url,
                "global": call.global_request_id,
                "body": call.json()?,
            }),
        )),
    }
}

// --- a server and a client ----------------------------------------------------------------------------------------

struct Running {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

fn settings() -> Settings {
    Settings { bind_host: "127.0.0.1".into(), bind_port: 0, ..Settings::default() }
}

fn start() -> Running {
    start_with(settings())
}

fn start_with(settings: Settings) -> Running {
    let server = Server::bind(settings, echo).unwrap();
    let address = server.local_addr();
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    Running { address, stop, thread: Some(thread::spawn(move || server.run(flag))) }
}

impl Running {
    fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        Client(BufReader::new(stream))
    }

    /// One exchange on a connection of its own.
    fn ask(&self, request: impl AsRef<[u8]>) -> Answer {
        self.connect().ask(request)
    }

    fn stop(mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.take().unwrap().join().unwrap().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

struct Client(BufReader<TcpStream>);

impl Client {
    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn answer(&mut self) -> Answer {
        let head: Vec<_> = std::iter::from_fn(|| Some(self.line()).filter(|line| !line.is_empty())).collect();
        let status = head.first().unwrap_or_else(|| panic!("no answer")).clone();
        let mut answer = Answer { status, headers: head[1..].join("\n") + "\n", body: Vec::new() };
        let length = answer.header("Content-Length").map_or(0, |length| length.parse().unwrap());
        if length > 0 && !answer.status.is_empty() {
            answer.body.resize(length, 0);
            self.0.read_exact(&mut answer.body).unwrap();
        }
        answer
    }

    fn ask(&mut self, request: impl AsRef<[u8]>) -> Answer {
        self.send(request);
        self.answer()
    }

    /// Whether the server has ended the connection, with nothing more to say.
    fn at_end(&mut self) -> bool {
        matches!(self.0.read(&mut [0]), Ok(0))
    }
}

#[derive(Debug)]
struct Answer {
    status: String,
    headers: String,
    body: Vec<u8>,
}

impl Answer {
    fn code(&self) -> u16 {
        self.status.split(' ').nth(1).unwrap().parse().unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        let fields = self.headers.lines().filter_map(|line| line.split_once(": "));
        fields.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The request id, which every answer has.
    fn id(&self) -> &str {
        let id = self.header("x-openstack-request-id").unwrap();
        assert!(id.starts_with("req-") && id.len() == 40, "{id}");
        id
    }
}

// --- ordinary requests --------------------------------------------------------------------------------------------

#[test]
fn a_request_is_taken_apart() {
    let answer = start().ask(
        "GET //v2/p%20q///jobs/?limit=1&x=a+b HTTP/1.1\r\nHost: backup.example:9090\r\nContent-Length: 7\r\n\
         X-OpenStack-Request-ID: req-01234567-89ab-cdef-0123-456789abcdef\r\n\r\n{\"a\":1}",
    );
    assert_eq!(answer.status, "HTTP/1.1 200 OK");
    assert_eq!(answer.header("Content-Type"), Some("application/json"));
    assert_eq!(answer.header("Connection"), Some("keep-alive"));
    assert_ne!(answer.id(), "req-01234567-89ab-cdef-0123-456789abcdef");
    assert_eq!(
        answer.json(),
        json!({
            "method": "Get",
            "path": "/v2/p%20q/jobs",
            "segments": ["v2", "p q", "jobs"],
            "query": [["limit", "1"], ["x", "a b"]],
            "base_url": "http://backup.example:9090",
            "global": "req-01234567-89ab-cdef-0123-456789abcdef",
            "body": {"a": 1},
        })
    );
}

#[test]
fn a_connection_serves_many_requests() {
    let server = start();
    let mut client = server.connect();
    let one = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
    let first = client.ask(one).id().to_owned();
    assert_ne!(client.ask(one).id(), first);
    // Two at once are answered in order.
    client.send("GET /1 HTTP/1.1\r\n\r\nPOST /2 HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}");
    assert_eq!(client.answer().json()["path"], "/1");
    assert_eq!(client.answer().json()["path"], "/2");
    let last = client.ask("GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
    assert_eq!((last.code(), last.header("Connection")), (200, Some("close")));
    assert!(client.at_end());
}

#[test]
fn http_1_0_ends_after_one_answer() {
    let server = start();
    let mut client = server.connect();
    let answer = client.ask("GET / HTTP/1.0\r\n\r\n");
    assert_eq!(answer.header("Connection"), Some("close"));
    assert_eq!(answer.json()["base_url"], format!("http://{}", server.address));
    assert!(client.at_end());
    let mut client = server.connect();
    for _ in 0..2 {
        let answer = client.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        assert_eq!(answer.header("Connection"), Some("keep-alive"));
    }
}

#[test]
fn bodies_come_by_length_and_by_chunks() {
    let server = start();
    let mut client = server.connect();
    let chunked =
        "PATCH / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n4\r\n{\"a\"\r\n3\r\n:1}\r\n0\r\n\r\n";
    assert_eq!(client.ask(chunked).json()["body"], json!({"a": 1}));
    let large = format!("\"{}\"", "a".repeat(100_000));
    let request = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{large}", large.len());
    assert_eq!(client.ask(request).json()["body"].as_str().unwrap().len(), 100_000);
    assert_eq!(client.ask("DELETE / HTTP/1.1\r\nContent-Length: 0\r\n\r\n").json()["body"], json!({}));
}

#[test]
fn answers_have_the_length_they_say() {
    let server = start();
    let mut client = server.connect();
    let large = client.ask("GET /large HTTP/1.1\r\n\r\n");
    assert_eq!((large.body.len(), large.header("Transfer-Encoding")), (300_000, None));
    client.send("HEAD /large HTTP/1.1\r\n\r\nGET /gone HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n");
    let head: Vec<_> = std::iter::from_fn(|| Some(client.line()).filter(|line| !line.is_empty())).collect();
    assert!(head.contains(&"Content-Length: 300000".to_owned()), "{head:?}");
    let gone = client.answer();
    assert_eq!((gone.code(), gone.header("Content-Length"), gone.header("Content-Type")), (204, None, None));
    gone.id();
    assert_eq!(client.answer().code(), 200);
}

#[test]
fn a_client_that_asks_first_is_told_to_go_on() {
    let server = start();
    let mut client = server.connect();
    client.send("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(client.line(), "HTTP/1.1 100 Continue");
    assert_eq!(client.line(), "");
    assert_eq!(client.ask("{}").code(), 200);
    let answer = client.ask("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 200000\r\n\r\n");
    assert_eq!((answer.code(), answer.header("Connection")), (413, Some("close")));
}

// --- failures -----------------------------------------------------------------------------------------------------

#[test]
fn a_panic_and_an_outage_are_answered_in_json() {
    let server = start();
    let mut client = server.connect();
    for path in ["/panic", "/storage"] {
        let answer = client.ask(format!("GET {path} HTTP/1.1\r\n\r\n"));
        assert_eq!(answer.code(), 500);
        assert_eq!(
            (&answer.json()["code"], &answer.json()["request_id"]),
            (&json!(500), &json!(answer.id()))
        );
        let text = answer.json().to_string();
        assert!(!text.contains("own words") && !text.contains("table gone"), "{text}");
    }
}

#[test]
fn a_header_cannot_begin_another() {
    let answer = start().ask("GET /split HTTP/1.1\r\n\r\n");
    assert_eq!((answer.header("Location"), answer.header("X-Evil")), (Some("/a??X-Evil: 1"), None));
}

#[test]
fn what_is_no_request_is_refused_in_the_contracts_form() {
    let server = start();
    let long = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "a".repeat(70_000));
    for request in [
        "hello\r\n\r\n",
        "GET /\r\n\r\n",
        "GET / HTTP/2.0\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: abc\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
        &long,
    ] {
        let mut client = server.connect();
        let answer = client.ask(request);
        assert_eq!((answer.code(), answer.header("Connection")), (400, Some("close")), "{request:.60}");
        assert_eq!(
            (&answer.json()["code"], &answer.json()["request_id"]),
            (&json!(400), &json!(answer.id()))
        );
        assert!(client.at_end());
    }
}

#[test]
fn what_is_a_bad_request_leaves_the_connection_open() {
    let server = start();
    let mut client = server.connect();
    for (line, body) in [("/%ff", "{}"), ("/%zz", "{}"), ("/?a=%00", "{}"), ("/", "{"), ("/", "\"\\u0000\"")]
    {
        let length = body.len();
        let answer = client.ask(format!("POST {line} HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{body}"));
        assert_eq!((answer.code(), answer.header("Connection")), (400, Some("keep-alive")), "{line} {body}");
    }
}

#[test]
fn text_beyond_ascii_is_understood() {
    let answer = start().ask("GET /é HTTP/1.1\r\nX-Name: Zoë\r\n\r\n");
    assert_eq!(answer.json()["segments"], json!(["é"]));
}

#[test]
fn a_client_that_stops_in_the_middle_is_told_so() {
    let server = start();
    for request in ["GET / HT", "GET / HTTP/1.1\r\nHost", "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n{}"] {
        let mut client = server.connect();
        client.send(request);
        client.0.get_ref().shutdown(Shutdown::Write).unwrap();
        assert_eq!(client.answer().code(), 400, "{request}");
    }
}

#[test]
fn a_body_that_is_too_large_is_not_read() {
    let server = start();
    for length in
        ["114689", "1000000000000", "1000000000000000", "18446744073709551615", "99999999999999999999999"]
    {
        let mut client = server.connect();
        let answer = client.ask(format!("POST / HTTP/1.1\r\nContent-Length: {length}\r\n\r\n"));
        assert_eq!((answer.code(), answer.header("Connection")), (413, Some("close")), "{length}");
        assert_eq!(answer.json()["title"], "Request Entity Too Large");
        assert!(client.at_end());
    }
    // One that sends all of it before it looks for an answer still finds one.
    let mut client = server.connect();
    let body = vec![b'a'; 8_000_000];
    client.send(format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n", body.len()));
    assert_eq!(client.ask(&body).code(), 413);
}

#[test]
fn chunks_are_cut_at_the_limit() {
    let server = start();
    let mut client = server.connect();
    client.send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    for _ in 0..8 {
        client.send(format!("4000\r\n{}\r\n", "a".repeat(0x4000)));
    }
    let answer = client.answer();
    assert_eq!((answer.code(), answer.header("Connection")), (413, Some("close")));
}

// --- many connections ---------------------------------------------------------------------------------------------

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
                client.send("GET / HTTP/1.1\r\n\r\n");
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
            client.send("POST / HTTP/1.1\r\nContent-Length: 5000\r\n\r\n{");
            client
        })
        .collect();
    assert_eq!(server.ask("GET / HTTP/1.1\r\n\r\n").code(), 200);
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
            assert_eq!(client.ask("GET / HTTP/1.1\r\n\r\n").code(), 204);
        })
    });
    clients.collect::<Vec<_>>().into_iter().for_each(|client| client.join().unwrap());
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[test]
fn a_resting_connection_makes_room_for_a_new_one() {
    let server = start_with(Settings { max_connections: 4, ..settings() });
    let mut clients: Vec<_> = (0..4).map(|_| server.connect()).collect();
    for client in &mut clients {
        assert_eq!(client.ask("GET / HTTP/1.1\r\n\r\n").code(), 200);
    }
    thread::sleep(Duration::from_millis(300));
    let mut new = server.connect();
    assert_eq!(new.ask("GET / HTTP/1.1\r\n\r\n").code(), 200);
    let ended = clients.iter_mut().filter_map(|client| {
        client.0.get_ref().set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        client.at_end().then_some(())
    });
    assert_eq!(ended.count(), 1);
    assert_eq!(new.ask("GET / HTTP/1.1\r\n\r\n").code(), 200);
}

// --- the end ------------------------------------------------------------------------------------------------------

#[test]
fn what_was_begun_is_finished() {
    let server = start();
    let address = server.address;
    let mut resting = server.connect();
    resting.ask("GET / HTTP/1.1\r\n\r\n");
    let mut slow: Vec<_> = (0..40).map(|_| server.connect()).collect();
    slow.iter_mut().for_each(|client| client.send("GET /slow HTTP/1.1\r\n\r\n"));
    let mut half = server.connect();
    half.send("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{");
    // A connection that nobody has accepted yet, perhaps.
    let mut late = server.connect();
    late.send("GET / HTTP/1.1\r\n\r\n");
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
fn busy_clients_do_not_delay_the_end() {
    let server = start();
    let address = server.address;
    let clients: Vec<_> = (0..8)
        .map(|_| {
            thread::spawn(move || {
                let mut answers = 0;
                while let Ok(stream) = TcpStream::connect(address) {
                    let mut client = Client(BufReader::new(stream));
                    for nth in 0.. {
                        let sent = client.0.get_mut().write_all(b"GET / HTTP/1.1\r\n\r\n");
                        let answered =
                            sent.is_ok() && client.0.fill_buf().is_ok_and(|bytes| !bytes.is_empty());
                        if nth == 0 && !answered {
                            // The system made this connection just before the port was closed; we never saw it.
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
    // None of them was left without an answer.
    let answers: usize = clients.into_iter().map(|client| client.join().unwrap()).sum();
    println!("{answers} answers");
}

#[test]
fn what_does_not_end_is_given_up() {
    let server = start_with(Settings { drain: Duration::from_millis(400), ..settings() });
    let mut half = server.connect();
    half.send("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{");
    thread::sleep(Duration::from_millis(50));
    let begun = Instant::now();
    server.stop();
    assert!(begun.elapsed() < Duration::from_secs(1));
}

// --- without a socket ---------------------------------------------------------------------------------------------

#[test]
fn the_closure_answers_without_a_socket() {
    let request = rouille::Request::fake_http("POST", "/v2/", vec![], br#"{"a": 2}"#.to_vec());
    let response = respond(&settings(), &echo, &request);
    assert_eq!(response.status_code, 200);
    assert!(response.headers.iter().any(|(name, _)| name == "x-openstack-request-id"));
    let mut body = String::new();
    response.data.into_reader_and_size().0.read_to_string(&mut body).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["body"], json!({"a": 2}));
}
