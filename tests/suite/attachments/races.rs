//! Concurrent requests: one of them wins, none gets a 5xx (which every answer is checked for), and no row dangles.

use serde_json::json;

use super::{Plan, id};
use crate::api::Api;
use crate::documents::{action, client, session};
use crate::http::Answer;
use crate::races::at_once;

on_every_backend! {
    of_many_attachments_to_a_client_one_succeeds,
    a_job_is_attached_while_its_last_document_is_deleted,
    a_job_is_attached_to_a_client_that_is_being_deleted,
    a_job_is_put_into_a_session_that_is_being_deleted,
    of_many_moves_to_a_client_one_succeeds,
    a_job_never_gets_an_action_that_a_client_does_not_support,
    every_one_of_many_actions_gets_a_place,
    of_many_places_with_one_priority_one_succeeds,
    an_action_is_put_into_a_job_while_either_is_deleted,
    two_changes_of_a_place_both_land,
    of_many_deletes_of_an_attachment_one_succeeds,
    a_finished_run_is_recorded_once,
}

fn of_many_attachments_to_a_client_one_succeeds(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    for name in ["b", "c"] {
        alice.register(name);
        let body = json!({"job_id": job, "client_id": name});
        let answers = at_once(8, |_| alice.post("/job-attachments", body.clone()));
        let made: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert_eq!(made.len(), 1);
        let winner = id(&made[0].json());
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            let refusal = answer.expect(409);
            assert!(refusal["description"].as_str().unwrap().contains(&winner), "{answer}");
        }
    }
    assert_eq!(alice.count("job-attachments"), 3);
}

fn a_job_is_attached_while_its_last_document_is_deleted(api: &Api) {
    let alice = api.project();
    alice.register("b");
    alice.register("c");
    for _ in 0..8 {
        let job = alice.job_on("a");
        let answers = at_once(3, |n| match n {
            0 => alice.delete(&format!("/jobs/{job}")),
            1 => alice.post("/job-attachments", json!({"job_id": job, "client_id": "b"})),
            _ => alice.post("/job-attachments", json!({"job_id": job, "client_id": "c"})),
        });
        answers[0].expect(204);
        let made: Vec<&Answer> = answers[1..].iter().filter(|answer| answer.status == 201).collect();
        answers[1..].iter().for_each(|answer| among(answer, &[201, 422]));
        assert_eq!(alice.count("job-attachments"), made.len() as i64);
        // An attachment that came in time has the whole job.
        assert_eq!(alice.count("action-attachments"), i64::from(!made.is_empty()));
        for answer in made {
            let id = id(&answer.json());
            assert_eq!(alice.show("jobs", &id)["job_actions"].as_array().unwrap().len(), 1);
            alice.delete(&format!("/job-attachments/{id}")).expect(204);
        }
        assert_eq!(alice.count("action-attachments"), 0);
    }
}

fn a_job_is_attached_to_a_client_that_is_being_deleted(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    let moving = alice.job_on("a");
    for round in 0..8 {
        let name = alice.register(&format!("host-{round}"));
        let cascade = if round % 2 == 0 { "" } else { "?cascade=true" };
        let answers = at_once(3, |n| match n {
            0 => alice.delete(&format!("/clients/{name}{cascade}")),
            1 => alice.patch(&format!("/job-attachments/{moving}"), json!({"client_id": name})),
            _ => alice.post("/job-attachments", json!({"job_id": job, "client_id": name})),
        });
        among(&answers[0], &[204, 409]);
        among(&answers[1], &[200, 404, 422]);
        among(&answers[2], &[201, 422]);
        let is_there = alice.get(&format!("/clients/{name}")).status == 200;
        assert_eq!(is_there, answers[0].status == 409);
        let on_it = alice.get(&format!("/job-attachments?with_count=true&client_id={name}")).expect(200);
        assert_eq!(
            is_there,
            on_it["count"] != json!(0),
            "a client with attachments stays, and one without is deleted"
        );
        if answers[1].status == 200 && alice.get(&format!("/job-attachments/{moving}")).status == 200 {
            alice.patch_document("job-attachments", &moving, json!({"client_id": "a"}));
        } else if alice.get(&format!("/job-attachments/{moving}")).status == 404 {
            return;
        }
    }
}

fn a_job_is_put_into_a_session_that_is_being_deleted(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    for round in 0..8 {
        let (name, session) = (alice.register(&format!("host-{round}")), alice.create("sessions", session()));
        let answers = at_once(3, |n| match n {
            0 => alice.delete(&format!("/sessions/{session}")),
            1 => alice.patch(&format!("/job-attachments/{job}"), json!({"session_id": session})),
            _ => {
                let body = json!({"job_id": job, "client_id": name, "session_id": session});
                alice.post("/job-attachments", body)
            }
        });
        answers[0].expect(204);
        among(&answers[1], &[200, 422]);
        among(&answers[2], &[201, 422]);
        alice.get(&format!("/sessions/{session}")).expect(404);
        let left = alice.get("/job-attachments?session_id=neq:&with_count=true").expect(200);
        assert_eq!(left["count"], 0, "{left}");
    }
}

fn of_many_moves_to_a_client_one_succeeds(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    let names: Vec<String> = (0..4).map(|n| alice.register(&format!("host-{n}"))).collect();
    let ids: Vec<String> = names.iter().map(|name| alice.put_on(&job, name)).collect();
    alice.register("b");
    let answers = at_once(4, |n| {
        alice.patch(&format!("/job-attachments/{}", ids[n]), json!({"client_id": "b"})).status
    });
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|status| **status == 409).count(), 3, "{answers:?}");
}

fn a_job_never_gets_an_action_that_a_client_does_not_support(api: &Api) {
    let alice = api.project();
    let mut lesser = client("less");
    lesser["supported_modes"] = json!(["fs"]);
    alice.create("clients", lesser);
    let mut nova = action();
    nova["freezer_action"]["mode"] = json!("nova");
    let nova = alice.create("actions", nova);
    for round in 0..9 {
        let job = alice.job_on("a");
        let [put, add] = at_once(2, |n| match (n, round % 3) {
            (0, 0) => alice.post("/job-attachments", json!({"job_id": job, "client_id": "less"})),
            (0, 1) => alice.patch(&format!("/job-attachments/{job}"), json!({"client_id": "less"})),
            (0, _) => alice.patch(&format!("/jobs/{job}"), json!({"client_id": "less"})),
            _ => alice.post("/action-attachments", json!({"job_id": job, "action_id": nova})),
        })
        .try_into()
        .unwrap();
        let statuses = [put.status, add.status];
        // One of the two is first, and the other is refused.
        assert!(matches!(statuses, [200 | 201, 422] | [422, 201]), "{put}\n{add}");
        alice.delete(&format!("/jobs/{job}")).expect(204);
    }
}

fn every_one_of_many_actions_gets_a_place(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    let actions: Vec<String> = (0..8).map(|_| alice.create("actions", action())).collect();
    let body = |n: usize| json!({"job_id": job, "action_id": actions[n]});
    let places = at_once(8, |n| alice.post("/action-attachments", body(n)).expect(201)["priority"].clone());
    let mut places: Vec<i64> = places.iter().map(|place| place.as_i64().unwrap()).collect();
    places.sort_unstable();
    assert_eq!(places, (1..=8).collect::<Vec<_>>());
    assert_eq!(alice.show("jobs", &job)["job_actions"].as_array().unwrap().len(), 9);
}

fn of_many_places_with_one_priority_one_succeeds(api: &Api) {
    let Plan { alice, job, action } = Plan::new(api.project());
    let place = alice.places(&job)[0].clone();
    let answers = at_once(6, |n| match n {
        0 => alice.patch(&format!("/action-attachments/{place}"), json!({"priority": 7})).status,
        _ => {
            alice
                .post("/action-attachments", json!({"job_id": job, "action_id": action, "priority": 7}))
                .status
        }
    });
    assert_eq!(answers.iter().filter(|status| matches!(**status, 200 | 201)).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|status| **status == 409).count(), 5, "{answers:?}");
}

fn an_action_is_put_into_a_job_while_either_is_deleted(api: &Api) {
    let alice = api.project();
    for round in 0..8 {
        let job = alice.job_on("a");
        let action = alice.create("actions", action());
        let answers = at_once(3, |n| match (n, round % 2) {
            (0, 0) => alice.delete(&format!("/actions/{action}")),
            (0, _) => alice.delete(&format!("/jobs/{job}")),
            _ => alice.post("/action-attachments", json!({"job_id": job, "action_id": action})),
        });
        answers[0].expect(204);
        answers[1..].iter().for_each(|answer| among(answer, &[201, 422]));
        if round % 2 == 0 {
            assert_eq!(alice.places(&job).len(), 1);
            alice.delete(&format!("/jobs/{job}")).expect(204);
        }
        assert_eq!(alice.count("action-attachments"), 0);
    }
}

fn two_changes_of_a_place_both_land(api: &Api) {
    let Plan { alice, job, action } = Plan::new(api.project());
    let place = alice.places(&job)[0].clone();
    let path = format!("/action-attachments/{place}");
    for round in 1..5 {
        at_once(4, |n| match n {
            0 => drop(alice.patch(&path, json!({"retries": round})).expect(200)),
            1 => drop(alice.patch(&path, json!({"priority": round})).expect(200)),
            2 => drop(alice.patch(&path, json!({"mandatory": round % 2 == 0})).expect(200)),
            // A PATCH of the job's document, without the priorities.
            _ => {
                let body = json!({"description": format!("{round}"), "job_actions": [{"action_id": action}]});
                alice.patch(&format!("/jobs/{job}"), body).expect(200);
            }
        });
        let shown = alice.show("action-attachments", &place);
        assert_eq!((&shown["retries"], &shown["priority"]), (&json!(round), &json!(round)));
        assert_eq!(shown["mandatory"], json!(round % 2 == 0));
        assert_eq!(alice.show("jobs", &job)["description"], format!("{round}"));
    }
}

fn of_many_deletes_of_an_attachment_one_succeeds(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    let paths = [format!("/action-attachments/{}", alice.places(&job)[0]), format!("/job-attachments/{job}")];
    for path in paths {
        let statuses = at_once(6, |_| alice.delete(&path).status);
        assert_eq!(statuses.iter().filter(|status| **status == 204).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 404).count(), 5, "{statuses:?}");
    }
    assert_eq!(alice.count("jobs"), 0);
}

fn a_finished_run_is_recorded_once(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    for round in 1..4 {
        let (start, end) = (round * 100, round * 100 + 5);
        alice.patch_document(
            "job-attachments",
            &job,
            json!({"time_started": start, "result": "", "time_ended": -1}),
        );
        let run = json!({"status": "completed", "result": "success", "time_ended": end});
        at_once(6, |n| match n % 2 {
            0 => drop(alice.patch(&format!("/job-attachments/{job}"), run.clone()).expect(200)),
            _ => drop(alice.report(&job, run.clone())),
        });
        assert_eq!(alice.count("action-reports"), round);
    }
}

#[track_caller]
fn among(answer: &Answer, statuses: &[u16]) {
    assert!(statuses.contains(&answer.status), "{answer}");
}
