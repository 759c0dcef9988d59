//! Searches inside documents: however many one project sends, other projects' requests stay as fast as on an idle service.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::{Answer, Client, Ending};
use crate::daemon::{Daemon, connect};

/// The number of connections that search concurrently.
const SEARCHERS: usize = 24;
/// The number of the other project's requests.
const ASKED: usize = 200;
/// The factor by which the median of its answers may grow.
const RATIO: u32 = 5;
/// A median below this says more about the machine than about the service.
const FLOOR: Duration = Duration::from_millis(2);

fn send(client: &mut Client, method: &str, path: &str, project: &str, body: &str) -> Answer {
    let head = format!(
        "{method} /v2/{project}/{path} HTTP/1.1\r\nHost: localhost\r\nX-User-Id: u\r\nX-Project-Id: {project}\r\nX-Roles: member\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    client.0.get_mut().write_all(head.as_bytes()).unwrap();
    client.answer()
}

/// The durations of some GETs of another project.
fn ask(address: SocketAddr) -> Vec<Duration> {
    let mut client = connect(address);
    let mut times: Vec<Duration> = (0..ASKED)
        .map(|_| {
            let begun = Instant::now();
            let answer = send(&mut client, "GET", "jobs", "v", "");
            assert_eq!(answer.code(), 200, "{answer:?}");
            let time = begun.elapsed();
            thread::sleep(Duration::from_millis(5));
            time
        })
        .collect();
    times.sort();
    times
}

/// Adds backups of 12 KB each.
fn fill(address: SocketAddr, count: usize) {
    let mut client = connect(address);
    for number in 0..count {
        let backup = json!({
            "container": "c",
            "backup_name": format!("backup-{number}"),
            "hostname": "web1",
            "time_stamp": 1_767_323_045,
            "curr_backup_level": 0,
            "notes": (0..60).map(|note| format!("{note} {}", "bcdefghi ".repeat(22))).collect::<Vec<_>>(),
        });
        let answer = send(&mut client, "POST", "backups", "p", &backup.to_string());
        assert_eq!(answer.code(), 201, "{}", answer.json());
    }
}

#[test]
fn the_searches_of_one_project_slow_no_other_down() {
    let daemon = Daemon::start();
    let address = daemon.address;
    fill(address, 1_500);
    let words = format!("{}zzz", "b ".repeat(99));
    let body = json!({"match_not": [{"_all": words}]}).to_string();
    let mut tries = Vec::new();
    for _ in 0..3 {
        let quiet = ask(address);
        let stop = AtomicBool::new(false);
        let (busy, answers) = thread::scope(|scope| {
            let ending = Ending(&stop);
            let searchers: Vec<_> = (0..SEARCHERS)
                .map(|_| {
                    let (stop, body) = (&stop, &body);
                    scope.spawn(move || {
                        let mut client = connect(address);
                        let mut answers = Vec::new();
                        while !stop.load(Ordering::SeqCst) {
                            let answer = send(&mut client, "GET", "backups?offset=1000000", "p", body);
                            if answer.code() == 503 {
                                assert!(answer.header("Retry-After").is_some(), "{answer:?}");
                            }
                            answers.push(answer.code());
                        }
                        answers
                    })
                })
                .collect();
            thread::sleep(Duration::from_secs(1));
            let busy = ask(address);
            drop(ending);
            let answers: Vec<u16> = searchers.into_iter().flat_map(|one| one.join().unwrap()).collect();
            (busy, answers)
        });
        assert!(answers.contains(&200), "{answers:?}");
        assert!(answers.iter().all(|code| [200, 503].contains(code)), "{answers:?}");
        let (quiet, busy) = (quiet[ASKED / 2], (busy[ASKED / 2], busy[ASKED - 1]));
        println!(
            "quiet {quiet:?}, median and worst of the busy service {busy:?}, {} searches",
            answers.len()
        );
        if busy.0 <= RATIO * quiet.max(FLOOR) {
            return;
        }
        tries.push((quiet, busy));
    }
    panic!("{tries:?}");
}
