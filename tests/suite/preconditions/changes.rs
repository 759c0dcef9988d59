//! Which changes change a tag. A tag covers all that the document shows, in whichever row it is stored.

use diesel::connection::SimpleConnection;
use freezer_api::store::engine::connection::AnyConnection;
use freezer_api::store::{Failure, job_attachments, jobs};
use serde_json::json;

use super::example;
use crate::api::Api;
use crate::documents::{action, job, session};

on_every_backend! {
    a_jobs_tag_changes_with_an_action_in_it,
    a_jobs_tag_changes_with_its_sessions_schedule,
    a_jobs_tag_changes_with_the_definition_it_shares,
    a_sessions_tag_changes_with_its_jobs,
    a_poll_changes_no_tag,
    a_tag_covers_what_its_caller_sees,
    the_rows_of_a_job_are_locked_until_its_change,
}

fn a_jobs_tag_changes_with_an_action_in_it(api: &Api) {
    let alice = api.project();
    let path = example(&alice, "jobs");
    let action = alice.get(&path).expect(200)["job_actions"][0]["action_id"].as_str().unwrap().to_owned();
    let tag = alice.tag(&path);
    alice.patch(&format!("/actions/{action}"), json!({"freezer_action": {"backup_name": "b"}})).expect(200);
    alice.if_match("PATCH", &path, &tag, Some(json!({"description": "x"}))).expect(412);
    alice.if_match("POST", &format!("{path}/event"), &tag, Some(json!({"start": null}))).expect(412);
    let tag = alice.tag(&path);
    alice.if_match("PATCH", &path, &tag, Some(json!({"description": "x"}))).expect(200);

    let tag = alice.tag(&path);
    alice.delete(&format!("/actions/{action}")).expect(204);
    alice.if_match("DELETE", &path, &tag, None).expect(412);
}

fn a_jobs_tag_changes_with_its_sessions_schedule(api: &Api) {
    let alice = api.project();
    let (path, session) = (example(&alice, "jobs"), example(&alice, "sessions"));
    alice.put(&format!("{session}{path}")).expect(204);
    let tag = alice.tag(&path);
    alice.patch(&session, json!({"schedule": {"schedule_interval": "2 days"}})).expect(200);
    alice.if_match("PATCH", &path, &tag, Some(json!({"description": "x"}))).expect(412);
    let tag = alice.tag(&path);
    // Keys of the session that the job does not show do not change the job's tag.
    alice.patch(&session, json!({"description": "x"})).expect(200);
    alice.if_match("PATCH", &path, &tag, Some(json!({"description": "x"}))).expect(200);
}

fn a_jobs_tag_changes_with_the_definition_it_shares(api: &Api) {
    let alice = api.project();
    let first = example(&alice, "jobs");
    alice.register("b");
    let second = format!("/jobs/{}", alice.attach(first.strip_prefix("/jobs/").unwrap(), "b"));
    let tag = alice.tag(&second);
    alice.patch(&first, json!({"job_schedule": {"status": "running"}})).expect(200);
    assert_eq!(alice.tag(&second), tag, "the run of one document does not change the tag of the other");
    alice.patch(&first, json!({"description": "for both"})).expect(200);
    // The old tag is stale for a change of the second document's run, too.
    let run = json!({"job_schedule": {"status": "running"}});
    alice.if_match("PATCH", &second, &tag, Some(run.clone())).expect(412);
    assert_eq!(alice.get(&second).expect(200)["job_schedule"]["status"], "");
    alice.if_match("PATCH", &second, &alice.tag(&second), Some(run)).expect(200);
}

fn a_sessions_tag_changes_with_its_jobs(api: &Api) {
    let alice = api.project();
    let id = alice.create("sessions", session());
    let path = format!("/sessions/{id}");
    let job = alice.job_on("a");
    alice.register("b");
    let act = format!("{path}/action");
    let start = json!({"start": {"job_id": job, "current_tag": 0}});
    let end = json!({"end": {"job_id": job, "current_tag": 1, "result": "success"}});
    let job = format!("/jobs/{job}");
    for (method, target, body) in [
        ("PUT", format!("{path}{job}"), None),
        ("PATCH", job.clone(), Some(json!({"client_id": "b"}))),
        ("POST", act.clone(), Some(start)),
        ("POST", act, Some(end)),
        ("POST", job.clone(), Some(json!({"client_id": "a", "session_id": id, "job_actions": []}))),
        ("DELETE", job, None),
    ] {
        let (tag, before) = (alice.tag(&path), alice.get(&path).expect(200));
        let body = body.map(|body| body.to_string());
        let answer = alice.send(method, &target, body.as_deref().map(str::as_bytes));
        assert!(answer.status < 300, "{answer}");
        let after = alice.get(&path).expect(200);
        assert!(after["_version"].as_i64() > before["_version"].as_i64(), "{answer}\n{before}\n{after}");
        alice.if_match("PATCH", &path, &tag, Some(json!({"description": "x"}))).expect(412);
        alice.if_match("DELETE", &path, &tag, None).expect(412);
    }
}

fn a_poll_changes_no_tag(api: &Api) {
    let alice = api.project();
    let path = format!("/jobs/{}", alice.job_on("a"));
    alice.post(&format!("{path}/event"), json!({"stop": null})).expect(202);
    let (job, client) = (alice.tag(&path), alice.tag("/clients/a"));
    // The client was seen, and the event delivered.
    assert_eq!(alice.poll("a").len(), 1);
    assert_eq!((alice.tag(&path), alice.tag("/clients/a")), (job.clone(), client.clone()));
    alice.if_match("PATCH", &path, &job, Some(json!({"job_schedule": {"event": ""}}))).expect(200);
    assert_ne!(alice.tag(&path), job, "a delivered event can be cleared");
    // The poll leaves the tag valid for a delete.
    alice.if_match("DELETE", &path, &alice.tag(&path), None).expect(204);
    alice.poll("a");
    alice.if_match("DELETE", "/clients/a", &client, None).expect(204);
}

fn a_tag_covers_what_its_caller_sees(api: &Api) {
    let admin = api.project().with_roles("admin,member");
    let name = format!("central-{}", admin.project);
    admin.post("/clients", json!({"client_id": name, "is_central": true})).expect(201);
    let alice = api.project();
    let path = format!("/jobs/{}", alice.create("jobs", job(&name)));
    alice.patch(&path, json!({"job_schedule": {"current_pid": 7}})).expect(200);
    // Only a user with access to all projects sees the process id on another project's host.
    let admin = admin.reaching_for(&alice);
    let (hers, theirs) = (alice.tag(&path), admin.tag(&path));
    assert_ne!(hers, theirs);
    let patch = |to: &str| Some(json!({"description": to}));
    alice.if_match("PATCH", &path, &theirs, patch("x")).expect(412);
    admin.if_match("PATCH", &path, &hers, patch("x")).expect(412);
    admin.if_match("PATCH", &path, &theirs, patch("x")).expect(200);
    alice.if_match("PATCH", &path, &alice.tag(&path), patch("y")).expect(200);
    alice.delete(&path).expect(204);
    admin.delete(&format!("/clients/{name}")).expect(403);
}

/// From the read of a job until its change, every row that the document shows is locked.
fn the_rows_of_a_job_are_locked_until_its_change(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    let other = alice.create("actions", action());
    alice.patch(&format!("/jobs/{id}"), json!({"job_actions": [action(), {"action_id": other}]})).expect(200);
    let session = alice.create("sessions", session());
    alice.put(&format!("/sessions/{session}/jobs/{id}")).expect(204);
    let shown = alice.show("jobs", &id);
    let attachment = alice.show("job-attachments", &id);
    let new = shown["job_actions"][0]["action_id"].as_str().unwrap();

    let mut beside = api.database();
    let rows = [
        ("actions", new),
        ("actions", &*other),
        ("sessions", &*session),
        ("jobs", &*id),
        ("job_attachments", &*id),
    ];
    let mut held = |expected: bool| {
        for (table, row) in rows {
            assert_eq!(can_be_changed(&mut beside, table, row), !expected, "{table}");
        }
    };
    held(false);
    let mut stored = None;
    let found = api.store().write(|tx| {
        let attachment = job_attachments::find(tx, &alice.project, &id)?.ok_or(Failure::Stale)?;
        jobs::lock_document(tx, &attachment)?;
        held(true);
        stored = Some(attachment);
        Ok(())
    });
    found.unwrap();
    held(false);
    assert_eq!(alice.show("jobs", &id), shown, "a lock is no change");
    assert_eq!(alice.show("job-attachments", &id), attachment);

    // A job that changed since it was read cannot be locked: it may be in another session.
    alice.report(&id, json!({"status": "running"}));
    let outcome = api.store().write(|tx| Ok(jobs::lock_document(tx, stored.as_ref().unwrap())));
    assert!(matches!(outcome, Ok(Err(Failure::Stale))));
}

/// Whether this connection could lock the row without waiting. SQLite has one lock for all rows.
#[cfg_attr(not(any(feature = "mysql", feature = "postgres")), expect(unused_variables))]
fn can_be_changed(connection: &mut AnyConnection, table: &str, id: &str) -> bool {
    #[cfg(any(feature = "mysql", feature = "postgres"))]
    let row = format!("SELECT id FROM {table} WHERE id = '{id}' FOR UPDATE NOWAIT");
    let (begin, lock) = match connection {
        AnyConnection::Sqlite(_) => ("PRAGMA busy_timeout = 0", "BEGIN IMMEDIATE"),
        #[cfg(any(feature = "mysql", feature = "postgres"))]
        _ => ("BEGIN", &*row),
    };
    connection.batch_execute(begin).unwrap();
    let can = connection.batch_execute(lock).is_ok();
    let _ = connection.batch_execute("ROLLBACK");
    can
}
