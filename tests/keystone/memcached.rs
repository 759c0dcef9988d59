//! A memcached for one test: `get` and `set` of its text protocol.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What becomes of what is said to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Answer,
    Hang,
    HangUp,
    Garbage,
    /// It has no memory left.
    Full,
    /// One byte now and then, which never comes to a line.
    Trickle,
}

/// What it holds, and what it was asked.
#[derive(Default)]
pub struct Memory {
    /// Name to value, and for how many seconds.
    pub entries: Mutex<HashMap<String, (Vec<u8>, u64)>>,
    pub gets: AtomicUsize,
    pub sets: AtomicUsize,
    pub connections: AtomicUsize,
    mode: Mutex<Option<Mode>>,
    changed: Condvar,
}

/// A running one.
pub struct Memcached {
    pub address: SocketAddr,
    pub memory: Arc<Memory>,
    stop: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
    accept: Option<thread::JoinHandle<()>>,
}

impl Memcached {
    pub fn start() -> Self {
        Self::start_on(0, None)
    }

    pub fn start_tls(config: Arc<ServerConfig>) -> Self {
        Self::start_on(0, Some(config))
    }

    /// An empty one at the same place.
    pub fn restart(address: SocketAddr) -> Self {
        Self::start_on(address.port(), None)
    }

    fn start_on(port: u16, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let address = listener.local_addr().unwrap();
        let memory = Arc::new(Memory::default());
        let stop = Arc::new(AtomicBool::new(false));
        let open = Arc::new(Mutex::new(Vec::new()));
        let (state, flag, connections) = (Arc::clone(&memory), Arc::clone(&stop), Arc::clone(&open));
        let accept = thread::spawn(move || {
            for stream in listener.incoming() {
                if flag.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                state.connections.fetch_add(1, Ordering::SeqCst);
                let handle = stream.try_clone().unwrap();
                connections.lock().unwrap().push(stream.try_clone().unwrap());
                let (state, tls) = (Arc::clone(&state), tls.clone());
                thread::spawn(move || {
                    let _ = match tls {
                        None => state.serve(stream),
                        Some(config) => {
                            state.serve(StreamOwned::new(ServerConnection::new(config).unwrap(), stream))
                        }
                    };
                    // The other handles keep it open.
                    let _ = handle.shutdown(Shutdown::Both);
                });
            }
        });
        Self { address, memory, stop, open, accept: Some(accept) }
    }

    /// Ends every connection that there is.
    pub fn hang_up(&self) {
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Memcached {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.memory.set(Mode::HangUp);
        let _ = TcpStream::connect(self.address);
        self.accept.take().unwrap().join().unwrap();
        self.hang_up();
    }
}

impl Memory {
    pub fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = Some(mode);
        self.changed.notify_all();
    }

    pub fn gets(&self) -> usize {
        self.gets.load(Ordering::SeqCst)
    }

    pub fn sets(&self) -> usize {
        self.sets.load(Ordering::SeqCst)
    }

    /// What was asked of it.
    pub fn asked(&self) -> usize {
        self.gets() + self.sets()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The one entry that there is: name, value, seconds.
    pub fn entry(&self) -> (String, Vec<u8>, u64) {
        let entries = self.entries.lock().unwrap();
        assert_eq!(entries.len(), 1);
        let (name, (value, seconds)) = entries.iter().next().unwrap();
        (name.clone(), value.clone(), *seconds)
    }

    pub fn put(&self, name: &str, value: Vec<u8>) {
        self.entries.lock().unwrap().insert(name.to_owned(), (value, 60));
    }

    fn serve(&self, stream: impl Read + Write) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let words: Vec<_> = line.trim_end().split(' ').collect();
            let answer = match words.as_slice() {
                ["get", name] => {
                    self.gets.fetch_add(1, Ordering::SeqCst);
                    let mut answer = Vec::new();
                    if let Some((value, _)) = self.entries.lock().unwrap().get(*name) {
                        answer.extend(format!("VALUE {name} 0 {}\r\n", value.len()).into_bytes());
                        answer.extend(value);
                        answer.extend(b"\r\n");
                    }
                    answer.extend(b"END\r\n");
                    answer
                }
                ["set", name, "0", seconds, length] => {
                    self.sets.fetch_add(1, Ordering::SeqCst);
                    let mut value = vec![0; length.parse::<usize>().unwrap() + 2];
                    stream.read_exact(&mut value)?;
                    value.truncate(value.len() - 2);
                    if !matches!(self.mode(), Mode::Full) {
                        let entry = (value, seconds.parse().unwrap());
                        self.entries.lock().unwrap().insert((*name).to_owned(), entry);
                    }
                    b"STORED\r\n".to_vec()
                }
                other => panic!("{other:?}"),
            };
            match self.mode() {
                Mode::Answer => stream.get_mut().write_all(&answer)?,
                Mode::Hang => {
                    let mode = self.mode.lock().unwrap();
                    drop(self.changed.wait_while(mode, |mode| *mode == Some(Mode::Hang)).unwrap());
                    return Ok(());
                }
                Mode::HangUp => return Ok(()),
                Mode::Garbage => stream.get_mut().write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")?,
                Mode::Full => stream.get_mut().write_all(b"SERVER_ERROR out of memory\r\n")?,
                Mode::Trickle => {
                    while self.mode() == Mode::Trickle {
                        stream.get_mut().write_all(b"x")?;
                        thread::sleep(std::time::Duration::from_millis(50));
                    }
                    return Ok(());
                }
            }
            stream.get_mut().flush()?;
        }
    }

    fn mode(&self) -> Mode {
        self.mode.lock().unwrap().unwrap_or(Mode::Answer)
    }
}
