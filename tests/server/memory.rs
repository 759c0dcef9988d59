//! The memory that one request takes, and whether it is freed, as the system measures it.

use std::fs;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use freezer_api::document;
use freezer_api::store::engine::url::DatabaseUrl;
use freezer_api::store::job_attachments::{self, JobAttachment};
use freezer_api::store::jobs::{self, NewId, PlaceSpec};
use freezer_api::store::{Owner, Store};
use freezer_api::store::{actions, backups};
use serde_json::{Map, Value, json};

use crate::daemon::{CALLER, Daemon};

/// The most that one request may take, in KiB.
const MOST: usize = 64 * 1024;

/// The most that may stay allocated afterwards, in KiB.
const KEPT: usize = 24 * 1024;

/// Upper bound on the time until the rest is freed.
const SOON: Duration = Duration::from_secs(30);

/// An action of 11,000 keys, 105 KB.
fn many_keys() -> Value {
    let mut keys: Map<String, Value> = (0..11_000).map(|n| (format!("k{n:x}"), json!(0))).collect();
    keys.insert("action".to_owned(), json!("backup"));
    Value::Object(keys)
}

/// Adds jobs with documents of 106 MB and 32 MB, as releases without a limit accepted them, and 1000 backups of 30 KB.
fn fill(daemon: &Daemon) {
    let url = format!("sqlite:///{}", daemon.database().display());
    let store = Store::new(DatabaseUrl::parse(&url).unwrap(), 1);
    let owner = Owner::new("p", "u");
    let fill = store.write(|tx| {
        let action = document::actions::parse(json!({"action_id": "large", "freezer_action": many_keys()}))?;
        actions::insert_all(tx, &[actions::new(tx, "p", "u", "large", action.spec)])?;
        let place =
            PlaceSpec { action_id: "large".to_owned(), retries: 0, retry_interval: 0, mandatory: false };
        let client = document::clients::parse(json!({"client_id": "c1", "uuid": "c1"}))?;
        freezer_api::store::clients::register(tx, "p", "u", &client)?;
        for n in 0..7 {
            let id = format!("j{n}");
            let places = vec![place.clone(); if n == 0 { 1000 } else { 300 }];
            jobs::insert(tx, owner, NewId::Given(&id), None, Map::new().into(), &places)?;
            job_attachments::insert(tx, &JobAttachment::new(&id, owner, &id, "c1", tx.now))?;
        }
        for n in 0..1000 {
            let body =
                json!({"backup_name": "b", "hostname": "h", "container": "c", "time_stamp": 1, "text": "x".repeat(30_000)});
            let spec = document::backups::parse(body, freezer_api::store::now())?;
            backups::create(tx, ("p", "u"), &format!("b{n}"), &spec)?;
        }
        Ok(())
    });
    fill.unwrap();
}

/// The memory that the service takes for a request, the part that it does not free (both in KiB), and the answer's length.
fn measured(daemon: &Daemon, method: &str, target: &str, body: &str) -> (usize, usize, u64) {
    let before = daemon.memory();
    fs::write(format!("/proc/{}/clear_refs", daemon.child.id()), "5").unwrap();
    let length = body.len();
    let mut client = daemon.connect();
    client.0.get_ref().set_read_timeout(Some(Duration::from_secs(300))).unwrap();
    client.send(format!(
        "{method} /v2/p{target} HTTP/1.1\r\n{CALLER}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    ));
    let status = client.line();
    assert!(!status.contains(" 5"), "{target}: {status}");
    while !client.line().is_empty() {}
    let length = io::copy(&mut client.0, &mut io::sink()).unwrap();
    let peak = daemon.peak().saturating_sub(before);
    let begun = Instant::now();
    let mut kept = daemon.memory().saturating_sub(before);
    while kept > KEPT && begun.elapsed() < SOON {
        thread::sleep(Duration::from_millis(200));
        kept = daemon.memory().saturating_sub(before);
    }
    (peak, kept, length)
}

#[test]
fn one_request_takes_64_mib_at_most_and_frees_them() {
    let daemon = Daemon::start();
    fill(&daemon);
    let poll = r#"{"match": [{"client_id": "c1"}], "match_not": [{"status": "completed"}]}"#;
    let search = r#"{"match": [{"no_such_key": 1}]}"#;
    let repeated = format!("/backups?limit=1000&fields={}", "backup_metadata,".repeat(3900));
    // Half a million values, and a hundred thousand keys.
    let values = format!(r#"{{"freezer_action": {{"values": [{}0]}}}}"#, "0,".repeat(500_000));
    let keys: String = (0..100_000).map(|n| format!(r#""{n:x}":0,"#)).collect();
    let keys = format!(r#"{{"freezer_action": {{{keys}"z": 0}}}}"#);
    let escaped = format!(r#"{{"freezer_action": {{"text": "{}"}}}}"#, r"\u00e9".repeat(500_000));
    let objects = format!(r#"{{"freezer_action": {{"objects": [{}0]}}}}"#, r#"{"":0},"#.repeat(400_000));
    daemon.connect().ask(format!(
        "POST /v2/p/actions HTTP/1.1\r\n{CALLER}Content-Length: 65\r\n\r\n{:65}",
        r#"{"action_id": "small", "freezer_action": {"action": "exec"}}"#
    ));
    for (method, target, body) in [
        ("GET", "/jobs?limit=1", ""),
        ("GET", "/jobs/j0", ""),
        ("GET", "/jobs", poll),
        ("GET", "/jobs?limit=1000", search),
        ("GET", "/jobs?fields=job_id", ""),
        ("GET", &*repeated, ""),
        ("GET", "/backups?limit=1000", ""),
        ("GET", "/backups?limit=1000", search),
        ("PATCH", "/actions/small", &*values),
        ("PATCH", "/actions/small", &*keys),
        ("PATCH", "/actions/small", &*escaped),
        ("PATCH", "/actions/small", &*objects),
    ] {
        let (peak, kept, length) = measured(&daemon, method, target, body);
        let shown = &target[..target.len().min(60)];
        println!("{method} {shown} {} -> {length} bytes: peak {peak} KiB, kept {kept} KiB", body.len());
        assert!(peak <= MOST, "{method} {shown}: {peak} KiB");
        assert!(kept <= KEPT, "{method} {shown}: {kept} KiB are not freed");
    }
}
