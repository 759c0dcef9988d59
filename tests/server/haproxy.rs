//! A HAProxy with the settings that we ship, `etc/haproxy.cfg`.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A running HAProxy, which is stopped when dropped.
pub struct Haproxy {
    pub address: SocketAddr,
    child: Child,
    _directory: TempDir,
}

impl Haproxy {
    /// Starts one in front of two nodes.
    pub fn start(nodes: [SocketAddr; 2]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let address = free_address();
        let path = directory.path().join("haproxy.cfg");
        fs::write(&path, settings(address, nodes)).unwrap();
        let checked = check(&path);
        assert!(checked.status.success(), "{checked:?}");
        let child = haproxy().arg("-db").arg("-f").arg(&path).spawn().unwrap();
        let haproxy = Self { address, child, _directory: directory };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "HAProxy does not start");
            thread::sleep(Duration::from_millis(20));
        }
        haproxy
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address without a listener.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// The path of its program, which distributions keep out of the PATH of ordinary users.
fn haproxy() -> Command {
    let sbin = Path::new("/usr/sbin/haproxy");
    Command::new(if sbin.exists() { sbin } else { Path::new("haproxy") })
}

fn check(path: &Path) -> Output {
    haproxy()
        .arg("-c")
        .arg("-f")
        .arg(path)
        .output()
        .unwrap_or_else(|why| panic!("haproxy: {why}: scripts/test installs it"))
}

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("etc/haproxy.cfg")
}

/// The shipped settings with these addresses, without the lines that need root.
fn settings(address: SocketAddr, nodes: [SocketAddr; 2]) -> String {
    let shipped = fs::read_to_string(shipped()).unwrap();
    let of_root = |line: &&str| {
        ["user ", "group ", "chroot ", "stats socket "].iter().any(|word| line.trim().starts_with(word))
    };
    let kept: String =
        shipped.lines().filter(|line| !of_root(line)).map(|line| format!("{line}\n")).collect();
    let mut text = kept;
    for (old, new, times) in [
        ("bind :80\n", format!("bind {address}\n"), 1),
        ("192.0.2.11:9090", nodes[0].to_string(), 2),
        ("192.0.2.12:9090", nodes[1].to_string(), 2),
    ] {
        assert_eq!(text.matches(old).count(), times, "{old}");
        text = text.replace(old, &new);
    }
    text
}

#[test]
fn the_shipped_settings_are_valid_to_the_letter() {
    let checked = check(&shipped());
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(checked.status.success() && !said.contains("WARNING"), "{said}");
}

#[test]
fn a_length_that_overflows_is_not_passed_on() {
    let node = crate::client::start();
    let haproxy = Haproxy::start([node.address; 2]);
    let mut client = crate::daemon::connect(haproxy.address);
    let answer = client.ask("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551616\r\n\r\n");
    // HAProxy's own answer, in our form.
    assert_eq!((answer.code(), answer.header("x-openstack-request-id")), (400, None));
    assert_eq!(answer.json()["code"], 400);
}
