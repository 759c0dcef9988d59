//! Guessing passwords is slow, and does not keep other users out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use diesel::prelude::*;
use freezer_api::cli::user::UserCommand;
use freezer_api::identity::{Role, Settings};
use freezer_api::store::schema::identity_known_addresses as known;
use serde_json::json;

use crate::house::{House, by_token, on_every_backend, patient};

const PASSWORD: &str = "correct horse";
const HOME: &str = "192.0.2.1";

fn guess(house: &House, address: &str, name: &str) -> u16 {
    let answer = house.password_from(address, name, "wrong horse");
    if answer.status == 429 {
        answer.assert_error(429);
        let seconds: u64 = answer.header("Retry-After").unwrap().parse().unwrap();
        assert!((1..=3600).contains(&seconds), "{seconds}");
        assert_eq!(
            (&answer.body["error"]["title"], answer.header("X-Subject-Token")),
            (&json!("Too Many Requests"), None)
        );
    }
    answer.status
}

/// Guesses until the first 429. Returns the number of guesses that were checked.
fn guesses(house: &House, address: &str, name: &str) -> usize {
    (0..30).take_while(|_| guess(house, address, name) == 401).count()
}

#[test]
fn after_ten_failures_an_address_has_to_wait_whatever_the_user_name() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "one", Role::Member);
        let tried = (0..10).map(|number| guess(&house, HOME, &format!("user{number}")));
        assert_eq!(tried.collect::<Vec<_>>(), [401; 10]);
        assert_eq!(guess(&house, HOME, "ann"), 429);
        house.password_from(HOME, "ann", PASSWORD).assert_error(429);
        assert_eq!(
            house.password_from("192.0.2.2", "ann", PASSWORD).status,
            201,
            "from elsewhere all is well"
        );
    });
}

#[test]
fn one_more_attempt_is_admitted_every_six_seconds() {
    on_every_backend(|house| {
        let house = house.restarted(&Settings::default());
        house.user("ann", PASSWORD, "one", Role::Member);
        assert!(guesses(&house, HOME, "ann") >= 10);
        // On a slow machine six seconds may be over now.
        let refused = house.password_from(HOME, "ann", "wrong horse");
        if refused.status == 429 {
            let seconds: u64 = refused.header("Retry-After").unwrap().parse().unwrap();
            assert!((1..=6).contains(&seconds), "{seconds}");
        }
        std::thread::sleep(Duration::from_secs(6));
        assert_eq!(house.password_from(HOME, "ann", PASSWORD).status, 201);
    });
}

#[test]
fn guesses_at_the_same_moment_are_counted_as_well() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "one", Role::Member);
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..40).map(|_| scope.spawn(|| guess(&house, HOME, "ann"))).collect();
            all.into_iter().map(|guess| guess.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 10, "{statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 401 | 429)), "{statuses:?}");
    });
}

#[test]
fn successful_logins_do_not_count_as_guesses() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "one", Role::Member);
        house.user("eve", PASSWORD, "one", Role::Member);
        for _ in 0..25 {
            assert_eq!(house.password_from(HOME, "ann", PASSWORD).status, 201);
        }
        assert_eq!(guesses(&house, HOME, "eve"), 10);
    });
}

#[test]
fn guessing_never_locks_out_the_owner_not_even_after_a_restart() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "one", Role::Member);
        assert_eq!(house.password_from(HOME, "ann", PASSWORD).status, 201);
        let house = house.restarted(&patient());
        for number in 2..6 {
            assert_eq!(guesses(&house, &format!("192.0.2.{number}"), "ann"), 10);
        }
        assert_eq!(house.password_from(HOME, "ann", PASSWORD).status, 201);
        // Also when other users at the same address fail: behind a proxy that hides its clients, all have one address.
        assert_eq!(guesses(&house, HOME, "eve"), 10);
        assert_eq!(house.password_from(HOME, "ann", PASSWORD).status, 201);
        assert_eq!(house.password_from(HOME, "bob", PASSWORD).status, 429);
        // Guesses at this user from this address are limited all the same.
        assert_eq!(guesses(&house, HOME, "ann"), 10);
        house.password_from(HOME, "ann", PASSWORD).assert_error(429);
    });
}

#[test]
fn an_address_is_known_for_thirty_days_and_never_from_the_future() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "one", Role::Member);
        let now = freezer_api::store::now();
        for (number, days, is_known) in [(1, 29, true), (2, 31, false), (3, -1, false)] {
            let address = format!("192.0.2.{number}");
            house.password_from(&address, "ann", PASSWORD).subject();
            let at = now - chrono::TimeDelta::days(days);
            diesel::update(known::table.filter(known::address.eq(&address)))
                .set(known::last_login_at.eq(at))
                .execute(&mut house.connection())
                .unwrap();
            guesses(&house, &address, "eve");
            let status = house.password_from(&address, "ann", PASSWORD).status;
            assert_eq!(status, if is_known { 201 } else { 429 }, "{days} days");
        }
        house.upkeep();
        let left: Vec<String> =
            known::table.select(known::address).order(known::address).load(&mut house.connection()).unwrap();
        assert_eq!(left, ["192.0.2.1", "192.0.2.3"]);
        // The next successful login corrects a time that a wrong clock has left.
        let house = house.restarted(&patient());
        house.password_from("192.0.2.3", "ann", PASSWORD).subject();
        guesses(&house, "192.0.2.3", "eve");
        assert_eq!(house.password_from("192.0.2.3", "ann", PASSWORD).status, 201);
    });
}

#[test]
fn a_user_is_known_at_a_bounded_number_of_addresses_and_at_none_after_a_reset() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "one", Role::Member);
        house.password_from(HOME, "ann", PASSWORD).subject();
        let id: String = known::table.select(known::user_id).first(&mut house.connection()).unwrap();
        let rows: Vec<_> = (0..150)
            .map(|number| {
                let at = freezer_api::store::now() - chrono::TimeDelta::hours(number + 1);
                (
                    known::user_id.eq(&id),
                    known::address.eq(format!("10.0.0.{number}")),
                    known::last_login_at.eq(at),
                )
            })
            .collect();
        for row in rows {
            diesel::insert_into(known::table).values(row).execute(&mut house.connection()).unwrap();
        }
        house.password_from("192.0.2.2", "ann", PASSWORD).subject();
        let mut left: Vec<String> =
            known::table.select(known::address).load(&mut house.connection()).unwrap();
        assert_eq!(left.len(), 100);
        left.sort();
        assert!(left.contains(&HOME.to_owned()) && left.contains(&"192.0.2.2".to_owned()));
        assert!(
            left.contains(&"10.0.0.97".to_owned()) && !left.contains(&"10.0.0.98".to_owned()),
            "{left:?}"
        );
        let command = UserCommand::SetPassword { name: "ann".to_owned(), password_stdin: true };
        house.run(command, PASSWORD).unwrap();
        assert_eq!(known::table.count().get_result::<i64>(&mut house.connection()).unwrap(), 0);
    });
}

#[test]
fn an_ipv6_network_counts_as_one_and_a_trusted_proxy_names_its_client() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "one", Role::Member);
        let tried = (1..=10).map(|number| guess(&house, &format!("2001:db8:0:1::{number}"), "ann"));
        assert_eq!(tried.collect::<Vec<_>>(), [401; 10]);
        assert_eq!(guess(&house, "2001:db8:0:1:ffff::1", "ann"), 429);
        assert_eq!(guess(&house, "2001:db8:0:2::1", "ann"), 401);
        let user = json!({"name": "ann", "password": "wrong horse"});
        let body = json!({"auth": {"identity": crate::house::by_password(user)}});
        let through = |client: &str| {
            let headers = [("X-Forwarded-For", client)];
            house.ask_from("10.0.0.1", "/identity/v3/auth/tokens", &headers, &body).status
        };
        assert_eq!(
            (0..11).map(|_| through("198.51.100.7")).collect::<Vec<_>>(),
            [&[401; 10][..], &[429]].concat()
        );
        assert_eq!((through("198.51.100.8"), guess(&house, "198.51.100.7", "ann")), (401, 429));
    });
}

/// Guesses in a loop on 24 connections while `honest` runs.
fn under_a_storm(house: &House, address: impl Fn(usize) -> String + Sync, name: &str, honest: impl FnOnce()) {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for connection in 0..24 {
            let (stop, address) = (&stop, address(connection));
            scope.spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    assert!(matches!(
                        house.password_from(&address, name, "wrong horse").status,
                        401 | 429 | 503
                    ));
                }
            });
        }
        std::thread::sleep(Duration::from_millis(200));
        honest();
        stop.store(true, Ordering::SeqCst);
    });
}

#[test]
fn honest_logins_get_through_while_24_connections_guess() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "one", Role::Member);
        house.password_from(HOME, "ann", PASSWORD).subject();
        let honest = |address: &'static str| {
            let house = &house;
            move || {
                for _ in 0..10 {
                    let began = Instant::now();
                    assert_eq!(house.password_from(address, "ann", PASSWORD).status, 201);
                    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
                }
            }
        };
        // From one address, at the owner; from many, while the owner is known or new; from the owner's address.
        under_a_storm(&house, |_| "198.51.100.1".to_owned(), "ann", honest(HOME));
        under_a_storm(&house, |number| format!("198.51.101.{number}"), "ann", honest(HOME));
        under_a_storm(&house, |number| format!("198.51.102.{number}"), "ann", honest("192.0.2.9"));
        under_a_storm(&house, |_| HOME.to_owned(), "nobody", honest(HOME));
    });
}

#[test]
fn tokens_made_from_tokens_are_limited_per_user() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "one", Role::Reader);
        house.user("bob", PASSWORD, "one", Role::Reader);
        let (ann, bob) = (house.token("ann", PASSWORD), house.token("bob", PASSWORD));
        let rescoped = (0..10).map(|_| house.log_in(by_token(&ann), None).status);
        assert_eq!(rescoped.collect::<Vec<_>>(), [201; 10]);
        let refused = house.log_in(by_token(&ann), None);
        refused.assert_error(429);
        assert!(refused.header("Retry-After").is_some());
        assert_eq!(house.log_in(by_token(&bob), None).status, 201);
        assert_eq!(house.password("ann", PASSWORD, None).status, 201);
    });
}
