//! The unmodified clients of version 1 from PyPI, at work against the built daemon. `scripts/v1-clients` runs this: each
//! client needs a Python environment of its own.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::env;
use std::process::Command;

#[test]
fn command_line_6_3_0_on_sqlite() {
    run("FREEZER_TEST_V1_COMMAND_LINE", "cli", "sqlite");
}

#[cfg(feature = "mysql")]
#[test]
fn command_line_6_3_0_on_mysql() {
    run("FREEZER_TEST_V1_COMMAND_LINE", "cli", &variable("FREEZER_TEST_MYSQL_URL"));
}

#[cfg(feature = "postgres")]
#[test]
fn command_line_6_3_0_on_postgresql() {
    run("FREEZER_TEST_V1_COMMAND_LINE", "cli", &variable("FREEZER_TEST_POSTGRES_URL"));
}

#[test]
fn scheduler_12_0_0_on_sqlite() {
    run("FREEZER_TEST_V1_SCHEDULER_12", "scheduler", "sqlite");
}

#[cfg(feature = "mysql")]
#[test]
fn scheduler_18_0_0_on_mysql() {
    run("FREEZER_TEST_V1_SCHEDULER_18", "scheduler", &variable("FREEZER_TEST_MYSQL_URL"));
}

#[cfg(feature = "postgres")]
#[test]
fn scheduler_18_0_0_on_postgresql() {
    run("FREEZER_TEST_V1_SCHEDULER_18", "scheduler", &variable("FREEZER_TEST_POSTGRES_URL"));
}

fn run(python: &str, part: &str, server: &str) {
    let run = Command::new(variable(python))
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real_clients/run.py"))
        .args(["--binary", env!("CARGO_BIN_EXE_freezer-api"), "--v1", "--only", part, "--server", server])
        .output()
        .unwrap();
    // Printed here and not by the child, so that the test runner shows it only when the test fails.
    print!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "run.py: {}", run.status);
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run scripts/v1-clients, which sets it"))
}
