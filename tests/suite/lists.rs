//! Pages of lists, the same for every noun (contract, api-v2 §2 "Paging").

mod clients;
mod jobs;
mod scans;
mod searches;
pub mod walks;

use diesel::Connection;
use diesel::prelude::*;
use freezer_api::store::schema::backups;
use serde_json::{Value, json};

use crate::api::Api;
use crate::documents::{action, backup, job, session};

on_every_backend! {
    pages_follow_one_another_in_the_order_of_creation,
    the_default_limit_and_the_limit_0_are_10,
    a_page_has_at_most_1000_items,
    a_page_parameter_that_is_not_a_number_is_refused,
    limit_and_offset_count_the_items_found,
    an_unknown_query_parameter_is_ignored,
}

fn pages_follow_one_another_in_the_order_of_creation(api: &Api) {
    let alice = api.project();
    alice.register("a");
    for noun in ["actions", "jobs", "sessions", "backups"] {
        let key = format!("{}_id", noun.trim_end_matches('s'));
        let ids: Vec<String> = (0..8).map(|_| alice.create(noun, body(noun))).collect();
        let page = |limit: usize, offset: usize| -> Vec<String> {
            let answer = alice.get(&format!("/{noun}/?limit={limit}&offset={offset}")).expect(200);
            answer[noun]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item[&key].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(page(100, 0), ids);
        assert_eq!(page(5, 0), ids[..5]);
        assert_eq!(page(5, 5), ids[5..]);
        assert_eq!(page(3, 2), ids[2..5]);
        assert!(page(5, 8).is_empty() && page(5, 1_000_000).is_empty());
        // A changed item keeps its place.
        alice.patch(&format!("/{noun}/{}", ids[0]), change(noun)).expect(200);
        assert_eq!(page(100, 0), ids);
    }
    let names: Vec<String> = (0..4).map(|n| alice.register(&format!("z-{n}"))).collect();
    let own = |query: &str| -> Vec<Value> {
        let found = alice
            .search(&format!("/clients?{query}"), json!({"match": {"project_id": alice.project}}))
            .expect(200);
        found["clients"].as_array().unwrap().iter().map(|item| item["client"]["client_id"].clone()).collect()
    };
    assert_eq!(own("limit=3&offset=1"), [json!(names[0]), json!(names[1]), json!(names[2])]);
}

fn the_default_limit_and_the_limit_0_are_10(api: &Api) {
    let alice = api.project();
    assert_eq!(alice.get("/actions").expect(200), json!({"actions": []}));
    for _ in 0..12 {
        alice.create("actions", action());
    }
    for (query, count) in
        [("", 10), ("?limit=0", 10), ("?offset=0", 10), ("?offset=5", 7), ("?limit=11", 11), ("?limit=", 10)]
    {
        let found = alice.get(&format!("/actions{query}")).expect(200);
        assert_eq!(found["actions"].as_array().unwrap().len(), count, "{query}");
    }
}

fn a_page_has_at_most_1000_items(api: &Api) {
    let alice = api.project();
    let id = alice.create("backups", backup("first"));
    // The rows are inserted directly, as HTTP would take too long.
    let mut connection = api.database();
    connection
        .transaction(|connection| {
            for n in 0..1005 {
                backups::table
                    .filter(backups::id.eq(&id))
                    .select((
                        diesel::dsl::sql::<diesel::sql_types::Text>(&format!("'{}-{n}'", alice.project)),
                        backups::project_id,
                        backups::user_id,
                        backups::status,
                        backups::metadata,
                        backups::created_at,
                        backups::updated_at,
                        backups::version,
                    ))
                    .insert_into(backups::table)
                    .into_columns((
                        backups::id,
                        backups::project_id,
                        backups::user_id,
                        backups::status,
                        backups::metadata,
                        backups::created_at,
                        backups::updated_at,
                        backups::version,
                    ))
                    .execute(connection)?;
            }
            diesel::QueryResult::Ok(())
        })
        .unwrap();
    let count =
        |query: &str| alice.get(&format!("/backups{query}")).expect(200)["backups"].as_array().unwrap().len();
    assert_eq!(count("?limit=999"), 999);
    for limit in ["1000", "1001", "9223372036854775807"] {
        assert_eq!(count(&format!("?limit={limit}")), 1000, "{limit}");
    }
    assert_eq!(count("?limit=1000&offset=1000"), 6);
    // A search without a column goes through all rows, and answers with a page.
    let names = json!({"match": [{"path_to_backup": "/etc"}]});
    let found = |query: &str| alice.search(&format!("/backups{query}"), names.clone()).expect(200);
    assert_eq!(found("?limit=5000")["backups"].as_array().unwrap().len(), 1000);
    assert_eq!(found("?limit=10&offset=1000")["backups"].as_array().unwrap().len(), 6);
}

fn a_page_parameter_that_is_not_a_number_is_refused(api: &Api) {
    let alice = api.project();
    for noun in ["clients", "actions", "jobs", "sessions", "backups"] {
        for key in ["limit", "offset"] {
            for value in ["-1", "ten", "1.5", "9223372036854775808", "0x10", "1e3", "%00", "1;2", "%D9%A3"] {
                let answer = alice.get(&format!("/{noun}?{key}={value}"));
                let refusal = answer.expect(400);
                if value != "%00" {
                    assert_eq!(refusal["title"], "Invalid parameter");
                    assert!(refusal["description"].as_str().unwrap().contains(key), "{refusal}");
                }
            }
        }
        alice.get(&format!("/{noun}?offset=9223372036854775807&limit=9223372036854775807")).expect(200);
    }
}

fn limit_and_offset_count_the_items_found(api: &Api) {
    let alice = api.project();
    for n in 0..12 {
        let mut body = backup(if n % 2 == 0 { "even" } else { "odd" });
        body["number"] = json!(n);
        body["kind"] = body["backup_name"].clone();
        alice.create("backups", body);
    }
    // Search by a key with a column, and by a key without one.
    for key in ["backup_name", "kind"] {
        let page = |query: &str| -> Vec<Value> {
            let answer =
                alice.search(&format!("/backups?{query}"), json!({"match": [{key: "odd"}]})).expect(200);
            let found = answer["backups"].as_array().unwrap().clone();
            found.iter().map(|item| item["backup_metadata"]["number"].clone()).collect()
        };
        assert_eq!(page("limit=4"), [1, 3, 5, 7]);
        assert_eq!(page("limit=4&offset=4"), [9, 11]);
        assert_eq!(page("limit=2&offset=1"), [3, 5]);
    }
}

fn an_unknown_query_parameter_is_ignored(api: &Api) {
    let alice = api.project();
    alice.get("/jobs?colour=red&=&&limit=5&x=%C3%A9").expect(200);
    alice.get("/actions?all_projects=whatever").expect(200);
}

/// A body of the noun.
fn body(noun: &str) -> Value {
    match noun {
        "actions" => action(),
        "jobs" => job("a"),
        "sessions" => session(),
        _ => backup("etc"),
    }
}

/// The body of a PATCH of the noun.
fn change(noun: &str) -> Value {
    match noun {
        "actions" => json!({"max_retries": 9}),
        "backups" => json!({"status": "error"}),
        _ => json!({"description": "changed"}),
    }
}
