//! `kill -9` of the database in the middle of a write load, and a new start some seconds later.

use std::time::{Duration, Instant};

use crate::daemon::Daemon;
use crate::load::Load;
use crate::servers::{Kind, Server};
use crate::{say, soundness};

const ROUNDS: usize = 3;
/// Downtime of the database.
const AWAY: Duration = Duration::from_secs(3);
/// Upper bound on the wait of a write or read meanwhile.
const BOUND: Duration = Duration::from_secs(10);
/// Upper bound on the daemon's recovery after the database is back; mostly it is much faster.
const RECOVERY: Duration = Duration::from_secs(5);
/// The daemon's default pool size: one less than its workers.
const POOL: i64 = 15;

#[test]
fn mariadb() {
    every_acknowledged_write_is_there("MariaDB", Kind::MariaDb);
}

#[test]
fn postgresql() {
    every_acknowledged_write_is_there("PostgreSQL", Kind::PostgreSql);
}

fn every_acknowledged_write_is_there(name: &str, kind: Kind) {
    let mut server = Server::start(kind);
    let daemon = Daemon::start(&server.url());
    let mut load = Load::new(daemon.port);
    load.during(|| std::thread::sleep(Duration::from_secs(1)));
    let (files, memory) = (daemon.open_files(), daemon.memory());
    let (mut recoveries, mut longest) = (Vec::new(), Duration::ZERO);
    for _ in 0..ROUNDS {
        load.longest();
        let mut line = load.line();
        recoveries.push(load.during(|| {
            std::thread::sleep(Duration::from_millis(1500));
            server.kill();
            // Requests and the health check report the outage for as long as it lasts.
            let until = Instant::now() + AWAY;
            std::thread::sleep(Duration::from_millis(200));
            while Instant::now() < until {
                let answer = line.send("GET", "/jobs?limit=1", None);
                assert_eq!((answer.status, answer.retry_after.is_some()), (Some(503), true), "{answer:?}");
                assert!(answer.took < BOUND, "{answer:?}");
                let health = line.raw("GET", "/healthcheck", None);
                assert_eq!(health.status, Some(503), "{health:?}");
                assert!(health.took < BOUND, "{health:?}");
                std::thread::sleep(Duration::from_millis(50));
            }
            server.restart();
            let back = Instant::now();
            while !line.send("GET", "/jobs?limit=1", None).is_done() {
                assert!(back.elapsed() < RECOVERY, "the database is back, and requests still fail");
                std::thread::sleep(Duration::from_millis(10));
            }
            let recovery = back.elapsed();
            while line.raw("GET", "/healthcheck", None).status != Some(200) {
                assert!(back.elapsed() < RECOVERY, "the database is back, and the health check still fails");
                std::thread::sleep(Duration::from_millis(10));
            }
            std::thread::sleep(Duration::from_millis(1000));
            recovery
        }));
        longest = longest.max(load.longest());
        load.verify();
        soundness::check(&server.url());
    }
    let connections = soundness::connections(&server.url());
    let told = load.told();
    say(format_args!(
        "database killed {ROUNDS} times, {name}: {} writes acknowledged, {} lost; {} times 503, the longest answer \
         {longest:?}; recovered within {recoveries:?}; {connections} connections, open files {files} -> {}, memory \
         {memory} -> {} MiB",
        told.acknowledged,
        told.lost.len(),
        told.unavailable,
        daemon.open_files(),
        daemon.memory(),
    ));
    assert!(told.lost.is_empty(), "{:#?}", told.lost);
    assert!(told.wrong.is_empty(), "{:#?}", told.wrong);
    // The daemon itself has answered every request.
    assert_eq!(told.unanswered, 0);
    assert!(longest < BOUND, "{longest:?}");
    assert!(connections <= POOL, "{connections}");
    assert!(daemon.open_files() <= files + POOL as usize, "{files} -> {}", daemon.open_files());
    assert!(daemon.memory() <= memory + 64, "{memory} -> {} MiB", daemon.memory());
}
