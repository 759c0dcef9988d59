//! Markers: rows that are created and deleted meanwhile, rows of other projects, rows of the same moment.

use diesel::prelude::*;
use freezer_api::store::engine::connection::AnyConnection;
use freezer_api::store::schema::{actions, backups, sessions};
use serde_json::{Value, json};

use super::{sorted, walk};
use crate::api::{Api, Caller};
use crate::documents::{action, backup, job, session};

on_every_backend! {
    staying_rows_are_seen_once_while_others_come_and_go,
    a_row_created_beyond_the_marker_is_seen,
    a_deleted_marker_is_refused,
    a_marker_of_another_project_is_refused_like_an_unknown_one,
    a_walk_ends_if_all_rows_were_created_at_the_same_moment,
    a_next_link_keeps_the_query,
}

fn id_of(noun: &str, item: &Value) -> String {
    item[format!("{}_id", noun.trim_end_matches('s'))].as_str().unwrap().to_owned()
}

/// A body of the noun, with values that repeat.
fn body(noun: &str, n: usize) -> Value {
    let name = ["b", "a", "c"][n % 3];
    match noun {
        "actions" => json!({"freezer_action": {"action": "backup", "backup_name": name}}),
        "sessions" => session(),
        _ => {
            let mut body = backup(name);
            body["time_stamp"] = json!(n % 5);
            body
        }
    }
}

const ORDERS: [(&str, &str); 10] = [
    ("actions", "created_at"),
    ("actions", "backup_name"),
    ("actions", "mode"),
    ("sessions", "created_at"),
    ("sessions", "status"),
    ("backups", "created_at"),
    ("backups", "status"),
    ("backups", "backup_name"),
    ("backups", "hostname"),
    ("backups", "time_stamp"),
];

fn staying_rows_are_seen_once_while_others_come_and_go(api: &Api) {
    for (noun, sort) in ORDERS {
        for direction in ["asc", "desc"] {
            let alice = api.project();
            let mut staying: Vec<String> = (0..9).map(|n| alice.create(noun, body(noun, n))).collect();
            let mut leaving: Vec<String> = (0..6).map(|n| alice.create(noun, body(noun, n))).collect();
            let (mut seen, mut marker) = (Vec::new(), String::new());
            for n in 0.. {
                let page = alice.get(&format!("/{noun}?limit=2&sort={sort}:{direction}{marker}")).expect(200);
                seen.extend(page[noun].as_array().unwrap().iter().map(|item| id_of(noun, item)));
                if page[format!("{noun}_links")].is_null() {
                    break;
                }
                let last = seen.last().unwrap().clone();
                marker = format!("&marker={last}");
                // Between two pages, one row is created, one is deleted, and one is changed.
                alice.create(noun, body(noun, n));
                leaving.retain(|id| *id != last);
                if let Some(gone) = leaving.pop() {
                    alice.delete(&format!("/{noun}/{gone}")).expect(204);
                }
                let changed = match noun {
                    "actions" => json!({"max_retries": n}),
                    "sessions" => json!({"description": format!("change {n}")}),
                    _ => json!({"backup_metadata": {"change": n}}),
                };
                alice.patch(&format!("/{noun}/{}", staying[n % 9]), changed).expect(200);
            }
            let mut found: Vec<String> = seen.iter().filter(|id| staying.contains(id)).cloned().collect();
            found.sort();
            staying.sort();
            assert_eq!(found, staying, "{noun} by {sort} {direction}");
            let mut once = seen.clone();
            once.sort();
            once.dedup();
            assert_eq!(once.len(), seen.len(), "{noun} by {sort} {direction}");
        }
    }
}

fn a_row_created_beyond_the_marker_is_seen(api: &Api) {
    let alice = api.project();
    let first = alice.create("backups", backup("m"));
    for (name, place) in [("a", "desc"), ("z", "asc")] {
        let new = alice.create("backups", backup(name));
        let path = format!("/backups?sort=backup_name:{place}&marker={first}");
        let ids: Vec<String> =
            walk(&alice, "backups", &path).iter().map(|item| id_of("backups", item)).collect();
        assert_eq!(ids, [new]);
    }
}

fn a_deleted_marker_is_refused(api: &Api) {
    let alice = api.project();
    let gone = alice.create("backups", backup("a"));
    alice.create("backups", backup("b"));
    alice.get(&format!("/backups?marker={gone}")).expect(200);
    alice.delete(&format!("/backups/{gone}")).expect(204);
    let answer = alice.get(&format!("/backups?marker={gone}")).expect(400);
    assert_eq!(answer["title"], "Invalid parameter");
    assert!(answer["description"].as_str().unwrap().contains("begin again"), "{answer}");
}

fn a_marker_of_another_project_is_refused_like_an_unknown_one(api: &Api) {
    let (alice, bob) = (api.project(), api.project());
    alice.register("a");
    for (noun, body) in
        [("actions", action()), ("jobs", job("a")), ("sessions", session()), ("backups", backup("etc"))]
    {
        let hers = alice.create(noun, body);
        alice.get(&format!("/{noun}?marker={hers}")).expect(200);
        let refusal = |marker: &str| {
            let answer = bob.get(&format!("/{noun}?marker={marker}")).expect(400);
            answer["description"].as_str().unwrap().replace(marker, "it")
        };
        assert_eq!(refusal(&hers), refusal("0123456789abcdef0123456789abcdef"), "{noun}");
        alice.with_roles("reader").get(&format!("/{noun}?marker={hers}")).expect(200);
    }
}

/// Sets one creation time for all rows, as a migration may leave them.
fn create_at_one_moment(connection: &mut AnyConnection, project: &str) {
    let moment = freezer_api::store::now();
    macro_rules! set {
        ($table:ident) => {
            diesel::update($table::table.filter($table::project_id.eq(project)))
                .set($table::created_at.eq(moment))
                .execute(connection)
                .unwrap();
        };
    }
    set!(actions);
    set!(sessions);
    set!(backups);
}

fn a_walk_ends_if_all_rows_were_created_at_the_same_moment(api: &Api) {
    let alice = api.project();
    for noun in ["actions", "sessions", "backups"] {
        for n in 0..23 {
            alice.create(noun, body(noun, n));
        }
    }
    create_at_one_moment(&mut api.database(), &alice.project);
    for (noun, sort) in ORDERS {
        let all = list_by_id(&alice, noun);
        let pointer = match (noun, sort) {
            (_, "created_at") => "/_".to_owned(),
            (_, "status") => "/status".to_owned(),
            ("actions", key) => format!("/freezer_action/{key}"),
            (_, key) => format!("/backup_metadata/{key}"),
        };
        for (direction, is_descending) in [("asc", false), ("desc", true)] {
            let expected = sorted(&all, &pointer, is_descending);
            for limit in [1, 2, 7, 22, 23] {
                let path = format!("/{noun}?limit={limit}&sort={sort}:{direction}");
                assert_eq!(walk(&alice, noun, &path), expected, "{path}");
            }
        }
    }
}

fn list_by_id(caller: &Caller<'_>, noun: &str) -> Vec<Value> {
    let mut all = caller.list(noun);
    all.sort_by_key(|item| id_of(noun, item));
    all
}

fn a_next_link_keeps_the_query(api: &Api) {
    let alice = api.project();
    for _ in 0..3 {
        alice.create("backups", backup("etc & var/\u{e9}"));
    }
    let query = "backup_name=etc%20%26%20var%2F%C3%A9&sort=time_stamp:desc&limit=1&with_count&fields=backup_id&colour=red";
    let page = alice.get(&format!("/backups?{query}")).expect(200);
    assert_eq!((page["count"].as_i64(), page["backups"][0].as_object().unwrap().len()), (Some(3), 1));
    let href = page["backups_links"][0]["href"].as_str().unwrap();
    let (path, asked) = href.split_once('?').unwrap();
    assert_eq!(path, format!("{}/v2/{}/backups", api.url(), alice.project));
    let asked: Vec<(String, String)> = url::form_urlencoded::parse(asked.as_bytes()).into_owned().collect();
    let marker = id_of("backups", &page["backups"][0]);
    for (name, value) in [
        ("backup_name", "etc & var/\u{e9}"),
        ("sort", "time_stamp:desc"),
        ("limit", "1"),
        ("fields", "backup_id"),
        ("marker", &*marker),
    ] {
        assert!(asked.contains(&(name.to_owned(), value.to_owned())), "{name} in {href}");
    }
    assert_eq!(walk(&alice, "backups", &format!("/backups?{query}")).len(), 3);
}
