//! Lists of both kinds of attachments, with filters, orders and markers.

use serde_json::{Value, json};

use super::{Plan, id};
use crate::api::{Api, Caller};
use crate::documents::{action, client, session};
use crate::lists::walks::{sorted, walk};

on_every_backend! {
    job_attachments_are_walked_in_every_order,
    job_attachments_are_filtered,
    action_attachments_are_walked_in_every_order,
    action_attachments_are_filtered,
    a_list_of_attachments_is_not_a_poll,
    an_invalid_query_is_refused,
}

/// Creates eight attachments of two jobs on four clients, one of them central; some are in a session.
fn fleet(api: &Api) -> (Caller<'_>, String, Vec<Value>) {
    let operator = api.project().with_roles("admin");
    let mut central = client(&format!("central-{}", operator.project));
    central["is_central"] = json!(true);
    let central = operator.create("clients", central);
    let Plan { alice, job: one, .. } = Plan::new(api.project());
    let session = alice.create("sessions", session());
    let two = alice.job_on("a");
    for name in ["b", "c"] {
        alice.register(name);
    }
    for (job, name, status, event) in [
        (&one, "b", "completed", "start"),
        (&one, "c", "running", ""),
        (&one, &*central, "", "stop"),
        (&two, "b", "completed", ""),
        (&two, "c", "", "start"),
        (&two, &*central, "running", "stop"),
    ] {
        let body = json!({"job_id": job, "client_id": name, "status": status, "event": event});
        let made = id(&alice.create_document("job-attachments", body));
        if event.is_empty() {
            alice.patch_document("job-attachments", &made, json!({"session_id": session, "result": "fail"}));
        }
    }
    alice.patch_document("job-attachments", &two, json!({"result": "success", "current_pid": 7}));
    let all = walk(&alice, "job_attachments", "/job-attachments?limit=3");
    assert_eq!(all.len(), 8);
    // The attachments of another project must not be listed.
    Plan::new(api.project());
    (alice, central, all)
}

fn job_attachments_are_walked_in_every_order(api: &Api) {
    let (alice, _, all) = fleet(api);
    for item in &all {
        assert_eq!(alice.show("job-attachments", &id(item)), *item);
    }
    every_order(&alice, "job-attachments", &["created_at", "status", "event", "result"], &all);
}

fn job_attachments_are_filtered(api: &Api) {
    let (alice, central, all) = fleet(api);
    let (one, two) = (all[0]["job_id"].clone(), all[1]["job_id"].clone());
    let session = all[3]["session_id"].as_str().unwrap().to_owned();
    let uuid = all[2]["client_uuid"].as_str().unwrap().to_owned();
    let with =
        |check: &dyn Fn(&Value) -> bool| all.iter().filter(|item| check(item)).cloned().collect::<Vec<_>>();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    for (query, expected) in [
        (format!("job_id={}", text(&one)), with(&|item| item["job_id"] == one)),
        (format!("job_id=neq:{}", text(&one)), with(&|item| item["job_id"] == two)),
        (
            format!("id=in:{},{}", text(&all[1]["id"]), text(&all[4]["id"])),
            vec![all[1].clone(), all[4].clone()],
        ),
        (format!("id=nin:{}", text(&all[1]["id"])), with(&|item| item["id"] != all[1]["id"])),
        ("client_id=b".to_owned(), with(&|item| item["client_id"] == "b")),
        (format!("client_id={uuid}"), with(&|item| item["client_id"] == "b")),
        (format!("client_id={central}"), with(&|item| item["client_id"] == json!(central))),
        (
            format!("client_id=in:a,{uuid},unknown"),
            with(&|item| item["client_id"] == "a" || item["client_id"] == "b"),
        ),
        (
            format!("client_id=nin:a,{uuid}"),
            with(&|item| item["client_id"] != "a" && item["client_id"] != "b"),
        ),
        ("client_id=neq:unknown".to_owned(), all.clone()),
        ("client_id=unknown".to_owned(), vec![]),
        ("client_id=".to_owned(), vec![]),
        ("client_id=%C3%A4".to_owned(), vec![]),
        (format!("session_id={session}"), with(&|item| !item["session_id"].is_null())),
        ("session_id=".to_owned(), with(&|item| item["session_id"].is_null())),
        (format!("session_id=neq:{session}"), with(&|item| item["session_id"].is_null())),
        ("status=completed".to_owned(), with(&|item| item["status"] == "completed")),
        ("status=".to_owned(), with(&|item| item["status"] == "")),
        ("status=in:completed,".to_owned(), with(&|item| item["status"] != "running")),
        ("status=neq:completed".to_owned(), with(&|item| item["status"] != "completed")),
        ("event=start".to_owned(), with(&|item| item["event"] == "start")),
        ("event=nin:start,".to_owned(), with(&|item| item["event"] == "stop")),
        (
            "result=fail&status=running".to_owned(),
            with(&|item| item["result"] == "fail" && item["status"] == "running"),
        ),
        ("result=neq:fail".to_owned(), with(&|item| item["result"] != "fail")),
        ("created_at=gte:2020-01-01".to_owned(), all.clone()),
        ("created_at=lt:2020-01-01".to_owned(), vec![]),
        (format!("created_at={}", text(&all[5]["created_at"])), vec![all[5].clone()]),
    ] {
        let walked = walk(&alice, "job_attachments", &format!("/job-attachments?limit=2&{query}"));
        assert_eq!(walked, expected, "{query}");
        let counted = alice.get(&format!("/job-attachments?limit=1&with_count=true&{query}")).expect(200);
        assert_eq!(counted["count"], expected.len(), "{query}");
        let walked =
            walk(&alice, "job_attachments", &format!("/job-attachments?limit=2&sort=status:desc&{query}"));
        assert_eq!(walked, sorted(&expected, "/status", true), "{query}");
    }
    let few = alice.get("/job-attachments?fields=id,client_id&limit=1").expect(200);
    assert_eq!(few["job_attachments"], json!([{"id": all[0]["id"], "client_id": "a"}]));
}

/// Creates seven places of five actions in two jobs, with gaps.
fn places(api: &Api) -> (Caller<'_>, Vec<Value>) {
    let Plan { alice, job: one, .. } = Plan::new(api.project());
    let two = alice.job_on("a");
    let actions: Vec<String> = (0..3).map(|_| alice.create("actions", action())).collect();
    for (job, action, priority) in
        [(&one, 0, 30), (&two, 1, 10), (&one, 1, 10), (&two, 2, 5), (&one, 0, 2_147_483_647)]
    {
        let body = json!({"job_id": job, "action_id": actions[action], "priority": priority});
        alice.create_document("action-attachments", body);
    }
    let all = walk(&alice, "action_attachments", "/action-attachments?limit=3");
    assert_eq!(all.len(), 7);
    Plan::new(api.project());
    (alice, all)
}

fn action_attachments_are_walked_in_every_order(api: &Api) {
    let (alice, all) = places(api);
    for item in &all {
        assert_eq!(alice.show("action-attachments", &id(item)), *item);
    }
    every_order(&alice, "action-attachments", &["created_at", "priority"], &all);
}

fn action_attachments_are_filtered(api: &Api) {
    let (alice, all) = places(api);
    let text = |place: usize, key: &str| all[place][key].as_str().unwrap().to_owned();
    let with =
        |check: &dyn Fn(&Value) -> bool| all.iter().filter(|item| check(item)).cloned().collect::<Vec<_>>();
    for (query, expected) in [
        (format!("job_id={}", text(0, "job_id")), with(&|item| item["job_id"] == all[0]["job_id"])),
        (
            format!("action_id={}", text(2, "action_id")),
            with(&|item| item["action_id"] == all[2]["action_id"]),
        ),
        (
            format!("action_id=neq:{}", text(2, "action_id")),
            with(&|item| item["action_id"] != all[2]["action_id"]),
        ),
        (format!("id={}", text(3, "id")), vec![all[3].clone()]),
        ("priority=10".to_owned(), with(&|item| item["priority"] == 10)),
        ("priority=gte:10&priority=lt:30".to_owned(), with(&|item| item["priority"] == 10)),
        ("priority=nin:0,10".to_owned(), with(&|item| item["priority"] != 0 && item["priority"] != 10)),
        ("priority=gt:2147483647".to_owned(), vec![]),
        ("created_at=lt:2020-01-01".to_owned(), vec![]),
    ] {
        let walked = walk(&alice, "action_attachments", &format!("/action-attachments?limit=2&{query}"));
        assert_eq!(walked, expected, "{query}");
        let counted = alice.get(&format!("/action-attachments?limit=1&with_count=true&{query}")).expect(200);
        assert_eq!(counted["count"], expected.len(), "{query}");
    }
}

fn a_list_of_attachments_is_not_a_poll(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    let asked = alice.patch_document("job-attachments", &job, json!({"event": "stop"}));
    let listed = alice.get("/job-attachments?client_id=a").expect(200);
    assert_eq!(listed["job_attachments"], json!([asked]));
    assert_eq!(alice.show("job-attachments", &job)["event_delivered"], false);
    assert_eq!(alice.show("clients", "a")["client"]["last_seen_at"], Value::Null);
}

fn an_invalid_query_is_refused(api: &Api) {
    let Plan { alice, .. } = Plan::new(api.project());
    for query in [
        "colour=red",
        "client_uuid=a",
        "sort=job_id",
        "sort=created_at:up",
        "status=tired",
        "event=fly",
        "result=running",
        "status=gt:running",
        "created_at=yesterday",
        "job_id=a%20b",
        "marker=unknown",
        "fields=colour",
        "limit=-1",
        "with_count=perhaps",
    ] {
        alice.get(&format!("/job-attachments?{query}")).expect(400);
    }
    for query in
        ["colour=red", "retries=3", "sort=retries", "priority=high", "priority=2147483648", "marker=unknown"]
    {
        alice.get(&format!("/action-attachments?{query}")).expect(400);
    }
    for noun in ["job-attachments", "action-attachments", "action-reports"] {
        alice.search(&format!("/{noun}"), json!({"match": [{"job_id": "a"}]})).expect(400);
    }
}

/// Walks a list in each of its orders, by pages of every size, forwards and backwards.
#[track_caller]
fn every_order(caller: &Caller<'_>, path: &str, keys: &[&str], all: &[Value]) {
    for key in keys {
        for is_descending in [false, true] {
            let expected = sorted(all, &format!("/{key}"), is_descending);
            let direction = if is_descending { ":desc" } else { "" };
            for limit in 1..=all.len() + 1 {
                let path = format!("/{path}?limit={limit}&sort={key}{direction}");
                let noun = path[1..].split('?').next().unwrap().replace('-', "_");
                assert_eq!(walk(caller, &noun, &path), expected, "{key}{direction} by {limit}");
            }
        }
    }
}
