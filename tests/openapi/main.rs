//! The description of the API, as the command line prints it: a valid OpenAPI 3.1 document by the specification's own
//! schema, with valid examples.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod dialects;

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

/// What `freezer-api openapi` prints, in an environment without any configuration, or with a broken one.
fn printed(options: &[&str]) -> Value {
    let place = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_freezer-api"));
    command.args(options).arg("openapi").current_dir(place.path()).env_clear().env("HOME", place.path());
    let output = command.output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_command_line_prints_it_whatever_the_configuration_is() {
    let document = printed(&[]);
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(document["servers"][0]["url"], "http://127.0.0.1:9090");
    assert_eq!(document["components"]["securitySchemes"]["token"]["name"], "X-Auth-Token");
    assert_eq!(printed(&["--config-file", "/nowhere/freezer.conf"]), document);
}

#[test]
fn it_is_what_the_specification_says() {
    let python = std::env::var("FREEZER_TEST_PYTHON");
    let python = python.unwrap_or_else(|_| panic!("run scripts/test, or set FREEZER_TEST_PYTHON"));
    let mut run = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/openapi/validate.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    run.stdin.take().unwrap().write_all(printed(&[]).to_string().as_bytes()).unwrap();
    let output = run.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
