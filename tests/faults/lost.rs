//! The connection to the database is lost in the middle of a change that needs no COMMIT.

use serde_json::{Value, json};

use crate::daemon::Daemon;
use crate::databases::Database;
use crate::http::Line;
use crate::proxy::{Proxy, Scissors};

/// A process id whose bytes are a palindrome, because the protocols of the two servers differ in byte order.
const PID: u32 = 0x1122_2211;

#[cfg(feature = "mysql")]
#[test]
fn mysql() {
    what_was_lost_is_made_once_or_not_claimed(&Database::mysql());
}

#[cfg(feature = "postgres")]
#[test]
fn postgres() {
    what_was_lost_is_made_once_or_not_claimed(&Database::postgres());
}

fn what_was_lost_is_made_once_or_not_claimed(database: &Database) {
    let mut proxy = Proxy::closed(&database.url);
    proxy.open();
    let daemon = Daemon::start(&proxy.url(&database.url));
    let mut line = Line::new(daemon.port, "p");
    line.send("POST", "/clients", Some(&json!({"client_id": "a"}))).expect(201);
    line.send("POST", "/jobs", Some(&json!({"job_id": "j", "client_id": "a", "job_actions": []})))
        .expect(201);

    // The service makes a backup's id before the INSERT, so it can repeat the INSERT.
    for (number, cut) in [Scissors::BeforeIt, Scissors::AfterIt].into_iter().enumerate() {
        let name = format!("the backup that is cut off {number}");
        proxy.cut(cut(name.clone().into_bytes()));
        let backup = json!({"backup_name": name, "hostname": "h", "container": "c", "mode": "fs", "time_stamp": number});
        let id = line.send("POST", "/backups", Some(&backup)).expect(201)["backup_id"].clone();
        assert!(proxy.has_cut());
        let found =
            line.send("GET", "/backups", Some(&json!({"match": [{"backup_name": name}]}))).expect(200);
        let ids: Vec<&Value> =
            found["backups"].as_array().unwrap().iter().map(|found| &found["backup_id"]).collect();
        assert_eq!(ids, [&id]);
    }

    let run = json!({"job_schedule": {"current_pid": PID}});
    let stored = |line: &mut Line| {
        let job = line.send("GET", "/jobs/j", None).expect(200);
        job["job_schedule"]["current_pid"].clone()
    };
    // Nothing says whether this one was committed, and another request may have committed one by now.
    proxy.cut(Scissors::AfterIt(PID.to_be_bytes().to_vec()));
    let refused = line.send("PATCH", "/jobs/j", Some(&run));
    assert!(proxy.has_cut());
    assert!(refused.clone().expect(503).to_string().contains("look whether it is made"), "{refused:?}");
    assert_eq!(stored(&mut line), PID);
    let version = line.send("PATCH", "/jobs/j", Some(&run)).expect(200)["version"].as_i64().unwrap();

    // This statement never reached the server; the job is unchanged, and the service sends it again.
    line.send("PATCH", "/jobs/j", Some(&json!({"job_schedule": {"current_pid": 1}}))).expect(200);
    proxy.cut(Scissors::BeforeIt(PID.to_be_bytes().to_vec()));
    let made = line.send("PATCH", "/jobs/j", Some(&run)).expect(200);
    assert!(proxy.has_cut());
    assert_eq!(made["version"], version + 2);
    assert_eq!(stored(&mut line), PID);
}
