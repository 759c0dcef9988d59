//! The migrations, on every backend that is built in: up, down and up again; the same schema everywhere; and
//! each constraint refuses what it is there to refuse. Nearly all SQL here is one text for the three backends.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod fresh;
mod newer;
mod rows;
mod sync;
mod users;

use std::collections::BTreeSet;

use fresh::Fresh;
use rows::{LISTS, OBJECTS, REFUSED};

/// `src/store/schema.rs` in the form of `Fresh::columns`.
fn model() -> BTreeSet<String> {
    let mut columns = BTreeSet::new();
    let mut table = "";
    for line in include_str!("../../src/store/schema.rs").lines().map(str::trim) {
        match (line.strip_suffix(") {"), line.split_once(" -> ")) {
            (Some(head), _) => table = head.split_once(" (").unwrap().0,
            (_, Some((column, kind))) if kind.ends_with(',') => {
                let null = if kind.starts_with("Nullable<") { " null" } else { "" };
                columns.insert(format!("{table}.{column}{null}"));
            }
            _ => {}
        }
    }
    assert!(columns.len() > 150, "this test no longer understands schema.rs: {columns:?}");
    columns
}

#[test]
fn up_down_and_up_again_leaves_nothing_behind() {
    for mut fresh in Fresh::all() {
        fresh.up();
        let (columns, names) = (fresh.columns(), fresh.names());
        fresh.down();
        assert_eq!(fresh.columns(), BTreeSet::new(), "{}", fresh.backend);
        assert_eq!(fresh.names(), BTreeSet::new(), "{}", fresh.backend);
        fresh.up();
        assert_eq!((fresh.columns(), fresh.names()), (columns, names), "{}", fresh.backend);
    }
}

#[test]
fn every_backend_has_the_columns_of_the_model() {
    for mut fresh in Fresh::all_migrated() {
        let mut columns = fresh.columns();
        if fresh.backend == "mysql" {
            assert!(columns.remove("clients.central_key null"), "stands for a partial unique index");
        }
        assert_eq!(columns, model(), "{}", fresh.backend);
    }
}

#[test]
fn every_backend_has_the_same_keys_indexes_and_checks() {
    let mut all = Fresh::all_migrated();
    let expected = all[0].names();
    for fresh in &mut all {
        let mut names = fresh.names();
        if fresh.backend == "mysql" {
            assert!(names.insert("ix_clients_client_id".to_owned()), "uq_clients_central serves for it");
            names.retain(|name| !is_for_galera(name));
        }
        assert_eq!(names, expected, "{}", fresh.backend);
    }
}

/// Whether a key or an index exists on MySQL only, for Galera's detection of rows that another node deleted.
fn is_for_galera(name: &str) -> bool {
    let has_end = name.ends_with("_id") && name != "ix_clients_client_id" && name != "uq_clients_client_id";
    has_end && (name.starts_with("fk_") || name.starts_with("ix_"))
}

#[cfg(feature = "mysql")]
#[test]
fn mysql_has_a_one_column_twin_of_every_two_column_foreign_key() {
    let mut fresh = Fresh::all_migrated().into_iter().find(|fresh| fresh.backend == "mysql").unwrap();
    let keys = |fresh: &mut Fresh, count: u8| {
        fresh.texts(&format!(
            "SELECT CONCAT(table_name, REPLACE(GROUP_CONCAT(CONCAT(' ', column_name) ORDER BY
             ordinal_position SEPARATOR ''), ' project_id', ''), ' -> ', MAX(referenced_table_name)) AS value
             FROM information_schema.key_column_usage
             WHERE constraint_schema = DATABASE() AND referenced_table_name IS NOT NULL
             AND table_name NOT LIKE 'identity%'
             GROUP BY table_name, constraint_name HAVING COUNT(*) = {count}"
        ))
    };
    let of_two: BTreeSet<String> = keys(&mut fresh, 2).into_iter().collect();
    let of_one: BTreeSet<String> = keys(&mut fresh, 1).into_iter().collect();
    assert_eq!(of_two.len(), 8, "{of_two:?}");
    assert!(of_two.is_subset(&of_one), "{of_two:?} {of_one:?}");
}

#[test]
fn every_constraint_refuses_what_it_is_there_for() {
    for mut fresh in Fresh::all_migrated() {
        fresh.fill();
        let mut untried = fresh.names();
        // A duplicate (project_id, id) is a duplicate id, too: the primary key refuses it first.
        untried.retain(|name| {
            !name.starts_with("ix_") && !name.ends_with("_project") || name.starts_with("fk_")
        });
        // Their two-column twins refuse the same rows.
        untried.retain(|name| !is_for_galera(name));
        let mut refuses = |constraint: &str, sql: &str| {
            fresh.refuses(constraint, sql);
            untried.remove(constraint);
        };
        for (constraint, sql) in REFUSED {
            refuses(constraint, sql);
        }
        let lists = LISTS.iter().map(|column| ("clients", *column, "{}"));
        for (table, column, value) in
            OBJECTS.iter().map(|(table, column)| (*table, *column, "[]")).chain(lists)
        {
            refuses(&format!("ck_{table}_{column}"), &format!("UPDATE {table} SET {column} = '{value}'"));
        }
        let versioned: BTreeSet<_> =
            model().iter().filter_map(|c| c.strip_suffix(".version")).map(str::to_owned).collect();
        for table in versioned {
            refuses(&format!("ck_{table}_version"), &format!("UPDATE {table} SET version = -1"));
        }
        assert_eq!(untried, BTreeSet::new(), "{}: a constraint without a test", fresh.backend);
    }
}

#[test]
fn what_is_not_json_or_too_long_is_refused() {
    for mut fresh in Fresh::all_migrated() {
        fresh.fill();
        for sql in [
            "UPDATE jobs SET scheduling = 'no json'".to_owned(),
            format!("UPDATE clients SET client_id = '{}' WHERE id = 'p-client'", "x".repeat(256)),
            format!("UPDATE jobs SET id = '{}' WHERE id = 'p-job'", "x".repeat(65)),
        ] {
            assert!(fresh.run(&sql).is_err(), "{}: {sql}", fresh.backend);
        }
    }
}

#[test]
fn text_compares_and_sorts_by_its_bytes() {
    let names = ["A", "B", "_", "a", "b", "É", "é", "日本"];
    for mut fresh in Fresh::all_migrated() {
        for (id, name) in names.iter().enumerate().rev() {
            let at = "'2026-01-02 03:04:05', '2026-01-02 03:04:05'";
            fresh
                .run(&format!("INSERT INTO identity_users VALUES ('{id}', '{name}', '$', TRUE, {at})"))
                .unwrap();
        }
        let sorted = fresh.texts("SELECT name AS value FROM identity_users ORDER BY name");
        assert_eq!(sorted, names, "{}", fresh.backend);
    }
}
