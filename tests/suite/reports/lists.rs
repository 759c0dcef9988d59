//! Lists of action reports: what ran, when, for how long, and with which result.

use serde_json::{Value, json};

use crate::api::{Api, Caller};
use crate::documents::action;
use crate::lists::walks::{sorted, walk};

on_every_backend! {
    a_history_answers_what_ran_when_how_long_and_how_it_ended,
    a_history_outlives_its_job_and_client,
    reports_are_filtered,
    reports_are_walked_in_every_order,
    reports_of_a_fleet_are_filtered_by_job_or_document,
    reports_are_filtered_by_the_name_or_uuid_of_a_client,
    an_invalid_query_is_refused,
    a_list_has_no_logs,
    a_list_holds_reports_of_one_project,
}

fn a_history_answers_what_ran_when_how_long_and_how_it_ended(api: &Api) {
    let alice = api.project();
    let (etc, home) = (alice.job_on("web1"), alice.job_on("web2"));
    for (job, start, end, result) in [
        (&etc, 1_000_000_000, 1_000_000_060, "success"),
        (&home, 1_000_000_000, 1_000_000_100, "success"),
        (&etc, 1_000_086_400, 1_000_086_405, "fail"),
        (&etc, 1_000_172_800, 1_000_172_890, "success"),
    ] {
        alice.report(job, json!({"result": result, "time_started": start, "time_ended": end}));
    }
    let ran = |query: &str| -> Vec<String> {
        let reports = walk(&alice, "action_reports", &format!("/action-reports?sort=report_date&{query}"));
        let text = |report: &Value, key: &str| report[key].to_string().replace('"', "");
        reports
            .iter()
            .map(|report| {
                let date = text(report, "report_date");
                format!("{} {} {}", &date[..19], text(report, "time_elapsed"), text(report, "result"))
            })
            .collect()
    };
    let all =
        ["2001-09-09T01:47:40 60 success", "2001-09-10T01:46:45 5 fail", "2001-09-11T01:48:10 90 success"];
    assert_eq!(ran(&format!("job_id={etc}")), all);
    assert_eq!(ran("client_id=web1"), all);
    assert_eq!(ran(&format!("job_id={etc}&result=fail")), all[1..2]);
    // The range includes both its ends, in every notation of a time.
    for (since, until) in [
        ("2001-09-09T01:47:40Z", "2001-09-10T01:46:45Z"),
        ("1000000060", "1000086405"),
        ("2001-09-09T03:47:40%2B02:00", "2001-09-10T03:46:45%2B02:00"),
        ("2001-09-09", "2001-09-11"),
    ] {
        assert_eq!(ran(&format!("job_id={etc}&since={since}&until={until}")), all[..2]);
    }
    assert_eq!(ran(&format!("job_id={etc}&since=2001-09-09T01:47:41")), all[1..]);
    assert_eq!(ran(&format!("job_id={etc}&until=2001-09-09T01:47:39.999999")), [""; 0]);
    assert_eq!(ran("client_id=web1&result=success&until=2001-09-10&since=0"), all[..1]);
    assert_eq!(ran("since=2100-01-01"), [""; 0]);
}

fn a_history_outlives_its_job_and_client(api: &Api) {
    let alice = api.project();
    let job = alice.job_on("web1");
    alice.report(&job, json!({"result": "fail", "time_started": 100, "time_ended": 160}));
    let before = walk(&alice, "action_reports", "/action-reports");
    alice.delete("/clients/web1?cascade=true").expect(204);
    let mut expected = before;
    expected[0]["action_attachment_id"] = Value::Null;
    expected[0]["job_attachment_id"] = Value::Null;
    for query in [&format!("job_id={job}"), "client_id=web1", "job_attachment_id=", "result=fail"] {
        assert_eq!(walk(&alice, "action_reports", &format!("/action-reports?{query}")), expected, "{query}");
    }
    let gone = format!("/action-reports?job_attachment_id={job}");
    assert!(walk(&alice, "action_reports", &gone).is_empty());
}

/// Eight reports: two runs of a job of three actions, and two of no job.
fn seed_reports(api: &Api) -> (Caller<'_>, Vec<Value>) {
    let alice = api.project();
    alice.register("web1");
    let entries = vec![action(); 3];
    let job = alice.create("jobs", json!({"client_id": "web1", "job_actions": entries}));
    alice.create_document(
        "action-reports",
        json!({"result": "aborted", "report_date": 500, "time_elapsed": 60}),
    );
    alice.report(&job, json!({"result": "success", "time_started": 100, "time_ended": 160}));
    alice.report(&job, json!({"result": "fail", "time_started": 200, "time_ended": 205}));
    alice.create_document("action-reports", json!({"result": "fail", "report_date": 160, "log": "x"}));
    let all = walk(&alice, "action_reports", "/action-reports");
    assert_eq!(all.len(), 8);
    // A report of another project must not be listed.
    api.project().create_document("action-reports", json!({"result": "fail"}));
    (alice, all)
}

fn reports_are_filtered(api: &Api) {
    let (alice, all) = seed_reports(api);
    let value = |place: usize, key: &str| all[place][key].as_str().unwrap().to_owned();
    let with = |check: &dyn Fn(&Value) -> bool| all.iter().filter(|r| check(r)).cloned().collect::<Vec<_>>();
    let (place, action) = (value(1, "action_attachment_id"), value(1, "action_id"));
    for (query, expected) in [
        ("result=fail".to_owned(), with(&|r| r["result"] == "fail")),
        ("result=in:fail,aborted".to_owned(), with(&|r| r["result"] != "success")),
        ("result=neq:fail".to_owned(), with(&|r| r["result"] != "fail")),
        ("time_elapsed=60".to_owned(), with(&|r| r["time_elapsed"] == 60)),
        ("time_elapsed=gt:5&time_elapsed=lte:60".to_owned(), with(&|r| r["time_elapsed"] == 60)),
        ("time_elapsed=lt:60".to_owned(), with(&|r| r["time_elapsed"].as_i64() < Some(60))),
        ("report_date=160".to_owned(), with(&|r| r["report_date"] == "1970-01-01T00:02:40.000000Z")),
        (
            "report_date=gte:205".to_owned(),
            with(&|r| r["report_date"].as_str() >= Some("1970-01-01T00:03:25")),
        ),
        ("created_at=lt:2020-01-01".to_owned(), vec![]),
        ("created_at=gte:2020-01-01".to_owned(), all.clone()),
        (format!("id={}", value(3, "id")), all[3..4].to_vec()),
        (format!("id=nin:{},nothing", value(3, "id")), with(&|r| r["id"] != all[3]["id"])),
        (format!("action_id={action}"), with(&|r| r["action_id"] == action)),
        (format!("action_attachment_id={place}"), with(&|r| r["action_attachment_id"] == place)),
        (format!("job_attachment_id={}", value(1, "job_attachment_id")), with(&|r| r["job_id"].is_string())),
        (format!("job_id={}&result=success", value(1, "job_id")), with(&|r| r["result"] == "success")),
        (format!("job_id=neq:{}", value(1, "job_id")), with(&|r| r["job_id"].is_null())),
        ("job_id=".to_owned(), with(&|r| r["job_id"].is_null())),
        ("client_id=".to_owned(), with(&|r| r["client_id"].is_null())),
        ("client_id=neq:web1".to_owned(), with(&|r| r["client_id"].is_null())),
        ("client_id=%C3%A9".to_owned(), vec![]),
        ("job_id=nothing".to_owned(), vec![]),
    ] {
        let path = format!("/action-reports?limit=3&{query}");
        assert_eq!(walk(&alice, "action_reports", &path), expected, "{query}");
        let counted = alice.get(&format!("/action-reports?limit=1&with_count=true&{query}")).expect(200);
        assert_eq!(counted["count"], expected.len(), "{query}");
    }
    let some = alice.get("/action-reports?fields=id,result&limit=1").expect(200);
    assert_eq!(some["action_reports"], json!([{"id": all[0]["id"], "result": "aborted"}]));
}

fn reports_are_walked_in_every_order(api: &Api) {
    let (alice, all) = seed_reports(api);
    for sort in ["created_at", "report_date", "time_elapsed", "result"] {
        for (direction, is_descending) in [("", false), (":asc", false), (":desc", true)] {
            let expected = match sort {
                "created_at" => sorted(&all, "/_", is_descending),
                key => sorted(&all, &format!("/{key}"), is_descending),
            };
            for limit in [1, 2, 3, 7, 8, 9] {
                let path = format!("/action-reports?limit={limit}&sort={sort}{direction}");
                assert_eq!(walk(&alice, "action_reports", &path), expected, "{path}");
            }
            let of_failures: Vec<Value> =
                expected.into_iter().filter(|report| report["result"] == "fail").collect();
            let path = format!("/action-reports?limit=2&result=fail&since=160&sort={sort}{direction}");
            assert_eq!(walk(&alice, "action_reports", &path), of_failures, "{path}");
        }
    }
}

fn reports_of_a_fleet_are_filtered_by_job_or_document(api: &Api) {
    let alice = api.project();
    let job = alice.job_on("web1");
    alice.register("web2");
    let member = alice.attach(&job, "web2");
    let other = alice.job_on("web3");
    for (document, end) in [(&job, 100), (&member, 200), (&other, 300)] {
        alice.report(document, json!({"result": "success", "time_started": 1, "time_ended": end}));
    }
    let ended = |query: &str| -> Vec<i64> {
        let reports = walk(&alice, "action_reports", &format!("/action-reports?sort=report_date&{query}"));
        reports.iter().map(|report| report["time_elapsed"].as_i64().unwrap() + 1).collect()
    };
    assert_eq!(ended(&format!("job_id={job}")), [100, 200]);
    assert_eq!(ended(&format!("job_id={member}")), [200]);
    assert_eq!(ended(&format!("job_id=in:{member},{other}")), [200, 300]);
    assert_eq!(ended(&format!("job_id=neq:{member}")), [100, 300]);
    assert_eq!(ended(&format!("job_id=nin:{member},{other}")), [100]);
    assert_eq!(ended(&format!("job_id={job}&client_id=web1")), [100]);
    // The reports of another project's document are not found.
    let bob = api.project();
    assert!(walk(&bob, "action_reports", &format!("/action-reports?job_id=in:{member},{job}")).is_empty());
}

fn reports_are_filtered_by_the_name_or_uuid_of_a_client(api: &Api) {
    let (alice, bob) = (api.project(), api.project());
    for caller in [&alice, &bob] {
        for (client, end) in [("web1", 100), ("web2", 200)] {
            let job = caller.job_on(client);
            caller.report(&job, json!({"result": "success", "time_started": 1, "time_ended": end}));
        }
    }
    let uuid = |caller: &Caller<'_>, name| {
        caller.show("clients", name)["client"]["uuid"].as_str().unwrap().to_owned()
    };
    let clients = |query: &str| -> Vec<Value> {
        let reports = walk(&alice, "action_reports", &format!("/action-reports?sort=report_date&{query}"));
        reports.into_iter().map(|mut report| report["client_id"].take()).collect()
    };
    let hers = uuid(&alice, "web1");
    assert_eq!(clients("client_id=web1"), ["web1"]);
    assert_eq!(clients(&format!("client_id={hers}")), ["web1"]);
    assert_eq!(clients(&format!("client_id=in:{hers},web2")), ["web1", "web2"]);
    assert_eq!(clients(&format!("client_id=neq:{hers}")), ["web2"]);
    // The uuid of another project's client finds nothing.
    assert!(clients(&format!("client_id={}", uuid(&bob, "web1"))).is_empty());
}

fn an_invalid_query_is_refused(api: &Api) {
    let alice = api.project();
    for query in [
        "colour=red",
        "offset=-1",
        "limit=x",
        "result=running",
        "result=gt:fail",
        "time_elapsed=long",
        "since=yesterday",
        "since=%20",
        "until=2026-13-01",
        "until=2016-12-31T23:59:60Z",
        "until=gt:5",
        "sort=job_id",
        "sort=report_date:up",
        "marker=nothing",
        "fields=colour",
        "id=a%20b",
    ] {
        alice.get(&format!("/action-reports?{query}")).expect(400);
    }
    let foreign = api.project().create_failed_report();
    alice.get(&format!("/action-reports?marker={foreign}")).expect(400);
}

fn a_list_has_no_logs(api: &Api) {
    let alice = api.project();
    alice.create_document("action-reports", json!({"result": "fail", "log": "secret enough"}));
    let answer = alice.get("/action-reports");
    assert_eq!(answer.expect(200)["action_reports"][0]["has_log"], true);
    assert!(!String::from_utf8_lossy(&answer.body).contains("secret enough"));
}

fn a_list_holds_reports_of_one_project(api: &Api) {
    let (alice, bob) = (api.project(), api.project());
    let id = alice.create_failed_report();
    for query in ["", "?result=fail", &format!("?id={id}"), "?sort=report_date:desc"] {
        let path = format!("/action-reports{query}");
        assert!(walk(&bob, "action_reports", &path).is_empty());
        assert_eq!(walk(&alice, "action_reports", &path).len(), 1);
        bob.reaching_for(&alice).get(&path).expect(403);
    }
}
