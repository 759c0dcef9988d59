//! The token cache: what it keeps, and for how long.

use std::thread;
use std::time::Duration;

use serde_json::json;

use super::fake::{Fake, Mode, in_seconds, member};
use super::house::{authenticate, keystone, refusal, with, without_memory};

#[test]
fn a_token_is_validated_once() {
    let fake = Fake::start();
    fake.keystone.knows("good", member("ann", json!({})));
    let keystone = keystone(&fake);
    for _ in 0..10 {
        assert_eq!(authenticate(&keystone, "good").unwrap().user_id, "ann");
    }
    assert_eq!(fake.keystone.validations(), 1);
}

#[test]
fn the_cache_can_be_turned_off() {
    let fake = Fake::start();
    fake.keystone.knows("good", member("ann", json!({})));
    let keystone = with(&fake, without_memory);
    for _ in 0..3 {
        authenticate(&keystone, "good").unwrap();
    }
    fake.keystone.revoke("good");
    assert_eq!(refusal(authenticate(&keystone, "good")), 401);
    assert_eq!(fake.keystone.validations(), 4);
}

#[test]
fn a_refusal_is_not_cached() {
    let fake = Fake::start();
    let keystone = keystone(&fake);
    assert_eq!(refusal(authenticate(&keystone, "good")), 401);
    fake.keystone.knows("good", member("ann", json!({})));
    assert_eq!(authenticate(&keystone, "good").unwrap().user_id, "ann");
}

#[test]
fn a_revoked_token_works_until_its_entry_expires() {
    let fake = Fake::start();
    fake.keystone.knows("good", member("ann", json!({})));
    let keystone = with(&fake, |settings| settings.token_cache_time = Some(Duration::from_millis(500)));
    authenticate(&keystone, "good").unwrap();
    fake.keystone.revoke("good");
    thread::sleep(Duration::from_millis(600));
    assert_eq!(refusal(authenticate(&keystone, "good")), 401);
}

#[test]
fn a_cached_token_ends_when_it_expires() {
    let fake = Fake::start();
    fake.keystone.knows("short", member("ann", json!({"expires_at": in_seconds(2)})));
    let keystone = keystone(&fake);
    authenticate(&keystone, "short").unwrap();
    thread::sleep(Duration::from_millis(2100));
    assert_eq!(refusal(authenticate(&keystone, "short")), 401);
    assert_eq!(fake.keystone.validations(), 1);
}

#[test]
fn cached_tokens_work_without_keystone() {
    let fake = Fake::start();
    fake.keystone.knows("good", member("ann", json!({})));
    let keystone = keystone(&fake);
    authenticate(&keystone, "good").unwrap();
    let (address, state) = (fake.address, fake.keystone.clone());
    drop(fake);
    assert_eq!(authenticate(&keystone, "good").unwrap().user_id, "ann");
    assert_eq!(refusal(authenticate(&keystone, "new")), 503);
    state.set(Mode::Answer);
    state.knows("new", member("bob", json!({})));
    let _fake = Fake::restart(address, state);
    assert_eq!(authenticate(&keystone, "new").unwrap().user_id, "bob");
}

#[test]
fn concurrent_requests_with_one_token_share_one_validation() {
    let fake = Fake::start();
    fake.keystone.knows("good", member("ann", json!({})));
    let keystone = keystone(&fake);
    fake.keystone.set(Mode::Hang);
    thread::scope(|scope| {
        let callers: Vec<_> = (0..50).map(|_| scope.spawn(|| authenticate(&keystone, "good"))).collect();
        fake.keystone.until_hanging(1);
        fake.keystone.set(Mode::Answer);
        for caller in callers {
            assert_eq!(caller.join().unwrap().unwrap().user_id, "ann");
        }
    });
    assert_eq!(fake.keystone.validations(), 1);
}

#[test]
fn the_number_of_waiting_validations_is_bounded() {
    let fake = Fake::start();
    fake.keystone.knows("known", member("ann", json!({})));
    let keystone = keystone(&fake);
    authenticate(&keystone, "known").unwrap();
    fake.keystone.set(Mode::Hang);
    // As many as one address may have.
    let tokens: Vec<_> = (0..96).map(|number| format!("token-{number}")).collect();
    thread::scope(|scope| {
        let waiting: Vec<_> =
            tokens.iter().map(|token| scope.spawn(|| refusal(authenticate(&keystone, token)))).collect();
        fake.keystone.until_hanging(96);
        // This request waits for a slot, and gets none.
        assert_eq!(refusal(authenticate(&keystone, "one-too-many")), 503);
        assert_eq!(authenticate(&keystone, "known").unwrap().user_id, "ann");
        fake.keystone.set(Mode::Answer);
        assert!(waiting.into_iter().all(|waiting| waiting.join().unwrap() == 401));
    });
    assert_eq!(refusal(authenticate(&keystone, "one-too-many")), 401);
}
