//! A body that is written while it is sent: for a response of any size, only its rows are in memory.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use ring::digest::{Context, SHA256};

/// The maximum size of a buffered body, in bytes. A larger one is written a second time, to the client.
const MAX_BUFFERED: usize = 2 * 1024 * 1024;

type Writer = dyn Fn(&mut dyn Write) -> io::Result<()> + Send + Sync;

/// A body with a known length that is written when it is sent.
#[derive(Clone)]
pub struct Stream {
    length: usize,
    digest: Option<Vec<u8>>,
    write: Arc<Writer>,
}

impl Stream {
    /// The length of the body in bytes.
    pub fn length(&self) -> usize {
        self.length
    }

    /// The SHA-256 of the body, if [`measure`] was to compute it.
    pub fn digest(&self) -> Option<&[u8]> {
        self.digest.as_deref()
    }

    /// Writes the body.
    ///
    /// # Errors
    /// The error of `out`.
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

/// A body whose length is known.
pub enum MeasuredBody {
    /// A body that is buffered.
    Whole(Vec<u8>),
    /// A body that is too large to be buffered.
    Stream(Stream),
}

/// Writes a body once to learn its length, and if `with_digest` its digest.
pub fn measure(
    with_digest: bool,
    write: impl Fn(&mut dyn Write) -> io::Result<()> + Send + Sync + 'static,
) -> MeasuredBody {
    let mut meter =
        Meter { buffer: Vec::new(), length: 0, digest: with_digest.then(|| Context::new(&SHA256)) };
    // Never fails: responses hold only values that JSON can represent, and the meter accepts every write.
    let _ = write(&mut meter);
    if meter.length <= MAX_BUFFERED {
        return MeasuredBody::Whole(meter.buffer);
    }
    let digest = meter.digest.map(|context| context.finish().as_ref().to_vec());
    MeasuredBody::Stream(Stream { length: meter.length, digest, write: Arc::new(write) })
}

/// A writer that counts the bytes, and buffers up to [`MAX_BUFFERED`] of them.
struct Meter {
    buffer: Vec<u8>,
    length: usize,
    digest: Option<Context>,
}

impl Write for Meter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.length += bytes.len();
        match self.length <= MAX_BUFFERED {
            true => self.buffer.extend_from_slice(bytes),
            false => self.buffer = Vec::new(),
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
            measure(true, move |out| (0..parts).try_for_each(|_| out.write_all(&[b'x'; 1024])))
        };
        assert!(matches!(body(2048), MeasuredBody::Whole(bytes) if bytes.len() == MAX_BUFFERED));
        let MeasuredBody::Stream(stream) = body(2049) else { panic!("buffered") };
        let mut bytes = Vec::new();
        stream.write(&mut bytes).unwrap();
        assert_eq!(bytes.len(), stream.length());
        assert_eq!(stream.digest(), Some(ring::digest::digest(&SHA256, &bytes).as_ref()));
    }
}
