//! Progress lines on standard output.

use std::io::Write;

/// Writes a line to standard output and flushes it, so that a pipe shows it at once.
pub fn print(line: std::fmt::Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
