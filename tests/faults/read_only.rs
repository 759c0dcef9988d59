//! The database takes no writes.

use std::os::unix::fs::{PermissionsExt, chown};

use serde_json::json;

use crate::daemon::Daemon;
use crate::databases::Database;
use crate::http::Line;

/// As a former primary that is a standby now: a connection from before the change could never write again.
#[cfg(feature = "postgres")]
#[test]
fn a_postgresql_that_becomes_a_standby_and_a_primary_again() {
    use diesel::connection::SimpleConnection;

    let database = Database::postgres();
    let daemon = Daemon::start(&database.url);
    let mut line = Line::new(daemon.port, "p");
    let register =
        |line: &mut Line, name: &str| line.send("POST", "/clients", Some(&json!({"client_id": name})));
    register(&mut line, "a").expect(201);
    for round in 0..2 {
        for read_only in ["on", "off"] {
            let name = database.url.rsplit('/').next().unwrap();
            let sql = format!("ALTER DATABASE {name} SET default_transaction_read_only = {read_only}");
            let mut admin = database.connect();
            admin.batch_execute("SET default_transaction_read_only = off").unwrap();
            admin.batch_execute(&sql).unwrap();
            if read_only == "on" {
                // Existing sessions keep the mode that they began with.
                let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                              WHERE datname = current_database() AND pid <> pg_backend_pid()";
                admin.batch_execute(others).unwrap();
                let refused = register(&mut line, "b");
                assert_eq!((refused.status, refused.retry_after.is_some()), (Some(503), true), "{refused:?}");
                assert_eq!(refused.body["description"], "The database takes no changes at the moment.");
                line.send("GET", "/clients/a", None).expect(200);
                assert_eq!(line.send("GET", "/clients/b", None).status, Some(404));
            } else {
                // At most one request per pooled connection is refused.
                let mut tries = (0..5).map(|_| register(&mut line, &format!("c-{round}")).status);
                assert!(
                    tries.any(|status| status == Some(201)),
                    "it takes writes again, and none is sent there"
                );
            }
        }
    }
}

#[test]
fn an_sqlite_file_without_write_permission_is_reported_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let inside = directory.path().join("inside");
    std::fs::create_dir(&inside).unwrap();
    let file = inside.join("f.sqlite");
    let daemon = Daemon::new(file.to_str().unwrap());
    daemon.sync();
    // Root may write everywhere, so the daemon runs as another user for a moment.
    let nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let is_root =
        std::fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
    let daemon = if is_root {
        chown(daemon.directory(), Some(65534), None).unwrap();
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        daemon.by(&nobody)
    } else {
        daemon
    };
    for (file_mode, directory_mode) in [(0o444, 0o755), (0o444, 0o555)] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(file_mode)).unwrap();
        std::fs::set_permissions(&inside, std::fs::Permissions::from_mode(directory_mode)).unwrap();
        let said = daemon.refusal();
        assert!(said.contains("f.sqlite"), "{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
    std::fs::set_permissions(&inside, std::fs::Permissions::from_mode(0o755)).unwrap();
}
