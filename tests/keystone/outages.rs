//! What becomes of a memcached that fails, and of those who ask it.

use std::thread;
use std::time::{Duration, Instant};

use freezer_api::keystone::Keystone;
use freezer_api::keystone::memcached::Settings;
use serde_json::json;

use super::fake::member;
use super::house::authenticate;
use super::memcached::{Memcached, Mode};
use super::shared::{fake, process, settings};

const LONG: Duration = Duration::from_secs(20);

#[test]
fn a_memcached_that_fails_is_left_alone_and_nobody_notices() {
    for mode in [Mode::Hang, Mode::HangUp, Mode::Garbage, Mode::Trickle] {
        let (fake, server) = (fake(), Memcached::start());
        server.memory.set(mode);
        let process = process(&fake, settings(&[&server]));
        let start = Instant::now();
        for number in 0..50 {
            let token = format!("token-{number}");
            fake.keystone.knows(&token, member("ann", json!({})));
            authenticate(&process, &token).unwrap();
        }
        assert!(start.elapsed() < LONG, "{mode:?}");
        assert_eq!(server.memory.asked(), 1, "{mode:?}");
    }
}

#[test]
fn many_who_come_at_once_do_not_wait_one_after_the_other() {
    let (fake, server) = (fake(), Memcached::start());
    server.memory.set(Mode::Hang);
    let process = process(&fake, Settings { max_connections: 2, ..settings(&[&server]) });
    let tokens: Vec<_> = (0..100).map(|number| format!("token-{number}")).collect();
    for token in &tokens {
        fake.keystone.knows(token, member("ann", json!({})));
    }
    let start = Instant::now();
    thread::scope(|scope| {
        for token in &tokens {
            scope.spawn(|| authenticate(&process, token).unwrap());
        }
    });
    assert!(start.elapsed() < LONG);
    assert!(server.memory.connections() <= 2, "{}", server.memory.connections());
}

#[test]
fn a_memcached_that_is_away_at_first_is_used_when_it_is_there() {
    let fake = fake();
    let server = Memcached::start();
    let (address, mut memcached) = (server.address, settings(&[&server]));
    drop(server);
    memcached.dead_retry = Duration::from_millis(50);
    let process = process(&fake, memcached);
    fake.keystone.knows("other", member("bob", json!({})));
    authenticate(&process, "good").unwrap();
    let server = Memcached::restart(address);
    thread::sleep(Duration::from_millis(100));
    authenticate(&process, "other").unwrap();
    assert_eq!(server.memory.sets(), 1);
}

#[test]
fn a_connection_that_was_ended_meanwhile_is_made_anew() {
    let (fake, server) = (fake(), Memcached::start());
    let process = process(&fake, settings(&[&server]));
    for user in ["u1", "u2", "u3"] {
        fake.keystone.knows(user, member(user, json!({})));
        authenticate(&process, user).unwrap();
        server.hang_up();
    }
    assert_eq!((server.memory.sets(), server.memory.connections()), (3, 3));
}

#[test]
fn a_memcached_that_is_full_is_asked_again() {
    let (fake, server) = (fake(), Memcached::start());
    fake.keystone.knows("other", member("bob", json!({})));
    server.memory.set(Mode::Full);
    let process = process(&fake, settings(&[&server]));
    authenticate(&process, "good").unwrap();
    server.memory.set(Mode::Answer);
    authenticate(&process, "other").unwrap();
    assert_eq!((server.memory.sets(), server.memory.entries.lock().unwrap().len()), (2, 1));
}

#[test]
fn entries_are_spread_over_servers_and_the_others_stand_in_for_a_dead_one() {
    let fake = fake();
    let servers: Vec<_> = (0..3).map(|_| Memcached::start()).collect();
    let all: Vec<_> = servers.iter().collect();
    let users: Vec<_> = (0..60).map(|number| format!("user-{number}")).collect();
    for user in &users {
        fake.keystone.knows(user, member(user, json!({})));
    }
    let ask_all = |process: &Keystone| {
        for user in &users {
            assert_eq!(authenticate(process, user).unwrap().user_id, *user);
        }
    };
    ask_all(&process(&fake, settings(&all)));
    // The order does not matter.
    ask_all(&process(&fake, settings(&[all[2], all[0], all[1]])));
    assert_eq!(fake.keystone.validations(), users.len());
    let held: Vec<_> = servers.iter().map(|server| server.memory.entries.lock().unwrap().len()).collect();
    assert!(held.iter().all(|held| *held > 0) && held.iter().sum::<usize>() == users.len(), "{held:?}");
    servers[0].memory.set(Mode::HangUp);
    ask_all(&process(&fake, settings(&all)));
    assert_eq!(fake.keystone.validations(), users.len() + held[0]);
    let stored: usize = servers[1..].iter().map(|server| server.memory.entries.lock().unwrap().len()).sum();
    assert!(stored > held[1] + held[2], "the others took what was not known");
    ask_all(&process(&fake, settings(&all)));
    assert!(fake.keystone.validations() <= users.len() + held[0] + 2, "and gave it");
}
