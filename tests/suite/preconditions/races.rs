//! Concurrent conditional changes with the same tag: one of them is made, and the others are refused.

use serde_json::{Value, json};

use super::{NOUNS, change, example, replacements};
use crate::api::{Api, Caller};
use crate::documents::{backup, session};
use crate::races::at_once;

on_every_backend! {
    of_many_changes_one_is_made,
    no_increment_is_lost,
    a_run_and_a_definition_are_one_document,
    of_many_changes_to_a_fleet_one_is_made,
    of_changes_and_deletes_one_is_made,
    of_many_creations_one_is_made,
    of_many_actions_on_a_session_one_is_made,
}

const MANY: usize = 16;

fn of_many_changes_one_is_made(api: &Api) {
    let alice = api.project();
    for noun in NOUNS {
        let path = example(&alice, noun);
        for round in 0..3 {
            let tag = alice.tag(&path);
            let to = |n| format!("{round}-{n}");
            let winner =
                one_of(&[412], |n| alice.if_match("PATCH", &path, &tag, Some(change(noun, &to(n)))).status);
            let document = alice.get(&path).expect(200).to_string();
            assert!(document.contains(&format!("\"{}\"", to(winner))), "{noun}: {winner} {document}");
        }
    }
    for (noun, body) in replacements(&alice) {
        let path = example(&alice, noun);
        let tag = alice.tag(&path);
        one_of(&[412], |_| alice.if_match("POST", &path, &tag, Some(body.clone())).status);
    }
}

/// Each caller reads, adds one and writes, and tries again after a faster change.
fn no_increment_is_lost(api: &Api) {
    let alice = api.project();
    let counted = [
        (example(&alice, "actions"), "/freezer_action/count"),
        (example(&alice, "jobs"), "/job_schedule/time_started"),
        (example(&alice, "sessions"), "/count"),
        (format!("/backups/{}", alice.create("backups", backup("b"))), "/backup_metadata/count"),
    ];
    for (path, pointer) in counted {
        let count = |document: &Value| document.pointer(pointer).and_then(Value::as_i64).unwrap_or(0).max(0);
        let before = count(&alice.get(&path).expect(200));
        at_once(MANY, |_| {
            loop {
                let answer = alice.get(&path);
                let tag = answer.header("ETag").unwrap().to_owned();
                let next = count(&answer.expect(200)) + 1;
                let patch = pointer.rsplit('/').filter(|key| !key.is_empty());
                let patch = patch.fold(json!(next), |inner, key| json!({ key: inner }));
                match alice.if_match("PATCH", &path, &tag, Some(patch)).status {
                    200 => break,
                    status => assert_eq!(status, 412),
                }
            }
        });
        assert_eq!(count(&alice.get(&path).expect(200)), before + MANY as i64, "{path}");
    }
}

/// The document is in two rows, and each of these changes is in one of them.
fn a_run_and_a_definition_are_one_document(api: &Api) {
    let alice = api.project();
    let path = example(&alice, "jobs");
    for round in 0..5 {
        let tag = alice.tag(&path);
        one_of(&[412], |n| {
            let patch = match n % 2 {
                0 => json!({"description": format!("{round}-{n}")}),
                _ => json!({"job_schedule": {"time_started": 1000 * round + n}}),
            };
            alice.if_match("PATCH", &path, &tag, Some(patch)).status
        });
    }
}

fn of_many_changes_to_a_fleet_one_is_made(api: &Api) {
    let alice = api.project();
    let first = example(&alice, "jobs");
    alice.register("b");
    let second = format!("/jobs/{}", alice.attach(first.strip_prefix("/jobs/").unwrap(), "b"));
    for round in 0..5 {
        let documents = [(&first, alice.tag(&first)), (&second, alice.tag(&second))];
        one_of(&[412], |n| {
            let (path, tag) = &documents[n % 2];
            let patch = json!({"description": format!("{round}-{n}")});
            alice.if_match("PATCH", path, tag, Some(patch)).status
        });
    }
}

fn of_changes_and_deletes_one_is_made(api: &Api) {
    let alice = api.project();
    for noun in NOUNS {
        for _ in 0..3 {
            let path = example(&alice, noun);
            let tag = alice.tag(&path);
            // A PATCH of a deleted resource is a 404, whatever its condition.
            let winner = one_of(&[412, 404], |n| match n % 2 {
                0 => alice.if_match("DELETE", &path, &tag, None).status,
                _ => alice.if_match("PATCH", &path, &tag, Some(change(noun, &format!("{n}")))).status,
            });
            assert_eq!(alice.get(&path).status, if winner % 2 == 0 { 404 } else { 200 });
        }
    }
}

fn of_many_creations_one_is_made(api: &Api) {
    let alice = api.project();
    for (noun, body) in replacements(&alice) {
        let path = format!("/{noun}/{}", uuid::Uuid::new_v4().simple());
        let body = body.to_string();
        one_of(&[412], |_| {
            alice.send_with("POST", &path, &[("If-None-Match", "*")], Some(body.as_bytes())).status
        });
        assert_eq!(
            alice.list(noun).iter().filter(|item| item.to_string().contains(&path[noun.len() + 2..])).count(),
            1
        );
    }
}

fn of_many_actions_on_a_session_one_is_made(api: &Api) {
    let alice = api.project();
    let path = format!("/sessions/{}", alice.create("sessions", session()));
    let jobs: Vec<String> = (0..MANY).map(|n| alice.job_on(&format!("host-{n}"))).collect();
    let tag = alice.tag(&path);
    let member = |n: usize| format!("{path}/jobs/{}", jobs[n]);
    one_of(&[412], |n| alice.if_match("PUT", &member(n), &tag, None).status);
    assert_eq!(members(&alice, &path), 1);
    for n in 0..MANY {
        alice.put(&member(n)).expect(204);
    }
    let tag = alice.tag(&path);
    let act = format!("{path}/action");
    one_of(&[412], |n| {
        let start = json!({"start": {"job_id": jobs[n], "current_tag": 0}});
        alice.if_match("POST", &act, &tag, Some(start)).status
    });
    let tag = alice.tag(&path);
    one_of(&[412], |n| alice.if_match("DELETE", &member(n), &tag, None).status);
    assert_eq!(members(&alice, &path), MANY - 1);

    let job = example(&alice, "jobs");
    let tag = alice.tag(&job);
    one_of(&[412], |n| {
        let event = if n % 2 == 0 { "start" } else { "stop" };
        alice.if_match("POST", &format!("{job}/event"), &tag, Some(json!({ event: null }))).status
    });
}

fn members(caller: &Caller<'_>, session: &str) -> usize {
    caller.get(session).expect(200)["jobs"].as_object().unwrap().len()
}

/// Sends many requests at once, checks that exactly one succeeds and the others are refused, and returns its index.
#[track_caller]
fn one_of(refusals: &[u16], request: impl Fn(usize) -> u16 + Sync) -> usize {
    let statuses = at_once(MANY, request);
    let done: Vec<usize> = (0..MANY).filter(|n| statuses[*n] < 300).collect();
    let others = statuses.iter().filter(|status| refusals.contains(status)).count();
    assert!(done.len() == 1 && others == MANY - 1, "{statuses:?}");
    done[0]
}
