//! No token and no password gets into a log, at any level.

use std::cell::RefCell;

use keystone_auth::Keystone;
use log::{LevelFilter, Log, Metadata, Record};
use serde_json::json;

use super::fake::{Fake, Mode, PASSWORD, member};
use super::house::{call, settings};

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
    assert!(lines.iter().any(|line| line.starts_with("ureq")), "all levels are recorded");
    for secret in ["users-secret", "services-secret", "own-", PASSWORD] {
        let shown: Vec<_> = lines.iter().filter(|line| line.contains(secret)).collect();
        assert!(shown.is_empty(), "{secret}: {shown:?}");
    }
}
