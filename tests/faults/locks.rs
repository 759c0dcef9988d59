//! Another session holds a lock for good: the requests that need it use up the pool, and every request is still answered
//! in time.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use serde_json::json;

use crate::daemon::Daemon;
use crate::databases::Database;
use crate::http::{Answer, Line};

/// The size of the connection pool.
const POOL: usize = 3;
/// Upper bound for an answer: here a statement waits 5 seconds for a lock, and a request 1 second for a connection.
const BOUND: Duration = Duration::from_secs(20);

#[test]
fn sqlite() {
    who_waits_is_told_and_all_goes_on_afterwards(&Database::sqlite());
}

#[cfg(feature = "mysql")]
#[test]
fn mysql() {
    who_waits_is_told_and_all_goes_on_afterwards(&Database::mysql());
}

#[cfg(feature = "postgres")]
#[test]
fn postgres() {
    who_waits_is_told_and_all_goes_on_afterwards(&Database::postgres());
}

fn who_waits_is_told_and_all_goes_on_afterwards(database: &Database) {
    let mut daemon = Daemon::new(&database.url)
        .with("DATABASE__MAX_POOL_SIZE", &POOL.to_string())
        .with("DATABASE__MAX_OVERFLOW", "0")
        .with("DATABASE__POOL_TIMEOUT", "1")
        .with("DATABASE__DB_MAX_RETRIES", "0");
    daemon.sync();
    daemon.restart();
    let line = || Line::new(daemon.port, "p");
    line().send("POST", "/clients", Some(&json!({"client_id": "a"}))).expect(201);
    let job = json!({"job_id": "j", "client_id": "a", "job_actions": []});
    line().send("POST", "/jobs", Some(&job)).expect(201);
    let before = line().send("GET", "/jobs/j", None).expect(200);

    let mut holder = database.connect();
    holder
        .batch_execute(if database.url.contains("://") {
            "BEGIN; SELECT id FROM job_attachments WHERE id = 'j' FOR UPDATE"
        } else {
            "BEGIN IMMEDIATE"
        })
        .unwrap();
    std::thread::scope(|scope| {
        let change = |n: usize| {
            let run = json!({"job_schedule": {"current_pid": n}});
            line().send("PATCH", "/jobs/j", Some(&run))
        };
        let writers: Vec<_> = (1..=2 * POOL).map(|n| scope.spawn(move || change(n))).collect();
        // Now the waiting requests hold all connections.
        std::thread::sleep(Duration::from_secs(2));
        told_to_come_again(&line().send("GET", "/jobs/j", None));
        let health = line().raw("GET", "/healthcheck", None);
        assert_eq!(health.status, Some(503), "{health:?}");
        assert!(health.took < BOUND);
        line().raw("GET", "/", None).expect(300);
        for writer in writers {
            told_to_come_again(&writer.join().unwrap());
        }
    });
    holder.batch_execute("ROLLBACK").unwrap();

    let begun = Instant::now();
    assert_eq!(line().send("GET", "/jobs/j", None).expect(200), before, "nothing was written");
    let run = json!({"job_schedule": {"current_pid": 99}});
    line().send("PATCH", "/jobs/j", Some(&run)).expect(200);
    assert_eq!(line().raw("GET", "/healthcheck", None).status, Some(200));
    assert!(begun.elapsed() < Duration::from_secs(5), "requests succeed again at once");
}

/// A server may end a slow statement by a limit of its administrator, which the service must not report as its own fault.
#[cfg(feature = "postgres")]
#[test]
fn a_statement_that_the_server_cancels() {
    let database = Database::postgres();
    let mut daemon = Daemon::new(&database.url);
    daemon.sync();
    let name = database.url.rsplit('/').next().unwrap();
    let limit = format!("ALTER DATABASE {name} SET statement_timeout = '500ms'");
    database.connect().batch_execute(&limit).unwrap();
    daemon.restart();
    let mut line = Line::new(daemon.port, "p");
    line.send("POST", "/clients", Some(&json!({"client_id": "a"}))).expect(201);
    let mut holder = database.connect();
    holder.batch_execute("BEGIN; LOCK TABLE clients").unwrap();
    for (method, body) in [("GET", None), ("PATCH", Some(json!({"description": "d"})))] {
        let answer = line.send(method, "/clients/a", body.as_ref());
        told_to_come_again(&answer);
        assert_eq!(answer.body["description"], "The database took too long; try again later.");
    }
    holder.batch_execute("ROLLBACK").unwrap();
    assert_eq!(
        line.send("GET", "/clients/a", None).expect(200)["client"]["description"],
        serde_json::Value::Null
    );
}

/// The transaction was not committed, so the service runs it again.
#[cfg(feature = "mysql")]
#[test]
fn a_change_whose_connection_is_killed_on_mysql() {
    a_change_whose_connection_is_killed_is_made_on_another(
        &Database::mysql(),
        "SELECT CAST(id AS SIGNED) AS number FROM information_schema.processlist \
         WHERE db = DATABASE() AND info LIKE 'UPDATE%'",
        |id| format!("KILL {id}"),
    );
}

#[cfg(feature = "postgres")]
#[test]
fn a_change_whose_connection_is_killed_on_postgres() {
    a_change_whose_connection_is_killed_is_made_on_another(
        &Database::postgres(),
        "SELECT pid::bigint AS number FROM pg_stat_activity \
         WHERE datname = current_database() AND wait_event_type = 'Lock'",
        |id| format!("SELECT pg_terminate_backend({id})"),
    );
}

#[cfg(any(feature = "mysql", feature = "postgres"))]
fn a_change_whose_connection_is_killed_is_made_on_another(
    database: &Database,
    waiting: &str,
    kill: fn(i64) -> String,
) {
    use diesel::prelude::*;

    #[derive(QueryableByName)]
    struct Session {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        number: i64,
    }
    let daemon = Daemon::start(&database.url);
    let mut line = Line::new(daemon.port, "p");
    line.send("POST", "/clients", Some(&json!({"client_id": "a"}))).expect(201);
    let (mut holder, mut admin) = (database.connect(), database.connect());
    holder.batch_execute("BEGIN; SELECT id FROM clients WHERE client_id = 'a' FOR UPDATE").unwrap();
    std::thread::scope(|scope| {
        let change =
            scope.spawn(|| line.send("PATCH", "/clients/a", Some(&json!({"description": "changed"}))));
        let until = Instant::now() + BOUND;
        let session = loop {
            let found: Vec<Session> = diesel::sql_query(waiting).load(&mut admin).unwrap();
            if let Some(session) = found.first() {
                break session.number;
            }
            assert!(Instant::now() < until, "no session waits for the lock");
            std::thread::sleep(Duration::from_millis(20));
        };
        admin.batch_execute(&kill(session)).unwrap();
        holder.batch_execute("ROLLBACK").unwrap();
        change.join().unwrap().expect(200);
    });
    assert_eq!(line.send("GET", "/clients/a", None).expect(200)["client"]["description"], "changed");
}

#[track_caller]
fn told_to_come_again(answer: &Answer) {
    assert_eq!((answer.status, answer.retry_after.is_some()), (Some(503), true), "{answer:?}");
    assert_eq!(answer.body["title"], "Service Unavailable");
    assert!(answer.took < BOUND, "{answer:?}");
}
