//! What is remembered of tokens, and for how long.

use std::thread;
use std::time::Duration;

use serde_json::json;

use super::fake::{Fake, Mode, in_seconds, member};
use super::house::{keystone, refusal, who, with, without_memory};

#[test]
fn a_token_is_asked_about_once() {
    let fake = Fake::start();
    fake.keystone.knows("good", member("ann", json!({})));
    let keystone = keystone(&fake);
    for _ in 0..10 {
        assert_eq!(who(&keystone, "good").unwrap().user_id, "ann");
    }
    assert_eq!(fake.keystone.validations(), 1);
}

#[test]
fn remembering_can_be_turned_off() {
    let fake = Fake::start();
    fake.keystone.knows("good", member("ann", json!({})));
    let keystone = with(&fake, without_memory);
    for _ in 0..3 {
        who(&keystone, "good").unwrap();
    }
    fake.keystone.revoke("good");
    assert_eq!(refusal(who(&keystone, "good")), 401);
    assert_eq!(fake.keystone.validations(), 4);
}

#[test]
fn a_refusal_is_not_remembered() {
    let fake = Fake::start();
    let keystone = keystone(&fake);
    assert_eq!(refusal(who(&keystone, "good")), 401);
    fake.keystone.knows("good", member("ann", json!({})));
    assert_eq!(who(&keystone, "good").unwrap().user_id, "ann");
}

#[test]
fn a_revoked_token_is_believed_until_it_is_forgotten() {
    let fake = Fake::start();
    fake.keystone.knows("good", member("ann", json!({})));
    let keystone = with(&fake, |settings| settings.token_cache_time = Some(Duration::from_millis(500)));
    who(&keystone, "good").unwrap();
    fake.keystone.revoke("good");
    thread::sleep(Duration::from_millis(600));
    assert_eq!(refusal(who(&keystone, "good")), 401);
}

#[test]
fn the_end_of_a_remembered_token_is_its_end() {
    let fake = Fake::start();
    fake.keystone.knows("short", member("ann", json!({"expires_at": in_seconds(2)})));
    let keystone = keystone(&fake);
    who(&keystone, "short").unwrap();
    thread::sleep(Duration::from_millis(2100));
    assert_eq!(refusal(who(&keystone, "short")), 401);
    assert_eq!(fake.keystone.validations(), 1);
}

#[test]
fn remembered_tokens_go_on_without_keystone() {
    let fake = Fake::start();
    fake.keystone.knows("good", member("ann", json!({})));
    let keystone = keystone(&fake);
    who(&keystone, "good").unwrap();
    let (address, state) = (fake.address, fake.keystone.clone());
    drop(fake);
    assert_eq!(who(&keystone, "good").unwrap().user_id, "ann");
    assert_eq!(refusal(who(&keystone, "new")), 503);
    state.set(Mode::Answer);
    state.knows("new", member("bob", json!({})));
    let _fake = Fake::restart(address, state);
    assert_eq!(who(&keystone, "new").unwrap().user_id, "bob");
}

#[test]
fn all_who_bring_a_token_at_once_wait_for_one_answer() {
    let fake = Fake::start();
    fake.keystone.knows("good", member("ann", json!({})));
    let keystone = keystone(&fake);
    fake.keystone.set(Mode::Hang);
    thread::scope(|scope| {
        let callers: Vec<_> = (0..50).map(|_| scope.spawn(|| who(&keystone, "good"))).collect();
        fake.keystone.until_hanging(1);
        fake.keystone.set(Mode::Answer);
        for caller in callers {
            assert_eq!(caller.join().unwrap().unwrap().user_id, "ann");
        }
    });
    assert_eq!(fake.keystone.validations(), 1);
}

#[test]
fn only_so_many_wait_for_keystone() {
    let fake = Fake::start();
    fake.keystone.knows("known", member("ann", json!({})));
    let keystone = keystone(&fake);
    who(&keystone, "known").unwrap();
    fake.keystone.set(Mode::Hang);
    // What one address may have.
    let tokens: Vec<_> = (0..96).map(|number| format!("token-{number}")).collect();
    thread::scope(|scope| {
        let waiting: Vec<_> =
            tokens.iter().map(|token| scope.spawn(|| refusal(who(&keystone, token)))).collect();
        fake.keystone.until_hanging(96);
        // This waits for a place, and gets none.
        assert_eq!(refusal(who(&keystone, "one-too-many")), 503);
        assert_eq!(who(&keystone, "known").unwrap().user_id, "ann");
        fake.keystone.set(Mode::Answer);
        assert!(waiting.into_iter().all(|waiting| waiting.join().unwrap() == 401));
    });
    assert_eq!(refusal(who(&keystone, "one-too-many")), 401);
}
