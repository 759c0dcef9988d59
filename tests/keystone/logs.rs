//! No token and no password gets into a log, at any level.

use std::cell::RefCell;

use freezer_api::keystone::Keystone;
use log::{LevelFilter, Log, Metadata, Record};
use serde_json::json;

use super::fake::{Fake, Mode, PASSWORD, member};
<<<<<<< HEAD
use super::house::{call, settings};
=======
use super::house::{authenticate, call, settings};
use super::memcached::{self, Memcached};

const MEMCACHE_SECRET: &str = "the shared secret";
>>>>>>> en-tests

thread_local! {
    /// What this thread logs, while a test records it.
    static LINES: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

struct Recorder;

impl Log for Recorder {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        LINES.with_borrow(Option::is_some)
    }

    fn log(&self, record: &Record<'_>) {
        // Formatting an argument may log as well.
        let line = format!("{} {}", record.target(), record.args());
        LINES.with_borrow_mut(|lines| {
            if let Some(lines) = lines {
                lines.push(line);
            }
        });
    }

    fn flush(&self) {}
}

#[test]
fn secrets_stay_out_of_the_log() {
    log::set_logger(&Recorder).unwrap();
    log::set_max_level(LevelFilter::Trace);
    LINES.set(Some(Vec::new()));
    let fake = Fake::start();
    fake.keystone.knows("users-secret", member("ann", json!({})));
    fake.keystone.knows("services-secret", member("nova", json!({"roles": [{"name": "service"}]})));
    let mut settings = settings(&fake.url());
    settings.token_cache_time = None;
    settings.http_request_max_retries = 1;
    let mut lines = vec![format!("{settings:?}")];
    let keystone = Keystone::new(settings).unwrap();
    let request = call(&[("X-Auth-Token", "users-secret"), ("X-Service-Token", "services-secret")]);
    let modes = [
        Mode::Answer,
        Mode::Status(401),
        Mode::Status(404),
        Mode::Status(500),
        Mode::HangUp,
        Mode::HangUpOnce,
    ];
    for mode in modes.into_iter().chain([Mode::Say("users-secret".to_owned())]) {
        fake.keystone.set(mode);
        match keystone.authenticate(&request) {
            Ok(caller) => lines.push(format!("{caller:?}")),
            Err(error) => lines.push(format!("{error} {error:?}")),
        }
    }
    drop(fake);
    lines.push(format!("{:?}", keystone.authenticate(&request)));
    lines.extend(LINES.take().unwrap());
<<<<<<< HEAD
    assert!(lines.iter().any(|line| line.starts_with("ureq")), "everything is recorded");
    for secret in ["users-secret", "services-secret", "own-", PASSWORD] {
=======
    lines.extend(told_of_memcached());
    assert!(lines.iter().any(|line| line.starts_with("ureq")), "all levels are recorded");
    for secret in ["users-secret", "services-secret", "own-", PASSWORD, MEMCACHE_SECRET] {
>>>>>>> en-tests
        let shown: Vec<_> = lines.iter().filter(|line| line.contains(secret)).collect();
        assert!(shown.is_empty(), "{secret}: {shown:?}");
    }
}
<<<<<<< HEAD
=======

/// Of a memcached the log says once that it is away, and once that it is back.
fn told_of_memcached() -> Vec<String> {
    let (fake, server) = (Fake::start(), Memcached::start());
    let mut settings = settings(&fake.url());
    settings.memcached = Some(Settings {
        servers: vec![Address::parse(&server.address.to_string()).unwrap()],
        strategy: Strategy::Encrypt(Secret::new(MEMCACHE_SECRET)),
        dead_retry: Duration::from_secs(1),
        ..Settings::default()
    });
    LINES.set(Some(vec![format!("{settings:?}")]));
    let keystone = Keystone::new(settings).unwrap();
    let ask = |token: &str| {
        fake.keystone.knows(token, member("ann", json!({})));
        authenticate(&keystone, token).unwrap();
    };
    server.memory.set(memcached::Mode::Garbage);
    ask("users-secret-1");
    ask("users-secret-2");
    thread::sleep(Duration::from_millis(1100));
    ask("users-secret-3");
    server.memory.set(memcached::Mode::Answer);
    thread::sleep(Duration::from_millis(1100));
    ask("users-secret-4");
    let lines = LINES.take().unwrap();
    let about: Vec<_> = lines.iter().filter(|line| line.contains(&server.address.to_string())).collect();
    assert_eq!(about.len(), 2, "{about:?}");
    assert!(about[0].contains("is not asked for 1 s") && about[1].contains("answers again"), "{about:?}");
    lines
}
>>>>>>> en-tests
