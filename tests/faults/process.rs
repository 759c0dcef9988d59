//! Programs that run beside a test, and end with it.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A running program.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it, and appends its output to a file.
    pub fn launch(command: &mut Command, log: PathBuf) -> Self {
        let output = File::options().create(true).append(true).open(&log).unwrap();
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        Self { child: command.spawn().unwrap(), log }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// The last lines of its output.
    pub fn output(&self) -> String {
        let output = String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned();
        let lines: Vec<&str> = output.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// The process and its children, which do most of PostgreSQL's work.
    pub fn family(&self) -> Vec<u32> {
        let its = |id: &u32| {
            let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            // The name may contain any character; after it come the state and the parent.
            let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1));
            parent == Some(&*self.id().to_string())
        };
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        std::iter::once(self.id()).chain(ids.filter(its)).collect()
    }

    /// Sends a signal, such as `STOP`, to the process and its children.
    pub fn signal(&self, name: &str) {
        let ids: Vec<String> = self.family().iter().map(u32::to_string).collect();
        // One of the children may have ended meanwhile.
        let _ = Command::new("kill").args(["-s", name]).args(ids).status().unwrap();
    }
}

impl Drop for Process {
    /// `kill -9`; if the test fails, this prints the program's output.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- {}\n{}", self.log.display(), self.output());
        }
    }
}
