//! Runs become history, and deletes leave nothing dangling but that (data model).

use serde_json::{Value, json};

use crate::api::{Api, Caller};
use crate::documents::{action, backup, session};

on_every_backend! {
    a_finished_run_is_one_report_per_action,
    a_run_that_is_reported_again_is_no_second_run,
    a_run_that_is_reported_by_many_at_once_is_one_run,
    every_run_is_reported,
    what_is_not_a_finished_run_is_no_history,
    a_run_by_a_wrong_clock_is_reported_too,
    a_deleted_action_leaves_its_reports,
    a_deleted_job_leaves_its_reports_and_backups,
    a_deleted_client_takes_its_jobs_along,
    a_deleted_session_leaves_its_jobs,
    a_replaced_action_list_keeps_the_history,
}

fn a_finished_run_is_one_report_per_action(api: &Api) {
    let (alice, job) = with_actions(api, 3);
    run(&alice, &job, 100, 160, "success");
    let reports = alice.reports();
    assert_eq!(reports.len(), 3);
    let document = alice.show("jobs", &job);
    for entry in document["job_actions"].as_array().unwrap() {
        let action = entry["action_id"].as_str();
        let of_it: Vec<_> = reports.iter().filter(|report| report.action_id.as_deref() == action).collect();
        assert_eq!(of_it.len(), 1);
        let report = of_it[0];
        assert_eq!((&*report.result, report.time_elapsed), ("success", 60));
        assert_eq!(report.report_date.and_utc().timestamp(), 160);
        assert_eq!(report.job_attachment_id.as_ref(), Some(&job));
        assert!(report.action_attachment_id.is_some());
        assert_eq!(report.log, None);
        assert_eq!(report.user_id, alice.user);
        assert_eq!(report.metadata.0["client_id"], "a");
    }
}

fn a_run_that_is_reported_again_is_no_second_run(api: &Api) {
    let (alice, job) = with_actions(api, 2);
    run(&alice, &job, 100, 160, "success");
    let end = json!({"status": "completed", "result": "success", "time_ended": 160});
    for _ in 0..3 {
        alice.report(&job, end.clone());
    }
    // Neither is anything that is said about it later, or a scheduler's document from before it.
    alice.report(&job, json!({"status": "scheduled"}));
    alice.report(&job, json!({"time_started": 99}));
    alice.patch(&format!("/jobs/{job}"), json!({"description": "x"})).expect(200);
    alice.post(&format!("/jobs/{job}/event"), json!({"start": null})).expect(202);
    alice.report(&job, end);
    assert_eq!(alice.reports().len(), 2);
}

fn a_run_that_is_reported_by_many_at_once_is_one_run(api: &Api) {
    let (alice, job) = with_actions(api, 2);
    alice.report(&job, json!({"status": "running", "result": "", "time_started": 100, "time_ended": -1}));
    let end = json!({"job_schedule": {"status": "completed", "result": "success", "time_ended": 160}});
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| alice.patch(&format!("/jobs/{job}"), end.clone()).expect(200));
        }
    });
    assert_eq!(alice.reports().len(), 2);
}

fn every_run_is_reported(api: &Api) {
    let (alice, job) = with_actions(api, 1);
    for (start, end, result) in [(100, 160, "success"), (200, 230, "fail"), (300, 300, "aborted")] {
        run(&alice, &job, start, end, result);
    }
    let runs: Vec<(String, i64)> = alice.reports().into_iter().map(|r| (r.result, r.time_elapsed)).collect();
    assert_eq!(runs, [("success".into(), 60), ("fail".into(), 30), ("aborted".into(), 0)]);
}

fn what_is_not_a_finished_run_is_no_history(api: &Api) {
    let (alice, job) = with_actions(api, 1);
    for report in [
        json!({"status": "scheduled", "event": ""}),
        json!({"status": "running", "time_started": 100, "time_ended": -1, "result": ""}),
        json!({"current_pid": 12}),
        json!({"result": "fail"}),
        json!({"result": "", "time_ended": 160}),
        json!({"time_ended": -1, "status": "completed"}),
    ] {
        alice.report(&job, report);
        assert!(alice.reports().is_empty());
    }
}

fn a_run_by_a_wrong_clock_is_reported_too(api: &Api) {
    let (alice, job) = with_actions(api, 1);
    let mut ends = Vec::new();
    for (start, end) in [(0, 0), (5, 1), (2_147_483_647, 2_147_483_648), (0, 253_402_300_799)] {
        let before = alice.reports().len();
        let id = alice.create("jobs", crate::documents::job("a"));
        for job in [&job, &id] {
            run(&alice, job, start, end, "success");
            assert_eq!(alice.show("jobs", job)["job_schedule"]["time_ended"], end);
        }
        assert!(alice.reports().len() > before);
        ends.push(end);
    }
    let mut dates: Vec<_> = alice.reports().iter().map(|r| r.report_date.and_utc().timestamp()).collect();
    dates.dedup();
    assert_eq!(dates, ends);
    assert!(alice.reports().iter().all(|report| report.time_elapsed >= 0));
}

fn a_deleted_action_leaves_its_reports(api: &Api) {
    let (alice, job) = with_actions(api, 2);
    run(&alice, &job, 100, 160, "success");
    let action = alice.show("jobs", &job)["job_actions"][0]["action_id"].as_str().unwrap().to_owned();
    alice.delete(&format!("/actions/{action}")).expect(204);
    let reports = alice.reports();
    assert_eq!(reports.len(), 2);
    assert_eq!(
        reports.iter().filter(|r| r.action_id.is_none() && r.action_attachment_id.is_none()).count(),
        1
    );
    assert!(reports.iter().all(|report| report.job_attachment_id.as_ref() == Some(&job)));
    assert_eq!(alice.rows().action_attachments, 1);
    // The next run is of what is left.
    run(&alice, &job, 200, 260, "success");
    assert_eq!(alice.reports().len(), 3);
}

fn a_deleted_job_leaves_its_reports_and_backups(api: &Api) {
    let (alice, job) = with_actions(api, 2);
    alice.trust(&job, "t");
    run(&alice, &job, 100, 160, "fail");
    let mut made = backup("etc");
    made["job_id"] = json!(job);
    alice.create("backups", made);
    alice.delete(&format!("/jobs/{job}")).expect(204);
    let rows = alice.rows();
    assert_eq!((rows.jobs, rows.job_attachments, rows.action_attachments, rows.trusts), (0, 0, 0, 0));
    assert_eq!((rows.reports, rows.backups), (2, 1));
    for report in alice.reports() {
        assert_eq!((report.job_attachment_id, report.action_attachment_id), (None, None));
        assert!(report.action_id.is_some(), "actions stay");
        assert_eq!(report.metadata.0["job_id"], json!(job));
    }
    assert_eq!(alice.found("backups", json!({"match": [{"job_id": job}]})).len(), 1);
}

fn a_deleted_client_takes_its_jobs_along(api: &Api) {
    let (alice, job) = with_actions(api, 1);
    let session = alice.create("sessions", session());
    alice.put(&format!("/sessions/{session}/jobs/{job}")).expect(204);
    run(&alice, &job, 100, 160, "success");
    let before = alice.rows();
    alice.delete("/clients/a").expect(409);
    assert_eq!(alice.rows(), before);
    alice.delete("/clients/a?cascade=true").expect(204);
    let after = alice.rows();
    assert_eq!((after.clients, after.jobs, after.job_attachments, after.action_attachments), (0, 0, 0, 0));
    assert_eq!((after.reports, after.sessions), (1, 1));
    assert_eq!(alice.show("sessions", &session)["jobs"], json!({}));
}

fn a_deleted_session_leaves_its_jobs(api: &Api) {
    let (alice, job) = with_actions(api, 1);
    let session = alice.create("sessions", session());
    alice.put(&format!("/sessions/{session}/jobs/{job}")).expect(204);
    let before = alice.rows();
    alice.delete(&format!("/sessions/{session}")).expect(204);
    let mut expected = before;
    expected.sessions -= 1;
    assert_eq!(alice.rows(), expected);
    assert_eq!(alice.show("jobs", &job)["session_id"], "");
}

fn a_replaced_action_list_keeps_the_history(api: &Api) {
    let (alice, job) = with_actions(api, 3);
    run(&alice, &job, 100, 160, "success");
    let entries = alice.show("jobs", &job)["job_actions"].clone();
    let kept = json!([{"action_id": entries[0]["action_id"]}]);
    alice.patch(&format!("/jobs/{job}"), json!({"job_actions": kept})).expect(200);
    let reports = alice.reports();
    assert_eq!(reports.len(), 3);
    assert!(reports.iter().all(|report| report.action_id.is_some()), "the actions are still there");
    assert_eq!(reports.iter().filter(|report| report.action_attachment_id.is_some()).count(), 1);
    assert_eq!(alice.rows().action_attachments, 1);
}

/// A job of so many actions on client a.
fn with_actions(api: &Api, count: usize) -> (Caller<'_>, String) {
    let alice = api.project();
    alice.register("a");
    let entries: Vec<Value> = (0..count).map(|_| action()).collect();
    let job = alice.create("jobs", json!({"client_id": "a", "job_actions": entries}));
    (alice, job)
}

/// What a scheduler reports of one run.
fn run(caller: &Caller<'_>, job: &str, start: i64, end: i64, result: &str) {
    caller.report(job, json!({"status": "running", "result": "", "time_started": start, "time_ended": -1}));
    caller.report(job, json!({"status": "scheduled", "result": result, "time_ended": end}));
}
