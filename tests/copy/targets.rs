//! Targets that are not empty.

use crate::database::{BACKENDS, Database};
use crate::fill::{BACKUPS, filled};
use crate::program::copy;

const CLIENT: &str =
    "INSERT INTO clients (id, project_id, user_id, client_id, uuid, supported_actions, supported_modes,
    supported_storages, supported_engines, is_central, created_at, updated_at, version) VALUES ";

#[test]
fn rows_of_others_need_into_existing_and_stay() {
    let source = filled();
    for to in BACKENDS {
        let target = Database::new(*to);
        let client = "('own', 'p', 'u', 'own', 'u', '[]', '[]', '[]', '[]', FALSE, '2026-01-02 03:04:05',
            '2026-01-02 03:04:05', 1)";
        target.run(&format!("{CLIENT}{client}"));
        let refused = copy(&source, &target, &[]);
        refused
            .refused(1, &["the target has rows that the source has not (1 in clients)", "--into-existing"]);
        assert_eq!((target.count("clients"), target.count("backups")), (1, 0), "{to:?}");
        copy(&source, &target, &["--into-existing"]).succeeded();
        assert_eq!((target.count("clients"), target.count("backups")), (3, BACKUPS), "{to:?}");
        copy(&source, &target, &["--into-existing"]).succeeded();
    }
}

#[test]
fn another_row_with_an_id_of_the_source_is_named_and_nothing_changes() {
    let source = filled();
    for to in BACKENDS {
        let target = Database::new(*to);
        copy(&source, &target, &[]).succeeded();
        target.run("DELETE FROM backups WHERE id > 'b-00100'");
        target.run("UPDATE backups SET version = 2 WHERE id IN ('b-00007', 'b-00008')");
        for options in [&[][..], &["--into-existing"]] {
            copy(&source, &target, options).refused(
                3,
                &[
                    "backups b-00007: the target has another row with this id.",
                    "backups b-00008: ",
                    "Nothing was written: 2 rows of the target have ids of the source and differ.",
                ],
            );
        }
        assert_eq!(target.count("backups"), 100, "{to:?}");
        target.run("UPDATE backups SET version = 1");
        copy(&source, &target, &[]).succeeded();
        assert_eq!(target.count("backups"), BACKUPS, "{to:?}");
    }
}

#[test]
fn a_name_that_another_row_of_the_target_has_is_named() {
    let source = filled();
    for to in BACKENDS {
        let target = Database::new(*to);
        let now = "'2026-01-02 03:04:05'";
        target.run(&format!("INSERT INTO identity_users VALUES ('other', 'admin', '$', TRUE, {now}, {now})"));
        target.run(&format!(
            "{CLIENT}('central', 'p', 'u', 'web1', 'u', '[]', '[]', '[]', '[]', TRUE, {now}, {now}, 1)"
        ));
        copy(&source, &target, &["--into-existing"]).refused(
            3,
            &[
                "collides with other of the target (uq_identity_users_name).",
                "clients c1: collides with central of the target (uq_clients_central).",
                "Nothing was written: 2 values or rows do not fit into the target.",
            ],
        );
        assert_eq!((target.count("clients"), target.count("backups")), (1, 0), "{to:?}");
    }
}
