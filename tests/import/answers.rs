//! After an import, the new service answers as the old one did.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::daemon::Daemon;
use crate::databases::Database;
use crate::http::Line;
use crate::on_every_backend;
use crate::program::{Directory, Source, json as fixture_json, sync};

on_every_backend! {
    the_documents_are_those_that_the_old_service_showed
}

const LISTS: [&str; 5] = ["clients", "actions", "jobs", "sessions", "backups"];

fn the_documents_are_those_that_the_old_service_showed(new: fn() -> Database) {
    let sources = vec![
        Source::sqlite(),
        #[cfg(feature = "mysql")]
        Source::mariadb("sql-19.0.0-mariadb"),
        #[cfg(feature = "mysql")]
        Source::mariadb("sql-18.0.0-mariadb"),
        #[cfg(feature = "mysql")]
        Source::mariadb("sql-15.0.0-mariadb"),
    ];
    for source in sources {
        let (directory, target) = (Directory::new(), new());
        sync(&target);
        directory.import(&target, &source, &[]);
        // Values that the report names may differ.
        let noted: Vec<String> = ["report", "quarantine"]
            .iter()
            .flat_map(|file| directory.lines(file))
            .map(|line| line["id"].as_str().unwrap().split('/').next().unwrap().to_owned())
            .collect();
        let daemon = Daemon::start(&target.url);
        let truth = fixture_json(source.name, "truth.json");
        let mut compared = 0;
        for view in truth["views"].as_array().unwrap() {
            let mut line = Line::new(daemon.port, view["project_id"].as_str().unwrap());
            for list in LISTS {
                let body = line.send("GET", &format!("/{list}?limit=1000"), None).expect(200);
                let ours: BTreeMap<String, &Value> = body[list]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|document| (id(list, document), document))
                    .collect();
                for old in view["lists"][list].as_array().unwrap() {
                    let id = id(list, old);
                    if noted.contains(&id) {
                        continue;
                    }
                    let document = ours.get(&id).unwrap_or_else(|| panic!("{} {list} {id}", source.name));
                    let (old, new) = (comparable(list, old), comparable(list, document));
                    expect_has(&new, &old, &format!("{} {list} {id}", source.name));
                    compared += 1;
                }
            }
        }
        assert!(compared > 60, "{} {compared}", source.name);
    }
}

fn id(list: &str, document: &Value) -> String {
    let id = match list {
        "clients" => &document["client"]["uuid"],
        "actions" => &document["action_id"],
        "jobs" => &document["job_id"],
        "sessions" => &document["session_id"],
        _ => &document["backup_id"],
    };
    id.as_str().unwrap().to_owned()
}

/// A document without allowed differences: null counts as missing, and so do -1 and "" for an event that has not happened.
fn comparable(list: &str, document: &Value) -> Value {
    let mut document = document.clone();
    strip(&mut document);
    let object = document.as_object_mut().unwrap();
    object.remove("version");
    // Shown twice by some releases.
    object.remove("timeout");
    match list {
        // Releases up to 18 show it beside the metadata.
        "backups" => {
            if let Some(name) = object.remove("user_name") {
                object["backup_metadata"].as_object_mut().unwrap().entry("user_name").or_insert(name);
            }
        }
        "sessions" if object.get("jobs") == Some(&json!({})) => {
            object.remove("jobs");
        }
        "jobs" => {
            for action in object.get_mut("job_actions").and_then(Value::as_array_mut).into_iter().flatten() {
                // The user that made the action, and the action's own fields, are in the list of actions.
                let kept = ["action_id", "freezer_action"].map(|key| (key.to_owned(), action[key].clone()));
                *action = Value::Object(Map::from_iter(kept));
            }
        }
        _ => {}
    }
    document
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(map) => {
            let old = std::mem::take(map);
            for (key, mut value) in old {
                strip(&mut value);
                if !value.is_null() && value != json!("") && value != json!(-1) && value != json!({}) {
                    map.insert(key, value);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(strip),
        _ => {}
    }
}

/// Checks that `new` has everything that `old` has. A number with more digits than a double is as the database stores it.
#[track_caller]
fn expect_has(new: &Value, old: &Value, place: &str) {
    match (new, old) {
        (Value::Object(new), Value::Object(old)) => {
            for (key, old) in old {
                let new = new.get(key).unwrap_or_else(|| panic!("{place}.{key}: {old} is missing"));
                expect_has(new, old, &format!("{place}.{key}"));
            }
        }
        (Value::Array(new), Value::Array(old)) => {
            assert_eq!(new.len(), old.len(), "{place}: {new:?} {old:?}");
            new.iter().zip(old).for_each(|(new, old)| expect_has(new, old, place));
        }
        (Value::Number(new), Value::Number(old)) => assert_eq!(new.as_f64(), old.as_f64(), "{place}"),
        (new, old) => assert_eq!(new, old, "{place}"),
    }
}
