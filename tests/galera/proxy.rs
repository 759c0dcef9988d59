//! HAProxy: before the API processes, and between each of them and the database.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::process::{Process, run, wait_for};

pub struct Proxy {
    pub port: u16,
    _process: Process,
}

impl Proxy {
    /// `etc/haproxy-galera.cfg` with these nodes, the preferred one first.
    pub fn to_database(scratch: &Path, name: &str, port: u16, nodes: &[u16]) -> Self {
        let shipped = include_str!("../../etc/haproxy-galera.cfg");
        let mut text = shipped.replace("bind 127.0.0.1:3306", &format!("bind 127.0.0.1:{port}"));
        for (n, node) in nodes.iter().enumerate() {
            let address = format!("192.0.2.2{}:3306", n + 1);
            assert!(text.contains(&address), "no {address} in etc/haproxy-galera.cfg");
            text = text.replace(&address, &format!("127.0.0.1:{node}"));
        }
        Self::start(scratch, name, port, &text)
    }

    /// `etc/haproxy.cfg` with these API processes, without the lines that need root.
    pub fn to_apis(scratch: &Path, port: u16, apis: [u16; 2]) -> Self {
        let shipped =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/etc/haproxy.cfg")).unwrap();
        let of_root = |line: &&str| {
            ["user ", "group ", "chroot ", "stats socket "].iter().any(|word| line.trim().starts_with(word))
        };
        let mut text: String =
            shipped.lines().filter(|line| !of_root(line)).map(|line| format!("{line}\n")).collect();
        for (old, new) in [
            ("bind :80\n", format!("bind 127.0.0.1:{port}\n")),
            ("192.0.2.11:9090", format!("127.0.0.1:{}", apis[0])),
            ("192.0.2.12:9090", format!("127.0.0.1:{}", apis[1])),
        ] {
            assert!(text.contains(old), "no {old} in etc/haproxy.cfg");
            text = text.replace(old, &new);
        }
        Self::start(scratch, "front", port, &text)
    }

    fn start(scratch: &Path, name: &str, port: u16, text: &str) -> Self {
        let file: PathBuf = scratch.join(format!("{name}.cfg"));
        std::fs::write(&file, text).unwrap();
        let file = file.to_str().unwrap();
        run(&["haproxy", "-c", "-q", "-f", file], false).unwrap();
        let process =
            Process::start(&["haproxy", "-db", "-f", file], &scratch.join(format!("{name}.log")), false);
        wait_for("HAProxy listens", Duration::from_secs(10), || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Self { port, _process: process }
    }
}
