//! Many who look at jobs at the same moment, which the service asks of the database together.

use serde_json::json;

use super::at_once;
use crate::api::Api;
use crate::documents::action;

on_every_backend! {
    each_of_many_readers_sees_its_own_jobs_as_they_are,
    each_of_many_schedulers_polls_its_own_jobs_as_they_are,
}

fn each_of_many_readers_sees_its_own_jobs_as_they_are(api: &Api) {
    let callers: Vec<_> = (0..8).map(|_| api.project()).collect();
    let jobs: Vec<String> = callers
        .iter()
        .enumerate()
        .map(|(n, caller)| {
            caller.register("a");
            // Some have more actions than are read along.
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

fn each_of_many_schedulers_polls_its_own_jobs_as_they_are(api: &Api) {
    let callers: Vec<_> = (0..8).map(|_| api.project()).collect();
    // Most have the same name, each in its project; one has more jobs than are read at once.
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
