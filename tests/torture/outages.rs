//! Databases that hang, and databases that take no writes, in the middle of a write load.

use std::io::Write;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use freezer_api::store::engine::manager::establish;
use freezer_api::store::engine::url::DatabaseUrl;

use crate::daemon::Daemon;
use crate::http::Line;
use crate::load::Load;
use crate::servers::{Kind, Server};
use crate::{say, soundness};

/// A request that does not hang is answered within this time.
const BOUND: Duration = Duration::from_secs(10);
/// How long the database hangs: long enough to tell the requests that wait for it from those that do not.
const HUNG: Duration = Duration::from_secs(15);
/// Upper bound on the recovery afterwards.
const RECOVERY: Duration = Duration::from_secs(10);
/// The daemon's default pool size: a request on one of these connections hangs with the database.
const POOL: usize = 15;

#[test]
fn mariadb_hangs() {
    only_those_on_its_connections_hang_with_it("MariaDB", Kind::MariaDb);
}

#[test]
fn postgresql_hangs() {
    only_those_on_its_connections_hang_with_it("PostgreSQL", Kind::PostgreSql);
}

fn only_those_on_its_connections_hang_with_it(name: &str, kind: Kind) {
    const READERS: usize = 40;
    let server = Server::start(kind);
    let daemon = Daemon::start(&server.url());
    let mut load = Load::new(daemon.port);
    let mut line = load.line();
    let (port, mut hung, mut recovery) = (daemon.port, 0, Duration::ZERO);
    load.during(|| {
        std::thread::sleep(Duration::from_secs(1));
        server.hang();
        let begun = Instant::now();
        std::thread::scope(|scope| {
            let read = || Line::new(port, "p").send("GET", "/jobs?limit=1", None);
            let readers: Vec<_> = (0..READERS).map(|_| scope.spawn(read)).collect();
            while begun.elapsed() < HUNG {
                // Requests that need no database are answered, and so is the health check.
                for (path, status) in [("/", 300), ("/healthcheck", 503)] {
                    let answer = line.raw("GET", path, None);
                    assert!(answer.took < Duration::from_secs(5), "{path}: {answer:?}");
                    assert!(answer.status == Some(status) || begun.elapsed() < BOUND, "{path}: {answer:?}");
                }
                std::thread::sleep(Duration::from_millis(200));
            }
            server.go_on();
            let back = Instant::now();
            for reader in readers {
                let answer = reader.join().unwrap();
                if answer.took < BOUND {
                    assert_eq!(
                        (answer.status, answer.retry_after.is_some()),
                        (Some(503), true),
                        "{answer:?}"
                    );
                } else {
                    hung += 1;
                }
            }
            while !line.send("GET", "/jobs?limit=1", None).is_done() {
                assert!(back.elapsed() < RECOVERY, "the database is back, and requests still fail");
                std::thread::sleep(Duration::from_millis(10));
            }
            recovery = back.elapsed();
        });
        std::thread::sleep(Duration::from_secs(1));
    });
    load.verify();
    soundness::check(&server.url());
    let told = load.told();
    say(format_args!(
        "database hung for {HUNG:?}, {name}: {hung} of {READERS} readers hung with it, the others heard within \
         {BOUND:?}; {} writes acknowledged, {} lost; recovered within {recovery:?}",
        told.acknowledged,
        told.lost.len(),
    ));
    assert!(hung <= POOL, "{hung}");
    sound(&told);
}

#[test]
fn mariadb_is_read_only_for_a_while() {
    let server = Server::start(Kind::MariaDb);
    let daemon = Daemon::start(&server.url());
    let mut load = Load::new(daemon.port);
    let mut line = load.line();
    let mut admin = establish(&DatabaseUrl::parse(&server.admin_url()).unwrap()).unwrap();
    load.during(|| {
        std::thread::sleep(Duration::from_secs(1));
        admin.batch_execute("SET GLOBAL read_only = 1").unwrap();
        std::thread::sleep(Duration::from_secs(1));
        line.send("GET", "/jobs?limit=1", None).expect(200);
        admin.batch_execute("SET GLOBAL read_only = 0").unwrap();
        std::thread::sleep(Duration::from_secs(1));
    });
    load.verify();
    soundness::check(&server.url());
    let told = load.told();
    say(format_args!(
        "database read-only for a second, MariaDB: {} writes refused, {} acknowledged, {} lost",
        told.unavailable,
        told.acknowledged,
        told.lost.len()
    ));
    assert!(told.unavailable > 0);
    sound(&told);
}

/// On a file system of its own, which only the daemon sees, and which is gone with it.
#[test]
fn the_disk_of_sqlite_is_full_for_a_while() {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().to_str().unwrap();
    let mount = format!("mount -t tmpfs -o size=32m tmpfs {directory} && exec \"$0\" \"$@\"");
    // Without root, in a user namespace, where the system allows that.
    let unshare: &[&str] = match crate::servers::other_user() {
        Some(_) => &["unshare", "--mount"],
        None => &["unshare", "--user", "--map-root-user", "--mount"],
    };
    let by: Vec<&str> = unshare.iter().chain(&["sh", "-c", &mount]).copied().collect();
    let mut daemon = Daemon::new(&format!("{directory}/f.sqlite")).by(&by);
    daemon.restart();
    let inside = format!("/proc/{}/root{directory}", daemon.id());
    let mut load = Load::new(daemon.port);
    let mut line = load.line();
    let mut refused = 0;
    for _ in 0..3 {
        load.during(|| {
            std::thread::sleep(Duration::from_millis(700));
            let filler = format!("{inside}/filler");
            // Another program fills the disk, and takes the space, too, that the service frees by merging its log.
            let mut filler_file = std::fs::File::create(&filler).unwrap();
            let mut fill = || {
                let _ = filler_file.write_all(&vec![0; 64 << 20]);
            };
            let until = Instant::now() + Duration::from_millis(1500);
            while Instant::now() < until {
                fill();
                line.send("GET", "/jobs?limit=1", None).expect(200);
                std::thread::sleep(Duration::from_millis(20));
            }
            fill();
            let register = serde_json::json!({"client_id": "late"});
            let answer = line.send("POST", "/clients", Some(&register));
            assert_eq!((answer.status, answer.retry_after.is_some()), (Some(503), true), "{answer:?}");
            let said = answer.body["description"].as_str().unwrap();
            assert!(said.contains("nearly full"), "{said}");
            drop(filler_file);
            std::fs::remove_file(&filler).unwrap();
            let back = Instant::now();
            while !line.send("POST", "/clients", Some(&register)).is_done() {
                assert!(back.elapsed() < RECOVERY, "the disk has room again, and writes still fail");
                std::thread::sleep(Duration::from_millis(10));
            }
            line.send("DELETE", "/clients/late", None).expect(204);
        });
        load.verify();
        refused = load.told().unavailable;
    }
    // No process writes any more: the file and its log belong together.
    let copy = tempfile::tempdir().unwrap();
    for name in ["f.sqlite", "f.sqlite-wal"] {
        std::fs::copy(format!("{inside}/{name}"), copy.path().join(name)).unwrap();
    }
    soundness::check(copy.path().join("f.sqlite").to_str().unwrap());
    let told = load.told();
    say(format_args!(
        "disk full 3 times, SQLite: {refused} writes refused, {} acknowledged, {} lost",
        told.acknowledged,
        told.lost.len()
    ));
    assert!(refused > 0);
    sound(&told);
}

/// Every request got the right answer, and nothing is lost.
#[track_caller]
fn sound(told: &crate::writer::Told) {
    assert!(told.lost.is_empty(), "{:#?}", told.lost);
    assert!(told.wrong.is_empty(), "{:#?}", told.wrong);
    assert_eq!(told.unanswered, 0);
}
