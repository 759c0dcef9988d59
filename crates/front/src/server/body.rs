//! Reading the body of a request, up to a limit.
//!
//! The chunks are parsed here because the libraries are too lax: `chunked_transfer` accepts `+1` as a size, a size
//! line of any length, and the end of the connection as the end of the body, and `httparse` reads a missing size as
//! 0.

use std::io::{BufRead, Read};

use super::head::Framing;
use super::refusal::Refusal;

/// The maximum length of a chunk's size line, and of all trailers together, in bytes.
const MAX_LINES: u64 = 4096;

/// A body, or the part of it that was read.
#[derive(Debug, PartialEq, Eq)]
pub struct Body {
    /// The bytes. If the body is too large: one byte more than the limit if it is chunked, else none.
    pub bytes: Vec<u8>,
    /// Whether the whole body was read, so that the next request may follow.
    pub whole: bool,
}

/// Reads a body of at most `limit` bytes.
pub fn read(source: &mut impl BufRead, framing: Framing, limit: usize) -> Result<Body, Refusal> {
    let mut bytes = Vec::new();
    match framing {
        Framing::Length(length) if length > limit as u64 => Ok(Body { bytes, whole: false }),
        Framing::Length(length) => {
            read_exactly(source, length, &mut bytes)?;
            Ok(Body { bytes, whole: true })
        }
        Framing::Chunked => loop {
            let size = chunk_size(source)?;
            if size == 0 {
                skip_trailers(source)?;
                return Ok(Body { bytes, whole: true });
            }
            let room = (limit + 1 - bytes.len()) as u64;
            read_exactly(source, size.min(room), &mut bytes)?;
            if bytes.len() > limit {
                return Ok(Body { bytes, whole: false });
            }
            if !line(source)?.is_empty() {
                return Err(Refusal::bad("A chunk is longer than its size says."));
            }
        },
    }
}

fn read_exactly(source: &mut impl BufRead, length: u64, bytes: &mut Vec<u8>) -> Result<(), Refusal> {
    let read = source.take(length).read_to_end(bytes).map_err(|error| Refusal::unread("body", &error))?;
    if (read as u64) < length { Err(Refusal::cut_off("body")) } else { Ok(()) }
}

/// Reads the size of a chunk. Extensions are ignored.
fn chunk_size(source: &mut impl BufRead) -> Result<u64, Refusal> {
    let line = line(source)?;
    // Blanks may stand before an extension (RFC 9112, 7.1.1) and nowhere else.
    let size = line.split(|byte| *byte == b';').next().unwrap_or_default();
    let end = size.iter().rposition(|byte| !matches!(byte, b' ' | b'\t')).map_or(0, |last| last + 1);
    let size = &size[..end];
    let digits = !size.is_empty() && size.iter().all(u8::is_ascii_hexdigit);
    let size =
        std::str::from_utf8(size).ok().filter(|_| digits).and_then(|size| u64::from_str_radix(size, 16).ok());
    size.ok_or(Refusal::bad("The size of a chunk is malformed."))
}

fn skip_trailers(source: &mut impl BufRead) -> Result<(), Refusal> {
    let mut length = 0;
    loop {
        let line = line(source)?;
        length += line.len() as u64;
        if line.is_empty() {
            return Ok(());
        }
        if length > MAX_LINES {
            return Err(Refusal::bad("The trailers of the body are too long."));
        }
        // Trailers are ignored, but a malformed one may be the beginning of a smuggled request.
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        if name.is_empty() || name.len() == line.len() || name.iter().any(|byte| matches!(byte, b' ' | b'\t'))
        {
            return Err(Refusal::bad("A trailer of the body is malformed."));
        }
    }
}

fn line(source: &mut impl BufRead) -> Result<Vec<u8>, Refusal> {
    let mut line = Vec::new();
    let mut source = source.take(MAX_LINES);
    source.read_until(b'\n', &mut line).map_err(|error| Refusal::unread("body", &error))?;
    match line.as_slice() {
        // A bare LF or CR is refused, because servers interpret it differently.
        [rest @ .., b'\r', b'\n'] if !rest.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') => {
            Ok(rest.to_vec())
        }
        [.., b'\n'] => Err(Refusal::bad("A line in the chunked body does not end in CR LF, or is no text.")),
        _ if source.limit() == 0 => Err(Refusal::bad("The size of a chunk is malformed.")),
        _ => Err(Refusal::cut_off("body")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunked(text: &str) -> Result<Body, Refusal> {
        read(&mut text.as_bytes(), Framing::Chunked, 10)
    }

    #[test]
    fn chunks_are_joined() {
        let body = |bytes: &[u8], whole| Body { bytes: bytes.to_vec(), whole };
        assert_eq!(
            chunked("2\r\nab\r\n3;x=y\r\ncde\r\n0\r\nTrailer: x\r\n\r\n").unwrap(),
            body(b"abcde", true)
        );
        assert_eq!(chunked("0a\r\n0123456789\r\n0\r\n\r\n").unwrap(), body(b"0123456789", true));
        assert_eq!(chunked("b\r\n01234567890\r\n0\r\n\r\n").unwrap(), body(b"01234567890", false));
        assert_eq!(chunked("ffffffffffffffff\r\n0123456789abc").unwrap(), body(b"0123456789a", false));
    }

    #[test]
    fn broken_chunks_are_refused() {
        for bad in [
            "",
            "x\r\n",
            "-1\r\n",
            "+1\r\na\r\n0\r\n\r\n",
            "\r\n",
            "2\r\nabc\r\n",
            "2\r\na",
            "2\r\nab\r\n",
            "0\r\n",
            " 2\r\nab\r\n0\r\n\r\n",
            "2\nab\r\n0\r\n\r\n",
            "2\r\r\nab\r\n0\r\n\r\n",
            "2\r\nab\n0\r\n\r\n",
            "0\r\n\n",
            "0;\0\r\n\r\n",
            "0\r\nGET / HTTP/1.1\r\n\r\n",
            "0\r\nGET http://x HTTP/1.1\r\n\r\n",
            "0\r\n: x\r\n\r\n",
            "0\r\nx : y\r\n\r\n",
            "0\r\nx: y\r\n folded: z\r\n\r\n",
        ] {
            assert!(chunked(bad).is_err(), "{bad:?}");
        }
        assert!(chunked("10000000000000000\r\n").is_err());
        assert!(chunked(&"1".repeat(5000)).is_err());
    }

    #[test]
    fn a_length_is_exact() {
        let body = |length| read(&mut &b"abc"[..], Framing::Length(length), 10);
        assert_eq!(body(2).unwrap().bytes, b"ab");
        assert!(body(4).is_err());
        assert_eq!(body(u64::MAX).unwrap(), Body { bytes: Vec::new(), whole: false });
    }
}
