//! The binary under the names of the Python service's other programs, and the commands that packages use.

use std::os::unix::fs::symlink;
use std::process::{Command, Output};

use serde_json::Value;

use crate::program::{Place, Running};

/// Runs the binary under another name, with a new SQLite file as its database.
fn called(place: &Place, name: &str, line: &str) -> Output {
    let link = place.path().join(name);
    if !link.exists() {
        symlink(env!("CARGO_BIN_EXE_freezer-api"), &link).unwrap();
    }
    let mut command = Command::new(link);
    command.args(line.split_whitespace()).current_dir(place.path()).env("HOME", place.path());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("OS_")) {
        command.env_remove(name);
    }
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn freezer_manage_takes_oslos_options_before_and_after_the_command() {
    let place = Place::new();
    place.write(
        "etc/f.conf",
        "[database]\nconnection = sqlite:///f.sqlite\n[DEFAULT]\nlog_config_append = gone\n",
    );
    for line in [
        "--config-file etc/f.conf db sync",
        "db sync --config-file=etc/f.conf",
        "--log-config-append gone.conf --nodebug db --config-file etc/f.conf update",
    ] {
        let output = called(&place, "freezer-manage", line);
        assert!(output.status.success(), "{line}: {}", text(&output.stderr));
    }
    assert!(place.path().join("f.sqlite").exists());
    let output = called(&place, "freezer-manage", "--config-file etc/f.conf db version");
    assert!(text(&output.stdout).starts_with("2026"), "{output:?}");
    let output = called(&place, "freezer-manage", "--config-file etc/f.conf db show");
    assert!(output.status.success() && !output.stdout.is_empty(), "{output:?}");
}

#[test]
fn freezer_manage_refuses_destructive_and_elasticsearch_commands() {
    let place = Place::new();
    for (command, word) in [("remove", "database server"), ("update-settings", "Elasticsearch")] {
        let output = called(&place, "freezer-manage", &format!("db {command}"));
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(text(&output.stderr).contains(word), "{output:?}");
    }
    assert_eq!(called(&place, "freezer-manage", "db nonsense").status.code(), Some(2));
}

#[test]
fn the_upgrade_check_reports_what_an_upgrade_would_change() {
    let place = Place::new();
    place.write("freezer-api.conf", "[database]\nconnection = sqlite:///f.sqlite\n");
    let check = |line: &str| {
        let output = called(&place, "freezer-manager-status", line);
        (output.status.code(), text(&output.stdout))
    };
    let (status, table) = check("upgrade check");
    assert_eq!(status, Some(2), "{table}");
    assert!(table.contains("Check: Database Schema") && table.contains("Result: Failure"), "{table}");

    called(&place, "freezer-manage", "db sync");
    let (status, table) = check("upgrade check");
    assert_eq!(status, Some(0), "{table}");
    assert!(table.contains("Upgrade Check Results") && table.contains("Details: None"), "{table}");

    place.write(
        "freezer-api.conf",
        "[database]\nconnection = sqlite:///f.sqlite\n[oslo_concurrency]\nlock_path = /tmp\n\
         [DEFAULT]\nlog_config_append = gone\n",
    );
    place.write("policy.yaml", "\"jobs:get\": \"role:helpdesk\"\n");
    let (status, json) = check("upgrade check --json");
    assert_eq!(status, Some(1), "{json}");
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["name"], "Upgrade Check Results");
    let of = |name: &str| {
        let checks = json["checks"].as_array().unwrap();
        checks.iter().find(|check| check["check"] == name).unwrap().clone()
    };
    assert_eq!(of("Database Schema")["result"], 0);
    assert!(of("Configuration Options")["details"].as_str().unwrap().contains("log_config_append"), "{json}");
    assert!(of("Policy Rules Across Projects")["details"].as_str().unwrap().contains("helpdesk"), "{json}");
}

#[test]
fn the_configuration_can_be_checked_without_a_start() {
    let place = Place::new();
    assert!(place.run("config check").contains("in order"));
    place.write("freezer-api.conf", "[DEFAULT]\nworkers = many\n");
    assert!(place.refused("config check").contains("workers"));
    place.write("freezer-api.conf", "");
    place.write("policy.yaml", "\"jobs:get\": [");
    assert!(place.refused("config check").contains("policy.yaml"));
}

#[test]
fn the_health_of_a_running_service_is_an_exit_status() {
    let place = Place::new();
    let running = Running::start(place.command("serve --auth-strategy noauth --bind-port 0"));
    let port = running.url.rsplit_once(':').unwrap().1.to_owned();
    place.write("freezer-api.conf", &format!("[DEFAULT]\nauth_strategy = noauth\nbind_port = {port}\n"));
    assert_eq!(place.run("healthcheck"), "OK\n");
    assert_eq!(place.run(&format!("healthcheck --url {}/healthcheck", running.url)), "OK\n");
    drop(running);
    let output = place.command("healthcheck --timeout 1").output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

#[test]
fn completions_and_manual_pages_are_made_from_the_command_line() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(place.run(&format!("generate completion {shell}")).contains("healthcheck"));
    }
    place.run("generate man pages");
    for page in
        ["freezer-api", "freezer-api-db-sync", "freezer-manage", "freezer-manager-status-upgrade-check"]
    {
        let page = std::fs::read_to_string(place.path().join(format!("pages/{page}.8"))).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{page}");
    }
    assert!(place.run("--version").starts_with("freezer-api 0."));
}
