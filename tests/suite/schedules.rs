//! Invalid schedules are refused, but never keep a scheduler from reporting a run.

use diesel::prelude::*;
use freezer_api::store::schema::{jobs, sessions};
use freezer_api::store::types::json::Json;
use serde_json::{Value, json};

use crate::api::{Api, Caller};
use crate::documents::{job, session};

on_every_backend! {
    an_invalid_schedule_is_refused_with_its_key,
    several_blanks_are_stored_as_one,
    a_job_with_an_invalid_stored_schedule_can_be_changed,
    a_session_with_an_invalid_stored_schedule_can_be_changed,
}

const BAD: &[(&str, &str)] = &[
    ("schedule_date", "2027-02-30T00:00:00"),
    ("schedule_start_date", "2026-02-29T00:00:00Z"),
    ("schedule_end_date", "2026-04-31T00:00:00"),
    ("schedule_interval", "1 day"),
    ("schedule_interval", "0 hours"),
    ("schedule_interval", "99999999999 days"),
    ("schedule_month", "1, 13"),
    ("schedule_day", "31-32"),
    ("schedule_week", "*/53"),
    ("schedule_day_of_week", "mon, someday"),
    ("schedule_hour", ""),
    ("schedule_hour", "25"),
    ("schedule_minute", "10-5"),
    ("schedule_second", "*/60"),
];

#[track_caller]
fn assert_refused(answer: crate::http::Answer, key: &str) {
    let refusal = answer.expect(400);
    let said = refusal["description"].as_str().unwrap();
    assert!(said.contains(&format!("schedule/{key}: this value must be ")), "{said}");
    assert!(!said.contains('^') && !said.contains("anyOf"), "{said}");
}

fn an_invalid_schedule_is_refused_with_its_key(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    let group = alice.create("sessions", session());
    let before = (alice.show("jobs", &id), alice.show("sessions", &group));
    let reversed = json!({
        "schedule_interval": "20 seconds", "schedule_start_date": "2026-12-01T00:00:00",
        "schedule_end_date": "2026-11-01T00:00:00",
    });
    let units =
        BAD.iter().map(|(key, bad)| (*key, json!({*key: bad}))).chain([("schedule_end_date", reversed)]);
    for (key, unit) in units {
        let mut whole = job("a");
        whole["job_schedule"] = unit.clone();
        assert_refused(alice.post("/jobs", whole.clone()), key);
        assert_refused(alice.post(&format!("/jobs/{id}"), whole), key);
        assert_refused(alice.patch(&format!("/jobs/{id}"), json!({"job_schedule": unit})), key);
        let whole = json!({"schedule": unit, "session_tag": 0});
        assert_refused(alice.post("/sessions", whole.clone()), key);
        assert_refused(alice.post(&format!("/sessions/{group}"), whole), key);
        assert_refused(alice.patch(&format!("/sessions/{group}"), json!({"schedule": unit})), key);
    }
    assert_eq!((alice.show("jobs", &id), alice.show("sessions", &group)), before);
}

fn several_blanks_are_stored_as_one(api: &Api) {
    let alice = api.project();
    let mut body = job("a");
    alice.register("a");
    body["job_schedule"] = json!({"schedule_interval": "5   minutes"});
    let id = alice.create("jobs", body);
    assert_eq!(alice.show("jobs", &id)["job_schedule"]["schedule_interval"], "5 minutes");
    let version = alice.show("jobs", &id)["_version"].clone();
    alice
        .patch(&format!("/jobs/{id}"), json!({"job_schedule": {"schedule_interval": "5  minutes"}}))
        .expect(200);
    assert_eq!(alice.show("jobs", &id)["_version"], version, "the same schedule is no change");

    let group = alice.create("sessions", json!({"schedule": {"schedule_day": "1st  mon"}}));
    assert_eq!(alice.show("sessions", &group)["schedule"], json!({"schedule_day": "1st mon"}));
}

/// Stores a schedule directly, which a request could not.
fn store_schedule(alice: &Caller<'_>, id: &str, unit: &Value) {
    diesel::update(jobs::table.find(id))
        .set(jobs::scheduling.eq(Json::from(unit.clone())))
        .execute(&mut alice.api.database())
        .unwrap();
}

fn a_job_with_an_invalid_stored_schedule_can_be_changed(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    let path = format!("/jobs/{id}");
    for (key, bad) in BAD.iter().chain([&("schedule_interval", "5  days")]) {
        store_schedule(&alice, &id, &json!({*key: bad}));
        let mut document = alice.show("jobs", &id);
        document["job_schedule"]["status"] = json!("scheduled");
        alice.patch(&path, json!({"job_schedule": document["job_schedule"]})).expect(200);
        alice.patch(&path, document.clone()).expect(200);
        alice.post(&path, document).expect(201);
        assert_eq!(alice.show("jobs", &id)["job_schedule"]["status"], "scheduled");
        alice.patch(&path, json!({"description": "looked at"})).expect(200);
    }
    store_schedule(&alice, &id, &json!({"schedule_hour": "25"}));
    assert_refused(alice.patch(&path, json!({"job_schedule": {"schedule_hour": "26"}})), "schedule_hour");
}

fn a_session_with_an_invalid_stored_schedule_can_be_changed(api: &Api) {
    let alice = api.project();
    let id = alice.create("sessions", session());
    let path = format!("/sessions/{id}");
    let stored = json!({"schedule_hour": "25", "status": "stop"});
    diesel::update(sessions::table.find(&id))
        .set(sessions::scheduling.eq(Json::from(stored.clone())))
        .execute(&mut api.database())
        .unwrap();
    alice.patch(&path, json!({"schedule": stored, "description": "the same"})).expect(200);
    alice.patch(&path, json!({"schedule": {"schedule_hour": "25"}})).expect(200);
    alice.post(&path, json!({"schedule": {"schedule_hour": "25"}, "session_tag": 0})).expect(201);
    assert_refused(alice.patch(&path, json!({"schedule": {"schedule_hour": "25,26"}})), "schedule_hour");
}
