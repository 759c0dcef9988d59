//! Malformed login bodies: each is refused with 400, whatever is wrong and however deep.

use freezer_api::identity::Role;
use serde_json::{Value, json};

use crate::house::{House, on_every_backend};

const PASSWORD: &str = "correct horse";

fn complete() -> Value {
    json!({"auth": {
        "identity": {
            "methods": ["password", "token"],
            "password": {"user": {"name": "ann", "domain": {"name": "Default"}, "password": PASSWORD}},
            "token": {"id": "0".repeat(64)},
        },
        "scope": {"project": {"name": "one", "domain": {"id": "default"}}},
    }})
}

fn post(house: &House, body: &[u8]) -> u16 {
    let answer = house.ask("POST", "/identity/v3/auth/tokens", &[], body);
    if answer.status == 400 {
        answer.assert_error(400);
    }
    answer.status
}

/// Every place in a document, as JSON pointers.
fn places(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(key, value)| places(value, &format!("{here}/{key}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, value)| places(value, &format!("{here}/{at}"), found));
        }
        _ => {}
    }
}

#[test]
fn any_wrong_type_anywhere_is_malformed() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "one", Role::Member);
        let mut all = Vec::new();
        places(&complete(), "", &mut all);
        assert_eq!(all.len(), 19);
        for place in all {
            let right = complete();
            for wrong in [
                json!(null),
                json!(true),
                json!(7),
                json!(-1e300),
                json!(""),
                json!([]),
                json!({}),
                json!([[]]),
            ] {
                let was = right.pointer(&place).unwrap();
                if was.is_string() && wrong.is_string() {
                    continue; // well-formed, only not a valid login
                }
                let mut body = complete();
                *body.pointer_mut(&place).unwrap() = wrong;
                assert_eq!(post(&house, body.to_string().as_bytes()), 400, "{place}: {body}");
            }
        }
        assert_eq!(house.count_tokens(), 0);
    });
}

#[test]
fn any_missing_part_is_malformed() {
    on_every_backend(|house| {
        for place in [
            "/auth",
            "/auth/identity",
            "/auth/identity/methods",
            "/auth/identity/password",
            "/auth/identity/password/user",
            "/auth/identity/password/user/name",
            "/auth/identity/password/user/password",
            "/auth/identity/password/user/domain/name",
            "/auth/identity/token",
            "/auth/identity/token/id",
            "/auth/scope/project",
            "/auth/scope/project/name",
            "/auth/scope/project/domain/id",
        ] {
            let mut body = complete();
            let (parent, key) = place.rsplit_once('/').unwrap();
            body.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key).unwrap();
            assert_eq!(post(&house, body.to_string().as_bytes()), 400, "{place}");
        }
    });
}

#[test]
fn what_is_not_even_json_is_malformed() {
    on_every_backend(|house| {
        let nul = complete().to_string().replace("ann", "a\\u0000n");
        let surrogate = complete().to_string().replace("ann", "\\ud800");
        let deep = format!("{{\"auth\": {}{}}}", "[".repeat(50_000), "]".repeat(50_000));
        let whole = complete().to_string();
        for body in
            ["", " ", "{", "auth", "\"auth\"", "null", "[]", "{}{}", &nul, &surrogate, &deep, &whole[..40]]
        {
            assert_eq!(post(&house, body.as_bytes()), 400, "{}", &body[..body.len().min(60)]);
        }
        assert_eq!(post(&house, b"{\"auth\": \"\xff\xfe\"}"), 400);
        let long = complete().to_string().replace("ann", &"a".repeat(120_000));
        assert_eq!(post(&house, long.as_bytes()), 413);
        let many = json!({"auth": {"identity": {"methods": vec!["token"; 10_000], "token": {"id": "x"}}}});
        assert_eq!(post(&house, many.to_string().as_bytes()), 401);
    });
}
