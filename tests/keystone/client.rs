//! Where requests to Keystone go, how often, and how our own login fails.

use std::sync::atomic::Ordering;
use std::thread;

use front::context::Secret;
use keystone_auth::{Client, Credentials, IdOrName, Login, LoginScope};
use serde_json::json;

use super::fake::{Fake, Mode, member};
use super::house::{authenticate, keystone, login, with, without_memory};

fn client(login: &Login) -> Client {
    Client::new(login, 0).unwrap()
}

#[test]
fn the_address_may_have_a_version_or_not() {
    for (prefix, path) in
        [("", ""), ("", "/"), ("", "/v3"), ("", "/v3/"), ("/identity", "/identity"), ("", "/v2.0")]
    {
        let fake = Fake::start();
        *fake.keystone.prefix.lock().unwrap() = prefix.to_owned();
        let client = client(&login(&format!("{}{path}", fake.url())));
        assert_eq!(client.endpoint().unwrap(), format!("{}{prefix}/v3", fake.url()), "{path}");
        let service = client.service().unwrap();
        assert_eq!((service.token.reveal(), service.user_id.as_str()), ("own-1", "freezer"));
        assert_eq!(fake.keystone.logins(), 1);
    }
}

#[test]
fn a_malformed_address_is_refused_at_the_start() {
    for url in ["", "keystone:5000", "/v3", "ftp://keystone", "http://", "http://user:pw@keystone"] {
        assert!(Client::new(&login(url), 0).err().unwrap().contains("auth_url"), "{url}");
    }
}

#[test]
fn requests_go_to_the_catalogue_endpoint() {
    let (front, inner) = (Fake::start(), Fake::start());
    inner.keystone.knows_own("own-1");
    inner.keystone.knows("good", member("ann", json!({})));
    *front.keystone.catalog.lock().unwrap() = json!([{"type": "identity", "endpoints": [
        {"interface": "public", "region": "one", "region_id": "one", "url": front.url()},
        {"interface": "internal", "region": "two", "region_id": "two", "url": "http://localhost:9"},
        {"interface": "internal", "region": "one", "region_id": "one", "url": inner.url()},
    ]}]);
    let keystone = with(&front, |settings| settings.login.region_name = Some("one".to_owned()));
    assert_eq!(authenticate(&keystone, "good").unwrap().user_id, "ann");
    assert_eq!((front.keystone.logins(), front.keystone.validations()), (1, 0));
    assert_eq!((inner.keystone.logins(), inner.keystone.validations()), (0, 1));
}

#[test]
fn a_failed_login_names_the_reason_and_not_the_password() {
    let fake = Fake::start();
    let password = Secret::new("hunter2");
    let user = IdOrName { id: Some("freezer".to_owned()), ..IdOrName::default() };
    let credentials = Credentials::Password { user, password, scope: LoginScope::Unscoped };
    let client = client(&Login { credentials, ..login(&fake.url()) });
    let error = client.service().unwrap_err();
    let text = format!("{error} {error:?}");
    assert_eq!(error.status(), 503);
    assert!(text.contains("401") && text.contains("login") && !text.contains("hunter2"), "{text}");
}

#[test]
fn a_request_that_may_have_been_carried_out_is_not_repeated() {
    let fake = Fake::start();
    let client = Client::new(&login(&fake.url()), 1).unwrap();
    let token = client.service().unwrap().token;
    let sent = |method: &str| {
        fake.keystone.asked.lock().unwrap().clear();
        let body = json!({"trust": {}});
        let error = client.send(method, "/hang-up", &token, &[], Some(&body)).unwrap_err();
        assert_eq!(error.status(), 503);
        fake.keystone.asked.lock().unwrap().len()
    };
    assert_eq!((sent("POST"), sent("PATCH")), (1, 1));
    assert!(sent("GET") > 1 && sent("DELETE") > 1);
}

#[test]
fn a_request_is_retried_until_keystone_is_back() {
    let fake = Fake::start();
    let client = Client::new(&login(&fake.url()), 3).unwrap();
    let (address, state) = (fake.address, fake.keystone.clone());
    let token = client.service().unwrap().token;
    drop(fake);
    thread::scope(|scope| {
        let answer = scope.spawn(|| client.send("POST", "/nothing", &token, &[], Some(&json!({}))));
        thread::sleep(std::time::Duration::from_millis(200));
        state.set(Mode::Answer);
        let _fake = Fake::restart(address, state);
        assert_eq!(answer.join().unwrap().unwrap().status, 404);
    });
}

#[test]
fn a_restart_of_keystone_between_two_requests_goes_unnoticed() {
    let fake = Fake::start();
    fake.keystone.knows("good", member("ann", json!({})));
    let keystone = with(&fake, without_memory);
    let (address, state) = (fake.address, fake.keystone.clone());
    authenticate(&keystone, "good").unwrap();
    drop(fake);
    state.set(Mode::Answer);
    let _fake = Fake::restart(address, state);
    assert_eq!(authenticate(&keystone, "good").unwrap().user_id, "ann");
}

#[test]
fn a_connection_that_ends_during_a_request_is_replaced() {
    let fake = Fake::start();
    fake.keystone.knows("good", member("ann", json!({})));
    fake.keystone.set(Mode::HangUpOnce);
    assert_eq!(authenticate(&keystone(&fake), "good").unwrap().user_id, "ann");
    assert_eq!(fake.keystone.validations(), 2);
}

#[test]
fn concurrent_requests_wait_for_one_login() {
    let fake = Fake::start();
    let client = client(&login(&fake.url()));
    thread::scope(|scope| {
        for _ in 0..30 {
            scope.spawn(|| assert!(client.service().is_ok()));
        }
    });
    assert_eq!(fake.keystone.logins.load(Ordering::SeqCst), 1);
}
