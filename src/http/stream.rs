//! A body that is written while it is sent: however large an answer is, only the rows that it is made of are in memory.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use ring::digest::{Context, SHA256};

/// Up to so many bytes a body is kept once it has been written; a larger one is written again for the client.
const KEPT: usize = 2 * 1024 * 1024;

type Writer = dyn Fn(&mut dyn Write) -> io::Result<()> + Send + Sync;

/// A body with a known length that is written when it is sent.
#[derive(Clone)]
pub struct Stream {
    length: usize,
    digest: Option<Vec<u8>>,
    write: Arc<Writer>,
}

impl Stream {
    /// How many bytes it has.
    pub fn length(&self) -> usize {
        self.length
    }

    /// The SHA-256 of these, if that was asked for.
    pub fn digest(&self) -> Option<&[u8]> {
        self.digest.as_deref()
    }

    /// Writes it.
    ///
    /// # Errors
    /// What `out` fails with.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        (self.write)(out)
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stream({} bytes)", self.length)
    }
}

impl PartialEq for Stream {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.write, &other.write)
    }
}

impl Eq for Stream {}

/// A body, whole or to be written.
pub enum Written {
    /// All of it.
    Whole(Vec<u8>),
    /// Too much to keep.
    Stream(Stream),
}

/// Writes a body once, to know how long it is, and what its digest is where that is wanted.
pub fn written(
    with_digest: bool,
    write: impl Fn(&mut dyn Write) -> io::Result<()> + Send + Sync + 'static,
) -> Written {
    let mut gauge = Gauge { kept: Vec::new(), length: 0, digest: with_digest.then(|| Context::new(&SHA256)) };
    // Answers hold only values that JSON can represent, and the gauge never fails.
    let _ = write(&mut gauge);
    if gauge.length <= KEPT {
        return Written::Whole(gauge.kept);
    }
    let digest = gauge.digest.map(|context| context.finish().as_ref().to_vec());
    Written::Stream(Stream { length: gauge.length, digest, write: Arc::new(write) })
}

/// Takes the bytes that are written, and keeps them up to [`KEPT`].
struct Gauge {
    kept: Vec<u8>,
    length: usize,
    digest: Option<Context>,
}

impl Write for Gauge {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.length += bytes.len();
        match self.length <= KEPT {
            true => self.kept.extend_from_slice(bytes),
            false => self.kept = Vec::new(),
        }
        if let Some(digest) = &mut self.digest {
            digest.update(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_kept_or_written_again() {
        let body = |parts: usize| {
            written(true, move |out| (0..parts).try_for_each(|_| out.write_all(&[b'x'; 1024])))
        };
        assert!(matches!(body(2048), Written::Whole(bytes) if bytes.len() == KEPT));
        let Written::Stream(stream) = body(2049) else { panic!("kept") };
        let mut bytes = Vec::new();
        stream.write(&mut bytes).unwrap();
        assert_eq!(bytes.len(), stream.length());
        assert_eq!(stream.digest(), Some(ring::digest::digest(&SHA256, &bytes).as_ref()));
    }
}
