//! The ways in which deployments start the service, and its exit statuses.

use std::fs;

use crate::program::{Place, Running, ended};

const KEYSTONE: &str = "[DEFAULT]\nbind_host = 127.0.0.1\nbind_port = 0\n[keystone_authtoken]\nauth_type = password\n\
    auth_url = http://127.0.0.1:5000\nusername = freezer\nuser_domain_id = default\npassword = p\n";

#[test]
fn without_a_command_it_serves_with_the_named_file() {
    let place = Place::new();
    place.write("x/freezer.conf", "[DEFAULT]\nbind_port = 0\nauth_strategy = noauth\n");
    let running = Running::start(place.command("--config-file x/freezer.conf"));
    assert!(running.get("/v2/p/jobs").starts_with("HTTP/1.1 401"));
}

#[test]
fn without_arguments_it_serves_with_the_file_it_finds_or_prints_its_help() {
    let place = Place::new();
    let (status, help) = ended(place.command(""));
    assert_eq!(status, Some(2), "{help}");
    assert!(help.contains("Usage:") && help.contains("Exit status:"), "{help}");
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0, "no file was made");

    place.write("freezer-api.conf", "[DEFAULT]\nbind_port = 0\nauth_strategy = noauth\n");
    assert!(Running::start(place.command("")).get("/v2/p/jobs").starts_with("HTTP/1.1 401"));
}

#[test]
fn a_missing_named_file_starts_no_empty_service() {
    let place = Place::new();
    for line in [
        "--config-file gone.conf",
        "--config-file gone.conf serve",
        "serve --config-dir gone.d",
        "serve --config-file gone.conf --config-dir gone.d",
    ] {
        let (status, said) = ended(place.command(line));
        assert_eq!(status, Some(78), "{line}: {said}");
        assert!(said.contains("gone") && said.lines().count() == 1, "{line}: {said}");
    }
    std::os::unix::fs::symlink("gone.conf", place.path().join("freezer-api.conf")).unwrap();
    assert!(place.refused("serve").contains("freezer-api.conf cannot be read: there is no such file."));
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "no file was made");
}

#[test]
fn files_that_only_https_needs_may_be_missing_while_auth_url_is_http() {
    for option in ["cafile = none.pem", "certfile = none.pem", "cafile = empty.pem", "cafile = ."] {
        let place = Place::new();
        place.write("empty.pem", "");
        place.write("freezer-api.conf", &format!("{KEYSTONE}{option}\n"));
        let lines = Running::lines_until(place.command("serve"), "listens on");
        let warning = lines.iter().find(|line| line.contains("It is not needed while auth_url is http"));
        assert!(warning.is_some_and(|line| line.contains(" WARNING ")), "{option}: {lines:#?}");

        place.write("freezer-api.conf", &format!("{KEYSTONE}{option}\n").replace("http:", "https:"));
        let said = place.refused("serve");
        assert!(said.contains(option.split(' ').next().unwrap()), "{option}: {said}");
    }
}

#[test]
fn the_exit_status_tells_whether_a_restart_may_help() {
    let place = Place::new();
    place.write("bad.conf", "[DEFAULT]\nworkers = 0\n");
    place.write("policy.conf", "[DEFAULT]\nauth_strategy = noauth\n[oslo_policy]\npolicy_file = bad.yaml\n");
    place.write("bad.yaml", "[\n");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = format!("serve --bind-port {}", port.local_addr().unwrap().port());
    for (line, status) in [
        ("serve --config-file bad.conf", 78),
        ("db sync --config-file bad.conf", 78),
        ("serve --config-file policy.conf", 78),
        ("serve --database-connection oracle://db/x", 78),
        ("serve --log-file no/such/directory/log", 78),
        ("serve --no-such-option", 2),
        ("db check", 1),
        (&*taken, 1),
    ] {
        let (got, said) = ended(place.command(line));
        assert_eq!(got, Some(status), "{line}: {said}");
    }
}

#[test]
fn the_unit_names_its_file_and_does_not_restart_after_lasting_failures() {
    let unit = include_str!("../../etc/freezer-api.service");
    let value = |name: &str| {
        let line = unit.lines().find(|line| line.starts_with(&format!("{name}="))).unwrap();
        line.split_once('=').unwrap().1
    };
    assert!(value("ExecStart").contains(" --config-file /etc/freezer/freezer-api.conf"), "{unit}");
    assert!(value("RestartPreventExitStatus").split(' ').any(|status| status == "78"), "{unit}");
}
