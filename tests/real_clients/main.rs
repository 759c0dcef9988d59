//! The unmodified clients from PyPI, at work against the built daemon: once on each backend, and once in a cloud.
//!
//! What they do there, and what is expected of it, is in the Python beside this file; `run.py` is where to begin.

use std::{env, error::Error, process::Command};

type Outcome = Result<(), Box<dyn Error>>;

#[test]
fn on_sqlite() -> Outcome {
    clients_work_on("sqlite")
}

#[cfg(feature = "mysql")]
#[test]
fn on_mysql() -> Outcome {
    clients_work_on(&from_scripts_test("FREEZER_TEST_MYSQL_URL")?)
}

#[cfg(feature = "postgres")]
#[test]
fn on_postgresql() -> Outcome {
    clients_work_on(&from_scripts_test("FREEZER_TEST_POSTGRES_URL")?)
}

/// The cloud's users, and a scheduler for all of them.
#[test]
fn with_keystone() -> Outcome {
    clients_work_with(&["--server", "sqlite", "--keystone", &from_scripts_test("FREEZER_TEST_KEYSTONE")?])
}

fn clients_work_on(server: &str) -> Outcome {
    clients_work_with(&["--server", server])
}

fn clients_work_with(options: &[&str]) -> Outcome {
    let run = Command::new(from_scripts_test("FREEZER_TEST_PYTHON")?)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real_clients/run.py"))
        .args(["--binary", env!("CARGO_BIN_EXE_freezer-api")])
        .args(options)
        .output()?;
    // Printed here, and not by the child, so that the test runner shows it when (and only when) the test fails.
    print!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    if run.status.success() { Ok(()) } else { Err(format!("run.py: {}", run.status).into()) }
}

fn from_scripts_test(variable: &str) -> Result<String, String> {
    env::var(variable).map_err(|_| format!("{variable} is not set: run scripts/test, which sets it"))
}
