//! Service tokens: those that accompany a user's token, and the service's own.

use std::sync::atomic::Ordering;

use front::context::Caller;
use front::error::Result;
use keystone_auth::Keystone;
use serde_json::{Value, json};

use super::fake::{Fake, Mode, in_seconds, member};
use super::house::{authenticate, call, keystone, refusal, with, without_memory};

fn service(more: Value) -> Value {
    let mut token = member("nova", json!({"roles": [{"name": "service"}]}));
    token.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    token
}

fn both(keystone: &Keystone, user: &str, service: &str) -> Result<Caller> {
    keystone.authenticate(&call(&[("X-Auth-Token", user), ("X-Service-Token", service)]))
}

fn prepared() -> Fake {
    let fake = Fake::start();
    fake.keystone.knows("good", member("ann", json!({})));
    fake.keystone.knows("expired", member("bob", json!({"expires_at": in_seconds(-100)})));
    fake.keystone.knows("service", service(json!({})));
    fake.keystone.knows("ordinary", member("eve", json!({})));
    fake
}

#[test]
fn a_service_vouches_for_its_user() {
    let fake = prepared();
    let keystone = keystone(&fake);
    let caller = both(&keystone, "good", " service ").unwrap();
    let service = caller.service.unwrap();
    assert_eq!((caller.user_id.as_str(), service.user_id.as_str()), ("ann", "nova"));
    assert_eq!(service.project_id.as_deref(), Some("project-of-nova"));
    assert_eq!(service.user_domain_id.as_deref(), Some("default"));
    assert_eq!(service.roles, ["service"]);
    assert!(both(&keystone, "good", "").unwrap().service.is_none());
}

#[test]
fn an_invalid_service_token_refuses_a_valid_user_token() {
    let fake = prepared();
    fake.keystone.knows("old-service", service(json!({"expires_at": in_seconds(-1)})));
    let keystone = keystone(&fake);
    for bad in ["unknown", "ordinary", "expired", "old-service", "caf\u{e9}"] {
        assert_eq!(refusal(both(&keystone, "good", bad)), 401, "{bad}");
    }
    assert_eq!(refusal(keystone.authenticate(&call(&[("X-Service-Token", "service")]))), 401);
    fake.keystone.set(Mode::Status(500));
    assert_eq!(refusal(both(&keystone, "good", "not-asked-about-yet")), 503);
}

#[test]
fn a_service_token_lets_an_expired_user_token_pass() {
    let fake = prepared();
    let keystone = keystone(&fake);
    assert_eq!(both(&keystone, "expired", "service").unwrap().user_id, "bob");
    let asked = fake.keystone.asked.lock().unwrap().last().unwrap().target.clone();
    assert_eq!(asked, "/v3/auth/tokens?allow_expired=1");
    // What was cached for the service does not count for a request without its token.
    assert_eq!(refusal(authenticate(&keystone, "expired")), 401);
    assert_eq!(both(&keystone, "expired", "service").unwrap().user_id, "bob");
    assert_eq!(refusal(both(&keystone, "unknown", "service")), 401);
}

#[test]
fn other_roles_and_none() {
    let fake = prepared();
    let roles = |roles: &[&str], required: bool| {
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        with(&fake, move |settings| {
            settings.service_token_roles = roles;
            settings.service_token_roles_required = required;
        })
    };
    assert_eq!(refusal(both(&roles(&["vouching"], true), "good", "service")), 401);
    assert!(both(&roles(&["vouching", "member"], true), "good", "ordinary").is_ok());
    let lax = roles(&["service"], false);
    assert_eq!(both(&lax, "good", "ordinary").unwrap().service.unwrap().user_id, "eve");
    assert_eq!(refusal(both(&lax, "expired", "ordinary")), 401, "an expired token is still refused");
    assert_eq!(both(&lax, "expired", "service").unwrap().user_id, "bob");
}

#[test]
fn our_own_token_is_used_until_it_is_refused() {
    let fake = prepared();
    let keystone = with(&fake, without_memory);
    for _ in 0..5 {
        authenticate(&keystone, "good").unwrap();
    }
    assert_eq!(fake.keystone.logins(), 1);
    fake.keystone.revoke_own();
    assert_eq!(authenticate(&keystone, "good").unwrap().user_id, "ann");
    assert_eq!((fake.keystone.logins(), fake.keystone.validations()), (2, 7));
    fake.keystone.set(Mode::Status(401));
    assert_eq!(refusal(authenticate(&keystone, "good")), 503);
    assert_eq!(
        (fake.keystone.logins(), fake.keystone.validations()),
        (3, 9),
        "renewed once, asked once more"
    );
}

#[test]
fn our_own_token_is_renewed_before_its_end() {
    let fake = prepared();
    let keystone = with(&fake, without_memory);
    // A token with less than two minutes left is renewed.
    fake.keystone.own_life.store(100, Ordering::SeqCst);
    authenticate(&keystone, "good").unwrap();
    fake.keystone.own_life.store(3600, Ordering::SeqCst);
    authenticate(&keystone, "good").unwrap();
    authenticate(&keystone, "good").unwrap();
    assert_eq!(fake.keystone.logins(), 2);
    assert_eq!(fake.keystone.asked.lock().unwrap().last().unwrap().header("X-Auth-Token"), Some("own-2"));
}
