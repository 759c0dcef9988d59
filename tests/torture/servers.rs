//! Database servers that sync to the disk as a real one does, and can be killed.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use freezer_api::store::engine::manager::establish;
use freezer_api::store::engine::url::DatabaseUrl;

use crate::process::Process;

/// The kind of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    MariaDb,
    PostgreSql,
}

/// A server on a port of its own, which is stopped when the test ends.
pub struct Server {
    pub kind: Kind,
    directory: tempfile::TempDir,
    port: u16,
    process: Option<Process>,
}

impl Server {
    /// Starts an empty server.
    pub fn start(kind: Kind) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { kind, directory, port, process: None };
        if let Some((uid, gid)) = other_user() {
            chown(server.directory.path(), Some(uid), Some(gid)).unwrap();
        }
        server.install();
        server.restart();
        server
    }

    /// Its URL for the service.
    pub fn url(&self) -> String {
        match self.kind {
            Kind::MariaDb => format!("mysql://freezer:freezer@127.0.0.1:{}/freezer", self.port),
            Kind::PostgreSql => format!("postgres://freezer@127.0.0.1:{}/freezer", self.port),
        }
    }

    /// Its URL for the administrator.
    pub fn admin_url(&self) -> String {
        self.url().replace("freezer:freezer@", "root@")
    }

    /// `kill -9`, of all its processes.
    pub fn kill(&mut self) {
        let process = self.process.take().unwrap();
        process.signal("KILL");
        drop(process);
    }

    /// Starts it on its existing data, and returns when it accepts connections.
    pub fn restart(&mut self) {
        let data = self.data();
        let mut command = match self.kind {
            Kind::MariaDb => {
                let mut command = as_server("mariadbd");
                command.arg("--no-defaults").arg(format!("--datadir={}", data.display()));
                command.arg(format!("--init-file={}", self.path("grants.sql").display()));
                command.arg(format!("--socket={}", self.path("socket").display()));
                command.args(["--bind-address=127.0.0.1", "--skip-name-resolve", "--max-connections=200"]);
                command.args(["--innodb-flush-log-at-trx-commit=1", "--sync-binlog=1"]);
                command.arg(format!("--port={}", self.port));
                command
            }
            Kind::PostgreSql => {
                let mut command = as_server(&postgres("postgres"));
                command.arg("-D").arg(&data);
                command.args(["-c", "listen_addresses=127.0.0.1", "-c", &format!("port={}", self.port)]);
                command.args(["-c", &format!("unix_socket_directories={}", self.directory.path().display())]);
                command.args(["-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "full_page_writes=on"]);
                command
            }
        };
        let until = Instant::now() + Duration::from_secs(60);
        // Processes left of a killed PostgreSQL may keep the next one from starting for a moment.
        let log = self.path("log");
        loop {
            let mut process = Process::launch(&mut command, log.clone());
            while process.is_running() {
                if self.accepts() {
                    self.process = Some(process);
                    return;
                }
                assert!(Instant::now() < until, "{}", process.output());
                std::thread::sleep(Duration::from_millis(10));
            }
            assert!(Instant::now() < until, "{}", process.output());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Suspends it: the kernel still accepts connections for it.
    pub fn hang(&self) {
        self.process.as_ref().unwrap().signal("STOP");
    }

    /// Resumes it.
    pub fn go_on(&self) {
        self.process.as_ref().unwrap().signal("CONT");
    }

    fn accepts(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.port)).is_ok()
            && establish(&DatabaseUrl::parse(&self.url()).unwrap()).is_ok()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn data(&self) -> PathBuf {
        self.path("data")
    }

    fn install(&self) {
        let data = self.data();
        match self.kind {
            Kind::MariaDb => {
                let mut install = as_server("mariadb-install-db");
                install.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
                run(install.arg(format!("--datadir={}", data.display())));
                // The service's user lacks SUPER, so read_only holds for it.
                let grants = "CREATE DATABASE IF NOT EXISTS freezer;\n\
                     CREATE USER IF NOT EXISTS freezer@'%' IDENTIFIED BY 'freezer';\n\
                     GRANT ALL ON freezer.* TO freezer@'%';\n\
                     CREATE USER IF NOT EXISTS root@'%';\nGRANT ALL ON *.* TO root@'%';\n";
                fs::write(self.path("grants.sql"), grants).unwrap();
            }
            Kind::PostgreSql => {
                let mut install = as_server(&postgres("initdb"));
                install.args(["--username=freezer", "--auth=trust", "--encoding=UTF8", "--locale=C"]);
                run(install.arg(format!("--pgdata={}", data.display())));
                let mut single = as_server(&postgres("postgres"));
                single.args(["--single", "-D"]).arg(&data).arg("postgres");
                let sql = self.path("create.sql");
                fs::write(&sql, "CREATE DATABASE freezer;\n").unwrap();
                run(single.stdin(fs::File::open(sql).unwrap()));
            }
        }
    }
}

/// A command under a user that a server may run as, ended when this thread is.
fn as_server(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if let Some((uid, gid)) = other_user() {
        command.args(["--reuid", &uid.to_string(), "--regid", &gid.to_string(), "--clear-groups"]);
    }
    command.arg(program);
    command
}

/// If the tests run as root, the servers run as another user: PostgreSQL insists on it.
pub fn other_user() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    let found = ["postgres", "mysql", "nobody"]
        .iter()
        .find_map(|name| Some((id(&["-u", name])?, id(&["-g", name])?)));
    Some(found.expect("a user to run a server as"))
}

/// The path of one of PostgreSQL's programs: distributions keep them out of the PATH.
fn postgres(program: &str) -> String {
    let mut found: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|release| release.path().join("bin").join(program))
        .filter(|path| Path::exists(path))
        .collect();
    found.sort();
    found.pop().map_or_else(|| program.to_owned(), |path| path.display().to_string())
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}
