//! Invalid requests of every kind: each gets an answer, never a 5xx (which every answer is checked for), and a
//! refused request changes nothing.

mod forms;
mod sizes;
mod values;

use serde_json::{Value, json};

use crate::api::{Api, Caller};
use crate::routes::Case;

on_every_backend! {
    a_body_that_is_not_a_json_object_is_refused_by_every_route,
    any_path_gets_an_answer,
    any_query_gets_an_answer,
}

const NOUNS: [&str; 4] = ["actions", "jobs", "sessions", "backups"];

fn a_body_that_is_not_a_json_object_is_refused_by_every_route(api: &Api) {
    let alice = api.project();
    let (deep, deeper) = ("[".repeat(25) + &"]".repeat(25), "{\"a\":".repeat(10_000));
    let bodies: Vec<&[u8]> = vec![
        b"[]",
        b"[{}]",
        b"\"x\"",
        b"1",
        b"null",
        b"true",
        b"{",
        b"}",
        b"{]",
        b"{}{}",
        b"{} x",
        b" ",
        b"{\"a\":}",
        b"{'a': 1}",
        b"{\"a\": 1,}",
        b"{a: 1}",
        b"NaN",
        b"{\"a\": NaN}",
        b"{\"a\": 1e999}",
        b"{\"a\": 01}",
        b"\xff",
        b"{\"a\": \"\xff\"}",
        b"{\"a\": \"\xc3\"}",
        b"\xef\xbb\xbf{}",
        b"{\"a\": \"\\ud800\"}",
        b"{\"\\u0000\": 1}",
        b"\0",
        b"{\"a\": \"\n\"}",
        deep.as_bytes(),
        deeper.as_bytes(),
        b"\x1f\x8b\x08\0",
    ];
    for case in Case::all(&alice).iter().filter(|case| case.body.is_some() || is_list(case)) {
        let before = state(&alice);
        for body in &bodies {
            let refusal = alice.send(case.method, &case.path, Some(body)).expect(400);
            assert!(refusal["description"].as_str().unwrap().len() < 500);
        }
        assert_eq!(state(&alice), before, "{} {}", case.method, case.path);
    }
    // A route that takes no body ignores one.
    for case in Case::all(&alice).iter().filter(|case| case.body.is_none() && !is_list(case)) {
        alice.send(case.method, &case.path, Some(b"{")).expect(case.success);
    }
}

fn any_path_gets_an_answer(api: &Api) {
    let alice = api.project();
    let long = "x".repeat(5000);
    let parts = [
        "%00",
        "%ff",
        "%C3%A9",
        "%F0%9F%A6%80",
        "%20",
        "a%20",
        "%2F",
        "%2e%2e",
        "..",
        ".",
        "%25",
        "%",
        "%zz",
        "%0",
        "%0d%0aX:%20y",
        "'",
        "%27%20OR%201=1--",
        "%5C",
        "%22",
        "*",
        "_",
        "-",
        "+",
        "a%00b",
        "null",
        "{job_id}",
        ";",
        "a;b=c",
        "@",
        "é",
        &long,
    ];
    let cases = Case::all(&alice);
    // Deleting jobs keeps their actions, so those are not counted.
    let count = || -> Vec<usize> { NOUNS[1..].iter().map(|noun| alice.list(noun).len()).collect() };
    let before = count();
    for case in cases {
        let pieces: Vec<&str> = case.path.split('/').collect();
        for (index, piece) in pieces.iter().enumerate().filter(|(_, piece)| !piece.is_empty()) {
            // Only ids are varied, not the names of the nouns.
            if ["clients", "actions", "jobs", "sessions", "backups", "event", "action"].contains(piece) {
                continue;
            }
            for part in parts {
                let mut pieces = pieces.clone();
                pieces[index] = part;
                let answer = case.send_to(&alice, &pieces.join("/"));
                let is_id = ["_", "-", "null"].contains(&part);
                let may_be_done = is_id || case.method == "DELETE";
                assert!(answer.status >= 400 || may_be_done, "{answer}");
            }
        }
    }
    for id in ["_", "-", "null"] {
        for noun in ["actions", "jobs", "sessions"] {
            alice.delete(&format!("/{noun}/{id}")).expect(204);
        }
    }
    assert_eq!(count(), before);
}

fn any_query_gets_an_answer(api: &Api) {
    let alice = api.project();
    for query in [
        "limit=%00",
        "limit=%ff",
        "%ff=1",
        "%00",
        "a=%C3",
        "limit=1&limit=x",
        "offset=%2D1",
        "limit=%",
        "limit=+",
        "all_projects=%00",
    ] {
        alice.get(&format!("/jobs?{query}")).expect(400);
    }
    for query in [
        "",
        "=",
        "&",
        "?",
        "a",
        "a=b=c",
        "%zz=%zz",
        "+",
        "limit=x&limit=1",
        "x=é",
        "limit=%31",
        "'",
        "a[]=1",
        "#limit=x",
        "limit=+1",
        "limit=%201",
    ] {
        alice.get(&format!("/jobs?{query}")).expect(200);
    }
    let long = "x".repeat(5000);
    alice.get(&format!("/jobs?a={long}")).expect(200);
    alice.get(&format!("/jobs?limit={}", "9".repeat(5000))).expect(400);
}

/// All documents of the project, with their versions.
fn state(caller: &Caller<'_>) -> Value {
    let mut all = json!({});
    for noun in NOUNS {
        let mut items = Vec::new();
        loop {
            let page = caller.get(&format!("/{noun}?limit=1000&offset={}", items.len())).expect(200);
            let page = page[noun].as_array().unwrap().clone();
            let is_last = page.len() < 1000;
            items.extend(page);
            if is_last {
                break;
            }
        }
        all[noun] = json!(items);
    }
    let own = json!({"match": [{"project_id": caller.project}]});
    all["clients"] = caller.search("/clients?limit=1000", own).expect(200)["clients"].clone();
    all
}

fn is_list(case: &Case) -> bool {
    case.is_read() && case.path.matches('/').count() == 1
}
