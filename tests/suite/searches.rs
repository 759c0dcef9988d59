//! Searches made to hurt: more conditions than a database or a stack can take.

use serde_json::{Value, json};

use crate::api::Api;

const NOUNS: [&str; 5] = ["clients", "actions", "jobs", "sessions", "backups"];

/// What each list can be searched for in a column.
const KEYS: [&str; 5] = ["client_id", "action_id", "status", "status", "hostname"];

fn many_conditions_are_refused(api: &Api) {
    let project = api.project();
    for (noun, key) in NOUNS.into_iter().zip(KEYS) {
        let search = |count: usize| {
            let conditions: Vec<Value> = (0..count).map(|_| json!({key: "a"})).collect();
            project.search(&format!("/{noun}"), json!({ "match_not": conditions }))
        };
        search(100).expect(200);
        search(101).expect(400);
        // As many as a body holds.
        search(5000).expect(400);
        let nested = json!(vec![json!({key: "a"}); 3000]).to_string();
        project.search(&format!("/{noun}"), json!({"match": [{"_all": nested}]})).expect(400);
        project.search(&format!("/{noun}"), json!({"match": [{"_all": "a ".repeat(20_000)}]})).expect(400);
    }
}

on_every_backend!(many_conditions_are_refused);
