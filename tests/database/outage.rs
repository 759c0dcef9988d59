//! Requests while the database is away.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use freezer_api::store::engine::url::DatabaseUrl;
use freezer_api::store::{Settings, Store, actions};

use crate::proxy::Proxy;
use crate::server::Front;
use crate::{servers, sqlite};

/// Upper bound for an answer that must not wait for the database.
const SOON: Duration = Duration::from_secs(10);

/// A store whose requests wait longer for a connection than any test takes.
fn patient(url: &str) -> Store {
    let settings =
        Settings { max_connections: 4, pool_timeout: Duration::from_secs(600), ..Settings::default() };
    Store::with_settings(DatabaseUrl::parse(url).unwrap(), &settings)
}

/// Sends requests until the database is in use again.
fn until_found(front: &Front) {
    let until = Instant::now() + SOON;
    while front.get("/data") != 204 {
        assert!(Instant::now() < until, "the database is back, and requests still fail");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn requests_fail_at_once_while_the_database_is_away_and_succeed_soon_after() {
    for server in servers() {
        let mut proxy = Proxy::closed(&server);
        let front = Front::on(patient(&proxy.url(&server)));
        for _ in 0..2 {
            let begun = Instant::now();
            assert_eq!(front.get_at_once(40, "/data"), [503; 40]);
            assert!(begun.elapsed() < SOON);
            proxy.open();
            until_found(&front);
            assert_eq!(front.get_at_once(40, "/data"), [204; 40]);
            // This time the pool has connections when the database goes away.
            proxy.close();
        }
    }
}

#[test]
fn a_hanging_database_delays_no_other_request() {
    for server in servers() {
        // It accepts connections, as the kernel does for a suspended process, and never answers.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut url = url::Url::parse(&server).unwrap();
        url.set_port(Some(silent.local_addr().unwrap().port())).unwrap();
        let front = Front::on(patient(url.as_str()));
        let begun = Instant::now();
        std::thread::scope(|scope| {
            let waiting: Vec<_> = (0..10).map(|_| scope.spawn(|| front.get("/data"))).collect();
            assert_eq!(front.get_at_once(20, "/healthcheck"), [204; 20]);
            for one in waiting {
                assert_eq!(one.join().unwrap(), 503);
            }
        });
        assert!(begun.elapsed() < SOON);
    }
}

#[test]
fn a_request_that_waits_for_a_connection_holds_no_worker() {
    let directory = tempfile::tempdir().unwrap();
    let settings =
        Settings { max_connections: 1, pool_timeout: Duration::from_secs(600), ..Settings::default() };
    let store = Store::with_settings(sqlite(&directory), &settings);
    let front = Front::on(store.clone());
    let (held, done) = (AtomicBool::new(false), Arc::new(AtomicBool::new(false)));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            store.read(|_| {
                held.store(true, Ordering::SeqCst);
                while !done.load(Ordering::SeqCst) {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Ok(())
            })
        });
        while !held.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let waiting: Vec<_> = (0..10).map(|_| scope.spawn(|| front.get("/data"))).collect();
        // More requests than connections: if a waiting request kept its connection, these would wait too.
        for _ in 0..5 {
            assert_eq!(front.get_at_once(10, "/healthcheck"), [204; 10]);
        }
        assert!(waiting.iter().all(|one| !one.is_finished()));
        done.store(true, Ordering::SeqCst);
        for one in waiting {
            assert_eq!(one.join().unwrap(), 204);
        }
    });
}

#[test]
fn an_uncommitted_transaction_is_repeated_on_another_connection() {
    for server in servers() {
        let mut proxy = Proxy::closed(&server);
        proxy.open();
        let store = Store::new(DatabaseUrl::parse(&proxy.url(&server)).unwrap(), 1);
        let mut runs = 0;
        let outcome = store.write(|tx| {
            runs += 1;
            if runs == 1 {
                proxy.close();
                proxy.open();
            }
            actions::find(tx, "p", "a") // the table may be missing, which is not retried
        });
        assert_eq!(runs, 2, "{:?}", outcome.err());
    }
}

#[test]
fn an_unknown_outcome_of_an_insert_is_reported() {
    for server in servers() {
        let mut proxy = Proxy::closed(&server);
        proxy.open();
        let store = Store::new(DatabaseUrl::parse(&proxy.url(&server)).unwrap(), 1);
        // The connection is lost while the statement is under way, and the database is down for the check afterwards.
        let outcome = store.compare_and_set(
            |_| Ok(Some((1, ()))),
            |tx, ()| {
                proxy.close();
                actions::find(tx, "p", "a")
            },
        );
        let error = outcome.unwrap_err();
        assert_eq!(error.status(), 503);
        assert!(error.to_string().contains("look whether it is made"), "{error}");

        proxy.open();
        // Another store, which has not noticed the outage.
        let store = Store::new(DatabaseUrl::parse(&proxy.url(&server)).unwrap(), 1);
        let written = store.write_statement(|tx| {
            proxy.close();
            actions::find(tx, "p", "a")
        });
        let error = written.unwrap_err();
        assert_eq!(error.status(), 503);
        assert!(error.to_string().contains("look whether it is made"), "{error}");

        // A request that has sent no statement has changed nothing.
        let error = store.compare_and_set(|_| Ok(Some((1, ()))), |_, ()| Ok(())).unwrap_err();
        assert!(error.to_string().contains("cannot be reached"), "{error}");
    }
}

#[test]
fn a_transaction_that_may_be_committed_is_not_repeated() {
    for server in servers() {
        let mut proxy = Proxy::closed(&server);
        proxy.open();
        let store = Store::new(DatabaseUrl::parse(&proxy.url(&server)).unwrap(), 1);
        let mut runs = 0;
        let error = store
            .write(|_| {
                runs += 1;
                proxy.close();
                proxy.open();
                Ok(())
            })
            .unwrap_err();
        assert_eq!((runs, error.status()), (1, 503));
        assert!(error.to_string().contains("look whether it is made"), "{error}");
    }
}
