//! The old service, played by a server that answers what it answered: `truth.json`.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use freezer_api::import::verify::{OldApi, OldService, View};
use front::outbound::Settings;
use serde_json::{Value, json};

use crate::fixture;
use crate::imports::Import;

/// Serves the views of a `truth.json`, each to the token that is its number; the URL. The thread ends with the process.
fn serve(truth: Value) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut target, mut token) = (String::new(), String::new());
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|bytes| bytes > 2) {
                if let Some(rest) = line.strip_prefix("GET ") {
                    target = rest.split(' ').next().unwrap().to_owned();
                }
                if let Some(value) = line.to_lowercase().strip_prefix("x-auth-token:") {
                    token = value.trim().to_owned();
                }
                line.clear();
            }
            let (status, body) = answer(&truth, &target, &token);
            let body = body.to_string();
            let head =
                format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = (&stream).write_all((head + &body).as_bytes());
        }
    });
    url
}

fn answer(truth: &Value, target: &str, token: &str) -> (&'static str, Value) {
    let Some(view) = token.parse().ok().and_then(|number: usize| truth["views"].get(number)) else {
        return ("401 Unauthorized", json!({}));
    };
    let url = url::Url::parse(&format!("http://host{target}")).unwrap();
    let number = |name: &str| -> usize {
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.parse().unwrap()).unwrap()
    };
    let steps: Vec<&str> = url.path_segments().unwrap().collect();
    let kind = match steps[0] {
        "v1" => steps[1],
        _ => {
            assert_eq!(steps[..2], ["v2", view["project_id"].as_str().unwrap()]);
            steps[2]
        }
    };
    let list = view["lists"][kind].as_array().unwrap();
    let page: Vec<&Value> = list.iter().skip(number("offset")).take(number("limit")).collect();
    ("200 OK", json!({kind: page}))
}

fn service(url: &str, lines: &str) -> OldService {
    service_of(OldApi::V2, &format!("{url}/v2/"), lines)
}

fn service_of(api: OldApi, url: &str, lines: &str) -> OldService {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tokens");
    std::fs::write(&file, lines).unwrap();
    let views = View::from_file(&file, api).unwrap();
    OldService::new(url, api, views, &Settings::default()).unwrap()
}

fn tokens(truth: &Value) -> String {
    let views = truth["views"].as_array().unwrap().iter().enumerate();
    views.map(|(number, view)| format!("{} {number}\n", view["project_id"].as_str().unwrap())).collect()
}

#[test]
fn an_import_shows_what_the_old_service_shows() {
    let import = Import::sqlite();
    let truth = fixture::truth("sql-19.0.0-sqlite");
    let service = service(&serve(truth.clone()), &tokens(&truth));
    let (summary, lines) = import.verify_with(true, Some(&service));
    assert_eq!(lines, [""; 0], "{summary}");
    assert!(summary.tables["jobs"].equal > 10, "{summary}");
    import.change("UPDATE backups SET status = 'error' WHERE id = (SELECT MIN(id) FROM backups)");
    let (summary, lines) = import.verify_with(true, Some(&service));
    assert_eq!(lines.len(), 1, "{summary}{lines:?}");
    assert!(lines[0].contains(": /status: "), "{lines:?}");
}

#[test]
fn an_import_of_version_1_shows_what_the_old_service_shows_to_each_user() {
    let import = Import::new(|| fixture::documents("es-15.0.0-v1", "elasticdump-2.4.6.data.ndjson"));
    let truth = fixture::truth("es-15.0.0-v1");
    let numbers = 0..truth["views"].as_array().unwrap().len();
    let tokens: String = numbers.map(|number| format!("{number}\n")).collect();
    let service = service_of(OldApi::V1, &serve(truth), &tokens);
    let (summary, lines) = import.verify_with(true, Some(&service));
    assert_eq!(lines, [""; 0], "{summary}");
    assert!(summary.tables["jobs"].compared > 10, "{summary}");
    import.change("DELETE FROM backups WHERE id = (SELECT MIN(id) FROM backups)");
    let (summary, lines) = import.verify_with(true, Some(&service));
    assert_eq!(summary.tables["backups"].missing, 1, "{summary}");
    assert_eq!(lines.len(), 1, "{lines:?}");
}

#[test]
fn without_the_source_nothing_but_what_the_import_changed_differs() {
    let import = Import::sqlite();
    let truth = fixture::truth("sql-19.0.0-sqlite");
    let service = service(&serve(truth.clone()), &tokens(&truth));
    let (summary, _) = import.verify_with(false, Some(&service));
    assert!(!summary.is_clean());
    assert!(summary.tables["clients"].reasons.contains_key("duplicate-client"), "{summary}");
    assert_eq!(summary.tables["backups"].different, 0, "{summary}");
}

#[test]
fn a_token_that_is_refused_is_named_and_not_shown() {
    let import = Import::sqlite();
    let service = service(&serve(json!({"views": []})), "aaaa secret-token\n");
    let mut report = freezer_api::import::verify::Report::new(None).unwrap();
    let verification = freezer_api::import::verify::Verification {
        store: &import.store(),
        source: None,
        service: Some(&service),
    };
    let why = freezer_api::import::verify::verify(verification, &mut report).unwrap_err();
    assert_eq!(
        why.to_string(),
        "The old service takes no token for GET /v2/aaaa/clients (401): it may have expired."
    );
}
