//! A copy that is killed, and one of large rows.

use std::fs;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use crate::database::{BACKENDS, Backend, Database};
use crate::fill::filled;
use crate::program::{copy, program};

#[test]
fn a_copy_that_is_killed_and_run_again_ends_in_the_same_rows() {
    let source = filled();
    source.run(
        "INSERT INTO backups (id, project_id, user_id, status, metadata, created_at, updated_at, version)
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
         SELECT 'more-' || i, 'p', 'u', 'available', '{}', '2026-01-02 03:04:05', '2026-01-02 03:04:05', 1 FROM n",
    );
    for to in BACKENDS {
        let target = Database::new(*to);
        let mut rows = Vec::new();
        // Depending on the machine's speed, the kill hits the preflight, the transfer or the comparison.
        for pause in [50, 400, 900, 1500, 2200, 3000] {
            let arguments = ["copy", "--from", &source.url, "--to", &target.url];
            let mut child = program(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            sleep(Duration::from_millis(pause));
            child.kill().unwrap();
            child.wait().unwrap();
            rows.push(target.count("backups"));
        }
        assert!(rows.is_sorted(), "{rows:?}");
        let last = copy(&source, &target, &[]).succeeded();
        let figures = last.figures("backups");
        assert_eq!(figures["merged"], *rows.last().unwrap(), "{rows:?}");
        assert_eq!(target.count("backups"), source.count("backups"));
    }
}

#[test]
fn memory_is_bounded_whatever_the_size_of_the_rows() {
    let (source, target) = (Database::new(Backend::Sqlite), Database::new(Backend::Sqlite));
    source.run(
        "INSERT INTO action_reports (id, project_id, user_id, result, time_elapsed, metadata, report_date, log,
            created_at, updated_at, version)
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)
         SELECT 'r' || i, 'p', 'u', 'fail', 1, '{}', '2026-01-02 03:04:05', zeroblob(2097152), '2026-01-02 03:04:05',
            '2026-01-02 03:04:05', 1 FROM n",
    );
    let arguments = ["copy", "--from", &source.url, "--to", &target.url, "-q"];
    let mut child = program(&arguments).spawn().unwrap();
    let mut peak = 0;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        let text = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|text| text.parse().ok());
        peak = peak.max(kib.unwrap_or(0));
        sleep(Duration::from_millis(5));
    };
    assert_eq!(status.code(), Some(0));
    assert!((1..200 * 1024).contains(&peak), "{peak} KiB for 240 MiB of logs");
    assert_eq!(target.count("action_reports"), 120);
}
