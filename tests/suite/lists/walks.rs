//! Lists by query parameters: filters, orders, markers and counts (contract, conventions §6).

mod backups;
mod markers;
mod sessions;

use serde_json::{Value, json};

use crate::api::{Api, Caller};

on_every_backend! {
    actions_are_walked_in_every_order,
    actions_are_filtered,
    an_invalid_query_is_refused,
}

/// Follows the links of a list, and returns the items of all pages.
#[track_caller]
pub fn walk(caller: &Caller<'_>, noun: &str, path: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut target = format!("/v2/{}{path}", caller.project);
    for _ in 0..1000 {
        let path = target.split_once(&caller.project).unwrap().1.to_owned();
        let page = caller.get(&path).expect(200);
        items.extend(page[noun].as_array().unwrap().iter().cloned());
        let links = &page[format!("{noun}_links")];
        if links.is_null() {
            return items;
        }
        assert_eq!((links.as_array().unwrap().len(), &links[0]["rel"]), (1, &json!("next")));
        let href = links[0]["href"].as_str().unwrap();
        target = href.strip_prefix(&caller.api.url()).unwrap_or_else(|| panic!("{href}")).to_owned();
    }
    panic!("{path} has no end");
}

/// Sorts the items by the value at the pointer, null first. Equal items keep their order.
pub fn sorted(items: &[Value], pointer: &str, is_descending: bool) -> Vec<Value> {
    let value = |item: &Value| match item.pointer(pointer) {
        Some(Value::String(text)) => (1, text.clone(), 0),
        Some(Value::Number(number)) => (1, String::new(), number.as_i64().unwrap()),
        _ => (0, String::new(), 0),
    };
    let mut items = items.to_vec();
    items.sort_by_key(value);
    if is_descending {
        // Equal items are reversed as well.
        items.reverse();
    }
    items
}

/// Walks a list in each order and its reverse, by pages of several sizes.
#[track_caller]
pub fn walk_every_way(caller: &Caller<'_>, noun: &str, all: &[Value], orders: &[(&str, &str)]) {
    for (sort, pointer) in orders {
        for (direction, is_descending) in [("", false), (":asc", false), (":desc", true)] {
            let expected = sorted(all, pointer, is_descending && !sort.is_empty());
            for limit in [1, 2, 3, all.len() - 1, all.len(), all.len() + 1] {
                let order = if sort.is_empty() { String::new() } else { format!("&sort={sort}{direction}") };
                let walked = walk(caller, noun, &format!("/{noun}?limit={limit}{order}"));
                assert_eq!(walked, expected, "{sort}{direction} by {limit}");
            }
        }
    }
}

/// Walks and counts a list with a filter, and checks that it has the items at `places` of `all`.
#[track_caller]
pub fn filter(caller: &Caller<'_>, noun: &str, all: &[Value], query: &str, places: &[usize]) {
    let chosen: Vec<Value> = places.iter().map(|place| all[*place].clone()).collect();
    assert_eq!(walk(caller, noun, &format!("/{noun}?limit=2&{query}")), chosen, "{query}");
    let counted = caller.get(&format!("/{noun}?limit=1&with_count&{query}")).expect(200);
    assert_eq!(counted["count"], places.len(), "{query}");
}

fn seed_actions<'a>(api: &'a Api) -> (Caller<'a>, Vec<Value>) {
    let alice = api.project();
    for (action, mode, name) in [
        ("backup", "fs", "b"),
        ("backup", "fs", "a"),
        ("restore", "nova", ""),
        ("backup", "nova", "b"),
        ("exec", "", ""),
        ("backup", "", "ä"),
        ("restore", "fs", "B"),
        ("backup", "fs", "b"),
    ] {
        let mut body = json!({"action": action});
        for (key, value) in [("mode", mode), ("backup_name", name)] {
            if !value.is_empty() {
                body[key] = value.into();
            }
        }
        alice.create("actions", json!({"freezer_action": body}));
    }
    let all = alice.list("actions");
    // An action of another project must not be listed.
    api.project().create("actions", json!({"freezer_action": {"action": "backup", "mode": "fs"}}));
    (alice, all)
}

fn actions_are_walked_in_every_order(api: &Api) {
    let (alice, all) = seed_actions(api);
    let orders = [
        ("", "/_"),
        ("created_at", "/_"),
        ("action", "/freezer_action/action"),
        ("mode", "/freezer_action/mode"),
        ("backup_name", "/freezer_action/backup_name"),
    ];
    walk_every_way(&alice, "actions", &all, &orders);
}

fn actions_are_filtered(api: &Api) {
    let (alice, all) = seed_actions(api);
    let id = |place: usize| all[place]["action_id"].as_str().unwrap();
    for (query, places) in [
        ("action=backup", vec![0, 1, 3, 5, 7]),
        ("action=neq:backup", vec![2, 4, 6]),
        ("action=in:restore,exec", vec![2, 4, 6]),
        ("action=nin:restore,exec", vec![0, 1, 3, 5, 7]),
        ("mode=", vec![4, 5]),
        ("mode=in:fs,", vec![0, 1, 4, 5, 6, 7]),
        ("mode=neq:fs", vec![2, 3, 4, 5]),
        ("mode=nin:,fs", vec![2, 3]),
        ("mode=neq:", vec![0, 1, 2, 3, 6, 7]),
        ("backup_name=b", vec![0, 3, 7]),
        ("backup_name=b%20", vec![]),
        ("backup_name=neq:b%20&mode=fs", vec![0, 1, 6, 7]),
        ("backup_name=%C3%A4", vec![5]),
        ("backup_name=in:%22b%22,a", vec![0, 1, 3, 7]),
        ("action=backup&mode=fs&backup_name=neq:a", vec![0, 7]),
        (&format!("action_id=in:{},{},unknown", id(2), id(5)), vec![2, 5]),
        (&format!("action_id=nin:{},{},unknown", id(2), id(5)), vec![0, 1, 3, 4, 6, 7]),
        ("created_at=gt:2020-01-01&created_at=lt:2100-01-01T00:00:00Z", (0..8).collect()),
        ("created_at=lte:1600000000", vec![]),
    ] {
        filter(&alice, "actions", &all, query, &places);
    }
    let few = alice.get("/actions?fields=action_id,freezer_action.mode&limit=1").expect(200);
    assert_eq!(few["actions"], json!([{"action_id": id(0), "freezer_action": {"mode": "fs"}}]));
}

fn an_invalid_query_is_refused(api: &Api) {
    let (alice, all) = seed_actions(api);
    let (bob, hers) = (api.project(), all[0]["action_id"].as_str().unwrap());
    bob.get(&format!("/actions?marker={hers}")).expect(400);
    for query in [
        "sort=user_id",
        "sort=action:up",
        "sort=action,mode",
        "marker=unknown",
        "marker=%20",
        "with_count=perhaps",
        "fields=,",
        "mode=in:%22a",
        "action=gt:backup",
        "created_at=yesterday",
        "action_id=in:%22a",
        "action_id=a%20b",
        &format!("marker={hers}&offset=3"),
        &format!("action_id=in:{}", vec!["a"; 101].join(",")),
    ] {
        let answer = alice.get(&format!("/actions?{query}")).expect(400);
        assert_eq!(answer["title"], "Invalid parameter", "{query}");
    }
    // An order by a nullable column does not support offsets.
    alice.get("/actions?sort=mode&offset=1").expect(400);
    alice.get("/actions?sort=action&offset=1").expect(200);
}
