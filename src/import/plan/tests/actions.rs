//! Actions, their places in jobs, and their reports.

use super::*;

#[test]
fn an_actions_columns_hold_what_they_can_and_its_metadata_the_rest() {
    let mut bare = action("a2", json!({"action": "backup", "src_file": "/etc", "remove_older_then": 30}));
    if let Body::Action(action) = &mut bare.body {
        (action.max_retries, action.max_retries_interval, action.mandatory) = (None, Some(-1), None);
    }
    let name = "n".repeat(300);
    let plan = plan(&[
        action(
            "a1",
            json!({"action": "backup", "mode": "fs", "path_to_backup": "/srv", "restore_abs_path": null,
                   "timeout": 9, "priority": "high", "storage": "swift", "snapshot": null, "backup_name": name}),
        ),
        bare,
        action("a3", json!({"action": "x".repeat(65)})),
        action("a4", json!({"action": "exec", "text": "a\u{0}b"})),
        action("a5", json!({"action": "exec", "text": "x".repeat(crate::document::MAX_DOCUMENT)})),
    ]);
    let full = plan.action("a1");
    assert_eq!(full.spec.metadata.value(), json!({"priority": "high", "storage": "swift", "snapshot": null}));
    assert_eq!((full.spec.src_file.as_deref(), full.spec.timeout), (Some("/srv"), Some(9)));
    assert_eq!(full.spec.backup_name.as_deref().map(str::len), Some(255));
    assert_eq!(plan.ids("too-long"), ["actions:a1", "actions:a3"]);
    assert_eq!(plan.unit(Table::Actions, "a1").remainders[0].row, json!({"backup_name": name}));
    let bare = plan.action("a2");
    assert_eq!(bare.spec.src_file.as_deref(), Some("/etc"));
    assert_eq!(bare.spec.metadata.value(), json!({"remove_older_than": 30}));
    assert_eq!((bare.spec.max_retries, bare.spec.max_retries_interval, bare.spec.mandatory), (5, 6, false));
    assert_eq!(plan.fate(Table::Actions, "a2"), (Imported, vec!["unknown-value", "defaulted"]));
    assert_eq!(plan.fate(Table::Actions, "a3"), (Quarantined, vec!["too-long"]));
    assert_eq!(plan.fate(Table::Actions, "a4"), (Quarantined, vec!["zero-byte"]));
    assert_eq!(plan.fate(Table::Actions, "a5"), (Quarantined, vec!["too-large"]));
}

#[test]
fn the_inline_definition_of_an_entry_decides_what_its_job_runs() {
    let exec = json!({"action": "exec", "command": "true"});
    let entry = |id: Value, definition: &Value| json!({"action_id": id, "freezer_action": definition});
    let mut linked =
        entry(json!("a1"), &json!({"action": "exec", "command": "true", "mode": null, "os_trust_id": "t"}));
    linked["max_retries"] = json!(9);
    let rows = [
        client("c1", "web1"),
        action("a1", exec.clone()),
        in_project(action("a2", exec.clone()), Some(B)),
        deleted(action("a3", exec.clone())),
        action("a9", json!({"action": "x".repeat(65)})),
        job(
            "j1",
            Some(json!([
                linked,
                entry(json!("a1"), &json!({"action": "exec", "command": "false"})),
                entry(json!("a1"), &exec),
                entry(json!("a2"), &exec),
                entry(json!("a3"), &exec),
                entry(json!("never"), &exec),
                entry(json!("never"), &exec),
                entry(json!(""), &exec),
                {"freezer_action": {}},
                7,
                entry(json!("a9"), &exec),
            ])),
        ),
        job("j2", Some(json!([entry(json!("never"), &exec)]))),
    ];
    let plan = plan(&rows);
    let made = |job: &str, index: &str| crate::import::ids::made("action", &[job, index]);
    assert_eq!(
        plan.places(Table::Jobs, "j1"),
        [
            ("a1".to_owned(), 0),
            (made("j1", "1"), 1),
            ("a1".to_owned(), 2),
            (made("j1", "3"), 3),
            ("a3".to_owned(), 4),
            ("never".to_owned(), 5),
            ("never".to_owned(), 6),
            (made("j1", "7"), 7),
            (made("j1", "10"), 8),
        ]
    );
    assert_eq!(plan.places(Table::Jobs, "j2"), [(made("j2", "0"), 0)]);
    let of = |index: &str| format!("jobs.job_actions:j1/{index}");
    for (reason, ids) in [
        ("action-diverged", vec![of("1"), of("10")]),
        ("action-twice", vec![of("2"), of("6")]),
        ("action-foreign-project", vec![of("3")]),
        ("action-restored", vec![of("4"), of("5"), "jobs.job_actions:j2/0".to_owned()]),
        ("action-inlined", vec![of("7")]),
        ("job-action-skipped", vec![of("8"), of("9")]),
    ] {
        let mut ids = ids;
        ids.sort();
        assert_eq!(plan.ids(reason), ids, "{reason}");
    }
    let retries = plan.unit(Table::Jobs, "j1").rows.iter().find_map(|row| match row {
        TargetRow::Place(place) => Some((place.retries, place.retry_interval, place.mandatory)),
        _ => None,
    });
    assert_eq!(retries, Some((9, 60, true)));
    // Every action is before its place.
    let rows = &plan.unit(Table::Jobs, "j1").rows;
    assert!(matches!(rows[..2], [TargetRow::Job(_), TargetRow::Attachment(_)]));
    // The restored one is not to be deleted from the target.
    assert_eq!(plan.unit(Table::Actions, "a3").deleted_id, None);
}

#[test]
fn an_exit_status_is_a_report_of_the_run_that_ended() {
    let exec = json!([{"freezer_action": {"action": "exec"}, "exit_status": "fail"}]);
    let ran = |id: &str, ended: i64| {
        with_job(job(id, Some(exec.clone())), |job| {
            job.schedule.extend(object(json!({"time_started": 100, "time_ended": ended})));
        })
    };
    let plan = plan(&[client("c1", "web1"), ran("j1", 130), ran("j2", -1)]);
    let report = plan.unit(Table::Jobs, "j1").rows.iter().find_map(|row| match row {
        TargetRow::Report(report, None) => Some(report),
        _ => None,
    });
    let report = report.unwrap();
    assert_eq!((report.result.as_str(), report.time_elapsed), ("fail", 30));
    assert_eq!((report.job_id.as_deref(), report.client_id.as_deref()), (Some("j1"), Some("web1")));
    assert_eq!(plan.unit(Table::Jobs, "j2").remainders[0].row, json!({"exit_status": "fail"}));
    assert_eq!(plan.ids("other-key"), ["jobs.job_actions:j2/0"]);
}

#[test]
fn places_are_numbered_anew_and_those_whose_action_is_not_there_are_not_attached() {
    let exec = || json!({"action": "exec"});
    let plan = plan(&[
        client("c1", "web1"),
        action("a1", exec()),
        action("a2", exec()),
        deleted(action("a3", exec())),
        in_project(action("a4", exec()), Some(B)),
        action("a5", json!({"action": "x".repeat(65)})),
        job("j1", None),
        deleted(job("j2", None)),
        with_job(job("j3", None), |job| job.client = String::new()),
        place("p1", "j1", "a2", Some(1)),
        place("p2", "j1", "a1", Some(0)),
        place("p3", "j1", "a1", Some(1)),
        place("p4", "j1", "a3", Some(2)),
        place("p5", "j1", "a4", Some(3)),
        place("p6", "j1", "a5", Some(4)),
        place("p7", "j1", "never", Some(5)),
        place("p8", "j2", "a1", Some(0)),
        place("p9", "never", "a1", Some(0)),
        place("pa", "j3", "a1", Some(0)),
        deleted(place("pb", "j1", "a1", Some(0))),
        place("pc", "j1", "a2", Some(9)),
    ]);
    for (id, fate) in [
        ("p1", (Imported, vec![])),
        ("p2", (Imported, vec![])),
        ("p3", (Imported, vec!["action-twice"])),
        ("p4", (Skipped, vec!["action-deleted"])),
        ("p5", (Skipped, vec!["action-foreign-project"])),
        ("p6", (Quarantined, vec!["too-long"])),
        ("p7", (Quarantined, vec!["job-action-dangling"])),
        ("p8", (Skipped, vec!["job-action-dangling"])),
        ("p9", (Skipped, vec!["job-action-dangling"])),
        ("pa", (Quarantined, vec!["client-missing"])),
        ("pb", (Skipped, vec!["deleted"])),
        ("pc", (Imported, vec!["action-twice"])),
    ] {
        assert_eq!(plan.fate(Table::JobActions, id), fate, "{id}");
    }
    let placed = ["p2", "p1", "p3", "pc"].map(|id| plan.places(Table::JobActions, id)[0].clone());
    assert_eq!(
        placed.map(|(action, priority)| format!("{action} {priority}")),
        ["a1 0", "a2 1", "a1 2", "a2 3"]
    );
}

#[test]
fn a_report_is_a_row_only_if_it_says_something() {
    let text = |text: &str| Some(text.to_owned());
    let plan = plan(&[
        action("a1", json!({"action": "exec"})),
        action("a2", json!({"action": "exec"})),
        report("a1", Report::default()),
        report(
            "a2",
            Report {
                result: text("fail"),
                time_elapsed: text("1h"),
                log: Some(b"tar".to_vec()),
                ..Report::default()
            },
        ),
        report("a3", Report { result: text("success"), log: Some(b"x".to_vec()), ..Report::default() }),
        report("a4", Report::default()),
    ]);
    assert_eq!(plan.fate(Table::ActionReports, "a1"), (Skipped, vec!["empty-report"]));
    assert_eq!(plan.fate(Table::ActionReports, "a4"), (Skipped, vec!["empty-report"]));
    assert_eq!(plan.fate(Table::ActionReports, "a2"), (Imported, vec![]));
    let of = |id: &str| match &plan.unit(Table::ActionReports, id).rows[..] {
        [TargetRow::Report(report, log)] => (report.clone(), log.clone()),
        other => panic!("{other:?}"),
    };
    let (report, log) = of("a2");
    assert_eq!((report.action_id.as_deref(), report.time_elapsed), (Some("a2"), 0));
    assert_eq!((report.metadata.value(), log), (json!({"time_elapsed": "1h"}), Some(b"tar".to_vec())));
    assert_eq!(report.report_date, report.created_at);
    let (report, log) = of("a3");
    assert_eq!((report.action_id, log), (None, None));
    assert_eq!(plan.fate(Table::ActionReports, "a3"), (Imported, vec!["report-orphan", "other-key"]));
}
