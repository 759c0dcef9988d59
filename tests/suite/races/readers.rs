//! Many who look at jobs at the same moment, which the service asks of the database together.

use serde_json::json;

use super::at_once;
use crate::api::Api;
use crate::documents::action;

on_every_backend! {
    each_of_many_readers_sees_its_own_jobs_as_they_are,
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
