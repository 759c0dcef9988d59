//! The real program in a directory of its own, which is also its home.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Upper bound for whatever does not hang.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Place(tempfile::TempDir);

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file in this directory, and returns its path.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// A command line, split at blanks, without any configuration from outside this directory.
    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_freezer-api"));
        command.args(line.split_whitespace()).current_dir(self.path());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("OS_")) {
            command.env_remove(name);
        }
        command.env("HOME", self.path());
        command
    }

    /// The output of a command that must succeed.
    pub fn run(&self, line: &str) -> String {
        printed(self.command(line).output().unwrap())
    }

    /// The error text of a command that must fail.
    pub fn refused(&self, line: &str) -> String {
        said(self.command(line))
    }
}

pub fn printed(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The error text of a command that fails with this configuration; a service that starts all the same is ended.
pub fn said(command: Command) -> String {
    let (status, text) = ended(command);
    assert_eq!(status, Some(78), "{text}");
    text
}

/// The exit status of a command and what it says on standard error; a service that starts is ended.
pub fn ended(mut command: Command) -> (Option<i32>, String) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let until = Instant::now() + PATIENCE;
    while child.try_wait().unwrap().is_none() && Instant::now() < until {
        thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// The line that says where an option comes from, and the line with its value, in what `config show` prints.
pub fn shown<'t>(text: &'t str, section: &str, name: &str) -> (&'t str, &'t str) {
    let from = text.find(&format!("\n[{section}]\n")).unwrap_or_else(|| panic!("[{section}] in {text}"));
    let lines: Vec<&str> = text[from + 1..].lines().collect();
    let is_it = |line: &&str| {
        let key = line.trim_start_matches('#');
        key.strip_prefix(name).is_some_and(|rest| rest.starts_with(" ="))
    };
    let at = lines.iter().position(is_it).unwrap_or_else(|| panic!("{name} in {text}"));
    let source = lines[..at].iter().rev().find(|line| line.starts_with("# ")).unwrap();
    (source.trim_start_matches("# "), lines[at])
}

/// A program that runs until it is dropped.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    /// Where it listens, as `http://host:port`.
    pub url: String,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let outputs: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for output in outputs {
            let sender = sender.clone();
            thread::spawn(move || {
                for line in BufReader::new(output).lines() {
                    if sender.send(line.unwrap()).is_err() {
                        return;
                    }
                }
            });
        }
        let mut running = Self { child, lines, url: String::new() };
        let line = running.wait_for("listening on ");
        line.trim_start_matches("listening on ").clone_into(&mut running.url);
        running
    }

    /// The output lines of a program up to the first that contains `text`; then the program is ended.
    pub fn lines_until(mut command: Command, text: &str) -> Vec<String> {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = Vec::new();
        for line in BufReader::new(child.stderr.take().unwrap()).lines() {
            let line = line.unwrap();
            let is_last = line.contains(text);
            lines.push(line);
            if is_last {
                break;
            }
        }
        let _ = child.kill();
        let _ = child.wait();
        lines
    }

    /// The next output line that contains `text`.
    pub fn wait_for(&self, text: &str) -> String {
        let mut seen = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => seen.push(line),
                Err(_) => panic!("no line with {text:?} after {seen:#?}"),
            }
        }
    }

    /// Sends it a signal, such as `HUP`.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").arg("-c").arg(kill).status().unwrap().success());
    }

    /// Whether it has ended, or ends within a while.
    pub fn ended(&mut self) -> bool {
        let until = Instant::now() + PATIENCE;
        while self.child.try_wait().unwrap().is_none() {
            if Instant::now() > until {
                return false;
            }
            thread::sleep(Duration::from_millis(5));
        }
        true
    }

    /// The answer to a GET.
    pub fn get(&self, path: &str) -> String {
        self.get_with(path, "")
    }

    /// The answer to a GET with these header lines.
    pub fn get_with(&self, path: &str, lines: &str) -> String {
        use std::io::Write;
        let address = self.url.trim_start_matches("http://");
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{lines}\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
