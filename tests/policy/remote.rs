//! http checks: another service decides.

use std::time::{Duration, Instant};

use front::outbound;
use oslo_policy::Settings;
use serde_json::{Value, json};

use crate::house::House;
use crate::judge::Judge;

fn asking(judge: &Judge, path: &str) -> String {
    json!({"jobs:get_all": "rule:judged", "judged": format!("http:{}{path}", judge.place())}).to_string()
}

/// The timeout of an http check.
fn patient(timeout: Duration) -> Settings {
    let remote = outbound::Settings { timeout: Some(timeout), ..Settings::default().remote };
    Settings { remote, ..Settings::default() }
}

#[test]
fn only_the_answer_true_allows() {
    for (answer, status) in [
        ("True", 200),
        ("\"True\"", 200),
        ("\"\"True\"", 200),
        ("False", 403),
        ("true", 403),
        ("True\n", 403),
        (" True", 403),
        ("Trueish", 403),
        ("", 403),
    ] {
        let judge = Judge::new(Some(answer));
        let house = House::new(&asking(&judge, "/"));
        assert_eq!(house.get("nobody", "/own/jobs"), status, "{answer:?}");
        assert_eq!(judge.asked().len(), 1, "{answer:?}");
    }
}

#[test]
fn a_check_sends_the_rule_the_target_and_the_caller() {
    let expected = |mut credentials: Value| {
        for key in ["user_id", "project_id", "roles"] {
            assert!(!credentials[key].is_null(), "{credentials}");
        }
        credentials["roles"].take()
    };
    let judge = Judge::new(Some("True"));
    let house = House::new(&asking(&judge, "/decide/%(project_id)s?x=1"));
    assert_eq!(house.get("operator", "/other/jobs"), 200);
    let request = judge.asked().remove(0);
    assert!(request.starts_with("POST /decide/other?x=1 HTTP/1.1\r\n"), "{request}");
    assert!(
        request.to_lowercase().contains("content-type: application/x-www-form-urlencoded\r\n"),
        "{request}"
    );
    let (_, form) = request.split_once("\r\n\r\n").unwrap();
    let field = |name: &str| -> Value {
        let value = url::form_urlencoded::parse(form.as_bytes()).find(|(key, _)| key == name).unwrap().1;
        serde_json::from_str(&value).unwrap()
    };
    assert_eq!((field("rule"), field("target")), (json!("jobs:get_all"), json!({"project_id": "other"})));
    assert_eq!(expected(field("credentials")), json!(["operator"]));
    // Only a project id is interpolated into the URL.
    assert_eq!(house.get("operator", "/..%2Fother%3F/jobs"), 404);
    assert_eq!(judge.asked().len(), 1);

    let judge = Judge::new(Some("True"));
    let settings = Settings { remote_json: true, ..Settings::default() };
    let house = House::with(&asking(&judge, "/"), settings);
    assert_eq!(house.get("operator", "/other/jobs"), 200);
    let request = judge.asked().remove(0);
    assert!(request.to_lowercase().contains("content-type: application/json\r\n"), "{request}");
    let told: Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!((&told["rule"], &told["target"]), (&json!("jobs:get_all"), &json!({"project_id": "other"})));
    assert_eq!(expected(told["credentials"].clone()), json!(["operator"]));
}

#[test]
fn a_judge_who_does_not_answer_is_a_500_and_keeps_nobody_else_waiting() {
    let judge = Judge::new(None);
    let house = House::with(&asking(&judge, "/"), patient(Duration::from_secs(8)));
    std::thread::scope(|scope| {
        // More than there are workers.
        let waiting: Vec<_> = (0..6).map(|_| scope.spawn(|| house.get("admin", "/own/jobs"))).collect();
        while judge.asked().len() < 6 {
            std::thread::sleep(Duration::from_millis(5));
        }
        let started = Instant::now();
        assert_eq!(house.get("member", "/own/sessions"), 200);
        assert!(started.elapsed() < Duration::from_secs(4));
        assert!(waiting.iter().all(|request| !request.is_finished()));
        for request in waiting {
            assert_eq!(request.join().unwrap(), 500);
        }
    });
}

#[test]
fn a_judge_who_is_away_is_a_500_also_for_who_must_not_have_his_yes() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let house =
        House::new(&format!("jobs:get_all: 'not http://{gone}/'\nsessions:get_all: '@ or http://{gone}/'"));
    assert_eq!(house.get("admin", "/own/jobs"), 500);
    // The remote check is skipped where its result makes no difference.
    assert_eq!(house.get("", "/own/sessions"), 200);
}
