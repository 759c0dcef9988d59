//! What becomes of a request, by what Keystone says of its token (contract, conventions §1).

use serde_json::json;

use super::fake::{Fake, Mode, in_seconds, member};
use super::house::{call, keystone, refusal, settings, who, with, without_memory};

#[test]
fn a_known_token_is_a_caller() {
    let fake = Fake::start();
    fake.keystone.knows("good", member("ann", json!({})));
    let keystone = keystone(&fake);
    let caller = who(&keystone, "  good ").unwrap();
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
    who(&keystone, "good").unwrap();
    assert_eq!(fake.keystone.asked.lock().unwrap().last().unwrap().target, "/v3/auth/tokens?nocatalog");
}

#[test]
fn tokens_of_every_scope_are_callers() {
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
    let caller = who(&keystone, "unscoped").unwrap();
    assert_eq!((caller.project_id, caller.domain_id, caller.roles.len()), (None, None, 0));
    assert_eq!(who(&keystone, "domain").unwrap().domain_id.as_deref(), Some("dd"));
    assert_eq!(who(&keystone, "system").unwrap().system_scope.as_deref(), Some("all"));
    assert_eq!(who(&keystone, "trust").unwrap().project_id.as_deref(), Some("project-of-v"));
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
        assert_eq!(refusal(who(&keystone, "good")), expected, "{mode:?}");
        fake.keystone.set(Mode::Answer);
        assert_eq!(who(&keystone, "good").unwrap().user_id, "ann", "after {mode:?}");
    }
}

#[test]
fn nobody_there_is_an_outage() {
    let fake = Fake::start();
    let keystone = keystone(&fake);
    drop(fake);
    let error = who(&keystone, "hunter2").unwrap_err();
    assert_eq!(error.status(), 503);
    let log = error.to_string();
    assert!(log.contains("localhost") && !log.contains("hunter2"), "{log}");
}

#[test]
fn unknown_and_expired_tokens_are_refused() {
    let fake = Fake::start();
    fake.keystone.knows("expired", member("ann", json!({"expires_at": in_seconds(-1)})));
    let keystone = keystone(&fake);
    assert_eq!(refusal(who(&keystone, "unknown")), 401);
    assert_eq!(refusal(who(&keystone, "expired")), 401);
    // A Keystone whose clock is behind ours says yes to what has ended.
    let late = json!({"token": member("ann", json!({"expires_at": in_seconds(-1)}))});
    fake.keystone.set(Mode::Say(late.to_string()));
    assert_eq!(refusal(who(&keystone, "late")), 401);
    let bound = json!({"token": member("ann", json!({"bind": {"kerberos": "ann"}}))});
    fake.keystone.set(Mode::Say(bound.to_string()));
    assert_eq!(refusal(who(&keystone, "bound")), 401);
}

#[test]
fn what_cannot_be_a_token_is_asked_of_nobody() {
    let fake = Fake::start();
    let keystone = keystone(&fake);
    let long = "x".repeat(8193);
    for token in ["", "   ", "two words", "tab\there", "caf\u{e9}", "nul\0", "line\r\nX-Auth-Token: a", &long]
    {
        assert_eq!(refusal(who(&keystone, token)), 401, "{token:?}");
    }
    assert_eq!(refusal(keystone.authenticate(&call(&[]))), 401);
    assert!(fake.keystone.asked.lock().unwrap().is_empty());
}

#[test]
fn a_token_comes_in_one_of_two_headers() {
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
fn the_challenge_says_where_to_go() {
    let mut settings = settings("http://keystone:5000");
    let challenge = |settings| freezer_api::keystone::Keystone::new(settings).unwrap().challenge();
    assert_eq!(challenge(settings.clone()), "Keystone uri=\"http://keystone:5000\"");
    settings.www_authenticate_uri = Some("https://cloud.example/identity".to_owned());
    assert_eq!(challenge(settings), "Keystone uri=\"https://cloud.example/identity\"");
}

#[test]
fn a_delayed_decision_is_a_refusal_as_ever() {
    let fake = Fake::start();
    fake.keystone.knows("good", member("ann", json!({})));
    let keystone = with(&fake, |settings| {
        settings.delay_auth_decision = true;
        settings.token_cache_time = None;
    });
    assert_eq!(who(&keystone, "good").unwrap().user_id, "ann");
    assert_eq!(refusal(who(&keystone, "unknown")), 401);
    assert_eq!(refusal(keystone.authenticate(&call(&[]))), 401);
    let beside = |service: &str| {
        keystone.authenticate(&call(&[("X-Auth-Token", "good"), ("X-Service-Token", service)]))
    };
    let caller = beside("unknown").unwrap();
    assert_eq!((caller.user_id.as_str(), caller.service), ("ann", None));
    fake.keystone.set(Mode::Status(500));
    assert_eq!(refusal(who(&keystone, "good")), 401);
}
