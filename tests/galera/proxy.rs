//! HAProxy: before the API processes, and between each of them and the database.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::process::{Process, run, wait_for};

pub struct Proxy {
    pub port: u16,
    _process: Process,
}

impl Proxy {
    /// What `etc/haproxy-galera.cfg` says, with these nodes, the nearest first.
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

    /// One address for several API processes.
    pub fn to_apis(scratch: &Path, port: u16, apis: &[u16]) -> Self {
        let mut text = format!(
            "global\n    maxconn 4000\n\
             defaults\n    mode http\n    timeout connect 2s\n    timeout client 75s\n    timeout server 75s\n\
             \n    timeout check 2s\n    option redispatch\n    retries 2\n\
             listen api\n    bind 127.0.0.1:{port}\n    balance roundrobin\n    option httpchk GET /healthcheck\n\
             \n    http-check expect status 200\n    default-server check inter 1s fall 2 rise 1\n"
        );
        for (n, api) in apis.iter().enumerate() {
            text.push_str(&format!("    server api{n} 127.0.0.1:{api}\n"));
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
