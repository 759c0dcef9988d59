//! A socket with a time by which what is read or written must be over, however slowly bytes trickle.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::registry::{Door, Entry};

/// How long the rest of a message may take when somebody else waits for the place: enough for one that was on its way.
const HURRY: Duration = Duration::from_millis(20);

/// How long it may take when we have closed the connection while it rested, and the message crossed that.
const CROSSED: Duration = Duration::from_secs(5);

/// How often is looked for more then.
const LOOK: Duration = Duration::from_millis(2);

/// A socket, and the time that is left.
pub struct Timed {
    stream: Arc<TcpStream>,
    door: Arc<Door>,
    until: Instant,
    /// Whether a message has begun, which is to be read to its end.
    message: bool,
    hurried: bool,
    crossed: bool,
}

impl Timed {
    /// The socket of a connection, with a time for what is next.
    pub fn new(entry: &Entry, most: Duration) -> Self {
        Self {
            stream: Arc::clone(entry.stream()),
            door: Arc::clone(entry.door()),
            until: Instant::now() + most,
            message: false,
            hurried: false,
            crossed: false,
        }
    }

    /// From here on there is this time.
    pub fn begin(&mut self, most: Duration) {
        self.until = Instant::now() + most;
        self.message = false;
    }

    /// From here on there is this time for a message that has begun.
    pub fn begin_message(&mut self, most: Duration) {
        self.begin(most);
        self.message = true;
    }

    /// What is left of the time: some, as the system would take none for all the time in the world.
    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }

    fn shorten(&mut self, most: Duration) {
        self.until = self.until.min(Instant::now() + most);
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.message && !self.hurried && self.door.hurried() {
                self.hurried = true;
                self.shorten(HURRY);
            }
            self.stream.set_read_timeout(self.left()?)?;
            match in_time((&*self.stream).read(buffer)) {
                // A signal ends a read that has a time-out even if its handler asks to go on.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Not the client's end.
                Ok(0) if self.message && self.door.closed() && !buffer.is_empty() => {
                    if !self.crossed {
                        self.crossed = true;
                        self.shorten(CROSSED);
                    }
                    thread::sleep(LOOK);
                }
                other => return other,
            }
        }
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        in_time((&*self.stream).write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The system has another word for it.
fn in_time(done: io::Result<usize>) -> io::Result<usize> {
    match done {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Err(ErrorKind::TimedOut.into()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;

    use super::super::registry::{Registry, State};
    use super::*;

    fn pair() -> (TcpStream, Entry, Arc<Registry>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let registry = Arc::<Registry>::default();
        let entry = registry.enter(listener.accept().unwrap().0);
        (client, entry, registry)
    }

    #[test]
    fn a_message_that_crosses_our_end_is_read_to_its_own() {
        let (mut client, entry, registry) = pair();
        entry.set(State::Rests);
        registry.end_resting();
        client.write_all(b"one ").unwrap();
        let mut source = BufReader::new(Timed::new(&entry, Duration::from_secs(30)));
        assert_eq!(source.fill_buf().unwrap(), b"one ");
        source.get_mut().begin_message(Duration::from_secs(30));
        let sender = thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            client.write_all(b"two\n").unwrap();
        });
        let mut line = String::new();
        source.read_line(&mut line).unwrap();
        assert_eq!(line, "one two\n");
        source.get_mut().begin(Duration::from_secs(30));
        assert_eq!(source.fill_buf().unwrap(), b"");
        sender.join().unwrap();
    }

    #[test]
    fn whoever_trickles_is_hurried_when_the_place_is_wanted() {
        let (mut client, entry, registry) = pair();
        entry.set(State::Arrives);
        thread::sleep(Duration::from_millis(150));
        registry.make_room();
        let sender = thread::spawn(move || {
            while client.write_all(b"x").is_ok() {
                thread::sleep(Duration::from_millis(10));
            }
        });
        let mut source = Timed::new(&entry, Duration::from_secs(30));
        source.begin_message(Duration::from_secs(30));
        let begun = Instant::now();
        let error = io::copy(&mut source, &mut io::sink()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(begun.elapsed() < Duration::from_secs(10));
        drop((source, entry, registry));
        sender.join().unwrap();
    }
}
