//! Reads or generates the password for a command.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Command;

use super::sentence;
use crate::identity::{check_new_password, hash_password, random_password};

/// A new password's hash, and the password itself if it was generated and must be shown.
pub(super) fn new(from_input: bool, input: &mut dyn BufRead) -> Result<(Option<String>, String), String> {
    if !from_input {
        let password = random_password().map_err(sentence)?;
        let hash = hash_password(&password).map_err(sentence)?;
        return Ok((Some(password), hash));
    }
    let password = first_line(input)?;
    check_new_password(&password).map_err(|what| {
        format!("A password has {what}; it is read from the first line of the standard input.")
    })?;
    Ok((None, hash_password(&password).map_err(sentence)?))
}

/// The first line of the standard input.
pub(super) fn first_line(input: &mut dyn BufRead) -> Result<String, String> {
    /// More bytes than the longest password has.
    const MOST: u64 = 8192;
    let mut line = String::new();
    Read::take(input, MOST)
        .read_line(&mut line)
        .map_err(|error| format!("The password could not be read from the standard input: {error}."))?;
    let line = line.strip_suffix('\n').unwrap_or(&line);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

/// Asks for a user's password on the terminal, without echo.
pub fn prompt(name: &str) -> Result<String, String> {
    let why = |error: String| {
        format!("The password of user {name} cannot be asked for ({error}): give it with --password-stdin.")
    };
    let io = |error: std::io::Error| why(format!("no terminal: {error}"));
    let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(io)?;
    let hidden = EchoOff::new(&terminal).map_err(why)?;
    write!(terminal, "Password of user {name}: ").map_err(io)?;
    let line = first_line(&mut BufReader::new(terminal.try_clone().map_err(io)?));
    drop(hidden);
    writeln!(terminal).map_err(io)?;
    line
}

/// Turns off the terminal's echo until it is dropped.
struct EchoOff(File);

impl EchoOff {
    fn new(terminal: &File) -> Result<Self, String> {
        let terminal = terminal.try_clone().map_err(|error| error.to_string())?;
        stty(&terminal, "-echo")?;
        Ok(Self(terminal))
    }
}

impl Drop for EchoOff {
    fn drop(&mut self) {
        // Drop cannot report a failure.
        let _ = stty(&self.0, "echo");
    }
}

fn stty(terminal: &File, word: &str) -> Result<(), String> {
    let terminal = terminal.try_clone().map_err(|error| error.to_string())?;
    match Command::new("stty").arg(word).stdin(terminal).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("stty {word}: {status}")),
        Err(error) => Err(format!("stty {word}: {error}")),
    }
}
