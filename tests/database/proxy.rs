//! A TCP proxy between the service and its database, which can be closed, and can cut a connection at a given statement.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A port in front of a server.
pub struct Proxy {
    server: String,
    address: SocketAddr,
    running: Option<Running>,
    scissors: Arc<Mutex<Option<Scissors>>>,
}

/// Which connection the proxy cuts, and when.
#[derive(Clone)]
pub enum Scissors {
    /// The connection that sends these bytes; the server never gets them.
    BeforeIt(Vec<u8>),
    /// The connection that sends these bytes; the server gets them, and its answer is lost.
    AfterIt(Vec<u8>),
}

struct Running {
    stop: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
    accept: JoinHandle<()>,
}

impl Proxy {
    /// A closed proxy, which refuses connections, to the server of this URL.
    pub fn closed(url: &str) -> Self {
        let url = url::Url::parse(url).unwrap();
        let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        Self { server, address, running: None, scissors: Arc::default() }
    }

    /// The URL with the proxy's address.
    pub fn url(&self, url: &str) -> String {
        let mut url = url::Url::parse(url).unwrap();
        url.set_port(Some(self.address.port())).unwrap();
        url.to_string()
    }

    /// Cuts the next connection that matches.
    pub fn cut(&self, scissors: Scissors) {
        *self.scissors.lock().unwrap() = Some(scissors);
    }

    /// Whether it has cut a connection since.
    pub fn has_cut(&self) -> bool {
        self.scissors.lock().unwrap().is_none()
    }

    /// Lets connections through.
    pub fn open(&mut self) {
        let listener = TcpListener::bind(self.address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let (stop, streams) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (server, stopped, kept) = (self.server.clone(), Arc::clone(&stop), Arc::clone(&streams));
        let scissors = Arc::clone(&self.scissors);
        let accept = thread::spawn(move || {
            while !stopped.load(Ordering::SeqCst) {
                let Ok((client, _)) = listener.accept() else {
                    thread::sleep(Duration::from_millis(2));
                    continue;
                };
                client.set_nonblocking(false).unwrap();
                let server = TcpStream::connect(&server).unwrap();
                let (asks, answers) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let (asked, answered) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                let (scissors, is_cut) = (Arc::clone(&scissors), Arc::new(AtomicBool::new(false)));
                let is_lost = Arc::clone(&is_cut);
                thread::spawn(move || pump(asks, asked, |bytes| arrives(&scissors, bytes, &is_lost)));
                thread::spawn(move || pump(answers, answered, |_| !is_cut.load(Ordering::SeqCst)));
                kept.lock().unwrap().extend([client, server]);
            }
        });
        self.running = Some(Running { stop, streams, accept });
    }

    /// Ends open connections, and refuses new ones.
    pub fn close(&mut self) {
        let Some(running) = self.running.take() else { return };
        running.stop.store(true, Ordering::SeqCst);
        running.accept.join().unwrap();
        for stream in running.streams.lock().unwrap().iter() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.close();
    }
}

/// Whether these bytes may pass to the server. Takes the scissors if they match.
fn arrives(scissors: &Mutex<Option<Scissors>>, bytes: &[u8], answer_is_lost: &AtomicBool) -> bool {
    let mut scissors = scissors.lock().unwrap();
    let (Some(Scissors::BeforeIt(mark)) | Some(Scissors::AfterIt(mark))) = &*scissors else { return true };
    if !bytes.windows(mark.len()).any(|some| some == mark) {
        return true;
    }
    let is_sent = matches!(scissors.take(), Some(Scissors::AfterIt(_)));
    answer_is_lost.store(is_sent, Ordering::SeqCst);
    is_sent
}

/// Copies bytes until the stream ends or `passes` returns false.
fn pump(mut from: TcpStream, mut to: TcpStream, passes: impl Fn(&[u8]) -> bool) {
    let mut buffer = [0; 4096];
    while let Ok(count) = from.read(&mut buffer) {
        if count > 0 && !passes(&buffer[..count]) {
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
            return;
        }
        if count == 0 || to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
