//! Whatever a client sends: an answer, never a 5xx (which every answer is checked for), and no change by what was
//! refused.

use serde_json::{Value, json};

use crate::api::{Api, Caller};
use crate::documents::{action, backup, client, job, session};
use crate::routes::Case;

on_every_backend! {
    what_is_no_json_object_is_refused_by_every_route,
    what_is_too_large_is_refused_by_every_route,
    what_is_as_large_as_can_be_is_kept,
    what_is_as_deep_as_can_be_is_kept,
    a_key_may_be_as_long_as_a_body,
    a_search_has_an_end,
    a_job_does_not_grow_without_end_by_its_defaults,
    a_document_does_not_grow_without_end,
    a_path_may_hold_anything,
    a_query_may_hold_anything,
    a_client_with_any_value_anywhere,
    an_action_with_any_value_anywhere,
    a_job_with_any_value_anywhere,
    a_session_with_any_value_anywhere,
    a_session_action_with_any_value_anywhere,
    a_backup_with_any_value_anywhere,
    a_search_with_any_value_anywhere,
}

const LIMIT: usize = 114_688;

const NOUNS: [&str; 4] = ["actions", "jobs", "sessions", "backups"];

/// JSON texts that stand for what is wrong in one way or another.
const VALUES: &[&str] = &[
    "null",
    "0",
    "-1",
    "1.5",
    "1e308",
    "1e999",
    "2147483648",
    "9223372036854775807",
    "18446744073709551616",
    "\"\"",
    "\"x\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\u{1f980}\"",
    "\"a\\nb\"",
    "[]",
    "[null]",
    "{}",
    "{\"a\":{\"b\":null}}",
];

fn what_is_no_json_object_is_refused_by_every_route(api: &Api) {
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
    // What takes no body does not mind one.
    for case in Case::all(&alice).iter().filter(|case| case.body.is_none() && !is_list(case)) {
        alice.send(case.method, &case.path, Some(b"{")).expect(case.success);
    }
}

fn what_is_too_large_is_refused_by_every_route(api: &Api) {
    let alice = api.project();
    let cases = Case::all(&alice);
    let before = state(&alice);
    for case in &cases {
        let body = case.body.clone().unwrap_or_else(|| json!({})).to_string();
        for size in [LIMIT + 1, 3_000_000] {
            let padded = format!("{body}{}", " ".repeat(size - body.len()));
            alice.send(case.method, &case.path, Some(padded.as_bytes())).expect(413);
        }
    }
    assert_eq!(state(&alice), before);
}

fn what_is_as_large_as_can_be_is_kept(api: &Api) {
    let alice = api.project();
    for filling in ["x", "\u{1f980}", "\\\\", "\\n", "\\u0001", "'"] {
        let (head, tail) = ("{\"freezer_action\":{\"action\":\"exec\",\"text\":\"", "\"}}");
        let room = (LIMIT - head.len() - tail.len()) / filling.len();
        let body = format!("{head}{}{tail}", filling.repeat(room));
        let body = format!("{body}{}", " ".repeat(LIMIT - body.len()));
        let id = alice.send("POST", "/actions", Some(body.as_bytes())).expect(201);
        let sent: Value = serde_json::from_str(&body).unwrap();
        let document = alice.show("actions", id["action_id"].as_str().unwrap());
        assert!(document["freezer_action"]["text"] == sent["freezer_action"]["text"], "{filling:?}");

        let (head, tail) =
            ("{\"backup_name\":\"b\",\"hostname\":\"h\",\"container\":\"c\",\"text\":\"", "\"}");
        let room = (LIMIT - head.len() - tail.len()) / filling.len();
        let body = format!("{head}{}{tail}", filling.repeat(room));
        let id = alice.send("POST", "/backups", Some(body.as_bytes())).expect(201);
        let sent: Value = serde_json::from_str(&body).unwrap();
        assert!(
            alice.show("backups", id["backup_id"].as_str().unwrap())["backup_metadata"] == sent,
            "{filling:?}"
        );
    }
    assert_eq!(alice.list("actions").len(), 6);
}

fn what_is_as_deep_as_can_be_is_kept(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let nested = |levels: usize| {
        (0..levels)
            .fold(json!("deep"), |inner, n| if n % 2 == 0 { json!([inner]) } else { json!({"a": inner}) })
    };
    // The body has 24 levels in all.
    let mut kept = backup("etc");
    kept["deep"] = nested(23);
    let id = alice.create("backups", kept.clone());
    assert_eq!(alice.show("backups", &id)["backup_metadata"], kept);
    kept["deep"] = nested(24);
    alice.post("/backups", kept).expect(400);

    let mut kept = action();
    kept["freezer_action"]["deep"] = nested(22);
    let id = alice.create("actions", kept.clone());
    assert_eq!(alice.show("actions", &id)["freezer_action"]["deep"], kept["freezer_action"]["deep"]);
    assert_eq!(alice.found("actions", json!({"match": [{"_all": "deep"}]})).len(), 1);

    let mut kept = job("a");
    kept["job_actions"][0]["freezer_action"]["deep"] = nested(20);
    let id = alice.create("jobs", kept.clone());
    let shown = alice.show("jobs", &id)["job_actions"][0]["freezer_action"]["deep"].clone();
    assert_eq!(shown, kept["job_actions"][0]["freezer_action"]["deep"]);

    // A deep merge cannot add up to more.
    let id = alice.create("sessions", session());
    let path = format!("/sessions/{id}");
    alice.patch(&path, json!({"deep": nested(23)})).expect(200);
    assert_eq!(alice.show("sessions", &id)["deep"], nested(23));
}

fn a_key_may_be_as_long_as_a_body(api: &Api) {
    let alice = api.project();
    for length in [1000, 65_535, 65_536, 100_000] {
        let key = "k".repeat(length);
        let mut body = action();
        body["freezer_action"][&key] = json!(1);
        let answer = alice.post("/actions", body);
        if answer.status == 201 {
            let id = answer.json()["action_id"].as_str().unwrap().to_owned();
            assert_eq!(alice.show("actions", &id)["freezer_action"][&key], 1);
        } else {
            answer.expect(400);
        }
        alice.search("/actions", json!({"match": [{key: 1}]}));
    }
}

fn a_search_has_an_end(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    alice.create("sessions", session());
    alice.create("backups", backup("etc"));
    for (noun, key) in [
        ("clients", "client_id"),
        ("clients", "uuid"),
        ("actions", "action"),
        ("jobs", "job_id"),
        ("jobs", "client_id"),
        ("jobs", "status"),
        ("sessions", "status"),
        ("backups", "hostname"),
        ("backups", "any"),
    ] {
        for condition in ["match", "match_not"] {
            for (count, status) in [(100, 200), (101, 400), (2000, 400)] {
                let many: Vec<Value> = (0..count).map(|n| json!({key: format!("{id}{n}")})).collect();
                alice.search(&format!("/{noun}"), json!({condition: many})).expect(status);
                let text = json!({"match": [{"_all": Value::from(many).to_string()}]});
                alice.search(&format!("/{noun}"), text).expect(status);
            }
        }
    }
    for condition in ["match", "match_not"] {
        for (count, status) in [(100, 200), (101, 400), (50_000, 400)] {
            alice.search("/jobs", json!({condition: [{"_all": "x ".repeat(count)}]})).expect(status);
        }
    }
}

fn a_job_does_not_grow_without_end_by_its_defaults(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let entries = vec![json!({"freezer_action": {}}); 1000];
    let body = json!({
        "client_id": "a", "job_actions": entries, "action_defaults": {"action": "exec", "text": "x".repeat(60_000)},
    });
    alice.post("/jobs", body).expect(400);
    assert!(alice.list("actions").is_empty());
}

fn a_document_does_not_grow_without_end(api: &Api) {
    let alice = api.project();
    let action = alice.create("actions", action());
    let session = alice.create("sessions", session());
    let backup = alice.create("backups", backup("etc"));
    let text = "x".repeat(100_000);
    let (mut taken, mut refused) = ([0; 3], [0; 3]);
    for n in 0..8 {
        let key = format!("key-{n}");
        let answers = [
            alice.patch(&format!("/actions/{action}"), json!({"freezer_action": {&key: text}})),
            alice.patch(&format!("/sessions/{session}"), json!({&key: text})),
            alice.patch(&format!("/backups/{backup}"), json!({"backup_metadata": {&key: text}})),
        ];
        for (index, answer) in answers.iter().enumerate() {
            match answer.status {
                200 => taken[index] += 1,
                _ => {
                    answer.expect(400);
                    refused[index] += 1;
                }
            }
        }
    }
    // Half a megabyte.
    assert_eq!((taken, refused), ([5; 3], [3; 3]));
}

fn a_path_may_hold_anything(api: &Api) {
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
    // Jobs leave their actions behind.
    let count = || -> Vec<usize> { NOUNS[1..].iter().map(|noun| alice.list(noun).len()).collect() };
    let before = count();
    for case in cases {
        let pieces: Vec<&str> = case.path.split('/').collect();
        for (index, piece) in pieces.iter().enumerate().filter(|(_, piece)| !piece.is_empty()) {
            // The names of the nouns are not the point; ids are.
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

fn a_query_may_hold_anything(api: &Api) {
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

fn a_client_with_any_value_anywhere(api: &Api) {
    let alice = api.project();
    let mut body = client("a");
    let lists = json!({
        "uuid": "", "config_id": "c", "is_central": false, "supported_actions": ["backup"], "supported_modes": ["fs"],
        "supported_storages": ["local"], "supported_engines": ["tar"],
    });
    body.as_object_mut().unwrap().extend(lists.as_object().unwrap().clone());
    try_all(&alice, &[("POST", "/clients")], &body);
}

fn an_action_with_any_value_anywhere(api: &Api) {
    let alice = api.project();
    let id = alice.create("actions", action());
    let mut body = action();
    body["action_id"] = json!("");
    body["user_id"] = json!("u");
    body["freezer_action"]["restore_abs_path"] = json!("/r");
    body["freezer_action"]["log_file"] = json!("/l");
    body["freezer_action"]["timeout"] = json!(5);
    body["freezer_action"]["priority"] = json!(5);
    body["freezer_action"]["mandatory"] = json!(false);
    body["freezer_action"]["cindernative_freezer_only"] = json!(true);
    body["freezer_action"]["nested"] = json!({"a": [1]});
    let path = format!("/actions/{id}");
    try_all(&alice, &[("POST", "/actions"), ("PATCH", &path), ("POST", &path)], &body);
}

fn a_job_with_any_value_anywhere(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    let session = alice.create("sessions", session());
    let mut body = job("a");
    body["job_schedule"] = whole_schedule();
    body["job_id"] = json!("");
    body["session_id"] = json!(session);
    body["session_tag"] = json!(0);
    body["session_name"] = json!("n");
    body["user_id"] = json!("u");
    body["project_id"] = json!("p");
    body["_version"] = json!(3);
    body["user_credentials"] = json!({"trust_id": "t", "trustor_user_id": "u"});
    body["action_defaults"] = json!({"mode": "fs", "more": {"a": 1}});
    body["job_actions"][0]["action_id"] = json!("");
    let path = format!("/jobs/{id}");
    try_all(&alice, &[("POST", "/jobs"), ("PATCH", &path), ("POST", &path)], &body);
    let event = format!("{path}/event");
    try_all(&alice, &[("POST", &event)], &json!({"start": null}));
}

fn a_session_with_any_value_anywhere(api: &Api) {
    let alice = api.project();
    let id = alice.create("sessions", session());
    let mut body = session();
    body["schedule"] = whole_schedule();
    let more = json!({
        "session_id": "s", "session_tag": 2, "hold_off": 5, "policy": "any", "status": "active", "result": "success",
        "time_start": 1, "time_end": 2, "time_started": 3, "time_ended": 4, "jobs": {"j": {}}, "last_start": "",
        "user_id": "u", "project_id": "p", "_version": 3, "more": {"a": [1]},
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let path = format!("/sessions/{id}");
    try_all(&alice, &[("POST", "/sessions"), ("PATCH", &path), ("POST", &path)], &body);
}

fn a_session_action_with_any_value_anywhere(api: &Api) {
    let alice = api.project();
    let id = alice.create("sessions", session());
    let job = alice.job_on("a");
    alice.put(&format!("/sessions/{id}/jobs/{job}")).expect(204);
    let path = format!("/sessions/{id}/action");
    try_all(&alice, &[("POST", &path)], &json!({"start": {"job_id": job, "current_tag": 0, "more": 1}}));
    try_all(
        &alice,
        &[("POST", &path)],
        &json!({"end": {"job_id": job, "current_tag": 0, "result": "fail"}, "more": 1}),
    );
}

fn a_backup_with_any_value_anywhere(api: &Api) {
    let alice = api.project();
    let id = alice.create("backups", backup("etc"));
    let mut body = backup("etc");
    body["status"] = json!("available");
    body["job_id"] = json!("j");
    body["more"] = json!({"a": [1]});
    let path = format!("/backups/{id}");
    try_all(&alice, &[("POST", "/backups"), ("PATCH", &path)], &body);
    let nested = json!({"status": "error", "backup_metadata": backup("etc"), "more": 1});
    try_all(&alice, &[("PATCH", &path)], &nested);
}

fn a_search_with_any_value_anywhere(api: &Api) {
    let alice = api.project();
    let id = alice.job_on("a");
    alice.create("sessions", session());
    alice.create("backups", backup("etc"));
    let search = json!({
        "match": [
            {"_all": "x"}, {"client_id": "a", "job_id": id}, {"status": ""}, {"session_id": ""}, {"action_id": "a"},
            {"backup_name": "b"}, {"job_schedule.event": "start"}, {"uuid": "u"}, {"any": {"a": [1]}},
        ],
        "match_not": [{"_all": "y"}, {"result": "fail"}, {"client_id": "b"}, {"session_id": "s"}, {"mode": "fs"}],
        "time_after": 1, "time_before": 2,
    });
    for noun in ["clients", "actions", "jobs", "sessions", "backups"] {
        try_all(&alice, &[("GET", &format!("/{noun}"))], &search);
    }
}

/// Sends the body with every value in it replaced by each of [`VALUES`] and left out, to each of the routes. Then what
/// was refused once more, which must change nothing; and at last everything that was taken must be readable.
fn try_all(caller: &Caller<'_>, routes: &[(&str, &str)], body: &Value) {
    let mut refused: Vec<(&str, &str, String)> = Vec::new();
    for mutation in mutations(body) {
        for (method, path) in routes {
            let answer = caller.send(method, path, Some(mutation.as_bytes()));
            let impossible = ["\\u0000", "\\ud800", "1e999"].iter().any(|text| mutation.contains(text));
            assert!(!impossible || answer.status == 400, "{answer}");
            if answer.status >= 400 && *method != "GET" {
                refused.push((method, path, mutation.clone()));
            }
        }
    }
    let before = state(caller);
    for (method, path, mutation) in &refused {
        let answer = caller.send(method, path, Some(mutation.as_bytes()));
        assert!(answer.status >= 400, "{answer}");
    }
    assert_eq!(state(caller), before);
}

/// The texts of a body with every value in it replaced, and left out.
fn mutations(body: &Value) -> Vec<String> {
    const HERE: &str = "\"@here@\"";
    let mut texts = Vec::new();
    for pointer in pointers(body, String::new()) {
        let mut whole = body.clone();
        *whole.pointer_mut(&pointer).unwrap() = json!("@here@");
        let text = whole.to_string();
        assert_eq!(text.matches(HERE).count(), 1);
        texts.extend(VALUES.iter().map(|value| text.replace(HERE, value)));
        texts.push(text.replace(HERE, &json!("x".repeat(20_000)).to_string()));
        let (parent, key) = pointer.rsplit_once('/').unwrap_or_default();
        if let Some(Value::Object(object)) = body.clone().pointer_mut(parent)
            && !pointer.is_empty()
        {
            let mut whole = body.clone();
            object.remove(key);
            *whole.pointer_mut(parent).unwrap() = Value::Object(object.clone());
            texts.push(whole.to_string());
        }
    }
    texts
}

/// Every place in a document.
fn pointers(value: &Value, here: String) -> Vec<String> {
    let mut all = Vec::new();
    match value {
        Value::Object(object) => {
            for (key, inner) in object {
                all.extend(pointers(inner, format!("{here}/{key}")));
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                all.extend(pointers(inner, format!("{here}/{index}")));
            }
        }
        _ => {}
    }
    all.push(here);
    all
}

fn whole_schedule() -> Value {
    json!({
        "time_created": 1, "time_started": 2, "time_ended": 3, "event": "stop", "status": "stop", "result": "fail",
        "schedule_date": "2026-01-02T03:04:05", "schedule_start_date": "2026-01-02T03:04:05",
        "schedule_end_date": "2026-01-02T03:04:05", "schedule_interval": "1 days", "schedule_year": "2026",
        "schedule_hour": "1", "current_pid": 1,
    })
}

/// Everything the project has, versions included.
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
