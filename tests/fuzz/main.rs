//! Schemathesis, from PyPI, asks the built daemon everything that the published description of the API allows and does
//! not allow, and holds each answer against the description: once on SQLite, and once on MySQL or MariaDB.
//!
//! What it sends and what it must find is in `schemathesis.toml` beside this file; `run.py` is where to begin.

use std::{env, error::Error, process::Command};

type Outcome = Result<(), Box<dyn Error>>;

#[test]
fn on_sqlite() -> Outcome {
    is_as_described_on("sqlite")
}

#[cfg(feature = "mysql")]
#[test]
fn on_mysql() -> Outcome {
    is_as_described_on(&from_scripts_test("FREEZER_TEST_MYSQL_URL")?)
}

fn is_as_described_on(server: &str) -> Outcome {
    let run = Command::new(from_scripts_test("FREEZER_TEST_PYTHON")?)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/run.py"))
        .args(["--binary", env!("CARGO_BIN_EXE_freezer-api"), "--server", server])
        .args(["--keep", concat!(env!("CARGO_TARGET_TMPDIR"), "/hypothesis")])
        .output()?;
    // Printed here and not by the child, so that the test runner shows it only when the test fails.
    print!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    if run.status.success() { Ok(()) } else { Err(format!("run.py: {}", run.status).into()) }
}

fn from_scripts_test(variable: &str) -> Result<String, String> {
    env::var(variable).map_err(|_| format!("{variable} is not set: run scripts/test, which sets it"))
}
