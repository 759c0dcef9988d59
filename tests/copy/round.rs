//! Copies that succeed.

use std::fs;

use serde_json::json;

use crate::daemon::Daemon;
use crate::database::{BACKENDS, Backend, Database};
use crate::fill::{BACKUPS, PASSWORD, filled};
use crate::program::{copy, run};

#[test]
fn every_row_is_the_same_after_a_copy_between_any_two_backends() {
    let origin = filled();
    let expected = origin.dump();
    for from in BACKENDS {
        let source = Database::new(*from);
        copy(&origin, &source, &["--with-tokens"]).succeeded();
        for to in BACKENDS {
            let target = Database::new(*to);
            let report = copy(&source, &target, &["--with-tokens"]).succeeded();
            assert!(report.err.contains("equal") && !report.err.contains("DIFFERENT"), "{}", report.err);
            let last = Database::new(Backend::Sqlite);
            copy(&target, &last, &["--with-tokens"]).succeeded();
            assert_eq!(first_difference(&last.dump(), &expected), None, "{from:?} to {to:?}");
            // The dump has doubles. All digits survive, unless a server on the way stores JSON numbers as doubles itself.
            let metadata = last.texts("SELECT metadata AS value FROM actions").remove(0);
            let keeps_digits = !source.is_oracles() && !target.is_oracles();
            assert_eq!(
                metadata.contains("12345678901234567890123"),
                keeps_digits,
                "{from:?} to {to:?}: {metadata}"
            );
        }
    }
}

/// The first line in which two dumps differ.
fn first_difference<'d>(one: &'d [String], other: &'d [String]) -> Option<(&'d str, &'d str)> {
    assert_eq!(one.len(), other.len());
    one.iter().zip(other).find(|(one, other)| one != other).map(|(one, other)| (&**one, &**other))
}

#[test]
fn a_copy_counts_every_row_and_again_finds_all_unchanged() {
    let source = filled();
    for to in BACKENDS {
        let target = Database::new(*to);
        let first = copy(&source, &target, &[]).succeeded();
        let figures = |imported: i64, merged: i64, skipped: i64, reasons| {
            let read = imported + merged + skipped;
            json!({"read": read, "imported": imported, "merged": merged, "skipped": skipped, "quarantined": 0,
                   "reasons": reasons})
        };
        assert_eq!(first.figures("backups"), figures(BACKUPS, 0, 0, json!({})));
        assert_eq!(first.figures("identity_tokens"), figures(0, 0, 2, json!({"without_tokens": 2})));
        assert_eq!(target.count("identity_tokens"), 0);
        let second = copy(&source, &target, &["--with-tokens"]).succeeded();
        let unchanged = json!({"unchanged": BACKUPS});
        assert_eq!(second.figures("backups"), figures(0, BACKUPS, 0, unchanged));
        assert_eq!(second.figures("identity_tokens"), figures(2, 0, 0, json!({})));
        assert_eq!(target.count("identity_tokens"), 2);
    }
}

#[test]
fn a_dry_run_says_what_would_be_copied_and_writes_nothing() {
    let source = filled();
    for to in BACKENDS {
        let target = Database::new(*to);
        let dry = copy(&source, &target, &["--dry-run"]).succeeded();
        assert_eq!(dry.figures("backups")["imported"], BACKUPS);
        assert!(target.is_empty(), "{to:?}");
        assert_eq!(dry.out, copy(&source, &target, &[]).succeeded().out);
    }
}

#[test]
fn users_log_in_at_the_target_with_their_passwords() {
    let source = filled();
    let project = source.project();
    for to in BACKENDS {
        let target = Database::new(*to);
        copy(&source, &target, &["-q"]).succeeded();
        let daemon = Daemon::start(&target);
        let token = daemon.log_in("admin", PASSWORD, "demo");
        let (status, _, body) = daemon.ask("GET", &format!("/v2/{project}/backups/b-00001"), &token, "");
        assert_eq!((status, &body["backup_id"]), (200, &json!("b-00001")), "{to:?}: {body}");
    }
}

#[test]
fn the_source_is_not_changed_and_may_be_served() {
    let source = filled();
    let before = fs::read(source.path()).unwrap();
    copy(&source, &Database::new(Backend::Sqlite), &[]).succeeded();
    assert!(fs::read(source.path()).unwrap() == before);
    let daemon = Daemon::start(&source);
    let token = daemon.log_in("admin", PASSWORD, "demo");
    for to in BACKENDS {
        copy(&source, &Database::new(*to), &[]).succeeded();
    }
    let session = json!({"description": "made after the copies", "schedule": {}}).to_string();
    let (status, _, body) =
        daemon.ask("POST", &format!("/v2/{}/sessions", source.project()), &token, &session);
    assert_eq!(status, 201, "{body}");
}

#[test]
fn quiet_says_nothing_and_urls_come_from_files_and_the_environment() {
    let (source, target) = (filled(), Database::new(Backend::Sqlite));
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("url");
    fs::write(&file, format!("{}\n", source.url)).unwrap();
    let from = ["copy", "--from-file", file.to_str().unwrap(), "-q"];
    let configured = run(&[&from[..], &["--database-connection", &target.url]].concat()).succeeded();
    assert_eq!((&*configured.out, &*configured.err), ("", ""));
    assert_eq!(target.count("backups"), BACKUPS);
    let mut command = crate::program::program(&["copy", "--from-env", "FROM", "--to-env", "TO", "-q"]);
    let status = command.env("FROM", &source.url).env("TO", &target.url).status().unwrap();
    assert_eq!(status.code(), Some(0));
    let unset = run(&["copy", "--from-env", "NOT_SET", "--to", &target.url]);
    unset.refused(1, &["The environment variable NOT_SET holds no database URL."]);
    run(&["copy", "--to", &target.url]).refused(2, &["--from"]);
}
