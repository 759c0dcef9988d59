//! `db sync` on several nodes at the same time, and one that fails.

use diesel::connection::SimpleConnection;
use freezer_api::store::engine::manager::establish;
use freezer_api::store::engine::migrations;
use freezer_api::store::engine::url::DatabaseUrl;

use crate::fresh::Fresh;

#[test]
fn of_concurrent_runs_one_migrates_and_the_others_do_nothing() {
    for fresh in Fresh::all() {
        let url = DatabaseUrl::parse(&fresh.url).unwrap();
        let applied: Vec<Vec<String>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| migrations::sync(&url))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
        });
        let by = applied.iter().filter(|names| !names.is_empty()).count();
        assert_eq!(by, 1, "{}: {applied:?}", fresh.backend);
        assert_eq!(migrations::refusal(&migrations::state(&url).unwrap()), None, "{}", fresh.backend);
    }
}

#[test]
fn a_failed_run_names_what_it_leaves_behind() {
    for fresh in Fresh::all() {
        let url = DatabaseUrl::parse(&fresh.url).unwrap();
        let run = |sql: &str| establish(&url).unwrap().batch_execute(sql);
        run("CREATE TABLE sessions (id INTEGER)").unwrap();
        let why = migrations::sync(&url).unwrap_err().why;
        assert!(why.contains("create_catalogue") && why.contains("sessions"), "{why}");
        // MySQL keeps the tables made before the failure; the others roll back.
        let leaves = fresh.backend == "mysql";
        assert_eq!(run("SELECT id FROM clients").is_ok(), leaves, "{}", fresh.backend);
        assert_eq!(why.contains("down.sql"), leaves, "{why}");
        run("DROP TABLE sessions").unwrap();
        if !leaves {
            migrations::sync(&url).unwrap();
        }
    }
}

#[test]
fn the_python_services_database_is_left_as_it_is() {
    for mut fresh in Fresh::all() {
        let url = DatabaseUrl::parse(&fresh.url).unwrap();
        let run = |sql: &str| establish(&url).unwrap().batch_execute(sql);
        run("CREATE TABLE alembic_version (version_num VARCHAR(32)); CREATE TABLE clients (id VARCHAR(255))")
            .unwrap();
        let before = fresh.columns();
        let whys = [migrations::state(&url).unwrap_err(), migrations::sync(&url).unwrap_err()];
        for error in whys {
            assert!(
                error.lasting && error.why.contains("Python freezer-api"),
                "{}: {error:?}",
                fresh.backend
            );
        }
        assert_eq!(fresh.columns(), before, "{}", fresh.backend);
    }
}
