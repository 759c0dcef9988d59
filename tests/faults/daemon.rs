//! The real program, which can be killed and is started again on the same port.

use std::fs;
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::http::Line;
use crate::process::Process;

/// Upper bound for whatever does not hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// A daemon with its own configuration and port.
pub struct Daemon {
    directory: tempfile::TempDir,
    database: String,
    /// A program that runs the daemon, with its options; empty to run it directly.
    by: Vec<String>,
    options: Vec<(String, String)>,
    pub port: u16,
    process: Option<Process>,
}

impl Daemon {
    /// A started daemon with the default configuration, on a database with a schema.
    pub fn start(database: &str) -> Self {
        let mut daemon = Self::new(database);
        daemon.sync();
        daemon.restart();
        daemon
    }

    /// A daemon that is not started yet.
    pub fn new(database: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self {
            directory: tempfile::tempdir().unwrap(),
            database: database.to_owned(),
            by: Vec::new(),
            options: Vec::new(),
            port,
            process: None,
        }
    }

    /// Sets an option, by the name of its environment variable.
    pub fn with(mut self, option: &str, value: &str) -> Self {
        self.options.push((format!("OS_{option}"), value.to_owned()));
        self
    }

    /// Has another program run the daemon.
    pub fn by(mut self, by: &[&str]) -> Self {
        self.by = by.iter().map(|&word| word.to_owned()).collect();
        self
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let program = env!("CARGO_BIN_EXE_freezer-api").to_owned();
        let mut words = self.by.iter().chain([&program]);
        let mut command = Command::new(words.next().unwrap_or(&program));
        command.args(words).args(arguments).current_dir(self.directory.path());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("OS_")) {
            command.env_remove(name);
        }
        command
            .env("HOME", self.directory.path())
            .env("OS_DATABASE__CONNECTION", &self.database)
            .env("OS_DEFAULT__AUTH_STRATEGY", "noauth")
            .env("OS_DEFAULT__BIND_HOST", "127.0.0.1")
            .env("OS_DEFAULT__BIND_PORT", self.port.to_string())
            .env("OS_HEALTHCHECK__DETAILED", "true")
            .envs(self.options.iter().map(|(name, value)| (name, value)));
        command
    }

    /// The error text of a start that fails for a reason that may go away by itself.
    pub fn refusal(&self) -> String {
        self.refused(1)
    }

    /// As [`Daemon::refusal`], for a lasting failure, after which systemd does not start the service again.
    pub fn lasting_refusal(&self) -> String {
        self.refused(78)
    }

    fn refused(&self, status: i32) -> String {
        let output = self.command(&["serve"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{said}");
        said
    }

    /// Runs another command with the same configuration. Returns its exit status and its output.
    pub fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.command(arguments).output().unwrap();
        let printed = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&printed).into_owned())
    }

    /// Stops it as systemd does.
    pub fn stop(&mut self) {
        let mut process = self.process.take().unwrap();
        process.signal("TERM");
        let begun = Instant::now();
        while process.is_running() {
            assert!(begun.elapsed() < PATIENCE, "{}", process.output());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Its output so far.
    pub fn output(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    /// Makes the schema.
    pub fn sync(&self) {
        let output = self.command(&["db", "sync"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        drop(self.process.take());
    }

    /// Starts it. Returns the time to the first answer.
    pub fn restart(&mut self) -> Duration {
        let begun = Instant::now();
        let process = Process::launch(&mut self.command(&["serve"]), self.directory.path().join("log"));
        let process = self.process.insert(process);
        while Line::new(self.port, "p").raw("GET", "/healthcheck", None).status.is_none() {
            assert!(process.is_running() && begun.elapsed() < PATIENCE, "{}", process.output());
            std::thread::sleep(Duration::from_millis(2));
        }
        begun.elapsed()
    }

    /// Its working directory.
    pub fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.as_ref().unwrap().id()
    }

    /// The number of its open files.
    pub fn open_files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.id())).unwrap().count()
    }

    /// Its resident memory, in MiB.
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1024
    }
}
