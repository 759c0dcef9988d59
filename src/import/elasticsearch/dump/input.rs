//! Opens the inputs: files, compressed or not, and standard input.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use super::pieces::{MAX_PIECE, Pieces};
use crate::import::Result;

const BUFFER: usize = 256 << 10;

/// One file, or standard input.
pub struct Input {
    /// Its name, for sentences.
    pub name: String,
    place: Place,
}

enum Place {
    File(PathBuf),
    /// Read once; its beginning is read when it is opened.
    Stream(Option<Pieces>),
}

impl Input {
    /// A file that is there.
    pub fn file(path: &Path) -> Self {
        Self { name: path.display().to_string(), place: Place::File(path.to_owned()) }
    }

    /// A stream, which is read once.
    pub fn stream(name: &str, stream: impl Read + 'static) -> Result<Self> {
        let pieces = cut(name, Box::new(stream))?;
        Ok(Self { name: name.to_owned(), place: Place::Stream(Some(pieces)) })
    }

    /// Its size in bytes; `None` for a stream.
    pub fn size(&self) -> Option<u64> {
        match &self.place {
            Place::File(path) => std::fs::metadata(path).ok().map(|data| data.len()),
            Place::Stream(_) => None,
        }
    }

    /// Its values from the beginning.
    pub fn open(&mut self) -> Result<Pieces> {
        match &mut self.place {
            Place::File(path) => {
                let file =
                    File::open(path).map_err(|error| format!("Cannot read {}: {error}.", self.name))?;
                cut(&self.name, Box::new(file))
            }
            Place::Stream(pieces) => {
                pieces.take().ok_or_else(|| format!("{} can be read only once.", self.name).into())
            }
        }
    }

    /// Looks at the first value; a stream is not moved by that.
    pub fn peek<T>(&mut self, look: impl FnOnce(Option<&[u8]>) -> T) -> Result<T> {
        let mut opened;
        let pieces = match &mut self.place {
            Place::Stream(Some(pieces)) => pieces,
            _ => {
                opened = self.open()?;
                &mut opened
            }
        };
        match pieces.peek_first() {
            Ok(first) => Ok(look(first)),
            Err(error) => Err(format!("Cannot read {}: {error}.", self.name).into()),
        }
    }
}

fn cut(name: &str, stream: Box<dyn Read>) -> Result<Pieces> {
    let cannot = |error| format!("Cannot read {name}: {error}.");
    let mut stream = stream;
    // A pipe may give its first bytes one by one.
    let mut start = Vec::new();
    stream.by_ref().take(2).read_to_end(&mut start).map_err(cannot)?;
    let is_utf_16 = matches!(start.as_slice(), [0xFF, 0xFE] | [0xFE, 0xFF]);
    if is_utf_16 {
        return Err(format!("{name} is in UTF-16, as PowerShell writes it; convert it to UTF-8.").into());
    }
    let is_gzip = start == [0x1F, 0x8B];
    let whole = BufReader::with_capacity(BUFFER, Cursor::new(start).chain(stream));
    let input: Box<dyn BufRead> = if is_gzip {
        Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(whole)))
    } else {
        Box::new(whole)
    };
    Ok(Pieces::new(input, MAX_PIECE).map_err(cannot)?)
}
