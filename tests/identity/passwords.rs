//! A user changes their own password.

use freezer_api::identity::Role;
use serde_json::{Value, json};

use crate::house::{Answer, House, on_every_backend};

const OLD: &str = "correct horse";
const NEW: &str = "battery staple";

fn change(house: &House, address: &str, user_id: &str, user: Value) -> Answer {
    let path = format!("/identity/v3/users/{user_id}/password");
    house.ask_from(address, &path, &[], &json!({ "user": user }))
}

fn passwords(original: &str, new: &str) -> Value {
    json!({"original_password": original, "password": new})
}

fn id_of(house: &House, name: &str, password: &str) -> String {
    house.password(name, password, None).body["token"]["user"]["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_user_changes_the_own_password_and_the_tokens_end() {
    on_every_backend(|house| {
        house.user("ann", OLD, "one", Role::Reader);
        house.user("bob", OLD, "one", Role::Member);
        let (id, token, bystander) =
            (id_of(&house, "ann", OLD), house.token("ann", OLD), house.token("bob", OLD));
        // As python-keystoneclient sends it, with the token of the user.
        let headers = [("X-Auth-Token", token.as_str()), ("Accept", "application/json")];
        let path = format!("/identity/v3/users/{id}/password");
        let answer = house.ask_from("192.0.2.1", &path, &headers, &json!({"user": passwords(OLD, NEW)}));
        assert_eq!((answer.status, &answer.body), (204, &Value::Null));
        house.password("ann", OLD, None).assert_error(401);
        assert_eq!(house.password("ann", NEW, None).status, 201);
        assert!(house.standalone.authenticate(&token).unwrap().is_none());
        assert!(house.standalone.authenticate(&bystander).unwrap().is_some());
        // Without a token the old password suffices, as in Keystone.
        assert_eq!(change(&house, "192.0.2.1", &id, passwords(NEW, OLD)).status, 204);
        assert_eq!(house.password("ann", OLD, None).status, 201);
    });
}

#[test]
fn a_wrong_old_password_changes_nothing() {
    on_every_backend(|house| {
        house.user("ann", OLD, "one", Role::Member);
        house.user("root", OLD, "admin", Role::Admin);
        let id = id_of(&house, "ann", OLD);
        let token = house.token("ann", OLD);
        change(&house, "192.0.2.1", &id, passwords("wrong horse", NEW)).assert_error(401);
        change(&house, "192.0.2.1", &id, passwords("", NEW)).assert_error(401);
        for user_id in ["ann", "0", "%C3%A9", &"f".repeat(32)] {
            change(&house, "192.0.2.1", user_id, passwords(OLD, NEW)).assert_error(401);
        }
        assert!(house.standalone.authenticate(&token).unwrap().is_some());
        house
            .run(freezer_api::cli::user::UserCommand::Disable { name: "ann".to_owned(), force: false }, "")
            .unwrap();
        change(&house, "192.0.2.2", &id, passwords(OLD, NEW)).assert_error(401);
        house.run(freezer_api::cli::user::UserCommand::Enable { name: "ann".to_owned() }, "").unwrap();
        assert_eq!(house.password("ann", OLD, None).status, 201);
    });
}

#[test]
fn guessing_the_old_password_is_limited_as_a_login_is() {
    on_every_backend(|house| {
        house.user("ann", OLD, "one", Role::Member);
        let id = id_of(&house, "ann", OLD);
        let guess = || change(&house, "192.0.2.7", &id, passwords("wrong horse", NEW)).status;
        assert_eq!((0..10).map(|_| guess()).collect::<Vec<_>>(), [401; 10]);
        let refused = change(&house, "192.0.2.7", &id, passwords(OLD, NEW));
        refused.assert_error(429);
        assert!(refused.header("Retry-After").is_some());
        house.password_from("192.0.2.7", "ann", OLD).assert_error(429);
        assert_eq!(house.password_from("192.0.2.8", "ann", OLD).status, 201);
    });
}

#[test]
fn a_new_password_that_may_not_be_chosen_is_a_400_that_says_what_may() {
    on_every_backend(|house| {
        house.user("ann", OLD, "one", Role::Member);
        let id = id_of(&house, "ann", OLD);
        for bad in [
            json!({}),
            json!({"password": NEW}),
            json!({"original_password": OLD}),
            json!({"original_password": OLD, "password": null}),
            json!({"original_password": 7, "password": NEW}),
            json!({"original_password": OLD, "password": NEW, "name": "bob"}),
        ] {
            change(&house, "192.0.2.1", &id, bad).assert_error(400);
        }
        for bad in ["", "short", &"x".repeat(1025)] {
            let refused = change(&house, "192.0.2.1", &id, passwords(OLD, bad));
            refused.assert_error(400);
            let message = refused.body["error"]["message"].as_str().unwrap();
            assert!(message.contains("8 to 1024 characters as `password`"), "{message}");
        }
        assert_eq!(house.password("ann", OLD, None).status, 201);
    });
}
