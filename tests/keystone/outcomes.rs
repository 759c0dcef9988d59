//! The outcome of a request for each answer of Keystone about its token (contract, conventions §1).

use serde_json::json;

use super::fake::{Fake, Mode, in_seconds, member};
use super::house::{authenticate, call, keystone, refusal, settings, with, without_memory};

#[test]
fn a_valid_token_gives_a_caller() {
    let fake = Fake::start();
    fake.keystone.knows("good", member("ann", json!({})));
    let keystone = keystone(&fake);
    let caller = authenticate(&keystone, "  good ").unwrap();
    assert_eq!(caller.user_id, "ann");
    assert_eq!(caller.user_domain_id.as_deref(), Some("default"));
    assert_eq!(caller.project_id.as_deref(), Some("project-of-ann"));
    assert_eq!(caller.project_domain_id.as_deref(), Some("default"));
    assert_eq!(caller.roles, ["member", "reader"]);
    assert!(caller.is_admin_project && caller.service.is_none());
    assert_eq!(caller.token.unwrap().reveal(), "good");

    let asked = fake.keystone.asked.lock().unwrap().clone();
    let question = asked.last().unwrap();
    assert_eq!(question.target, "/v3/auth/tokens");
    assert_eq!(question.header("X-Auth-Token"), Some("own-1"));
    assert_eq!(question.header("X-Subject-Token"), Some("good"));
    assert_eq!(question.header("OpenStack-Identity-Access-Rules"), Some("1"));
}

#[test]
fn the_catalogue_can_be_left_out() {
    let fake = Fake::start();
    fake.keystone.knows("good", member("ann", json!({})));
    let keystone = with(&fake, |settings| settings.include_service_catalog = false);
    authenticate(&keystone, "good").unwrap();
    assert_eq!(fake.keystone.asked.lock().unwrap().last().unwrap().target, "/v3/auth/tokens?nocatalog");
}

#[test]
fn tokens_of_every_scope_give_callers() {
    let fake = Fake::start();
    let unscoped = json!({"user": {"id": "u", "domain": {"id": "d"}}, "expires_at": in_seconds(60)});
    let more = |more: serde_json::Value| {
        let mut token = unscoped.clone();
        token.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        token
    };
    fake.keystone.knows("unscoped", unscoped.clone());
    fake.keystone.knows("domain", more(json!({"domain": {"id": "dd"}, "roles": [{"name": "admin"}]})));
    fake.keystone.knows("system", more(json!({"system": {"all": true}, "roles": [{"name": "admin"}]})));
    fake.keystone.knows("trust", member("v", json!({"OS-TRUST:trust": {"id": "t"}})));
    let keystone = keystone(&fake);
    let caller = authenticate(&keystone, "unscoped").unwrap();
    assert_eq!((caller.project_id, caller.domain_id, caller.roles.len()), (None, None, 0));
    assert_eq!(authenticate(&keystone, "domain").unwrap().domain_id.as_deref(), Some("dd"));
    assert_eq!(authenticate(&keystone, "system").unwrap().system_scope.as_deref(), Some("all"));
    assert_eq!(authenticate(&keystone, "trust").unwrap().project_id.as_deref(), Some("project-of-v"));
}

#[test]
fn the_table_of_outcomes() {
    let fake = Fake::start();
    fake.keystone.knows("good", member("ann", json!({})));
    let keystone = with(&fake, without_memory);
    for (mode, expected) in [
        (Mode::Status(404), 401),
        (Mode::Status(401), 503),
        (Mode::Status(400), 503),
        (Mode::Status(403), 503),
        (Mode::Status(300), 503),
        (Mode::Status(500), 503),
        (Mode::Status(503), 503),
        (Mode::HangUp, 503),
        (Mode::Say(String::new()), 503),
        (Mode::Say("{}".to_owned()), 503),
        (Mode::Say("{\"token\": {\"user\": {}}}".to_owned()), 503),
        (Mode::Say("<html>".to_owned()), 503),
    ] {
        fake.keystone.set(mode.clone());
        assert_eq!(refusal(authenticate(&keystone, "good")), expected, "{mode:?}");
        fake.keystone.set(Mode::Answer);
        assert_eq!(authenticate(&keystone, "good").unwrap().user_id, "ann", "after {mode:?}");
    }
}

#[test]
fn a_keystone_that_is_down_is_an_outage() {
    let fake = Fake::start();
    let keystone = keystone(&fake);
    drop(fake);
    let error = authenticate(&keystone, "hunter2").unwrap_err();
    assert_eq!(error.status(), 503);
    let log = error.to_string();
    assert!(log.contains("localhost") && !log.contains("hunter2"), "{log}");
}

#[test]
fn unknown_and_expired_tokens_are_refused() {
    let fake = Fake::start();
    fake.keystone.knows("expired", member("ann", json!({"expires_at": in_seconds(-1)})));
    let keystone = keystone(&fake);
    assert_eq!(refusal(authenticate(&keystone, "unknown")), 401);
    assert_eq!(refusal(authenticate(&keystone, "expired")), 401);
    // A Keystone whose clock is behind ours accepts tokens that have expired.
    let late = json!({"token": member("ann", json!({"expires_at": in_seconds(-1)}))});
    fake.keystone.set(Mode::Say(late.to_string()));
    assert_eq!(refusal(authenticate(&keystone, "late")), 401);
    let bound = json!({"token": member("ann", json!({"bind": {"kerberos": "ann"}}))});
    fake.keystone.set(Mode::Say(bound.to_string()));
    assert_eq!(refusal(authenticate(&keystone, "bound")), 401);
}

#[test]
fn a_malformed_token_is_not_sent_to_keystone() {
    let fake = Fake::start();
    let keystone = keystone(&fake);
    let long = "x".repeat(8193);
    for token in ["", "   ", "two words", "tab\there", "caf\u{e9}", "nul\0", "line\r\nX-Auth-Token: a", &long]
    {
        assert_eq!(refusal(authenticate(&keystone, token)), 401, "{token:?}");
    }
    assert_eq!(refusal(keystone.authenticate(&call(&[]))), 401);
    assert!(fake.keystone.asked.lock().unwrap().is_empty());
}

#[test]
fn a_token_is_read_from_either_of_two_headers() {
    let fake = Fake::start();
    fake.keystone.knows("ann", member("ann", json!({})));
    fake.keystone.knows("bob", member("bob", json!({})));
    let keystone = keystone(&fake);
    let both = call(&[("x-storage-token", "bob"), ("x-auth-token", "ann")]);
    assert_eq!(keystone.authenticate(&both).unwrap().user_id, "ann");
    let old = call(&[("X-Storage-Token", "bob")]);
    assert_eq!(keystone.authenticate(&old).unwrap().user_id, "bob");
}

#[test]
fn the_challenge_names_keystones_address() {
    let mut settings = settings("http://keystone:5000");
    let challenge = |settings| keystone_auth::Keystone::new(settings).unwrap().challenge();
    assert_eq!(challenge(settings.clone()), "Keystone uri=\"http://keystone:5000\"");
    settings.www_authenticate_uri = Some("https://cloud.example/identity".to_owned());
    assert_eq!(challenge(settings), "Keystone uri=\"https://cloud.example/identity\"");
}

#[test]
fn a_delayed_decision_still_refuses() {
    let fake = Fake::start();
    fake.keystone.knows("good", member("ann", json!({})));
    let keystone = with(&fake, |settings| {
        settings.delay_auth_decision = true;
        settings.token_cache_time = None;
    });
    assert_eq!(authenticate(&keystone, "good").unwrap().user_id, "ann");
    assert_eq!(refusal(authenticate(&keystone, "unknown")), 401);
    assert_eq!(refusal(keystone.authenticate(&call(&[]))), 401);
    let beside = |service: &str| {
        keystone.authenticate(&call(&[("X-Auth-Token", "good"), ("X-Service-Token", service)]))
    };
    let caller = beside("unknown").unwrap();
    assert_eq!((caller.user_id.as_str(), caller.service), ("ann", None));
    fake.keystone.set(Mode::Status(500));
    assert_eq!(refusal(authenticate(&keystone, "good")), 401);
}
