//! One MariaDB with Galera.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::process::{Process, run, wait_for};

/// Upper bound for a node that gets a full state transfer.
const PATIENCE: Duration = Duration::from_secs(90);

/// The ports of one node.
#[derive(Clone, Copy)]
pub struct Ports {
    pub clients: u16,
    pub group: u16,
    /// For incremental state transfers.
    pub missed: u16,
    /// For full state transfers.
    pub all: u16,
}

pub struct Node {
    pub name: String,
    pub port: u16,
    directory: PathBuf,
    process: Option<Process>,
}

impl Node {
    /// A node with an empty directory of its own; nothing runs yet.
    pub fn new(scratch: &Path, name: &str, ports: Ports, group: &str) -> Self {
        let directory = scratch.join(name);
        std::fs::create_dir(&directory).unwrap();
        let here = directory.display();
        // A node's death is detected within 2 seconds instead of 5. Commits do not wait for the disk, as is usual with
        // Galera, so a killed node loses its last writes and must get them from the others.
        let configuration = format!(
            "[mariadbd]\n\
             datadir={here}/data\nsocket={here}/socket\npid-file={here}/pid\n\
             bind-address=127.0.0.1\nport={clients}\nskip-name-resolve\nmax_connections=500\n\
             binlog_format=ROW\ninnodb_autoinc_lock_mode=2\ninnodb_flush_log_at_trx_commit=0\n\
             innodb_buffer_pool_size=64M\n\
             wsrep_on=ON\nwsrep_provider=/usr/lib/galera/libgalera_smm.so\nwsrep_cluster_name=freezer\n\
             wsrep_cluster_address=gcomm://{group}\nwsrep_node_name={name}\nwsrep_node_address=127.0.0.1\n\
             wsrep_slave_threads=2\nwsrep_sst_method=rsync\nwsrep_sst_receive_address=127.0.0.1:{all}\n\
             wsrep_provider_options=\"gmcast.listen_addr=tcp://127.0.0.1:{own};ist.recv_addr=127.0.0.1:{missed};\
             gcache.size=64M;evs.keepalive_period=PT0.5S;evs.suspect_timeout=PT2S;evs.inactive_timeout=PT5S;\
             evs.install_timeout=PT5S\"\n",
            clients = ports.clients,
            own = ports.group,
            missed = ports.missed,
            all = ports.all,
        );
        std::fs::write(directory.join("cnf"), configuration).unwrap();
        std::fs::create_dir(directory.join("data")).unwrap();
        if let Ok(user) = std::env::var("FREEZER_GALERA_USER") {
            run(&["chown", "-R", &format!("{user}:"), directory.to_str().unwrap()], false).unwrap();
        }
        Self { name: name.to_owned(), port: ports.clients, directory, process: None }
    }

    /// Bootstraps a cluster with this node.
    pub fn found(&mut self, users: &str) {
        let data = format!("--datadir={}/data", self.directory.display());
        let words = ["mariadb-install-db", "--no-defaults", &data, "--skip-test-db"];
        run(&[&words[..], &["--auth-root-authentication-method=normal"]].concat(), true).unwrap();
        let file = self.directory.join("init.sql");
        std::fs::write(&file, users).unwrap();
        self.start(&["--wsrep-new-cluster", &format!("--init-file={}", file.display())]);
        self.await_synced();
    }

    /// Starts a node that is new, or was stopped cleanly.
    pub fn join(&mut self) {
        self.start(&[]);
        self.await_synced();
    }

    /// Starts a node that was killed: it first recovers its position, as the packages' own start does.
    pub fn rejoin(&mut self) -> &'static str {
        let defaults = self.defaults();
        let log = format!("--log-error={}/recover.log", self.directory.display());
        let _ = run(&["mariadbd", &defaults, "--wsrep-recover", &log], true);
        let text = std::fs::read_to_string(self.directory.join("recover.log")).unwrap();
        let position = text.lines().rev().find_map(|line| line.split("Recovered position: ").nth(1));
        let position = format!("--wsrep-start-position={}", position.unwrap().trim());
        let before = self.process.as_ref().map_or(0, |process| process.said().len());
        self.start(&[&position]);
        self.await_synced();
        match self.process.as_ref().unwrap().said()[before..].contains("IST received") {
            true => "what it had missed",
            false => "everything anew",
        }
    }

    fn defaults(&self) -> String {
        format!("--defaults-file={}/cnf", self.directory.display())
    }

    fn start(&mut self, more: &[&str]) {
        let defaults = self.defaults();
        let words = [&["mariadbd", &defaults], more].concat();
        self.process = Some(Process::start(&words, &self.directory.join("log"), true));
    }

    fn await_synced(&mut self) {
        let Self { process, name, port, .. } = self;
        let process = process.as_mut().unwrap();
        wait_for(&format!("{name} joins"), PATIENCE, || {
            assert!(process.is_running(), "{}", process.said());
            query(*port, "SHOW STATUS LIKE 'wsrep_local_state_comment'")
                .is_ok_and(|all| all.contains("Synced"))
        });
    }

    /// Whether the node is in sync, and so can be used.
    pub fn is_synced(&self) -> bool {
        self.ask("SHOW STATUS LIKE 'wsrep_local_state_comment'").is_ok_and(|all| all.contains("Synced"))
    }

    pub fn process(&mut self) -> &mut Process {
        self.process.as_mut().unwrap()
    }

    /// Cuts the node off from the other nodes, but not from its clients; or reconnects it.
    pub fn isolate(&self, cut_off: bool) {
        let value = u8::from(cut_off);
        self.sql(&format!("SET GLOBAL wsrep_provider_options = 'gmcast.isolate={value}'"));
    }

    /// The result of a statement, one line per row.
    pub fn ask(&self, sql: &str) -> Result<String, String> {
        query(self.port, sql)
    }

    /// As [`Node::ask`], for a node that is up; waits for writes that the others have acknowledged.
    #[track_caller]
    pub fn sql(&self, sql: &str) -> String {
        self.ask(sql).unwrap_or_else(|why| panic!("{}: {sql}: {why}", self.name))
    }

    /// A status variable that is a number.
    pub fn status(&self, name: &str) -> u64 {
        let line = self.ask(&format!("SHOW GLOBAL STATUS LIKE '{name}'")).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|value| value.parse().ok()).unwrap_or(0)
    }
}

/// Runs a query with MariaDB's own client, independently of the service.
fn query(port: u16, sql: &str) -> Result<String, String> {
    let port = port.to_string();
    let words = ["mariadb", "--no-defaults", "--host=127.0.0.1", "--port", &port, "--user=freezer"];
    let more =
        ["--password=freezer", "--connect-timeout=3", "--batch", "--raw", "--skip-column-names", "freezer"];
    let init = ["--init-command=SET wsrep_sync_wait = 7", "--execute", sql];
    run(&[&words[..], &more[..], &init[..]].concat(), false)
}
