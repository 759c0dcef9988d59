//! SIGHUP.

use std::process::Command;

use crate::program::{Place, Running};

#[test]
fn sighup_changes_the_level_names_options_that_need_a_restart_and_survives_a_broken_file() {
    let place = Place::new();
    let write = |text: &str| {
        let always = "[DEFAULT]\nbind_host = 127.0.0.1\nbind_port = 0\nauth_strategy = noauth\n";
        place.write("freezer-api.conf", &format!("{always}{text}"));
    };
    write("workers = 2\n");
    let running = Running::start(place.command("serve"));
    assert!(running.get("/").starts_with("HTTP/1.1 "));

    write("workers = 3\ndebug = true\n[keystone_authtoken]\npassword = hunter2\n");
    running.signal("HUP");
    assert!(running.wait_for("SIGHUP: changed").contains("debug"));
    let restart = running.wait_for("only in effect after a restart");
    assert!(restart.contains("[DEFAULT] workers, [keystone_authtoken] password"), "{restart}");
    assert!(!restart.contains("hunter2"), "{restart}");

    write("workers = many\n");
    running.signal("HUP");
    let broken = running.wait_for("nothing is changed");
    assert!(broken.contains("[DEFAULT] workers") && broken.contains("freezer-api.conf:5"), "{broken}");

    write("workers = 2\ndebug = false\n");
    running.signal("HUP");
    assert!(running.wait_for("SIGHUP: changed").contains("debug"));
    assert!(running.get("/").starts_with("HTTP/1.1 "));
}

#[test]
fn a_file_that_hangs_does_not_keep_the_service_from_stopping() {
    let place = Place::new();
    place.write("conf/1.conf", "[DEFAULT]\nbind_host = 127.0.0.1\nbind_port = 0\nauth_strategy = noauth\n");
    let mut running = Running::start(place.command("serve --config-dir conf"));
    // A FIFO without a writer: opening it blocks, as does a file on a server that is away.
    let hangs = place.path().join("conf/2.conf");
    assert!(Command::new("mkfifo").arg(&hangs).status().unwrap().success());
    for _ in 0..3 {
        running.signal("HUP");
        assert!(running.get("/").starts_with("HTTP/1.1 "));
    }
    running.signal("TERM");
    assert!(running.ended(), "the service ignores SIGTERM");
}
