//! Splits a file into JSON values without loading it as a whole: lines, elements of an array, or values over many lines.

use std::io::{BufRead, ErrorKind};

use serde::de::IgnoredAny;

/// The longest document or saved page, in bytes.
pub const MAX_PIECE: usize = 128 << 20;

/// The number of bytes that are kept of a longer one.
const KEPT: usize = 1 << 20;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// How the values are separated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// One value on each line, so a bad line affects only itself.
    Lines,
    /// By brackets: in an array, or pretty-printed.
    Brackets,
}

/// How a piece ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Where it should, as far as can be seen without reading it.
    Whole,
    /// As the last line of the file.
    Last,
    /// With the file, which was cut off in its middle.
    CutOff,
    /// Beyond the bound; only its beginning is kept.
    TooLong,
}

/// One value of the file.
#[derive(Debug)]
pub struct Piece<'p> {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// Its text.
    pub bytes: &'p [u8],
    /// How it ends.
    pub end: End,
}

/// The values of one file, in order.
pub struct Pieces {
    stream: Stream,
    layout: Layout,
    max: usize,
    buffer: Vec<u8>,
    /// A line that was read to find out the layout, and how it ends.
    first: Option<End>,
    /// A value that was only looked at: its line and its end.
    looked_at: Option<(u64, End)>,
    line: u64,
    in_array: bool,
}

impl Pieces {
    /// Looks at the beginning of a file for its layout.
    pub fn new(input: Box<dyn BufRead>, max: usize) -> std::io::Result<Self> {
        let mut pieces = Self {
            stream: Stream { input, is_at_end: false, is_truncated: false },
            layout: Layout::Lines,
            max,
            buffer: Vec::new(),
            first: None,
            looked_at: None,
            line: 1,
            in_array: false,
        };
        if pieces.skip_to_value()? == Some(b'[') {
            pieces.layout = Layout::Brackets;
            return Ok(pieces);
        }
        pieces.first = pieces.read_line()?;
        let is_open = pieces.first == Some(End::Whole)
            && serde_json::from_slice::<IgnoredAny>(&pieces.buffer).is_err_and(|error| error.is_eof());
        // A line of a dump is a value. One that goes on, and not with another value, is over many lines.
        if is_open && !matches!(pieces.stream.peek()?, None | Some(b'{')) {
            let mut first = std::mem::take(&mut pieces.buffer);
            first.push(b'\n');
            let rest = std::mem::replace(&mut pieces.stream.input, Box::new(std::io::empty()));
            pieces.stream.input = Box::new(std::io::Read::chain(std::io::Cursor::new(first), rest));
            pieces.first = None;
            pieces.line -= 1;
            pieces.layout = Layout::Brackets;
        }
        Ok(pieces)
    }

    /// The next value; `None` at the end.
    pub fn next(&mut self) -> std::io::Result<Option<Piece<'_>>> {
        let found = match self.looked_at.take() {
            None => self.advance()?,
            found => found,
        };
        Ok(found.map(|(line, end)| Piece { line, bytes: trim(&self.buffer), end }))
    }

    /// The text of the first value, which [`Pieces::next`] gives all the same.
    pub fn peek_first(&mut self) -> std::io::Result<Option<&[u8]>> {
        if self.looked_at.is_none() {
            self.looked_at = self.advance()?;
        }
        Ok(self.looked_at.map(|_| trim(&self.buffer)))
    }

    /// Reads the next value into the buffer: its line and its end.
    fn advance(&mut self) -> std::io::Result<Option<(u64, End)>> {
        match self.layout {
            Layout::Lines => self.next_line(),
            Layout::Brackets => self.next_value(),
        }
    }

    fn next_line(&mut self) -> std::io::Result<Option<(u64, End)>> {
        loop {
            let end = match self.first.take() {
                None => self.read_line()?,
                first => first,
            };
            let Some(end) = end else { return Ok(self.truncation()) };
            if end == End::Whole && trim(&self.buffer).is_empty() {
                continue;
            }
            if end != End::Whole || self.stream.peek()?.is_some() {
                return Ok(Some((self.line - 1, end)));
            }
            return Ok(Some((self.line - 1, End::Last)));
        }
    }

    /// Says once that the file ends early.
    fn truncation(&mut self) -> Option<(u64, End)> {
        self.buffer.clear();
        let is_truncated =
            std::mem::take(&mut self.stream.is_truncated) || std::mem::take(&mut self.in_array);
        is_truncated.then_some((self.line, End::CutOff))
    }

    /// Reads a line without its end into the buffer.
    fn read_line(&mut self) -> std::io::Result<Option<End>> {
        self.buffer.clear();
        let mut is_too_long = false;
        let mut is_empty = true;
        while let Some(chunk) = self.stream.fill()? {
            is_empty = false;
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(chunk.len());
            is_too_long |= append(&mut self.buffer, &chunk[..taken], self.max, is_too_long);
            self.stream.input.consume(taken + usize::from(end.is_some()));
            if end.is_some() {
                break;
            }
        }
        self.line += u64::from(!is_empty);
        let end = if is_too_long { End::TooLong } else { End::Whole };
        Ok((!is_empty).then_some(end))
    }

    /// Reads the next value by its brackets; what is between them is not looked at.
    fn next_value(&mut self) -> std::io::Result<Option<(u64, End)>> {
        loop {
            match self.stream.peek()? {
                None => return Ok(self.truncation()),
                Some(b'[') if !self.in_array => self.in_array = true,
                Some(b']') if self.in_array => self.in_array = false,
                Some(b'\n') => self.line += 1,
                Some(byte) if byte.is_ascii_whitespace() || byte == b',' => {}
                Some(_) => break,
            }
            self.stream.input.consume(1);
        }
        self.buffer.clear();
        let line = self.line;
        let mut scan = Scan::default();
        let mut is_too_long = false;
        let mut has_end = false;
        while let Some(chunk) = self.stream.fill()? {
            let end = chunk.iter().position(|byte| scan.ends_before(*byte));
            let taken = &chunk[..end.unwrap_or(chunk.len())];
            self.line += taken.iter().filter(|byte| **byte == b'\n').count() as u64;
            is_too_long |= append(&mut self.buffer, taken, self.max, is_too_long);
            let taken = taken.len();
            self.stream.input.consume(taken);
            has_end = end.is_some();
            if has_end {
                break;
            }
        }
        if !has_end && !scan.has_ended {
            // This says that the file is cut off; it needs no further piece for it.
            self.in_array = false;
            self.stream.is_truncated = false;
            return Ok(Some((line, if is_too_long { End::TooLong } else { End::CutOff })));
        }
        Ok(Some((line, if is_too_long { End::TooLong } else { End::Whole })))
    }

    /// Skips what stands before the first value, and looks at that value's first byte.
    fn skip_to_value(&mut self) -> std::io::Result<Option<u8>> {
        let mut mark = BOM.iter();
        loop {
            match self.stream.peek()? {
                Some(byte) if mark.as_slice().first() == Some(&byte) => _ = mark.next(),
                Some(b'\n') => self.line += 1,
                Some(byte) if byte.is_ascii_whitespace() => {}
                other => return Ok(other),
            }
            self.stream.input.consume(1);
        }
    }
}

/// The bytes of a file.
struct Stream {
    input: Box<dyn BufRead>,
    is_at_end: bool,
    /// A compressed file ends before its end.
    is_truncated: bool,
}

impl Stream {
    fn peek(&mut self) -> std::io::Result<Option<u8>> {
        Ok(self.fill()?.and_then(|chunk| chunk.first().copied()))
    }

    /// What was read and not consumed; `None` at the end, also of a compressed file that ends early.
    fn fill(&mut self) -> std::io::Result<Option<&[u8]>> {
        while !self.is_at_end {
            match self.input.fill_buf() {
                Ok([]) => self.is_at_end = true,
                Ok(_) => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    self.is_at_end = true;
                    self.is_truncated = true;
                }
                Err(error) => return Err(error),
            }
        }
        if self.is_at_end { Ok(None) } else { self.input.fill_buf().map(Some) }
    }
}

/// Adds to what was read of a value. Beyond the bound the beginning alone stays; says whether it is beyond.
fn append(buffer: &mut Vec<u8>, bytes: &[u8], max: usize, is_too_long: bool) -> bool {
    if is_too_long {
        return true;
    }
    buffer.extend_from_slice(bytes);
    if buffer.len() <= max {
        return false;
    }
    buffer.truncate(KEPT);
    buffer.shrink_to_fit();
    true
}

/// Where in a value the scan is.
#[derive(Debug, Default)]
struct Scan {
    depth: u64,
    is_text: bool,
    is_escaped: bool,
    has_begun: bool,
    has_ended: bool,
}

impl Scan {
    /// Whether the value ended with the byte before this one.
    fn ends_before(&mut self, byte: u8) -> bool {
        if self.has_ended {
            return true;
        }
        if self.is_text {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.is_text = false,
                _ => {}
            }
            self.has_ended = !self.is_text && self.depth == 0;
            return false;
        }
        match byte {
            b'"' => self.is_text = true,
            b'{' | b'[' => self.depth += 1,
            b',' | b']' | b'}' | b'\n' | b' ' if self.depth == 0 && self.has_begun => return true,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                self.has_ended = self.depth == 0;
            }
            _ => {}
        }
        self.has_begun = true;
        false
    }
}

fn trim(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BOM).unwrap_or(bytes).trim_ascii()
}
