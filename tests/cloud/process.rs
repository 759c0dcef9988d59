//! Programs that run beside a test, and end with it.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Python needs several seconds to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// A running program.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it, with its output in a file, and returns when `ready` does.
    #[track_caller]
    pub fn start(command: &mut Command, log: PathBuf, ready: impl Fn() -> bool) -> Self {
        let output = File::options().create(true).append(true).open(&log).unwrap();
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let mut process = Self { child: command.spawn().unwrap(), log };
        let deadline = Instant::now() + PATIENCE;
        while !ready() {
            let ended = process.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "{ended:?}: {}", process.output());
            thread::sleep(Duration::from_millis(50));
        }
        process
    }

    /// What it has printed.
    pub fn output(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Suspends it: the kernel still accepts connections for it.
    pub fn hang(&self) {
        self.signal("STOP");
    }

    /// Resumes it.
    pub fn go_on(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let kill = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }
}

impl Drop for Process {
    /// It ends; what it printed is shown when the test fails.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let output = self.output();
            let last: Vec<&str> =
                output.lines().rev().filter(|line| !line.contains(" DEBUG ")).take(60).collect();
            println!("--- {}", self.log.display());
            last.iter().rev().for_each(|line| println!("{line}"));
        }
    }
}

/// A port without a listener.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
