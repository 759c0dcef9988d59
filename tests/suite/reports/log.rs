//! The log of a failed run: bytes, not JSON.

use serde_json::json;

use super::put_log;
use crate::api::Api;
use crate::http;

on_every_backend! {
    a_log_is_returned_unchanged,
    a_log_that_is_not_text_is_served_as_bytes,
    a_log_is_accepted_in_its_types_only,
    a_log_is_served_in_its_types_only,
    a_success_has_no_log,
    a_log_is_replaced_and_deleted,
    a_log_has_a_limit,
    logs_are_not_stored_when_turned_off,
}

fn a_log_is_returned_unchanged(api: &Api) {
    let alice = api.project();
    for text in ["", "no space left\n", "é\r\n\t\"\\ 'x' %s $1 <script>", "\u{1F4A9}", &"x\n".repeat(32_768)]
    {
        let report = alice.create_document("action-reports", json!({"result": "fail", "log": text}));
        assert_eq!(report["has_log"], true);
        let answer = alice.get(&format!("/action-reports/{}/log", report["id"].as_str().unwrap()));
        assert_eq!((answer.status, &*answer.body), (200, text.as_bytes()), "{answer}");
        assert_eq!(answer.header("Content-Type"), Some("text/plain; charset=utf-8"));
        assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"));
    }
}

fn a_log_that_is_not_text_is_served_as_bytes(api: &Api) {
    let alice = api.project();
    let id = alice.create_failed_report();
    for log in [&b"\xff\xfe\0x"[..], b"latin \xe9", &[0x1f, 0x8b, 8, 0, 255]] {
        put_log(&alice, &id, log).expect(204);
        let answer = alice.get(&format!("/action-reports/{id}/log"));
        assert_eq!((answer.status, &*answer.body), (200, log), "{answer}");
        assert_eq!(answer.header("Content-Type"), Some("application/octet-stream"));
        assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"));
    }
    // A text may contain a NUL.
    put_log(&alice, &id, b"a\0b").expect(204);
    let answer = alice.get(&format!("/action-reports/{id}/log"));
    assert_eq!(answer.header("Content-Type"), Some("text/plain; charset=utf-8"));
    assert_eq!(answer.body, b"a\0b");
}

fn a_log_is_accepted_in_its_types_only(api: &Api) {
    let alice = api.project();
    let path = format!("/action-reports/{}/log", alice.create_failed_report());
    for good in ["text/plain", "Text/Plain; charset=latin-1", "application/octet-stream", ""] {
        alice.send_with("PUT", &path, &[("Content-Type", good)], Some(b"{}")).expect(204);
    }
    for bad in ["application/json", "text/html", "application/x-www-form-urlencoded", "nonsense"] {
        let answer = alice.send_with("PUT", &path, &[("Content-Type", bad)], Some(b"not this"));
        assert_eq!(answer.expect(415)["title"], "Unsupported Media Type");
    }
    assert_eq!(alice.get(&path).body, b"{}");
}

fn a_log_is_served_in_its_types_only(api: &Api) {
    let alice = api.project();
    let id = alice.create_failed_report();
    let path = format!("/action-reports/{id}/log");
    let ask = |accept| {
        let answer = alice.send_with("GET", &path, &[("Accept", accept)], None);
        (answer.status, answer.header("Content-Type").unwrap_or_default().to_owned())
    };
    let (text, bytes) = ("text/plain; charset=utf-8".to_owned(), "application/octet-stream".to_owned());
    assert_eq!(ask("*/*"), (200, text.clone()));
    assert_eq!(ask("text/*"), (200, text.clone()));
    assert_eq!(ask("application/json, text/plain;q=0.5"), (200, text.clone()));
    assert_eq!(ask("application/octet-stream, text/plain;q=0.5"), (200, bytes.clone()));
    assert_eq!(ask("application/json"), (406, String::new()));
    put_log(&alice, &id, b"\xff").expect(204);
    assert_eq!(ask("*/*"), (200, bytes.clone()));
    assert_eq!(ask("text/plain, application/octet-stream;q=0.1"), (200, bytes));
    assert_eq!(ask("text/plain"), (406, String::new()));
    // An error is in JSON, whatever the request accepts.
    let answer = alice.send_with("GET", "/action-reports/x/log", &[("Accept", "text/plain")], None);
    answer.expect(404);
    // PUT and DELETE of a log need JSON to be acceptable, as any other request.
    assert_eq!(alice.send_with("PUT", &path, &[("Accept", "text/plain")], Some(b"x")).status, 406);
}

fn a_success_has_no_log(api: &Api) {
    let alice = api.project();
    let report = alice.create_document("action-reports", json!({"result": "success"}));
    let id = report["id"].as_str().unwrap();
    let path = format!("/action-reports/{id}/log");
    assert_eq!(alice.get(&path).expect(404)["title"], "Not Found");
    put_log(&alice, id, b"x").expect(409);
    alice.delete(&path).expect(404);
    // A failure that is corrected to a success loses its log.
    let id = alice.create_failed_report();
    let after = alice.patch(&format!("/action-reports/{id}"), json!({"result": "success"})).expect(200);
    assert_eq!((&after["result"], &after["has_log"]), (&json!("success"), &json!(false)));
    alice.get(&format!("/action-reports/{id}/log")).expect(404);
    // A success that is corrected to a failure may get one.
    alice.patch(&format!("/action-reports/{id}"), json!({"result": "fail"})).expect(200);
    put_log(&alice, &id, b"x").expect(204);
    // The log stays if one failure is corrected to another.
    let after = alice.patch(&format!("/action-reports/{id}"), json!({"result": "aborted"})).expect(200);
    assert_eq!(after["has_log"], true);
}

fn a_log_is_replaced_and_deleted(api: &Api) {
    let alice = api.project();
    let id = alice.create_failed_report();
    let (report, path) = (format!("/action-reports/{id}"), format!("/action-reports/{id}/log"));
    put_log(&alice, &id, b"longer than the one before").expect(204);
    assert_eq!(alice.get(&path).body, b"longer than the one before");
    assert_eq!(alice.get(&report).expect(200)["version"], 2);
    alice.delete(&path).expect(204);
    alice.get(&path).expect(404);
    alice.delete(&path).expect(404);
    let after = alice.get(&report).expect(200);
    assert_eq!((&after["has_log"], &after["version"]), (&json!(false), &json!(3)));
    put_log(&alice, &id, b"").expect(204);
    assert_eq!(alice.get(&report).expect(200)["has_log"], true);
    for method in ["GET", "PUT", "DELETE"] {
        alice.send(method, "/action-reports/nothing/log", None).expect(404);
        alice.send(method, "/action-reports/%C3%A9/log", None).expect(404);
    }
}

fn a_log_has_a_limit(api: &Api) {
    let alice = api.project();
    let id = alice.create_failed_report();
    put_log(&alice, &id, &[b'x'; 65_536]).expect(204);
    let refusal = put_log(&alice, &id, &[b'y'; 65_537]).expect(413);
    assert_eq!(refusal["description"], "A log can have 65536 bytes at most.");
    assert_eq!(alice.get(&format!("/action-reports/{id}/log")).body, [b'x'; 65_536]);
    let long = json!({"result": "fail", "log": "é".repeat(32_769)});
    let reports = alice.rows().reports;
    alice.post("/action-reports", long).expect(413);
    assert_eq!(alice.rows().reports, reports);
    // A log above the limit of any body is refused before it is read.
    put_log(&alice, &id, &[b'z'; 120_000]).expect(413);
}

fn logs_are_not_stored_when_turned_off(api: &Api) {
    let alice = api.project();
    let id = alice.create_failed_report();
    let none = api.node_with(|app| app.max_log_size = 0);
    let headers = [("X-User-Id", "u"), ("X-Project-Id", &*alice.project), ("X-Roles", "member")];
    let there = |method, path: &str, body: &[u8]| {
        let target = format!("/v2/{}/action-reports{path}", alice.project);
        http::send(none.address, method, &target, &headers, Some(body)).status
    };
    assert_eq!(there("PUT", &format!("/{id}/log"), b"x"), 413);
    assert_eq!(there("PUT", &format!("/{id}/log"), b""), 413);
    assert_eq!(there("POST", "", br#"{"result": "fail", "log": "x"}"#), 413);
    assert_eq!(there("POST", "", br#"{"result": "fail"}"#), 201);
    // Logs that were stored before can be read and deleted.
    assert_eq!(there("GET", &format!("/{id}/log"), b""), 200);
    assert_eq!(there("DELETE", &format!("/{id}/log"), b""), 204);
}
