//! The Python service, on the same server and in the same minutes as ours: what it does on the machine of the run.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Result;
use crate::daemon::Daemon;
use crate::database::Database;
use crate::documents::{self, path_of};
use crate::http::{Client, Request};
use crate::load::{Taken, closed_loop};
use crate::operations::Operation;
use crate::session;
use crate::world::{self, BLOCK, Kind, Scheduler, scheduler_of, status_of};

/// With how many jobs it is measured: one poll takes seconds then, and with twenty times as many half a minute.
pub const JOBS: usize = BLOCK;

/// The highest rates of the Python service, in requests per second, on the machine that the targets are for: two processes
/// of two threads, MariaDB, 8 connections, 2 cores.
pub const REFERENCE_RATES: &[(&str, f64)] = &[
    ("GET job", 356.0),
    ("list of 10", 82.0),
    ("list of 100", 11.0),
    ("PATCH job_schedule", 562.0),
    ("POST job", 175.0),
    ("POST backup", 515.0),
    ("session start", 229.0),
];

/// It is run as two processes of two threads; half of the connections go to each.
const PROCESSES: usize = 2;
const THREADS: usize = 2;

/// What is served, and how.
const SERVE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cloud/upstream/serve.py");
const PIPELINE: &str = include_str!("../../tests/cloud/upstream/freezer-paste.ini");

/// Whether an operation is measured of it beside ours, with so many jobs and in that turn. It has [`JOBS`] all the time, for
/// each of which a search takes it longer: what looks at all of them, or adds some, is measured with the first size only.
pub fn is_measured(operation: &str, jobs: usize, turn: u64) -> bool {
    match operation {
        "GET job" | "PATCH job_schedule" | "POST backup" | session::NAME => true,
        // It knows of no markers, and would answer with its first page.
        "last page" => false,
        // Each poll takes seconds, whosever it is.
        "poll" => jobs == JOBS && turn == 0,
        "poll, archive" => false,
        _ => jobs == JOBS,
    }
}

/// The service, running and filled.
pub struct Python {
    daemons: Vec<Daemon>,
    // Dropped after the processes that use them.
    _database: Database,
    _home: TempDir,
}

impl Python {
    /// Starts it with the interpreter of an environment that has it, on a database of its own on that server, and posts
    /// [`JOBS`] jobs.
    pub fn start(interpreter: &Path, server: &str, connections: usize) -> Result<Self> {
        let Some(address) = server.strip_prefix("mysql://") else {
            return Err("The Python service is measured on MariaDB only.".into());
        };
        let database = Database::empty(server, "python")?;
        let home = tempfile::tempdir()?;
        let paste = home.path().join("paste.ini");
        // Without Keystone, as ours.
        std::fs::write(&paste, PIPELINE.replace(" authtoken ", " "))?;
        let (host, _) = address.rsplit_once('/').unwrap_or((address, ""));
        let configuration = format!(
            "[DEFAULT]\nlog_file = /dev/null\n[database]\nconnection = mysql+pymysql://{host}/{}\n\
             [storage]\nbackend = sqlalchemy\ndriver = sqlalchemy\n\
             [paste_deploy]\nconfig_file = {}\n",
            database.name(),
            paste.display()
        );
        let file = home.path().join("freezer-api.conf");
        std::fs::write(&file, configuration)?;
        let start = |_| {
            let mut command = Command::new(interpreter);
            command.args([SERVE.as_ref(), file.as_os_str()]).args(["0", &THREADS.to_string()]);
            for (variable, _) in std::env::vars().filter(|(variable, _)| variable.starts_with("OS_")) {
                command.env_remove(variable);
            }
            command.current_dir(home.path()).stdin(Stdio::null()).stderr(Stdio::null());
            Daemon::start(command, &Request::get(&path_of("jobs?limit=1")))
        };
        let daemons = (0..PROCESSES).map(start).collect::<Result<_>>()?;
        let python = Self { daemons, _database: database, _home: home };
        python.fill(connections)?;
        Ok(python)
    }

    fn address(&self, thread: usize) -> SocketAddr {
        self.daemons[thread % self.daemons.len()].address
    }

    fn fill(&self, connections: usize) -> Result<()> {
        let clients = (0..Scheduler::count(JOBS)).map(Scheduler::Regular).chain([Scheduler::Archive]);
        let clients = clients.map(|scheduler| {
            let client = json!({"client_id": scheduler.client_id(), "hostname": scheduler.hostname()});
            post("clients", &client)
        });
        let jobs = (0..JOBS).map(|number| {
            let mut job = documents::job(number, &scheduler_of(number).client_id());
            job["job_id"] = world::id(Kind::Job, number).into();
            job["job_schedule"]["status"] = status_of(number).into();
            post("jobs", &job)
        });
        for requests in [clients.collect::<Vec<_>>(), jobs.collect()] {
            let share = requests.len().div_ceil(connections);
            std::thread::scope(|scope| {
                let running: Vec<_> = requests
                    .chunks(share)
                    .enumerate()
                    .map(|(thread, some)| scope.spawn(move || send_all(self.address(thread), some)))
                    .collect();
                running.into_iter().try_for_each(|one| one.join().unwrap_or_else(|_| Err("gave up".into())))
            })?;
        }
        Ok(())
    }

    /// Measures an operation. What it refuses counts, too: some of what several change at once.
    pub fn load(
        &self,
        operation: &Operation,
        connections: usize,
        time: Duration,
        first: u64,
    ) -> Result<Taken> {
        let refused = AtomicUsize::new(0);
        let last: Mutex<String> = Mutex::default();
        let taken = closed_loop(
            connections,
            time,
            first,
            |thread| Client::connect(self.address(thread)),
            |client, thread, turn| {
                let answer = client.send(&(operation.request)(thread, turn))?;
                if answer.status != operation.status && turn > first {
                    refused.fetch_add(1, Ordering::Relaxed);
                    *last.lock().unwrap_or_else(PoisonError::into_inner) = answer.text();
                }
                Ok(())
            },
        )?;
        let refused = refused.into_inner();
        let count = taken.latencies.len();
        if refused * 10 > count {
            let last = last.into_inner().unwrap_or_default();
            return Err(format!("{}: Python refuses {refused} of {count}: {last}", operation.name).into());
        }
        Ok(taken)
    }

    /// Measures the starts of one session.
    pub fn session(&self, connections: usize, time: Duration) -> Result<Taken> {
        let hot = session::Hot::prepare(self.address(0), connections)?;
        let operation = Operation {
            name: session::NAME,
            request: Box::new(move |thread, _| hot.start(thread)),
            expect: Box::new(|_| true),
            status: session::STATUS,
            writes: true,
            samples: |_, _| Vec::new(),
        };
        self.load(&operation, connections, time, 0)
    }

    /// Megabytes that its processes have together.
    pub fn memory(&self) -> Result<f64> {
        self.daemons.iter().map(|daemon| Ok(daemon.memory()?.resident)).sum()
    }
}

fn post(noun: &str, body: &Value) -> Request {
    Request::with_body("POST", &path_of(noun), &body.to_string())
}

fn send_all(address: SocketAddr, requests: &[Request]) -> Result<()> {
    let mut client = Client::connect(address)?;
    for request in requests {
        let answer = client.send(request)?;
        if answer.status != 201 {
            return Err(answer.text().into());
        }
    }
    Ok(())
}
