//! Conditional changes beside unconditional ones.

use serde_json::{Value, json};

use super::at_once;
use crate::api::{Api, Caller};
use crate::documents::{action, backup, session};

on_every_backend! {
    an_unconditional_change_is_never_lost,
    of_many_conditional_changes_at_most_one_is_made,
}

/// A path, and a function that makes a PATCH of one key.
type Changed = (String, fn(&str, &str) -> Value);

fn examples(caller: &Caller<'_>) -> Vec<Changed> {
    vec![
        (format!("/jobs/{}", caller.job_on("a")), |key, to| match key {
            "one" => json!({"description": to}),
            // A range of minutes.
            _ => json!({"job_schedule": {"schedule_minute": to}}),
        }),
        (format!("/sessions/{}", caller.create("sessions", session())), |key, to| json!({ key: to })),
        (
            format!("/actions/{}", caller.create("actions", action())),
            |key, to| json!({"freezer_action": {key: to}}),
        ),
        (
            format!("/backups/{}", caller.create("backups", backup("b"))),
            |key, to| json!({"backup_metadata": {key: to}}),
        ),
    ]
}

/// Both requests change the same key. The conditional one succeeds only if it comes first, so the other's value
/// remains.
fn an_unconditional_change_is_never_lost(api: &Api) {
    let alice = api.project();
    for (path, change) in examples(&alice) {
        for round in 0..6 {
            let tag = alice.tag(&path);
            let [theirs, asked] = ["theirs", "asked"].map(|kind| format!("{kind}-{round}"));
            let statuses = at_once(2, |n| match n {
                0 => alice.patch(&path, change("one", &theirs)).status,
                _ => alice.if_match("PATCH", &path, &tag, Some(change("one", &asked))).status,
            });
            assert!(matches!(statuses[..], [200, 200 | 412]), "{path}: {statuses:?}");
            let document = alice.get(&path).expect(200).to_string();
            assert!(document.contains(&theirs) && !document.contains(&asked), "{statuses:?} {document}");
        }
    }
}

fn of_many_conditional_changes_at_most_one_is_made(api: &Api) {
    const CONDITIONAL: usize = 6;
    let alice = api.project();
    for (path, change) in examples(&alice) {
        for round in 0..4 {
            let tag = alice.tag(&path);
            let to = |n: usize| format!("{round}-{n}");
            let statuses = at_once(CONDITIONAL + 2, |n| match n {
                0..CONDITIONAL => alice.if_match("PATCH", &path, &tag, Some(change("one", &to(n)))).status,
                _ => alice.patch(&path, change("two", &to(n))).status,
            });
            assert_eq!(statuses[CONDITIONAL..], [200, 200]);
            let done: Vec<usize> = (0..CONDITIONAL).filter(|n| statuses[*n] == 200).collect();
            assert!(done.len() <= 1, "{path}: {statuses:?}");
            assert!(statuses[..CONDITIONAL].iter().all(|status| matches!(status, 200 | 412)), "{statuses:?}");
            let document = alice.get(&path).expect(200).to_string();
            assert!((CONDITIONAL..CONDITIONAL + 2).any(|n| document.contains(&to(n))), "{document}");
            assert!(done.iter().all(|n| document.contains(&to(*n))), "{statuses:?} {document}");
        }
    }
}
