//! The real program on an SQLite file of its own, and the system's figures about its process.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::client::Client;

/// The headers that `noauth` needs: this machine's own name as `Host`, and those that name the caller.
pub const CALLER: &str = "Host: localhost\r\nX-User-Id: u\r\nX-Project-Id: p\r\nX-Roles: admin\r\n";

/// A running daemon, which is killed when dropped.
pub struct Daemon {
    pub address: SocketAddr,
    pub child: Child,
    directory: TempDir,
}

impl Daemon {
    pub fn start() -> Self {
        Self::start_by(&[], "127.0.0.1:0".parse().unwrap(), &[])
    }

    /// Starts it through another command, which runs the rest of its command line, and with further options.
    pub fn start_by(command: &[&str], address: SocketAddr, options: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self::start_in(directory, command, address, options)
    }

    fn start_in(directory: TempDir, command: &[&str], address: SocketAddr, options: &[&str]) -> Self {
        let program = env!("CARGO_BIN_EXE_freezer-api");
        let (ip, port) = (address.ip().to_string(), address.port().to_string());
        let mut words = command.to_vec();
        words.extend([
            program,
            "serve",
            "--bind-host",
            &ip,
            "--bind-port",
            &port,
            "--auth-strategy",
            "noauth",
        ]);
        words.extend(options);
        let log = File::options().create(true).append(true).open(directory.path().join("log")).unwrap();
        let mut child = Command::new(words[0])
            .args(&words[1..])
            .env("OS_DATABASE__CONNECTION", "sqlite:///freezer.sqlite")
            .current_dir(directory.path())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let mut daemon = Self { address, child, directory };
        let said = line.trim().strip_prefix("listening on http://").and_then(|address| address.parse().ok());
        daemon.address = said.unwrap_or_else(|| panic!("{line}{}", daemon.log()));
        daemon
    }

    /// Starts it again, after its end, on the same address and database.
    pub fn start_again(self) -> Self {
        let (address, directory) = (self.address, self.into_directory());
        Self::start_in(directory, &[], address, &[])
    }

    pub fn connect(&self) -> Client {
        connect(self.address)
    }

    /// Sends the first signal to stop.
    pub fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
    }

    /// Waits for the end, which has to come within a minute.
    pub fn end(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "the daemon does not end: {}", self.log());
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    pub fn sockets(&self) -> usize {
        let files = fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap();
        let targets = files.filter_map(|file| fs::read_link(file.unwrap().path()).ok());
        targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
    }

    pub fn threads(&self) -> usize {
        self.status("Threads:")
    }

    /// The resident memory in KiB.
    pub fn memory(&self) -> usize {
        self.status("VmRSS:")
    }

    /// The peak resident memory, in KiB, since the last reset.
    pub fn peak(&self) -> usize {
        self.status("VmHWM:")
    }

    /// The file with the database.
    pub fn database(&self) -> PathBuf {
        self.directory.path().join("freezer.sqlite")
    }

    fn status(&self, key: &str) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let value = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        value.split_whitespace().next().unwrap().parse().unwrap()
    }

    fn into_directory(mut self) -> TempDir {
        let _ = self.child.kill();
        let _ = self.child.wait();
        std::mem::replace(&mut self.directory, tempfile::tempdir().unwrap())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection with a read timeout, so that a missing answer fails the test.
pub fn connect(address: SocketAddr) -> Client {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    Client(BufReader::new(stream))
}
