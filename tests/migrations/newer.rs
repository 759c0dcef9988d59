//! The real program on a schema that a newer release has migrated.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::fresh::Fresh;

fn command(fresh: &Fresh, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_freezer-api"));
    let directory = std::env::temp_dir();
    command.args(line.split(' ')).args(["--database-connection", &fresh.url]).current_dir(directory);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("OS_")) {
        command.env_remove(name);
    }
    command
        .env("OS_DEFAULT__AUTH_STRATEGY", "noauth")
        .env("OS_DEFAULT__BIND_PORT", "0")
        .env("HOME", "/nonexistent");
    command
}

/// The exit status of a command, and its output.
fn ended(fresh: &Fresh, line: &str) -> (i32, String) {
    let output = command(fresh, line).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

#[test]
fn a_newer_schema_is_refused_unless_it_is_allowed() {
    for mut fresh in Fresh::all() {
        assert_eq!(ended(&fresh, "db check").0, 1, "{}: waiting for `db sync` mends it", fresh.backend);
        assert_eq!(ended(&fresh, "db sync").0, 0, "{}", fresh.backend);
        assert_eq!(ended(&fresh, "db check").0, 0, "{}", fresh.backend);
        fresh
            .run("INSERT INTO __diesel_schema_migrations (version, run_on) VALUES ('20270101000000', '2027-01-01')")
            .unwrap();
        for line in ["serve", "db check", "user list"] {
            let (status, said) = ended(&fresh, line);
            assert_eq!(status, 78, "{} {line}: {said}", fresh.backend);
            assert!(said.contains("newer than this release: it has 20270101000000"), "{said}");
            // The log may have another line, about a check of the SQLite file, since this test has it open.
            let sentences = said.lines().filter(|line| line.starts_with("freezer-api: ")).count();
            assert_eq!(sentences, 1, "{said}");
        }
        let (status, said) = ended(&fresh, "db check --allow-newer-schema");
        assert_eq!(status, 0, "{}: {said}", fresh.backend);
        assert!(said.contains("newer than this release: 20270101000000."), "{said}");

        let mut served = command(&fresh, "serve --allow-newer-schema");
        let mut served = served.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(served.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("listening on "), "{}: {line}", fresh.backend);
        served.kill().unwrap();
        served.wait().unwrap();
    }
}

/// An empty version simulates a client library that reads every text as empty.
#[test]
fn a_client_library_that_reads_text_as_empty_is_named() {
    for mut fresh in Fresh::all() {
        assert_eq!(ended(&fresh, "db sync").0, 0, "{}", fresh.backend);
        fresh
            .run("INSERT INTO __diesel_schema_migrations (version, run_on) VALUES ('', '2027-01-01')")
            .unwrap();
        for line in ["serve", "db check"] {
            let (status, said) = ended(&fresh, line);
            assert_eq!(status, 78, "{} {line}: {said}", fresh.backend);
            assert!(said.contains("client library") && said.contains("CONC-821"), "{said}");
        }
    }
}
