//! Concurrent requests: no change is lost or counted twice, and none gets a 5xx (which every answer is checked for).

mod conditions;
mod deletes;
mod events;
mod parents;
mod readers;
mod sessions;

use std::sync::Barrier;

use serde_json::{Value, json};

use crate::api::{Api, Caller};
use crate::documents::{action, client, job, session};
use crate::http::Answer;

on_every_backend! {
    two_changes_of_different_keys_both_land,
    of_many_starts_one_moves_the_tag,
    every_end_of_a_run_counts,
    a_client_registered_eight_times_at_once_exists_once,
    a_central_client_registered_eight_times_at_once_exists_once,
    an_id_is_assigned_once,
    a_stop_is_not_lost_among_reports,
    a_job_moved_many_times_at_once_is_in_one_session,
    many_updates_of_a_backup_all_land,
    a_session_stays_consistent_under_load,
}

fn two_changes_of_different_keys_both_land(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    let path = format!("/jobs/{id}");
    let session = alice.create("sessions", session());
    for round in 0..5 {
        let patches = [
            json!({"description": format!("round {round}")}),
            json!({"job_schedule": {"current_pid": round}}),
            json!({"job_schedule": {"status": if round % 2 == 0 { "running" } else { "scheduled" }}}),
            json!({"job_schedule": {"time_started": 1000 + round}}),
            json!({"job_schedule": {"schedule_interval": format!("{} days", round + 2)}}),
            json!({"job_actions": [action(), action()]}),
        ];
        at_once(patches.len(), |n| alice.patch(&path, patches[n].clone()).expect(200));
        let document = alice.show("jobs", &id);
        let run = &document["job_schedule"];
        assert_eq!(document["description"], patches[0]["description"]);
        assert_eq!(document["job_actions"].as_array().unwrap().len(), 2);
        assert_eq!(run["current_pid"], round);
        assert_eq!(run["status"], patches[2]["job_schedule"]["status"]);
        assert_eq!(run["time_started"], 1000 + round);
        assert_eq!(run["schedule_interval"], patches[4]["job_schedule"]["schedule_interval"]);
    }
    let path = format!("/sessions/{session}");
    at_once(8, |n| alice.patch(&path, json!({format!("key-{n}"): n})).expect(200));
    let document = alice.show("sessions", &session);
    for n in 0..8 {
        assert_eq!(document[format!("key-{n}")], n);
    }
    let action = alice.create("actions", action());
    let path = format!("/actions/{action}");
    at_once(8, |n| alice.patch(&path, json!({"freezer_action": {format!("key-{n}"): n}})).expect(200));
    let document = alice.show("actions", &action);
    for n in 0..8 {
        assert_eq!(document["freezer_action"][format!("key-{n}")], n);
    }
    assert_eq!(document["_version"], 9);
}

fn of_many_starts_one_moves_the_tag(api: &Api) {
    let alice = api.project();
    let (session, jobs) = of_jobs(&alice, 16);
    let path = format!("/sessions/{session}/action");
    for run in 0..3 {
        let answers = at_once(jobs.len(), |n| {
            alice.post(&path, json!({"start": {"job_id": jobs[n], "current_tag": run}})).expect(202)
        });
        let document = alice.show("sessions", &session);
        assert_eq!(document["session_tag"], run + 1, "one of them moved it");
        for answer in answers {
            assert_eq!(answer, json!({"result": "success", "session_tag": run + 1}), "the others joined");
        }
        for entry in document["jobs"].as_object().unwrap().values() {
            assert_eq!(entry["status"], "running");
        }
        end_hold_off(&alice, &session);
    }

    // All have the same job and the latest tag: one moves the tag, the others are held off.
    let answers = at_once(16, |_| {
        alice.post(&path, json!({"start": {"job_id": jobs[0], "current_tag": "3"}})).expect(202)["result"]
            .clone()
    });
    assert_eq!(alice.show("sessions", &session)["session_tag"], 4);
    assert!(answers.iter().all(|result| result == "success"), "{answers:?}");
}

fn every_end_of_a_run_counts(api: &Api) {
    let alice = api.project();
    for (bad, expected) in [(None, "success"), (Some(3), "fail")] {
        let (session, jobs) = of_jobs(&alice, 8);
        let path = format!("/sessions/{session}/action");
        for job in &jobs {
            alice.post(&path, json!({"start": {"job_id": job, "current_tag": 0}})).expect(202);
        }
        at_once(jobs.len(), |n| {
            let result = if bad == Some(n) { "fail" } else { "success" };
            let end = json!({"end": {"job_id": jobs[n], "current_tag": 1, "result": result}});
            assert_eq!(alice.post(&path, end).expect(202)["result"], "success");
        });
        let document = alice.show("sessions", &session);
        assert_eq!((&document["status"], &document["result"]), (&json!("completed"), &json!(expected)));
        assert!(document["time_end"].as_i64().unwrap() > 0);
        assert!(document["jobs"].as_object().unwrap().values().all(|entry| entry["status"] == "completed"));
    }
}

fn a_client_registered_eight_times_at_once_exists_once(api: &Api) {
    let alice = api.project();
    for name in ["a", "b", "c"] {
        at_once(8, |_| alice.post("/clients", client(name)).expect(201));
    }
    // The list also has the central clients of other projects.
    let own = || alice.list("clients").iter().filter(|client| client["project_id"] == alice.project).count();
    assert_eq!(own(), 3);
    at_once(8, |n| {
        alice.post("/clients", json!({"client_id": "a", "description": format!("{n}")})).expect(201)
    });
    assert_eq!(own(), 3);
}

fn a_central_client_registered_eight_times_at_once_exists_once(api: &Api) {
    let name = format!("central-{}", api.project().project);
    let admins: Vec<Caller<'_>> = (0..8).map(|_| api.project().with_roles("admin")).collect();
    let body = json!({"client_id": name, "hostname": "h", "is_central": true});
    let answers = at_once(8, |n| admins[n].post("/clients", body.clone()).status);
    assert_eq!(answers.iter().filter(|status| **status == 201).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|status| **status == 409).count(), 7, "{answers:?}");
    let winner = &admins[answers.iter().position(|status| *status == 201).unwrap()];
    winner.delete(&format!("/clients/{name}")).expect(204);
}

fn an_id_is_assigned_once(api: &Api) {
    let callers: Vec<Caller<'_>> = (0..8).map(|_| api.project()).collect();
    for caller in &callers {
        caller.register("a");
    }
    let id = format!("{}-id", callers[0].project);
    for (noun, mut body) in [("actions", action()), ("jobs", job("a"))] {
        body[format!("{}_id", noun.trim_end_matches('s'))] = json!(id);
        let answers = at_once(8, |n| callers[n].post(&format!("/{noun}"), body.clone()).status);
        assert_eq!(answers.iter().filter(|status| **status == 201).count(), 1, "{noun} {answers:?}");
        assert_eq!(answers.iter().filter(|status| **status == 409).count(), 7, "{noun} {answers:?}");
    }
    // Under one URL of a project, one request creates the resource and the others replace it.
    let alice = api.project();
    alice.register("a");
    let session = json!({"schedule": {}, "session_tag": 0});
    for (noun, body) in [("actions", action()), ("jobs", job("a")), ("sessions", session)] {
        let path = format!("/{noun}/{}-{noun}", alice.project);
        at_once(8, |_| alice.post(&path, body.clone()).expect(201));
        assert_eq!(
            alice.list(noun).iter().filter(|item| item.to_string().contains(&path[noun.len() + 2..])).count(),
            1
        );
    }
}

fn a_stop_is_not_lost_among_reports(api: &Api) {
    let alice = api.project();
    for _ in 0..5 {
        let id = alice.job_on("a");
        let path = format!("/jobs/{id}");
        at_once(8, |n| match n {
            3 => drop(alice.post(&format!("{path}/event"), json!({"stop": null})).expect(202)),
            _ => {
                let stale = json!({"event": "", "status": "running", "time_started": n, "current_pid": n});
                alice.report(&id, stale);
            }
        });
        assert_eq!(alice.show("jobs", &id)["job_schedule"]["event"], "stop");
    }
}

fn a_job_moved_many_times_at_once_is_in_one_session(api: &Api) {
    let alice = api.project();
    let job = alice.job_on("a");
    let sessions: Vec<String> = (0..6).map(|_| alice.create("sessions", session())).collect();
    for _ in 0..3 {
        at_once(6, |n| alice.put(&format!("/sessions/{}/jobs/{job}", sessions[n])).expect(204));
        let its = alice.show("jobs", &job)["session_id"].clone();
        for session in &sessions {
            let is_member = alice.show("sessions", session)["jobs"].get(&job).is_some();
            assert_eq!(is_member, its == json!(session));
        }
    }
}

fn many_updates_of_a_backup_all_land(api: &Api) {
    let alice = api.project();
    let id = alice.create("backups", crate::documents::backup("etc"));
    let path = format!("/backups/{id}");
    at_once(8, |n| alice.patch(&path, json!({"backup_metadata": {format!("key-{n}"): n}})).expect(200));
    let metadata = alice.show("backups", &id)["backup_metadata"].clone();
    for n in 0..8 {
        assert_eq!(metadata[format!("key-{n}")], n);
    }
    let answers = at_once(8, |_| alice.delete(&path).status);
    assert_eq!(answers.iter().filter(|status| **status == 204).count(), 1, "{answers:?}");
}

fn a_session_stays_consistent_under_load(api: &Api) {
    let alice = api.project();
    let (session, jobs) = of_jobs(&alice, 4);
    let other = alice.create("sessions", self::session());
    at_once(8, |n| {
        for round in 0..12 {
            let job = &jobs[(n + round) % 4];
            let member = format!("/sessions/{session}/jobs/{job}");
            let act = format!("/sessions/{session}/action");
            match (n * 5 + round * 3) % 8 {
                0 => among(&alice.put(&member), &[204]),
                1 => among(&alice.delete(&member), &[204]),
                2 => among(&alice.put(&format!("/sessions/{other}/jobs/{job}")), &[204]),
                3 => {
                    among(&alice.post(&act, json!({"start": {"job_id": job, "current_tag": 0}})), &[202, 400])
                }
                4 => among(
                    &alice.post(&act, json!({"end": {"job_id": job, "result": "success"}})),
                    &[202, 400],
                ),
                5 => among(
                    &alice.patch(
                        &format!("/sessions/{session}"),
                        json!({"description": format!("{n}-{round}")}),
                    ),
                    &[200],
                ),
                6 => drop(alice.report(job, json!({"status": "running", "current_pid": round}))),
                _ => drop(alice.poll("host-1")),
            }
        }
    });
    let members = |id: &str| alice.show("sessions", id)["jobs"].clone();
    let (here, there) = (members(&session), members(&other));
    for job in &jobs {
        let its = alice.show("jobs", job)["session_id"].clone();
        assert_eq!(here.get(job).is_some(), its == json!(session));
        assert_eq!(there.get(job).is_some(), its == json!(other));
    }
}

/// Runs `count` calls at the same moment.
pub fn at_once<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(count);
    std::thread::scope(|scope| {
        let one = |n| {
            let (barrier, work) = (&barrier, &work);
            scope.spawn(move || {
                barrier.wait();
                work(n)
            })
        };
        let all: Vec<_> = (0..count).map(one).collect();
        all.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

impl Caller<'_> {
    /// The number of items of a list on all pages.
    #[track_caller]
    pub fn count(&self, list: &str) -> i64 {
        let with = if list.contains('?') { '&' } else { '?' };
        let answer = self.get(&format!("/{list}{with}with_count=true&limit=1")).expect(200);
        answer["count"].as_i64().unwrap_or_else(|| panic!("no count in {answer}"))
    }
}

#[track_caller]
fn among(answer: &Answer, statuses: &[u16]) {
    assert!(statuses.contains(&answer.status), "{answer}");
}

/// Creates a session with `count` jobs, on `host-0` and so on.
fn of_jobs(caller: &Caller<'_>, count: usize) -> (String, Vec<String>) {
    let mut body = session();
    body["hold_off"] = json!(600);
    let id = caller.create("sessions", body);
    let jobs: Vec<String> = (0..count).map(|n| caller.job_on(&format!("host-{n}"))).collect();
    for job in &jobs {
        caller.put(&format!("/sessions/{id}/jobs/{job}")).expect(204);
    }
    (id, jobs)
}

/// Moves the last run into the past, so that the next may begin.
fn end_hold_off(caller: &Caller<'_>, session: &str) {
    let began = caller.show("sessions", session)["time_start"].as_i64().unwrap();
    let change: Value = json!({"time_start": began - 3600});
    caller.patch(&format!("/sessions/{session}"), change).expect(200);
}
