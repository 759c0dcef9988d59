//! What is said to a memcached: `get` and `set` of its text protocol, which every version and every proxy knows
//! (memcached's `doc/protocol.txt`).

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};

/// No entry is longer than this, in bytes. A token with a thousand roles has a third of it.
pub const MAX_VALUE: usize = 64 << 10;

/// No line of an answer is longer than this, in bytes.
const MAX_LINE: u64 = 1024;

/// A connection that things are said on, one after the other.
pub struct Connection<S> {
    stream: BufReader<S>,
    /// Whether the last answer was read to its end, so that the next is to what is said next.
    in_step: bool,
}

impl<S: Read + Write> Connection<S> {
    /// Nothing was said yet.
    pub fn new(stream: S) -> Self {
        Self { stream: BufReader::new(stream), in_step: true }
    }

    /// What is under it.
    pub fn stream(&mut self) -> &mut S {
        self.stream.get_mut()
    }

    /// Whether something else can be said.
    pub fn is_in_step(&self) -> bool {
        self.in_step && self.stream.buffer().is_empty()
    }

    /// The value under a name. One that is too long to be ours is none.
    ///
    /// # Errors
    /// No answer came, or it is not a memcached's.
    pub fn get(&mut self, name: &str) -> io::Result<Option<Vec<u8>>> {
        self.say(format!("get {name}\r\n").as_bytes())?;
        let line = self.line()?;
        if line == "END" {
            self.in_step = true;
            return Ok(None);
        }
        // Out of memory: others may have more luck.
        if line.starts_with("SERVER_ERROR") {
            return Ok(None);
        }
        let mut words = line.split(' ');
        let (Some("VALUE"), Some(found), Some(_flags), Some(length)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(strange());
        };
        let length: usize = length.parse().map_err(|_| strange())?;
        if found != name {
            return Err(strange());
        }
        if length > MAX_VALUE {
            return Ok(None);
        }
        let mut value = vec![0; length + 2];
        self.stream.read_exact(&mut value)?;
        if !value.ends_with(b"\r\n") || self.line()? != "END" {
            return Err(strange());
        }
        value.truncate(length);
        self.in_step = true;
        Ok(Some(value))
    }

    /// Puts a value under a name, for so many seconds: from 1 to those of 30 days. Whether it was taken.
    ///
    /// # Errors
    /// No answer came, or it is not a memcached's.
    pub fn set(&mut self, name: &str, seconds: u64, value: &[u8]) -> io::Result<bool> {
        let mut said = format!("set {name} 0 {seconds} {}\r\n", value.len()).into_bytes();
        said.extend_from_slice(value);
        said.extend_from_slice(b"\r\n");
        self.say(&said)?;
        match self.line()?.as_str() {
            "STORED" => {
                self.in_step = true;
                Ok(true)
            }
            // Too large, or out of memory.
            line if line.starts_with("SERVER_ERROR") => Ok(false),
            _ => Err(strange()),
        }
    }

    fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.in_step = false;
        self.stream().write_all(bytes)?;
        self.stream().flush()
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        self.stream.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let line = line.strip_suffix(b"\r\n").ok_or_else(strange)?;
        String::from_utf8(line.to_vec()).map_err(|_| strange())
    }
}

fn strange() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "what it answers is not what memcached answers to `get` and `set`")
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// Says what it is told to, and notes what it hears.
    struct Script {
        says: Cursor<Vec<u8>>,
        heard: Vec<u8>,
    }

    impl Read for Script {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.says.read(buffer)
        }
    }

    impl Write for Script {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.heard.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn connection(says: impl Into<Vec<u8>>) -> Connection<Script> {
        Connection::new(Script { says: Cursor::new(says.into()), heard: Vec::new() })
    }

    #[test]
    fn what_is_said() {
        let mut connection = connection("STORED\r\nVALUE k 0 4\r\na\r\nb\r\nEND\r\nEND\r\n");
        assert!(connection.set("k", 60, b"a\r\nb").unwrap());
        assert_eq!(connection.get("k").unwrap().unwrap(), b"a\r\nb");
        assert_eq!(connection.get("x").unwrap(), None);
        assert!(connection.is_in_step());
        assert_eq!(connection.stream().heard, b"set k 0 60 4\r\na\r\nb\r\nget k\r\nget x\r\n");
    }

    #[test]
    fn a_value_that_cannot_be_ours_is_none_and_ends_the_connection() {
        for says in ["VALUE k 0 65537\r\n".to_owned(), "SERVER_ERROR out of memory\r\n".to_owned()] {
            let mut connection = connection(says);
            assert_eq!(connection.get("k").unwrap(), None);
            assert!(!connection.is_in_step());
        }
        let mut connection = connection("SERVER_ERROR object too large for cache\r\n");
        assert!(!connection.set("k", 60, b"v").unwrap());
        assert!(!connection.is_in_step());
    }

    #[test]
    fn what_no_memcached_says_is_an_error() {
        let long = "x".repeat(2000);
        for says in [
            "",
            "E",
            "END\n",
            "ERROR\r\n",
            "CLIENT_ERROR unauthenticated\r\n",
            "HTTP/1.1 400 Bad Request\r\n\r\n",
            "STORED\r\n",
            "VALUE other 0 1\r\nv\r\nEND\r\n",
            "VALUE k 0\r\n",
            "VALUE k 0 -1\r\nv\r\nEND\r\n",
            "VALUE k 0 99999999999999999999\r\n",
            "VALUE k 0 1\r\nvvvv\r\nEND\r\n",
            "VALUE k 0 2\r\nv\r\nEND\r\n",
            "VALUE k 0 1\r\nv\r\n",
            "VALUE k 0 1\r\nv\r\nVALUE k 0 1\r\nv\r\nEND\r\n",
            &long,
        ] {
            let mut connection = connection(says);
            assert!(connection.get("k").is_err(), "{says}");
            assert!(!connection.is_in_step(), "{says}");
        }
        for says in ["", "NOT_STORED\r\n", "ERROR\r\n", "END\r\n"] {
            assert!(connection(says).set("k", 60, b"v").is_err(), "{says}");
        }
    }

    #[test]
    fn an_answer_that_nobody_asked_for_ends_the_connection() {
        let mut connection = connection("END\r\nEND\r\n");
        assert_eq!(connection.get("k").unwrap(), None);
        assert!(!connection.is_in_step());
    }
}
