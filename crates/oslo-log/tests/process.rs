//! The logger of the process: [`init`], a panic, a change of options and a rotation.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::fs;
use std::panic::catch_unwind;

use oslo_log::{Identity, Settings, apply, enter, identify, init};

#[test]
fn a_process_logs_its_panics_and_takes_other_options() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("api.log");
    let read = || fs::read_to_string(&path).unwrap();
    // Standard error, too, which has the failures of the other tests.
    let settings = Settings {
        file: Some(path.clone()),
        stderr: Some(true),
        context_format: Some("%(levelname)s %(name)s [%(user)s] %(message)s".to_owned()),
        default_format: Some("%(levelname)s %(name)s [-] %(message)s".to_owned()),
        exception_prefix: Some("| ".to_owned()),
        ..Settings::default()
    };
    assert!(init(&Settings { file: Some("/nowhere/api.log".into()), ..settings.clone() }, &[]).is_err());
    init(&settings, &[]).unwrap();
    // A second call has no effect, whatever its options.
    init(&Settings { file: Some("/nowhere/api.log".into()), ..Settings::default() }, &[]).unwrap();

    let scope = enter("req-1", None);
    identify(Identity { user_id: Some("ann".to_owned()), ..Identity::default() });
    catch_unwind(|| panic!("boom\nbang")).unwrap_err();
    drop(scope);
    let text = read();
    let mut lines = text.lines();
    let first = lines.next().unwrap();
    assert!(
        first.starts_with("CRITICAL freezer-api [ann] panicked at crates/oslo-log/tests/process.rs:"),
        "{first}"
    );
    assert!(first.ends_with(": boom\\nbang"), "{first}");
    assert!(lines.all(|line| line.starts_with("| ")), "{text}");

    log::debug!(target: "freezer_api::a", "not yet");
    assert_eq!(apply(&Settings { debug: true, ..settings.clone() }), Ok(vec!["debug"]));
    log::debug!(target: "freezer_api::a", "now");
    assert_eq!(read().strip_prefix(&text), Some("DEBUG freezer_api.a [-] now\n"));
    fs::rename(&path, directory.path().join("api.log.1")).unwrap();
    assert_eq!(apply(&settings), Ok(vec!["debug"]));
    assert_eq!(read(), "");
}
