//! Application credentials with access rules, which allow some requests only.

use front::context::Caller;
use front::error::Result;
use keystone_auth::Keystone;
use serde_json::{Value, json};

use super::fake::{Fake, member};
use super::house::{keystone, refusal, request, with};

fn prepared(rules: Value) -> Fake {
    let fake = Fake::start();
    fake.keystone.knows("limited", member("ann", json!({"application_credential": {"access_rules": rules}})));
    fake.keystone.knows("service", member("nova", json!({"roles": [{"name": "service"}]})));
    fake
}

fn ask(keystone: &Keystone, method: &str, path: &str) -> Result<Caller> {
    keystone.authenticate(&request(method, path, &[("X-Auth-Token", "limited")]))
}

fn rules() -> Value {
    json!([
        {"id": "1", "service": "compute", "method": "GET", "path": "/**"},
        {"id": "2", "service": "backup", "method": "GET", "path": "/v2/*/jobs"},
        {"id": "3", "service": "backup", "method": "POST", "path": "/v2/{project_id}/jobs/{job_id}/event"},
    ])
}

#[test]
fn a_rule_must_allow_the_request() {
    let fake = prepared(rules());
    let keystone = keystone(&fake);
    for (method, path, allowed) in [
        ("GET", "/v2/p/jobs", true),
        ("GET", "/v2/p/jobs/", true),
        ("GET", "/v2/p/jobs/1", false),
        ("GET", "/v2/p/clients", false),
        ("DELETE", "/v2/p/jobs", false),
        ("POST", "/v2/p/jobs/1/event", true),
        ("POST", "/v2/p/jobs/1/2/event", false),
    ] {
        let outcome = ask(&keystone, method, path);
        assert_eq!(outcome.is_ok(), allowed, "{method} {path}");
        if !allowed {
            assert_eq!(refusal(outcome), 401);
        }
    }
    assert_eq!(fake.keystone.validations(), 1, "the rules are cached with the token");
}

#[test]
fn no_rules_allow_nothing_and_no_list_allows_everything() {
    for (rules, allowed) in [(json!([]), false), (json!(null), true)] {
        let fake = prepared(rules);
        assert_eq!(ask(&keystone(&fake), "GET", "/v2/p/jobs").is_ok(), allowed);
    }
}

#[test]
fn rules_allow_nothing_without_our_service_type() {
    let fake = prepared(rules());
    let typed = |service_type: Option<&str>| {
        with(&fake, |settings| settings.service_type = service_type.map(str::to_owned))
    };
    assert_eq!(refusal(ask(&typed(None), "GET", "/v2/p/jobs")), 401);
    assert_eq!(refusal(ask(&typed(Some("compute")), "GET", "/v2/p/jobs")), 401, "not in the catalogue");
}

#[test]
fn a_service_token_overrides_the_rules() {
    let fake = prepared(json!([]));
    let keystone = keystone(&fake);
    let with_service = |service: &str| {
        let headers = [("X-Auth-Token", "limited"), ("X-Service-Token", service)];
        keystone.authenticate(&request("GET", "/v2/p/jobs", &headers))
    };
    assert_eq!(with_service("service").unwrap().user_id, "ann");
    assert_eq!(refusal(with_service("unknown")), 401);
}

#[test]
fn an_ignored_service_token_overrides_no_rule() {
    let fake = prepared(json!([]));
    let keystone = with(&fake, |settings| settings.delay_auth_decision = true);
    let headers = [("X-Auth-Token", "limited"), ("X-Service-Token", "unknown")];
    assert_eq!(refusal(keystone.authenticate(&request("GET", "/v2/p/jobs", &headers))), 401);
}
