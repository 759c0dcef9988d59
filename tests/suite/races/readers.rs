//! Concurrent reads of jobs, which the service coalesces into shared statements.

use serde_json::json;

use super::at_once;
use crate::api::Api;
use crate::documents::action;

on_every_backend! {
    many_readers_each_see_their_own_current_jobs,
    many_schedulers_each_poll_their_own_current_jobs,
}

fn many_readers_each_see_their_own_current_jobs(api: &Api) {
    let callers: Vec<_> = (0..8).map(|_| api.project()).collect();
    let jobs: Vec<String> = callers
        .iter()
        .enumerate()
        .map(|(n, caller)| {
            caller.register("a");
            // Some jobs have more actions than one read fetches.
            let actions = vec![action(); if n == 3 { 60 } else { 1 + n % 3 }];
            caller.create("jobs", json!({"client_id": "a", "job_actions": actions}))
        })
        .collect();
    at_once(8, |n| {
        let (caller, own, anothers) = (&callers[n], &jobs[n], &jobs[(n + 1) % 8]);
        for round in 0..20 {
            let description = format!("{n} in round {round}");
            caller.patch(&format!("/jobs/{own}"), json!({"description": description})).expect(200);
            let shown = caller.show("jobs", own);
            assert_eq!(shown["job_id"], json!(own));
            assert_eq!(shown["project_id"], json!(caller.project));
            assert_eq!(shown["description"], json!(description));
            caller.get(&format!("/jobs/{anothers}")).expect(404);
        }
    });
}

fn many_schedulers_each_poll_their_own_current_jobs(api: &Api) {
    let callers: Vec<_> = (0..8).map(|_| api.project()).collect();
    // Most clients have the same name, each in its project. One has more jobs than one read fetches.
    let name = |n: usize| if n == 5 { "b" } else { "a" };
    let jobs: Vec<Vec<String>> = callers
        .iter()
        .enumerate()
        .map(|(n, caller)| (0..if n == 3 { 45 } else { 1 + n % 3 }).map(|_| caller.job_on(name(n))).collect())
        .collect();
    let poll = |n: usize| {
        let search = json!({"match": [{"client_id": name(n)}], "match_not": [{"status": "completed"}]});
        let found = callers[n].search("/jobs?limit=10&offset=0", search).expect(200)["jobs"].clone();
        found.as_array().unwrap().clone()
    };
    at_once(8, |n| {
        let (caller, its) = (&callers[n], &jobs[n]);
        let shown: Vec<_> = its.iter().take(10).map(|id| caller.show("jobs", id)).collect();
        assert_eq!(poll(n), shown);
        for round in 0..20 {
            caller.report(&its[0], json!({"status": "running", "time_started": round}));
            let first = &poll(n)[0];
            assert_eq!(first["job_id"], json!(its[0]));
            assert_eq!(first["job_schedule"]["time_started"], round);
            caller.report(&its[0], json!({"status": "completed", "result": "success"}));
            let left: Vec<_> = poll(n).iter().map(|job| job["job_id"].as_str().unwrap().to_owned()).collect();
            assert_eq!(left, its[1..its.len().min(11)]);
        }
        assert_eq!(caller.show("clients", name(n))["client"]["state"], "up");
    });
}
