//! The real program, one process per node of the API.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::process::{Process, run, wait_for};

const PROGRAM: &str = env!("CARGO_BIN_EXE_freezer-api");

pub struct Service {
    pub port: u16,
    process: Process,
}

/// A configuration of the service on a database behind `database`.
pub fn configuration(scratch: &Path, name: &str, port: u16, database: u16, sync_wait: u32) -> PathBuf {
    let file = scratch.join(format!("{name}.conf"));
    let text = format!(
        "[DEFAULT]\nbind_host = 127.0.0.1\nbind_port = {port}\nauth_strategy = noauth\n\
         [database]\nconnection = mysql+pymysql://freezer:freezer@127.0.0.1:{database}/freezer\n\
         max_pool_size = 10\nmysql_wsrep_sync_wait = {sync_wait}\n"
    );
    std::fs::write(&file, text).unwrap();
    file
}

/// Runs `db sync`.
pub fn sync(configuration: &Path) -> Result<String, String> {
    run(&[PROGRAM, "--config-file", configuration.to_str().unwrap(), "db", "sync"], false)
}

impl Service {
    pub fn start(scratch: &Path, name: &str, port: u16, database: u16, sync_wait: u32) -> Self {
        let file = configuration(scratch, name, port, database, sync_wait);
        let words = [PROGRAM, "--config-file", file.to_str().unwrap(), "serve"];
        let mut process = Process::start(&words, &scratch.join(format!("{name}.log")), false);
        wait_for(&format!("{name} listens"), Duration::from_secs(30), || {
            assert!(process.is_running(), "{}", process.said());
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Self { port, process }
    }

    /// Its logged errors, except those of a database that was away.
    pub fn faults(&self) -> String {
        let said = self.process.said();
        let faults = said.lines().filter(|line| {
            (line.contains(" ERROR ") && !line.contains("Service Unavailable")) || line.contains(" CRITICAL ")
        });
        faults.collect::<Vec<_>>().join("\n  ")
    }
}
