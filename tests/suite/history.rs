//! Runs become history, which is all that remains after a delete (data model).

use serde_json::{Value, json};

use crate::api::{Api, Caller};
use crate::documents::{action, backup, session};
use crate::races::at_once;

on_every_backend! {
    a_finished_run_is_one_report_per_action,
    a_run_reported_twice_is_one_run,
    a_run_reported_many_times_at_once_is_one_run,
    a_run_repeated_by_a_whole_document_is_one_run,
    a_run_reported_again_after_the_next_has_begun_is_one_run,
    changed_and_deleted_reports_make_no_second_run,
    two_runs_that_end_in_the_same_second_are_two,
    two_runs_of_a_fleet_that_end_in_the_same_second_are_two,
    a_run_of_many_actions_has_one_report_for_each,
    a_run_and_a_delete_at_once_leave_all_or_nothing,
    every_run_is_reported,
    an_unfinished_run_is_not_history,
    a_run_timed_by_a_wrong_clock_is_history,
    a_deleted_action_keeps_its_reports,
    a_deleted_job_keeps_its_reports_and_backups,
    deleting_a_client_deletes_its_jobs,
    a_deleted_session_keeps_its_jobs,
    a_replaced_action_list_keeps_the_history,
}

fn a_finished_run_is_one_report_per_action(api: &Api) {
    let (alice, job) = create_job(api, 3);
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
        alice.get(&format!("/action-reports/{}/log", report.id)).expect(404);
        assert_eq!(report.user_id, alice.user);
        assert_eq!(report.metadata.value()["client_id"], "a");
    }
}

fn a_run_reported_twice_is_one_run(api: &Api) {
    let (alice, job) = create_job(api, 2);
    run(&alice, &job, 100, 160, "success");
    let end = json!({"status": "completed", "result": "success", "time_ended": 160});
    for _ in 0..3 {
        alice.report(&job, end.clone());
    }
    // Later reports about the run, and a scheduler's document from before it, add no run either.
    alice.report(&job, json!({"status": "scheduled"}));
    alice.report(&job, json!({"time_started": 99}));
    alice.patch(&format!("/jobs/{job}"), json!({"description": "x"})).expect(200);
    alice.post(&format!("/jobs/{job}/event"), json!({"start": null})).expect(202);
    alice.report(&job, end);
    assert_eq!(alice.reports().len(), 2);
}

fn a_run_reported_many_times_at_once_is_one_run(api: &Api) {
    let (alice, job) = create_job(api, 2);
    alice.report(&job, json!({"status": "running", "result": "", "time_started": 100, "time_ended": -1}));
    let end = json!({"job_schedule": {"status": "completed", "result": "success", "time_ended": 160}});
    at_once(16, |_| alice.patch(&format!("/jobs/{job}"), end.clone()).expect(200));
    assert_eq!(alice.reports().len(), 2);
    // The same holds if some requests still report it as running.
    let begin = json!({"job_schedule": {"status": "running", "result": "", "time_ended": -1}});
    at_once(16, |n| {
        for _ in 0..3 {
            let body = if n % 2 == 0 { &begin } else { &end };
            alice.patch(&format!("/jobs/{job}"), body.clone()).expect(200);
        }
    });
    assert_eq!(alice.reports().len(), 2);
}

fn a_run_repeated_by_a_whole_document_is_one_run(api: &Api) {
    let (alice, job) = create_job(api, 2);
    // A scheduler of release 18 sends the whole document, which may be an older one, at any time.
    let tell = |document: &Value| alice.patch(&format!("/jobs/{job}"), document.clone()).expect(200);
    let mut document = alice.poll("a")[0].clone();
    let mut told = Vec::new();
    for (status, result, start, end) in
        [("running", "", 100, -1), ("scheduled", "success", 100, 160), ("running", "", 200, -1)]
    {
        let run = document["job_schedule"].as_object_mut().unwrap();
        run.extend(
            json!({"status": status, "result": result, "time_started": start, "time_ended": end})
                .as_object()
                .unwrap()
                .clone(),
        );
        told.push(document.clone());
        tell(&document);
        tell(&document);
    }
    for document in told.iter().chain(told.iter().rev()) {
        tell(document);
    }
    at_once(16, |n| tell(&told[n % 3]));
    assert_eq!(alice.reports().len(), 2);
}

fn a_run_reported_again_after_the_next_has_begun_is_one_run(api: &Api) {
    for start in [100, 160] {
        let (alice, job) = create_job(api, 1);
        run(&alice, &job, start, 160, "fail");
        alice.report(&job, json!({"status": "running", "result": "", "time_started": 200, "time_ended": -1}));
        alice.report(&job, json!({"result": "fail", "time_ended": 160}));
        assert_eq!(alice.reports().len(), 1);
        run(&alice, &job, 200, 260, "success");
        assert_eq!(alice.reports().len(), 2);
    }
}

fn changed_and_deleted_reports_make_no_second_run(api: &Api) {
    let (alice, job) = create_job(api, 2);
    run(&alice, &job, 100, 160, "success");
    let reports = alice.reports();
    let path = |n: usize| format!("/action-reports/{}", reports[n].id);
    alice.patch(&path(0), json!({"report_date": 161, "time_elapsed": 1, "result": "fail"})).expect(200);
    alice.delete(&path(1)).expect(204);
    run(&alice, &job, 100, 160, "success");
    assert_eq!(alice.reports().len(), 1);
    // Nor does a report that another client posts.
    let other =
        json!({"result": "success", "job_attachment_id": job, "report_date": 260, "time_elapsed": 60});
    alice.create_document("action-reports", other);
    run(&alice, &job, 200, 260, "success");
    assert_eq!(alice.reports().len(), 4);
    // A new job under the id of a deleted one has its own history.
    alice.delete(&format!("/jobs/{job}")).expect(204);
    alice.post(&format!("/jobs/{job}"), crate::documents::job("a")).expect(201);
    run(&alice, &job, 200, 260, "success");
    assert_eq!(alice.reports().len(), 5);
}

fn two_runs_that_end_in_the_same_second_are_two(api: &Api) {
    let (alice, job) = create_job(api, 2);
    run(&alice, &job, 100, 160, "success");
    run(&alice, &job, 160, 160, "fail");
    let mut runs: Vec<(String, i64)> =
        alice.reports().into_iter().map(|report| (report.result, report.time_elapsed)).collect();
    runs.sort();
    let (fail, success) = (("fail".to_owned(), 0), ("success".to_owned(), 60));
    assert_eq!(runs, [fail.clone(), fail, success.clone(), success]);
    for (start, result) in [(100, "success"), (160, "fail")] {
        run(&alice, &job, start, 160, result);
    }
    assert_eq!(alice.reports().len(), 4);
    // This also holds if the service was not told when the second run began.
    alice.report(&job, json!({"result": "success", "time_started": 200, "time_ended": 260}));
    alice.report(&job, json!({"result": "success", "time_started": 260, "time_ended": 260}));
    assert_eq!(alice.reports().len(), 8);
}

fn two_runs_of_a_fleet_that_end_in_the_same_second_are_two(api: &Api) {
    let (alice, job) = create_job(api, 2);
    alice.register("b");
    let member = alice.attach(&job, "b");
    at_once(16, |n| {
        let document = if n % 2 == 0 { &job } else { &member };
        alice.report(document, json!({"result": "success", "time_started": 100, "time_ended": 160}));
    });
    let reports = alice.reports();
    assert_eq!(reports.len(), 4);
    for (document, client) in [(&job, "a"), (&member, "b")] {
        let its: Vec<_> =
            reports.iter().filter(|report| report.job_attachment_id.as_ref() == Some(document)).collect();
        assert_eq!(its.len(), 2);
        for report in its {
            assert_eq!((report.job_id.as_ref(), report.client_id.as_deref()), (Some(&job), Some(client)));
        }
    }
}

fn a_run_of_many_actions_has_one_report_for_each(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let action = alice.create("actions", action());
    let entries = vec![json!({"action_id": action}); 1000];
    let job = alice.create("jobs", json!({"client_id": "a", "job_actions": entries}));
    run(&alice, &job, 100, 160, "success");
    let reports = alice.reports();
    assert_eq!(reports.len(), 1000);
    let mut places: Vec<_> = reports.into_iter().map(|report| report.action_attachment_id).collect();
    places.sort();
    places.dedup();
    assert_eq!(places.len(), 1000);
}

fn a_run_and_a_delete_at_once_leave_all_or_nothing(api: &Api) {
    for _ in 0..3 {
        let (alice, job) = create_job(api, 4);
        let entries = alice.show("jobs", &job)["job_actions"].clone();
        at_once(16, |n| match n {
            3 => drop(alice.delete(&format!("/jobs/{job}"))),
            7 => drop(alice.delete(&format!("/actions/{}", entries[0]["action_id"].as_str().unwrap()))),
            _ => {
                let end = json!({"job_schedule": {"result": "fail", "time_started": 1, "time_ended": 9}});
                let status = alice.patch(&format!("/jobs/{job}"), end).status;
                assert!([200, 404, 409].contains(&status), "{status}");
            }
        });
        alice.delete(&format!("/jobs/{job}")).expect(204);
        let reports = alice.reports();
        assert!([0, 3, 4].contains(&reports.len()), "{}", reports.len());
        assert!(reports.iter().all(|report| report.job_attachment_id.is_none()));
        assert!(reports.iter().all(|report| report.job_id.as_ref() == Some(&job)));
    }
}

fn every_run_is_reported(api: &Api) {
    let (alice, job) = create_job(api, 1);
    for (start, end, result) in [(100, 160, "success"), (200, 230, "fail"), (300, 300, "aborted")] {
        run(&alice, &job, start, end, result);
    }
    let runs: Vec<(String, i64)> = alice.reports().into_iter().map(|r| (r.result, r.time_elapsed)).collect();
    assert_eq!(runs, [("success".into(), 60), ("fail".into(), 30), ("aborted".into(), 0)]);
}

fn an_unfinished_run_is_not_history(api: &Api) {
    let (alice, job) = create_job(api, 1);
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

fn a_run_timed_by_a_wrong_clock_is_history(api: &Api) {
    let (alice, job) = create_job(api, 1);
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

fn a_deleted_action_keeps_its_reports(api: &Api) {
    let (alice, job) = create_job(api, 2);
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
    // The next run has the remaining actions.
    run(&alice, &job, 200, 260, "success");
    assert_eq!(alice.reports().len(), 3);
}

fn a_deleted_job_keeps_its_reports_and_backups(api: &Api) {
    let (alice, job) = create_job(api, 2);
    alice.store_trust(&job, "t");
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
        assert_eq!(report.metadata.value()["job_id"], json!(job));
    }
    assert_eq!(alice.find_documents("backups", json!({"match": [{"job_id": job}]})).len(), 1);
}

fn deleting_a_client_deletes_its_jobs(api: &Api) {
    let (alice, job) = create_job(api, 1);
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

fn a_deleted_session_keeps_its_jobs(api: &Api) {
    let (alice, job) = create_job(api, 1);
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
    let (alice, job) = create_job(api, 3);
    run(&alice, &job, 100, 160, "success");
    let entries = alice.show("jobs", &job)["job_actions"].clone();
    let kept = json!([{"action_id": entries[0]["action_id"]}]);
    alice.patch(&format!("/jobs/{job}"), json!({"job_actions": kept})).expect(200);
    let reports = alice.reports();
    assert_eq!(reports.len(), 3);
    assert!(reports.iter().all(|report| report.action_id.is_some()), "the actions still exist");
    assert_eq!(reports.iter().filter(|report| report.action_attachment_id.is_some()).count(), 1);
    assert_eq!(alice.rows().action_attachments, 1);
}

/// Creates a job of `count` actions on client a.
fn create_job(api: &Api, count: usize) -> (Caller<'_>, String) {
    let alice = api.project();
    alice.register("a");
    let entries: Vec<Value> = (0..count).map(|_| action()).collect();
    let job = alice.create("jobs", json!({"client_id": "a", "job_actions": entries}));
    (alice, job)
}

/// Reports one run as a scheduler does.
fn run(caller: &Caller<'_>, job: &str, start: i64, end: i64, result: &str) {
    caller.report(job, json!({"status": "running", "result": "", "time_started": start, "time_ended": -1}));
    caller.report(job, json!({"status": "scheduled", "result": result, "time_ended": end}));
}
