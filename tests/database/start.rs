//! Waiting for a database that is not up yet.

use std::time::Duration;

use freezer_api::store::engine::url::DatabaseUrl;
use freezer_api::store::{Settings, wait_for};

use crate::proxy::Proxy;
use crate::servers;

fn settings(max_retries: Option<u32>) -> Settings {
    Settings { max_retries, retry_interval: Duration::from_millis(50), ..Settings::default() }
}

#[test]
fn the_start_waits_for_a_database_that_comes_up_later() {
    for server in servers() {
        let mut proxy = Proxy::closed(&server);
        let url = DatabaseUrl::parse(&proxy.url(&server)).unwrap();
        let why = wait_for(&url, &settings(Some(2)), |_, _| ()).unwrap_err();
        assert!(why.contains("cannot be reached") && !why.contains("freezer:freezer"), "{why}");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| wait_for(&url, &settings(None), |_, _| ()));
            std::thread::sleep(Duration::from_millis(300));
            assert!(!waiting.is_finished());
            proxy.open();
            assert_eq!(waiting.join().unwrap(), Ok(()));
        });
    }
}

#[test]
fn the_start_does_not_wait_for_a_database_that_refuses_the_login() {
    for server in servers() {
        let mut url = url::Url::parse(&server).unwrap();
        url.set_username("nobody-of-that-name").unwrap();
        url.set_password(Some("not-to-be-shown")).unwrap();
        let mut nowhere = url::Url::parse(&server).unwrap();
        nowhere.set_path("no_such_database");
        for url in [url, nowhere] {
            let why =
                wait_for(&DatabaseUrl::parse(url.as_str()).unwrap(), &settings(None), |_, _| ()).unwrap_err();
            assert!(!why.contains("not-to-be-shown"), "{why}");
        }
    }
}

#[cfg(feature = "postgres")]
#[test]
fn a_stop_signal_ends_the_wait() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let server = std::env::var("FREEZER_TEST_POSTGRES_URL").unwrap();
    let url = Proxy::closed(&server).url(&server);
    let mut serve = Command::new(env!("CARGO_BIN_EXE_freezer-api"))
        .args(["serve", "--auth-strategy", "noauth", "--bind-port", "0", "--database-connection", &url])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(serve.stderr.take().unwrap()).lines();
    assert!(log.any(|line| line.unwrap().contains("attempts left")), "it did not wait");
    for signal in ["-HUP", "-TERM"] {
        assert!(Command::new("kill").args([signal, &serve.id().to_string()]).status().unwrap().success());
    }
    assert_eq!(serve.wait().unwrap().code(), Some(0));
}
