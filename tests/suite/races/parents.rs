//! Races for each foreign key: a parent is deleted while a child is created, and both are deleted at once.

use serde_json::{Value, json};

use super::{among, at_once};
use crate::api::{Api, Caller};
use crate::documents::{action, job, session};
use crate::http::Answer;

on_every_backend! {
    places_are_created_while_their_action_is_deleted,
    places_are_created_while_their_job_is_deleted,
    documents_are_created_while_their_client_is_deleted,
    documents_are_created_while_their_definition_is_deleted,
    members_join_while_their_session_is_deleted,
    reports_are_created_while_their_references_are_deleted,
    a_backup_outlives_its_job,
    parents_and_children_are_deleted_at_once,
}

const ROUNDS: usize = 6;

fn places_are_created_while_their_action_is_deleted(api: &Api) {
    let alice = api.project();
    let standing = alice.job_on("a");
    for _ in 0..ROUNDS {
        let gone = alice.create("actions", action());
        let answers = at_once(5, |n| match n {
            0 => alice.delete(&format!("/actions/{gone}")),
            1 => alice.patch(&format!("/jobs/{standing}"), json!({"job_actions": [{"action_id": gone}]})),
            2 => alice.post("/jobs", json!({"client_id": "a", "job_actions": [{"action_id": gone}]})),
            _ => alice.post("/action-attachments", json!({"job_id": standing, "action_id": gone})),
        });
        answers[0].expect(204);
        answers[1..].iter().for_each(|answer| among(answer, &[200, 201, 422]));
        assert_eq!(alice.count(&format!("action-attachments?action_id={gone}")), 0);
        for made in made(&answers[2..3]) {
            let shown = alice.show("jobs", made["job_id"].as_str().unwrap());
            assert_eq!(
                shown["job_actions"],
                json!([]),
                "the job was created, and lost the action afterwards"
            );
        }
    }
}

fn places_are_created_while_their_job_is_deleted(api: &Api) {
    let alice = api.project();
    let action = alice.create("actions", action());
    for round in 0..ROUNDS {
        let gone = alice.job_on("a");
        let answers = at_once(4, |n| match n {
            0 if round % 2 == 0 => alice.delete(&format!("/jobs/{gone}")),
            0 => alice.delete(&format!("/job-attachments/{gone}")),
            1 => alice.patch(
                &format!("/jobs/{gone}"),
                json!({"job_actions": [{"action_id": action}, {"action_id": action}]}),
            ),
            _ => alice.post("/action-attachments", json!({"job_id": gone, "action_id": action})),
        });
        answers[0].expect(204);
        among(&answers[1], &[200, 404]);
        answers[2..].iter().for_each(|answer| among(answer, &[201, 422]));
        assert_eq!(alice.count("action-attachments"), 0);
    }
    alice.show("actions", &action);
}

fn documents_are_created_while_their_client_is_deleted(api: &Api) {
    let alice = api.project();
    let moving = alice.job_on("here");
    for round in 0..ROUNDS {
        let gone = alice.register(&format!("host-{round}"));
        let cascade = if round % 2 == 0 { "" } else { "?cascade=true" };
        let answers = at_once(5, |n| match n {
            0 => alice.delete(&format!("/clients/{gone}{cascade}")),
            // The scheduler registers meanwhile.
            1 => alice.post("/clients", json!({"client_id": gone, "description": "again"})),
            2 => alice.patch(&format!("/jobs/{moving}"), json!({"client_id": gone})),
            _ => alice.post("/jobs", job(&gone)),
        });
        among(&answers[0], &[204, 409]);
        answers[1].expect(201);
        among(&answers[2], &[200, 404, 422]);
        answers[3..].iter().for_each(|answer| among(answer, &[201, 422]));
        let is_there = alice.get(&format!("/clients/{gone}")).status == 200;
        let on_it = alice.list("jobs").into_iter().filter(|job| job["client_id"] == json!(gone)).count();
        assert!(is_there || on_it == 0, "no document without its client");
        if cascade.is_empty() {
            // No other request deletes documents, so each created one exists.
            assert_eq!(on_it, made(&answers[3..]).len() + usize::from(answers[2].status == 200));
        }
        alice.delete(&format!("/clients/{gone}?cascade=true"));
        if alice.get(&format!("/jobs/{moving}")).status == 404 {
            let again = json!({"job_id": moving, "client_id": "here", "job_actions": [action()]});
            alice.post("/jobs", again).expect(201);
        }
    }
}

fn documents_are_created_while_their_definition_is_deleted(api: &Api) {
    let alice = api.project();
    let names: Vec<String> = (0..4).map(|n| alice.register(&format!("host-{n}"))).collect();
    for _ in 0..ROUNDS {
        let first = alice.job_on("a");
        let answers = at_once(5, |n| match names.get(n) {
            Some(name) => alice.post("/job-attachments", json!({"job_id": first, "client_id": name})),
            None => alice.delete(&format!("/jobs/{first}")),
        });
        answers[4].expect(204);
        answers[..4].iter().for_each(|answer| among(answer, &[201, 422]));
        let made = made(&answers[..4]);
        assert_eq!(alice.count(&format!("job-attachments?job_id={first}")) as usize, made.len());
        assert_eq!(alice.count("action-attachments"), i64::from(!made.is_empty()));
        at_once(made.len(), |n| {
            alice.delete(&format!("/job-attachments/{}", made[n]["id"].as_str().unwrap())).expect(204)
        });
        assert_eq!(alice.count("action-attachments"), 0, "the last delete removes the definition");
    }
}

fn members_join_while_their_session_is_deleted(api: &Api) {
    let alice = api.project();
    let standing = alice.job_on("a");
    let names: Vec<String> = (0..2).map(|n| alice.register(&format!("host-{n}"))).collect();
    for _ in 0..ROUNDS {
        let gone = alice.create("sessions", session());
        let answers = at_once(6, |n| match n {
            0 => alice.delete(&format!("/sessions/{gone}")),
            1 => alice.put(&format!("/sessions/{gone}/jobs/{standing}")),
            2 => {
                let mut body = job("a");
                body["session_id"] = json!(gone);
                alice.post("/jobs", body)
            }
            3 => alice.patch(&format!("/jobs/{standing}"), json!({"session_id": gone})),
            _ => {
                let body = json!({"job_id": standing, "client_id": names[n - 4], "session_id": gone});
                alice.post("/job-attachments", body)
            }
        });
        answers[0].expect(204);
        answers[1..].iter().for_each(|answer| among(answer, &[200, 201, 204, 404, 422, 409]));
        alice.get(&format!("/sessions/{gone}")).expect(404);
        assert_eq!(alice.count("job-attachments?session_id=neq:"), 0);
        for made in made(&answers[4..]) {
            alice.delete(&format!("/job-attachments/{}", made["id"].as_str().unwrap())).expect(204);
        }
    }
}

/// Reports outlive their references, so each report with a 201 exists.
fn reports_are_created_while_their_references_are_deleted(api: &Api) {
    let alice = api.project();
    for round in 0..ROUNDS {
        let job = alice.job_on("a");
        let action = alice.show("jobs", &job)["job_actions"][0]["action_id"].clone();
        let place = json!(alice.places(&job)[0]);
        let keys =
            [("action_id", action), ("action_attachment_id", place), ("job_attachment_id", json!(job))];
        let (key, gone) = &keys[round % 3];
        let id = gone.as_str().unwrap();
        let path = match *key {
            "action_id" => format!("/actions/{id}"),
            "action_attachment_id" => format!("/action-attachments/{id}"),
            _ => format!("/job-attachments/{id}"),
        };
        let before = alice.count("action-reports");
        let answers = at_once(5, |n| match n {
            0 => alice.delete(&path),
            1 => {
                let run = json!({"result": "success", "time_started": 100, "time_ended": 105});
                alice.patch(&format!("/jobs/{job}"), json!({"job_schedule": run}))
            }
            _ => alice.post("/action-reports", json!({"result": "fail", *key: gone})),
        });
        answers[0].expect(204);
        among(&answers[1], &[200, 404]);
        answers[2..].iter().for_each(|answer| among(answer, &[201, 422]));
        let posted = made(&answers[2..]);
        for report in &posted {
            let shown = alice.show("action-reports", report["id"].as_str().unwrap());
            assert_eq!((&shown[*key], &shown["result"]), (&Value::Null, &json!("fail")));
        }
        // The run is history, unless the job's action was deleted before it ended.
        let added = alice.count("action-reports") - before - posted.len() as i64;
        assert!((0..=i64::from(answers[1].status == 200)).contains(&added), "{added}");
        assert_eq!(alice.count(&format!("action-reports?{key}={id}")), 0, "nothing dangles");
    }
}

/// No foreign key connects the two.
fn a_backup_outlives_its_job(api: &Api) {
    let alice = api.project();
    for round in 1..=ROUNDS {
        let job = alice.job_on("a");
        let mut body = crate::documents::backup("b");
        body["job_id"] = json!(job);
        let answers = at_once(4, |n| match n {
            0 => alice.delete(&format!("/jobs/{job}")),
            1 => alice.delete("/clients/a?cascade=true"),
            _ => alice.post("/backups", body.clone()),
        });
        answers[..2].iter().for_each(|answer| drop(answer.expect(204)));
        assert_eq!(made(&answers[2..]).len(), 2);
        assert_eq!(alice.count("backups"), 2 * round as i64);
        assert_eq!(alice.count(&format!("backups?job_id={job}")), 2);
    }
}

fn parents_and_children_are_deleted_at_once(api: &Api) {
    let alice = api.project();
    for _ in 0..ROUNDS {
        let job = alice.job_on("a");
        let action = alice.show("jobs", &job)["job_actions"][0]["action_id"].as_str().unwrap().to_owned();
        let place = alice.places(&job).remove(0);
        let session = alice.create("sessions", session());
        alice.put(&format!("/sessions/{session}/jobs/{job}")).expect(204);
        alice.report(&job, json!({"result": "success", "time_started": 100, "time_ended": 105}));
        let report = first_id(&alice, &format!("action-reports?job_id={job}"));
        let paths = [
            format!("/sessions/{session}"),
            format!("/sessions/{session}/jobs/{job}"),
            format!("/jobs/{job}"),
            format!("/job-attachments/{job}"),
            format!("/action-attachments/{place}"),
            format!("/actions/{action}"),
            format!("/action-reports/{}", report.as_str().unwrap()),
            "/clients/a?cascade=true".to_owned(),
        ];
        let answers = at_once(paths.len(), |n| alice.delete(&paths[n]));
        answers.iter().for_each(|answer| among(answer, &[204, 404]));
        for list in ["job-attachments", "action-attachments", "action-reports", "actions", "sessions", "jobs"]
        {
            assert_eq!(alice.count(list), 0, "{list}");
        }
        alice.get("/clients/a").expect(404);
    }
}

/// The documents of the answers with a 201.
fn made(answers: &[Answer]) -> Vec<Value> {
    answers.iter().filter(|answer| answer.status == 201).map(Answer::json).collect()
}

/// The id of the first item of a list.
fn first_id(caller: &Caller<'_>, list: &str) -> Value {
    let answer = caller.get(&format!("/{list}")).expect(200);
    let items = answer.as_object().unwrap().values().find_map(Value::as_array).unwrap();
    items[0]["id"].clone()
}
