//! Programs that are measured, each a process of its own: the service, and the constant answer.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use crate::documents::path_of;
use crate::http::{Client, Request};
use crate::{Failure, Result};

/// A running program; ended when dropped.
pub struct Daemon {
    child: Child,
    /// Kept, so that what it prints later has a reader.
    _output: BufReader<ChildStdout>,
    pub address: SocketAddr,
    /// From the start of the program to its first answer.
    pub first_answer: Duration,
}

/// What the system says of a process.
#[derive(Clone, Copy, Default)]
pub struct Memory {
    /// Megabytes that it has now.
    pub resident: f64,
    /// Megabytes that it had at most.
    pub peak: f64,
}

impl Daemon {
    /// The binary that is measured.
    pub const OURS: &str = env!("CARGO_BIN_EXE_freezer-api");

    /// The service with its default settings but for the quotas, on a database with a schema.
    pub fn service(database: &str, workers: Option<u16>, home: &Path) -> Result<Self> {
        Self::service_of(Path::new(Self::OURS), database, workers, home)
    }

    /// As [`Daemon::service`], of another binary.
    pub fn service_of(program: &Path, database: &str, workers: Option<u16>, home: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(["--database-connection", database, "serve"]);
        command.args(["--auth-strategy", "noauth", "--bind-host", "127.0.0.1", "--bind-port", "0"]);
        if let Some(workers) = workers {
            command.args(["--workers", &workers.to_string()]);
        }
        // More than the world that is measured has.
        command.envs(
            ["OS_QUOTAS__CLIENTS", "OS_QUOTAS__ACTIONS", "OS_QUOTAS__JOBS"]
                .map(|quota| (quota, "1000000000")),
        );
        // No configuration of this machine, and a log whose lines are made and thrown away.
        command.env("HOME", home).current_dir(home).stdin(Stdio::null()).stderr(Stdio::null());
        // Something that needs the database.
        Self::start(command, &Request::get(&path_of("jobs?limit=1")))
    }

    /// A server that answers everything with this status and the same few bytes.
    pub fn constant(status: u16) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["constant", &status.to_string()]).stdin(Stdio::null()).stderr(Stdio::inherit());
        Self::start(command, &Request::get("/"))
    }

    /// A program that says where it listens; asked once.
    pub fn start(mut command: Command, ask: &Request) -> Result<Self> {
        let begin = Instant::now();
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let mut output = BufReader::new(child.stdout.take().ok_or("no output")?);
        let address = loop {
            let mut line = String::new();
            if output.read_line(&mut line)? == 0 {
                let status = child.wait()?;
                return Err(format!("a program that was to listen has ended with {status}").into());
            }
            if let Some(address) = line.trim().strip_prefix("listening on http://") {
                break address.parse()?;
            }
        };
        let mut daemon = Self { child, _output: output, address, first_answer: Duration::ZERO };
        Client::connect(address)?.send(ask)?;
        daemon.first_answer = begin.elapsed();
        Ok(daemon)
    }

    /// The id of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its memory.
    pub fn memory(&self) -> Result<Memory> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let megabytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.trim_end_matches(" kB").trim().parse::<f64>().ok());
            number.map(|kib| kib * 1024.0 / 1e6).ok_or_else(|| Failure::from(format!("no {name}")))
        };
        Ok(Memory { resident: megabytes("VmRSS:")?, peak: megabytes("VmHWM:")? })
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
