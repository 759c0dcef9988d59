//! What processes of the service tell one another of tokens, by memcached.

use std::thread;
use std::time::Duration;

use freezer_api::auth::Secret;
use freezer_api::keystone::Keystone;
use freezer_api::keystone::memcached::{Address, Settings, Strategy, Tls};
use serde_json::{Value, json};

use super::fake::{Fake, in_seconds, member};
use super::house::{authenticate, call, refusal, with};
use super::memcached::Memcached;
use super::tls::Authority;

/// The SHA-256 of `good`.
const HASH: &str = "770e607624d689265ca6c44884d0807d9b054d23c473c106c72be9de08b7376c";

pub fn settings(servers: &[&Memcached]) -> Settings {
    let address = |server: &&Memcached| Address::parse(&server.address.to_string()).unwrap();
    Settings { servers: servers.iter().map(address).collect(), ..Settings::default() }
}

fn sealed(server: &Memcached, strategy: Strategy) -> Settings {
    Settings { strategy, ..settings(&[server]) }
}

/// Another process of the service.
pub fn process(fake: &Fake, memcached: Settings) -> Keystone {
    with(fake, |settings| settings.memcached = Some(memcached))
}

fn strategies() -> [Strategy; 3] {
    let secret = || Secret::new("the shared secret");
    [Strategy::None, Strategy::Mac(secret()), Strategy::Encrypt(secret())]
}

/// A Keystone that knows Ann's token.
pub fn fake() -> Fake {
    let fake = Fake::start();
    fake.keystone.knows("good", member("ann", json!({})));
    fake
}

#[test]
fn what_one_process_was_told_all_know() {
    for strategy in strategies() {
        let (fake, server) = (fake(), Memcached::start());
        let processes: Vec<_> = (0..3).map(|_| process(&fake, sealed(&server, strategy.clone()))).collect();
        let callers: Vec<_> =
            processes.iter().map(|process| authenticate(process, "good").unwrap()).collect();
        assert_eq!(callers[0].user_id, "ann");
        assert!(callers.iter().all(|caller| *caller == callers[0]), "{callers:?}");
        assert_eq!(fake.keystone.validations(), 1, "{strategy:?}");
        for process in &processes {
            authenticate(process, "good").unwrap();
        }
        assert_eq!(
            (server.memory.gets(), server.memory.sets()),
            (3, 1),
            "each process remembers on its own as well"
        );
        assert_eq!(server.memory.connections(), 3, "connections are kept");
    }
}

#[test]
fn an_entry_ends_with_its_time_or_with_the_token() {
    let (fake, server) = (fake(), Memcached::start());
    fake.keystone.knows("short", member("bob", json!({"expires_at": in_seconds(100)})));
    authenticate(&process(&fake, settings(&[&server])), "good").unwrap();
    assert_eq!(server.memory.entry().2, 300);
    server.memory.entries.lock().unwrap().clear();
    authenticate(&process(&fake, settings(&[&server])), "short").unwrap();
    assert!((90..=100).contains(&server.memory.entry().2), "{}", server.memory.entry().2);
    server.memory.entries.lock().unwrap().clear();
    let for_ever = with(&fake, |keystone| {
        keystone.memcached = Some(settings(&[&server]));
        keystone.token_cache_time = Some(Duration::from_secs(1 << 40));
    });
    fake.keystone.knows("good", member("ann", json!({"expires_at": "2999-01-01T00:00:00Z"})));
    authenticate(&for_ever, "good").unwrap();
    assert_eq!(server.memory.entry().2, 30 * 24 * 3600, "more would be a date");
}

#[test]
fn an_entry_is_not_believed_longer_than_the_reader_believes_keystone() {
    let (fake, server) = (fake(), Memcached::start());
    authenticate(&process(&fake, settings(&[&server])), "good").unwrap();
    fake.keystone.revoke("good");
    let brief = with(&fake, |keystone| {
        keystone.memcached = Some(settings(&[&server]));
        keystone.token_cache_time = Some(Duration::from_secs(2));
    });
    authenticate(&brief, "good").unwrap();
    // The fake memcached itself forgets nothing.
    thread::sleep(Duration::from_millis(2100));
    assert_eq!(refusal(authenticate(&brief, "good")), 401);
}

#[test]
fn refusals_and_what_is_not_to_be_remembered_are_not_shared() {
    let (fake, server) = (fake(), Memcached::start());
    assert_eq!(refusal(authenticate(&process(&fake, settings(&[&server])), "bad")), 401);
    assert_eq!(server.memory.sets(), 0);
    let without = with(&fake, |keystone| {
        keystone.memcached = Some(settings(&[&server]));
        keystone.token_cache_time = None;
    });
    authenticate(&without, "good").unwrap();
    assert_eq!((server.memory.sets(), server.memory.gets()), (0, 1));
}

#[test]
fn what_was_asked_leniently_answers_no_strict_question() {
    let (fake, server) = (fake(), Memcached::start());
    fake.keystone.knows("late", member("ann", json!({"expires_at": in_seconds(-100)})));
    fake.keystone.knows("service", member("nova", json!({"roles": [{"name": "service"}]})));
    let vouched = call(&[("X-Auth-Token", "late"), ("X-Service-Token", "service")]);
    process(&fake, settings(&[&server])).authenticate(&vouched).unwrap();
    let asked = fake.keystone.validations();
    let other = process(&fake, settings(&[&server]));
    other.authenticate(&vouched).unwrap();
    assert_eq!(fake.keystone.validations(), asked, "both tokens are shared");
    let third = process(&fake, settings(&[&server]));
    assert_eq!(refusal(authenticate(&third, "late")), 401);
    assert_eq!(refusal(authenticate(&other, "late")), 401);
    assert_eq!(fake.keystone.validations(), asked + 2, "Keystone is asked anew, strictly");
}

#[test]
fn restrictions_come_along() {
    let (fake, server) = (fake(), Memcached::start());
    let rules = json!([{"service": "backup", "method": "GET", "path": "/v2/other"}]);
    let restricted = json!({"application_credential": {"id": "a", "access_rules": rules}});
    fake.keystone.knows("restricted", member("ann", restricted));
    for _ in 0..2 {
        assert_eq!(refusal(authenticate(&process(&fake, settings(&[&server])), "restricted")), 401);
    }
    assert_eq!((fake.keystone.validations(), server.memory.sets()), (1, 1));
}

#[test]
fn another_keystone_or_another_question_is_another_answer() {
    let (one, two, server) = (fake(), fake(), Memcached::start());
    authenticate(&process(&one, settings(&[&server])), "good").unwrap();
    authenticate(&process(&two, settings(&[&server])), "good").unwrap();
    let without_catalog = with(&two, |keystone| {
        keystone.memcached = Some(settings(&[&server]));
        keystone.include_service_catalog = false;
    });
    authenticate(&without_catalog, "good").unwrap();
    assert_eq!((one.keystone.validations(), two.keystone.validations()), (1, 2));
}

#[test]
fn nothing_secret_is_stored() {
    for strategy in strategies() {
        let (fake, server) = (fake(), Memcached::start());
        authenticate(&process(&fake, sealed(&server, strategy.clone())), "good").unwrap();
        let (name, value, _) = server.memory.entry();
        let value = String::from_utf8_lossy(&value);
        let holds = |text: &str| value.contains(text) || name.contains(text);
        assert!(name.starts_with("freezer-api/tokens/") && !holds("good") && !holds("shared secret"));
        assert_eq!(name.contains(HASH), strategy == Strategy::None, "{name}");
        assert_eq!(holds("ann"), !matches!(strategy, Strategy::Encrypt(_)), "{value}");
    }
}

/// What a process makes of Ann's entry when somebody has put something else there: whether it asks Keystone.
fn asks_again(strategy: &Strategy, change: impl FnOnce(&Memcached, &str, Vec<u8>)) -> bool {
    let (fake, server) = (fake(), Memcached::start());
    authenticate(&process(&fake, sealed(&server, strategy.clone())), "good").unwrap();
    let (name, value, _) = server.memory.entry();
    change(&server, &name, value);
    assert_eq!(
        authenticate(&process(&fake, sealed(&server, strategy.clone())), "good").unwrap().user_id,
        "ann"
    );
    fake.keystone.validations() == 2
}

#[test]
fn what_is_not_an_entry_is_asked_about_anew() {
    for strategy in strategies() {
        assert!(!asks_again(&strategy, |_, _, _| {}));
        for junk in [Vec::new(), b"{}".to_vec(), vec![0xff; 100], b"END\r\n".to_vec(), vec![b'x'; 100_000]] {
            let length = junk.len();
            assert!(
                asks_again(&strategy, |server, name, _| server.memory.put(name, junk)),
                "{strategy:?} {length}"
            );
        }
        assert!(asks_again(&strategy, |server, name, mut value| {
            value.pop();
            server.memory.put(name, value);
        }));
    }
}

#[test]
fn an_entry_is_good_for_its_token_only() {
    for strategy in strategies() {
        let (fake, server) = (fake(), Memcached::start());
        fake.keystone.knows("admin", member("root", json!({"roles": [{"name": "admin"}]})));
        let fresh = || process(&fake, sealed(&server, strategy.clone()));
        authenticate(&fresh(), "good").unwrap();
        let name = server.memory.entry().0;
        server.memory.entries.lock().unwrap().clear();
        authenticate(&fresh(), "admin").unwrap();
        let admins = server.memory.entry().1;
        server.memory.put(&name, admins);
        assert_eq!(authenticate(&fresh(), "good").unwrap().user_id, "ann", "{strategy:?}");
    }
}

#[test]
fn with_a_secret_nobody_else_can_write_an_entry() {
    let [none, mac, encrypt] = strategies();
    // What is before the entry, and an administrator's entry.
    let forge = |value: &[u8]| {
        let start = b"{\"format\"";
        let at = value.windows(start.len()).position(|bytes| bytes == start).unwrap();
        let mut entry: Value = serde_json::from_slice(&value[at..]).unwrap();
        entry["token"]["roles"] = json!(["admin"]);
        (value[..at].to_vec(), entry.to_string().into_bytes())
    };
    assert!(
        !asks_again(&none, |server, name, value| server.memory.put(name, forge(&value).1)),
        "the risk of None"
    );
    for with_tag in [true, false] {
        assert!(asks_again(&mac, |server, name, value| {
            let (tag, entry) = forge(&value);
            server.memory.put(name, if with_tag { [tag, entry].concat() } else { entry });
        }));
    }
    assert!(asks_again(&encrypt, |server, name, mut value| {
        let middle = value.len() / 2;
        value[middle] ^= 1;
        server.memory.put(name, value);
    }));
    let (fake, server) = (fake(), Memcached::start());
    for secret in ["one", "two"] {
        authenticate(&process(&fake, sealed(&server, Strategy::Encrypt(Secret::new(secret)))), "good")
            .unwrap();
    }
    assert_eq!(fake.keystone.validations(), 2, "another secret, another cache");
}

#[test]
fn a_memcached_with_tls_is_who_it_should_be() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let trusting =
        |authority: &Authority| Some(Tls { ca_file: Some(authority.certificate()), ..Tls::default() });
    let shared = |server: &Memcached, tls: Option<Tls>| {
        let fake = fake();
        let address = Address::Tcp("localhost".to_owned(), server.address.port());
        let memcached = Settings { servers: vec![address], tls, ..Settings::default() };
        server.memory.entries.lock().unwrap().clear();
        for _ in 0..2 {
            authenticate(&process(&fake, memcached.clone()), "good").unwrap();
        }
        fake.keystone.validations() == 1
    };
    let server = Memcached::start_tls(authority.server(false));
    assert!(shared(&server, trusting(&authority)));
    assert!(!shared(&server, trusting(&stranger)));
    assert!(!shared(&server, Some(Tls::default())), "no authority of this system's");
    assert!(!shared(&server, None));
    let mutual = Memcached::start_tls(authority.server(true));
    assert!(!shared(&mutual, trusting(&authority)));
    let (certificate, key) = authority.sign();
    let file = authority.file("both.pem", &(certificate.pem() + &key.serialize_pem()));
    let with_own = trusting(&authority).map(|tls| Tls { cert_file: Some(file), ..tls });
    assert!(shared(&mutual, with_own));
    assert!(!shared(&Memcached::start(), trusting(&authority)), "nothing is said to one without TLS");
}

#[test]
fn files_for_tls_that_do_not_serve_are_named() {
    let authority = Authority::new();
    let (fake, empty) = (fake(), authority.file("empty.pem", ""));
    for tls in [
        Tls { ca_file: Some(empty.clone()), ..Tls::default() },
        Tls { ca_file: Some("/missing.pem".into()), ..Tls::default() },
        Tls { ca_file: Some(authority.certificate()), cert_file: Some(empty), ..Tls::default() },
    ] {
        let mut keystone = super::house::settings(&fake.url());
        keystone.memcached = Some(Settings { tls: Some(tls), ..Settings::default() });
        let why = Keystone::new(keystone).err().unwrap();
        assert!(why.contains("empty.pem") || why.contains("/missing.pem"), "{why}");
    }
}

#[test]
fn a_real_memcached_if_there_is_one() {
    let Ok(address) = std::env::var("FREEZER_TEST_MEMCACHED") else { return };
    let memcached = Settings { servers: vec![Address::parse(&address).unwrap()], ..Settings::default() };
    for strategy in strategies() {
        let fake = fake();
        let token = format!("good-{}", fake.address.port());
        fake.keystone.knows(&token, member("ann", json!({})));
        for _ in 0..3 {
            let memcached = Settings { strategy: strategy.clone(), ..memcached.clone() };
            assert_eq!(authenticate(&process(&fake, memcached), &token).unwrap().user_id, "ann");
        }
        assert_eq!(fake.keystone.validations(), 1, "{strategy:?}");
    }
}
