//! Programs that are started, killed and stopped.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

/// A child process that the kernel ends with this one; its output is in a file.
///
/// It is bound to the thread that starts it, which must be the main one.
pub struct Process {
    child: Child,
    pub log: PathBuf,
}

impl Process {
    /// Starts `words`, as the servers' user when `unprivileged`.
    pub fn start(words: &[&str], log: &Path, unprivileged: bool) -> Self {
        let output = File::options().create(true).append(true).open(log).unwrap();
        let mut command = confined(unprivileged);
        command.args(words).stdout(output.try_clone().unwrap()).stderr(output);
        Self { child: command.spawn().unwrap(), log: log.to_owned() }
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub fn said(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs a command to its end and returns its output.
pub fn run(words: &[&str], unprivileged: bool) -> Result<String, String> {
    let output = confined(unprivileged).args(words).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(text(&output.stdout) + &text(&output.stderr));
    }
    Err(text(&output.stdout) + &text(&output.stderr))
}

/// MariaDB does not run as root: if the tests do, it runs as the user that FREEZER_GALERA_USER names.
fn confined(unprivileged: bool) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if let (true, Ok(user)) = (unprivileged, std::env::var("FREEZER_GALERA_USER")) {
        command.args(["--reuid", &user, "--regid", &user, "--clear-groups"]);
    }
    command
}

/// Ports without a listener at the moment.
pub fn free_ports<const N: usize>() -> [u16; N] {
    let all = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    all.map(|listener| listener.local_addr().unwrap().port())
}

/// Waits until `done` returns true.
#[track_caller]
pub fn wait_for(what: &str, patience: Duration, mut done: impl FnMut() -> bool) {
    let until = Instant::now() + patience;
    while !done() {
        assert!(Instant::now() < until, "{what}: not within {patience:?}");
        thread::sleep(Duration::from_millis(100));
    }
}
