//! `kill -9` of the daemon in the middle of a write load, and a new start at once.

use std::time::Duration;

use crate::daemon::Daemon;
use crate::load::Load;
use crate::servers::{Kind, Server};
use crate::{say, soundness};

const ROUNDS: usize = 4;

#[test]
fn sqlite() {
    let directory = tempfile::tempdir().unwrap();
    every_acknowledged_write_is_there("SQLite", directory.path().join("f.sqlite").to_str().unwrap());
}

#[test]
fn mariadb() {
    every_acknowledged_write_is_there("MariaDB", &Server::start(Kind::MariaDb).url());
}

#[test]
fn postgresql() {
    every_acknowledged_write_is_there("PostgreSQL", &Server::start(Kind::PostgreSql).url());
}

fn every_acknowledged_write_is_there(name: &str, url: &str) {
    let mut daemon = Daemon::start(url);
    let mut load = Load::new(daemon.port);
    let mut starts = Vec::new();
    for round in 0..ROUNDS {
        load.during(|| {
            std::thread::sleep(Duration::from_millis(2000 + 137 * round as u64));
            daemon.kill();
            starts.push(daemon.restart());
            std::thread::sleep(Duration::from_millis(500));
        });
        load.verify();
        soundness::check(url);
    }
    let told = load.told();
    say(format_args!(
        "daemon killed {ROUNDS} times, {name}: {} writes acknowledged, {} lost; {} without an answer; \
         first answer after {:?} at most",
        told.acknowledged,
        told.lost.len(),
        told.unanswered,
        starts.iter().max().unwrap()
    ));
    assert!(told.lost.is_empty(), "{:#?}", told.lost);
    assert!(told.wrong.is_empty(), "{:#?}", told.wrong);
    // The database was up all the time.
    assert_eq!(told.unavailable, 0);
}
