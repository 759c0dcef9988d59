//! Action reports, which agents and operators post about a run.

mod lists;
mod log;
mod references;

use serde_json::{Value, json};

use crate::api::{Api, Caller};
use crate::races::at_once;

on_every_backend! {
    a_report_is_made_and_shown,
    a_report_needs_only_the_result_of_the_run,
    a_report_has_a_date,
    an_invalid_report_is_refused,
    a_report_is_corrected,
    metadata_is_merged_key_by_key,
    metadata_has_a_limit,
    an_invalid_correction_is_refused,
    a_report_is_deleted_once,
    a_report_of_another_project_is_not_found,
    many_corrections_of_one_report_all_land,
    a_stale_tag_does_not_change_a_report,
}

fn a_report_is_made_and_shown(api: &Api) {
    let alice = api.project();
    let job = alice.job_on("web1");
    let action = alice.show("jobs", &job)["job_actions"][0]["action_id"].clone();
    let body = json!({
        "action_id": action,
        "job_attachment_id": job,
        "result": "fail",
        "time_elapsed": 61,
        "metadata": {"level": 3, "files": ["/etc", "é"], "none": null},
        "report_date": "2026-11-22T20:55:23.123456789+01:00",
        "log": "no space left",
    });
    let answer = alice.post("/action-reports/", body);
    let report = answer.expect(201);
    let id = report["id"].as_str().unwrap();
    assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    let place = format!("{}/v2/{}/action-reports/{id}", api.url(), alice.project);
    assert_eq!(answer.header("Location"), Some(&*place));
    let created = report["created_at"].as_str().unwrap();
    assert!(created.len() == 27 && created.ends_with('Z'), "{created}");
    assert_eq!(
        report,
        json!({
            "id": id,
            "project_id": alice.project,
            "user_id": alice.user,
            "action_id": action,
            "action_attachment_id": null,
            "job_attachment_id": job,
            "job_id": job,
            "client_id": "web1",
            "result": "fail",
            "time_elapsed": 61,
            "metadata": {"level": 3, "files": ["/etc", "é"], "none": null},
            "report_date": "2026-11-22T19:55:23.123456Z",
            "has_log": true,
            "created_at": created,
            "updated_at": created,
            "version": 1,
        })
    );
    assert_eq!(alice.show("action-reports", id), report);
}

fn a_report_needs_only_the_result_of_the_run(api: &Api) {
    let alice = api.project();
    let report = alice.create_document("action-reports", json!({"result": "success"}));
    for key in ["action_id", "action_attachment_id", "job_attachment_id", "job_id", "client_id"] {
        assert_eq!(report[key], Value::Null);
    }
    assert_eq!((&report["time_elapsed"], &report["metadata"]), (&json!(0), &json!({})));
    assert_eq!((&report["report_date"], &report["has_log"]), (&report["created_at"], &json!(false)));
    // Read-only members are accepted and ignored. Null and an empty text refer to nothing.
    let mut copy = report.clone();
    for key in ["id", "project_id", "user_id", "job_id", "client_id", "has_log", "version"] {
        copy[key] = json!("x");
    }
    copy["action_id"] = json!("");
    copy["log"] = Value::Null;
    let second = alice.create_document("action-reports", copy);
    assert_ne!(second["id"], report["id"]);
    for key in ["project_id", "user_id", "job_id", "client_id", "has_log", "version", "report_date"] {
        assert_eq!(second[key], report[key], "{key}");
    }
}

fn a_report_has_a_date(api: &Api) {
    let alice = api.project();
    for (given, shown) in [
        (json!("2026-11-22T19:55:23"), "2026-11-22T19:55:23.000000Z"),
        (json!("2026-11-22T19:55:23.5Z"), "2026-11-22T19:55:23.500000Z"),
        (json!("2026-11-22T19:55:23-02:30"), "2026-11-22T22:25:23.000000Z"),
        (json!(0), "1970-01-01T00:00:00.000000Z"),
        (json!(2_147_483_648_i64), "2038-01-19T03:14:08.000000Z"),
        (json!(253_402_300_799_i64), "9999-12-31T23:59:59.000000Z"),
        (json!("9999-12-31T23:59:59.999999Z"), "9999-12-31T23:59:59.999999Z"),
    ] {
        let report = alice.create_document("action-reports", json!({"result": "fail", "report_date": given}));
        assert_eq!(report["report_date"], shown);
        assert_eq!(alice.show("action-reports", report["id"].as_str().unwrap()), report);
    }
}

fn an_invalid_report_is_refused(api: &Api) {
    let alice = api.project();
    for (key, value) in [
        ("result", json!("running")),
        ("result", json!("")),
        ("result", Value::Null),
        ("time_elapsed", json!(-1)),
        ("time_elapsed", json!(1.5)),
        ("time_elapsed", json!("60")),
        ("time_elapsed", json!(253_402_300_800_i64)),
        ("metadata", json!([])),
        ("metadata", json!("x")),
        ("metadata", Value::Null),
        ("report_date", json!("yesterday")),
        ("report_date", json!("2026-02-30T00:00:00")),
        ("report_date", json!("2026-11-22T19:55:60Z")),
        ("report_date", json!("9999-12-31T23:59:59-01:00")),
        ("report_date", json!(-1)),
        ("report_date", json!(1.5)),
        ("report_date", json!(253_402_300_800_i64)),
        ("report_date", Value::Null),
        ("action_id", json!("a b")),
        ("action_attachment_id", json!(1)),
        ("job_attachment_id", json!("x".repeat(65))),
        ("log", json!(1)),
        ("log", json!("\0")),
        ("colour", json!("red")),
    ] {
        let mut body = json!({"result": "fail"});
        body[key] = value;
        alice.post("/action-reports", body).expect(400);
    }
    alice.post("/action-reports", json!({"result": "success", "log": "all went well"})).expect(400);
    alice.post("/action-reports", json!({"time_elapsed": 1})).expect(400);
    for bad in [json!({}), json!([]), json!("x"), Value::Null] {
        alice.post("/action-reports", bad).expect(400);
    }
    assert_eq!(alice.rows().reports, 0);
}

fn a_report_is_corrected(api: &Api) {
    let alice = api.project();
    let before = alice.create_document("action-reports", json!({"result": "success", "report_date": 100}));
    let path = format!("/action-reports/{}", before["id"].as_str().unwrap());
    let change = json!({"result": "aborted", "time_elapsed": 9, "report_date": "1970-01-01T00:02:00"});
    let after = alice.colleague().patch(&path, change.clone()).expect(200);
    let mut expected = before.clone();
    expected["result"] = json!("aborted");
    expected["time_elapsed"] = json!(9);
    expected["report_date"] = json!("1970-01-01T00:02:00.000000Z");
    expected["version"] = json!(2);
    expected["updated_at"] = after["updated_at"].clone();
    assert_eq!(after, expected);
    assert!(after["updated_at"].as_str() > before["updated_at"].as_str());
    assert_eq!(alice.get(&path).expect(200), after);
    // Neither the same patch again, nor an empty one, nor the document itself is a change.
    for same in [change, json!({}), after.clone()] {
        assert_eq!(alice.patch(&path, same).expect(200), after);
    }
    // The references of a report stay, and so do the members that the service sets.
    let mut copy = after.clone();
    for key in
        ["id", "project_id", "user_id", "action_id", "job_attachment_id", "job_id", "client_id", "version"]
    {
        copy[key] = json!("x");
    }
    assert_eq!(alice.patch(&path, copy).expect(200), after);
}

fn metadata_is_merged_key_by_key(api: &Api) {
    let alice = api.project();
    let metadata = json!({"a": 1, "b": {"c": 2, "d": 3}, "e": "f"});
    let report = alice.create_document("action-reports", json!({"result": "fail", "metadata": metadata}));
    let path = format!("/action-reports/{}", report["id"].as_str().unwrap());
    let change = json!({"metadata": {"b": {"c": 4}, "e": null, "g": [null], "h": null}});
    let after = alice.patch(&path, change.clone()).expect(200);
    assert_eq!(after["metadata"], json!({"a": 1, "b": {"c": 4}, "g": [null]}));
    assert_eq!(alice.patch(&path, change).expect(200), after);
}

fn metadata_has_a_limit(api: &Api) {
    let alice = api.project();
    let of = |length: usize| json!({"result": "fail", "metadata": {"x": "y".repeat(length)}});
    // `{"x":""}` are eight.
    let full = alice.create_document("action-reports", of(65_528));
    alice.post("/action-reports", of(65_529)).expect(400);
    let path = format!("/action-reports/{}", full["id"].as_str().unwrap());
    alice.patch(&path, json!({"metadata": {"z": 1}})).expect(400);
    assert_eq!(alice.get(&path).expect(200), full);
    alice.patch(&path, json!({"time_elapsed": 1, "metadata": {"x": null, "z": 1}})).expect(200);
}

fn an_invalid_correction_is_refused(api: &Api) {
    let alice = api.project();
    let report = alice.create_document("action-reports", json!({"result": "fail"}));
    let path = format!("/action-reports/{}", report["id"].as_str().unwrap());
    for bad in [
        json!({"result": "running"}),
        json!({"result": null}),
        json!({"time_elapsed": -1}),
        json!({"time_elapsed": null}),
        json!({"metadata": null}),
        json!({"report_date": null}),
        json!({"report_date": "2026-02-30T00:00:00"}),
        json!({"log": "has a place of its own"}),
        json!({"colour": "red"}),
        json!([]),
    ] {
        alice.patch(&path, bad).expect(400);
    }
    assert_eq!(alice.get(&path).expect(200), report);
    for unknown in ["/action-reports/nothing", "/action-reports/a%20b", "/action-reports/%C3%A9"] {
        alice.get(unknown).expect(404);
        alice.patch(unknown, json!({"result": "fail"})).expect(404);
        alice.delete(unknown).expect(404);
    }
}

fn a_report_is_deleted_once(api: &Api) {
    let alice = api.project();
    let path = format!("/action-reports/{}", alice.create_failed_report());
    let answers = at_once(16, |_| alice.delete(&path).status);
    assert_eq!(answers.iter().filter(|status| **status == 204).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|status| **status == 404).count(), 15, "{answers:?}");
    alice.get(&path).expect(404);
    assert_eq!(alice.rows().reports, 0);
}

fn a_report_of_another_project_is_not_found(api: &Api) {
    let (alice, bob) = (api.project(), api.project());
    let id = alice.create_failed_report();
    let path = format!("/action-reports/{id}");
    let before = alice.get(&path).expect(200);
    let admin = bob.with_roles("admin,member");
    for caller in [&bob, &admin] {
        caller.get(&path).expect(404);
        caller.patch(&path, json!({"result": "aborted"})).expect(404);
        caller.delete(&path).expect(404);
        caller.get(&format!("{path}/log")).expect(404);
        caller.put(&format!("{path}/log")).expect(404);
        caller.delete(&format!("{path}/log")).expect(404);
        // A new report with the same id does not replace it either.
        let copy = caller.create_document("action-reports", before.clone());
        assert_eq!((&copy["project_id"], &copy["user_id"]), (&json!(bob.project), &json!(bob.user)));
    }
    bob.reaching_for(&alice).get(&path).expect(403);
    assert_eq!(alice.get(&path).expect(200), before);
    assert_eq!(alice.get(&format!("{path}/log")).body, b"no space left\n");
}

fn many_corrections_of_one_report_all_land(api: &Api) {
    let alice = api.project();
    let id = alice.create_failed_report();
    let path = format!("/action-reports/{id}");
    at_once(16, |n| match n {
        0 => drop(alice.patch(&path, json!({"time_elapsed": 77})).expect(200)),
        1 => drop(put_log(&alice, &id, b"the last word").expect(204)),
        _ => drop(alice.patch(&path, json!({"metadata": {format!("key-{n}"): n}})).expect(200)),
    });
    let after = alice.get(&path).expect(200);
    assert_eq!(after["metadata"].as_object().unwrap().len(), 14);
    assert_eq!((&after["time_elapsed"], &after["version"]), (&json!(77), &json!(17)));
    assert_eq!(alice.get(&format!("{path}/log")).body, b"the last word");
    // A log and a success are written at the same moment. Whichever comes first, no success has a log.
    at_once(16, |n| match n % 2 {
        0 => drop(alice.patch(&path, json!({"result": "success"})).expect(200)),
        _ => assert!([204, 409].contains(&put_log(&alice, &id, b"too late").status)),
    });
    assert_eq!(alice.get(&path).expect(200)["has_log"], false);
}

fn a_stale_tag_does_not_change_a_report(api: &Api) {
    let alice = api.project();
    let made = alice.post("/action-reports", json!({"result": "fail", "log": "x"}));
    let path = format!("/action-reports/{}", made.expect(201)["id"].as_str().unwrap());
    let log = format!("{path}/log");
    let tag = alice.tag(&path);
    assert_eq!((made.header("ETag"), &alice.tag(&log)), (Some(&*tag), &tag));
    assert_eq!(alice.send_with("GET", &path, &[("If-None-Match", &tag)], None).status, 304);
    let changed = alice.if_match("PATCH", &path, &tag, Some(json!({"time_elapsed": 1})));
    changed.expect(200);
    assert_eq!(changed.header("ETag"), Some(&*alice.tag(&path)));
    // With the old tag, every change is refused, also of the log.
    let before = alice.get(&path).expect(200);
    alice.if_match("PATCH", &path, &tag, Some(json!({"result": "success"}))).expect(412);
    alice.if_match("DELETE", &path, &tag, None).expect(412);
    alice.if_match("PUT", &log, &tag, None).expect(412);
    alice.if_match("DELETE", &log, &tag, None).expect(412);
    assert_eq!((alice.get(&path).expect(200), alice.get(&log).body), (before, b"x".to_vec()));
    alice.if_match("PUT", &log, &alice.tag(&log), None).expect(204);
    alice.if_match("DELETE", &log, &alice.tag(&log), None).expect(204);
    alice.if_match("DELETE", &path, &alice.tag(&path), None).expect(204);
}

/// Puts a log as plain text.
fn put_log(caller: &Caller<'_>, id: &str, log: &[u8]) -> crate::http::Answer {
    caller.send("PUT", &format!("/action-reports/{id}/log"), Some(log))
}
