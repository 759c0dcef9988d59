//! The ids of users and trustors, which are Keystone's.

use std::collections::BTreeSet;

use crate::fresh::Fresh;
use crate::model;

#[test]
fn a_user_id_has_255_characters_of_any_script_and_no_more() {
    let columns: BTreeSet<String> = model();
    let columns = columns.iter().filter_map(|column| column.split_once('.'));
    let columns: Vec<_> = columns
        .filter(|(table, column)| column.ends_with("user_id") && !table.starts_with("identity_"))
        .collect();
    assert_eq!(columns.len(), 10, "{columns:?}");
    for mut fresh in Fresh::all_migrated() {
        fresh.fill();
        for (table, column) in &columns {
            for (id, fits) in
                [("Jörg Müller 日本 🦀".to_owned(), true), ("é".repeat(255), true), ("x".repeat(256), false)]
            {
                let set = fresh.run(&format!("UPDATE {table} SET {column} = '{id}'"));
                assert_eq!(set.is_ok(), fits, "{} {table}.{column} {id}: {set:?}", fresh.backend);
            }
            let case = format!("SELECT id AS value FROM {table} WHERE {column} = '{}'", "É".repeat(255));
            assert_eq!(fresh.texts(&case), Vec::<String>::new(), "{} {table}.{column}", fresh.backend);
        }
    }
}
