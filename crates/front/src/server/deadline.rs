//! A socket with a deadline for a whole message, which also holds if the bytes arrive one by one.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::registry::{CloseSignal, Entry};

/// How long the rest of a message may take while another connection waits for the slot: enough for bytes under way.
const HURRY: Duration = Duration::from_millis(20);

/// How long the rest of a message may take if the server closed the idle connection while the message was under way.
const CROSSED: Duration = Duration::from_secs(5);

/// The interval at which the closed socket is read again for such a message.
const LOOK: Duration = Duration::from_millis(2);

/// A socket with a deadline.
pub struct DeadlineStream {
    stream: Arc<TcpStream>,
    close_signal: Arc<CloseSignal>,
    until: Instant,
    /// When the message that is being read began.
    message: Option<Instant>,
    hurried: bool,
    crossed: bool,
}

impl DeadlineStream {
    /// The socket of a connection, with a time limit from now.
    pub fn new(entry: &Entry, most: Duration) -> Self {
        Self {
            stream: Arc::clone(entry.stream()),
            close_signal: Arc::clone(entry.close_signal()),
            until: Instant::now() + most,
            message: None,
            hurried: false,
            crossed: false,
        }
    }

    /// Sets a new time limit from now.
    pub fn begin(&mut self, most: Duration) {
        self.until = Instant::now() + most;
        self.message = None;
    }

    /// Sets a new time limit from now for a message that has begun.
    pub fn begin_message(&mut self, most: Duration) {
        self.begin(most);
        self.message = Some(Instant::now());
    }

    /// The remaining time, which is never `None`: the system would wait forever.
    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }

    fn shorten(&mut self, most: Duration) {
        self.until = self.until.min(Instant::now() + most);
    }
}

impl Read for DeadlineStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.message.is_some() && !self.hurried && self.close_signal.is_hurried() {
                self.hurried = true;
                self.shorten(HURRY);
            }
            self.stream.set_read_timeout(self.left()?)?;
            match in_time((&*self.stream).read(buffer)) {
                // A signal interrupts a read with a time-out, even with SA_RESTART.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // This end of the stream is from our shutdown and not from the client: wait for bytes under way.
                Ok(0) if self.message.is_some() && self.close_signal.is_closed() && !buffer.is_empty() => {
                    if self.close_signal.is_hurried()
                        && self.message.is_some_and(|begun| begun.elapsed() > HURRY)
                    {
                        return Err(ErrorKind::TimedOut.into());
                    }
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

impl Write for DeadlineStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        in_time((&*self.stream).write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Converts the system's error for a time-out (`WouldBlock`) to `TimedOut`.
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
    fn a_message_under_way_while_the_connection_is_closed_is_read() {
        let (mut client, entry, registry) = pair();
        entry.set(State::Idle);
        registry.close_idle();
        client.write_all(b"one ").unwrap();
        let mut source = BufReader::new(DeadlineStream::new(&entry, Duration::from_secs(30)));
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
    fn a_slow_message_times_out_when_its_slot_is_needed() {
        let (mut client, entry, registry) = pair();
        entry.set(State::Reading);
        thread::sleep(Duration::from_millis(150));
        registry.make_room();
        let sender = thread::spawn(move || {
            while client.write_all(b"x").is_ok() {
                thread::sleep(Duration::from_millis(10));
            }
        });
        let mut source = DeadlineStream::new(&entry, Duration::from_secs(30));
        source.begin_message(Duration::from_secs(30));
        let begun = Instant::now();
        let error = io::copy(&mut source, &mut io::sink()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(begun.elapsed() < Duration::from_secs(10));
        drop((source, entry, registry));
        sender.join().unwrap();
    }
}
