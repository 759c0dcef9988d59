//! What the old service answered, made again from rows.

use std::collections::BTreeMap;

use freezer_api::import::legacy::{Body, Row, State};
use serde_json::{Map, Value, json};

/// Compares the rows with every document of every list in a fixture's `truth.json`; null is as good as missing.
pub fn expect_truth(truth: &Value, rows: &[Row]) {
    let by_id: BTreeMap<(&str, &str), &Row> =
        rows.iter().map(|row| ((row.table.name(), row.id.as_str()), row)).collect();
    let mut compared = 0;
    for view in truth["views"].as_array().unwrap() {
        for (table, list) in view["lists"].as_object().unwrap() {
            for document in list.as_array().unwrap() {
                let id = document_id(table, document);
                let row = by_id.get(&(table.as_str(), id)).unwrap_or_else(|| panic!("no {table} {id}"));
                assert_eq!(row.state, State::Live);
                let (row, document) = comparable(row, document.clone(), rows);
                assert_eq!(row, document, "{table} {id}");
                compared += 1;
            }
        }
    }
    assert!(compared > 100, "{compared}");
}

fn document_id<'d>(table: &str, document: &'d Value) -> &'d str {
    let id = match table {
        "clients" => &document["client"]["uuid"],
        "actions" => &document["action_id"],
        "jobs" => &document["job_id"],
        "sessions" => &document["session_id"],
        _ => &document["backup_id"],
    };
    id.as_str().unwrap()
}

fn comparable(row: &Row, mut document: Value, rows: &[Row]) -> (Value, Value) {
    let mut made = json!({"project_id": row.project, "user_id": row.user});
    let time = |time: Option<i64>| json!(time.unwrap_or(-1));
    match &row.body {
        Body::Client(client) => {
            let mut inner = json!({"client_id": client.name, "hostname": client.hostname,
                "description": client.description, "uuid": row.id, "is_central": client.is_central});
            let names = ["supported_actions", "supported_modes", "supported_storages", "supported_engines"];
            for (name, supported) in names.into_iter().zip(&client.supported) {
                inner[name] = json!(supported);
                if supported.is_none() {
                    document["client"].as_object_mut().unwrap().remove(name);
                }
            }
            if document["client"].get("is_central").is_none() {
                inner.as_object_mut().unwrap().remove("is_central");
            }
            made["client"] = inner;
        }
        Body::Action(action) => {
            made["action_id"] = json!(row.id);
            made["freezer_action"] = json!(action.definition);
            made["max_retries"] = json!(action.max_retries);
            made["max_retries_interval"] = json!(action.max_retries_interval);
            made["mandatory"] = json!(action.mandatory);
            // Shown twice, and in some releases only if there is one.
            document.as_object_mut().unwrap().remove("timeout");
            if document.get("mandatory").is_none() {
                made.as_object_mut().unwrap().remove("mandatory");
            }
        }
        Body::Job(job) => {
            made["job_id"] = json!(row.id);
            made["client_id"] = json!(job.client);
            made["description"] = json!(job.description);
            made["job_schedule"] = json!(job.schedule);
            made["session_id"] = json!(job.session_id.clone().unwrap_or_default());
            made["session_tag"] = json!(job.session_tag);
            if document["session_id"].is_null() {
                document["session_id"] = json!("");
            }
            match &job.entries {
                Some(entries) => made["job_actions"] = json!(entries),
                None => {
                    let shown = document["job_actions"].as_array().cloned().unwrap_or_default();
                    let ids: Vec<Value> = shown.iter().map(|action| action["action_id"].clone()).collect();
                    document["job_actions"] = json!(ids);
                    made["job_actions"] = json!(actions_of(row, rows));
                }
            }
        }
        Body::Session(session) => {
            made["session_id"] = json!(row.id);
            made["schedule"] = json!(session.schedule);
            made["jobs"] = json!(session.jobs);
            made["description"] = json!(session.description);
            made["hold_off"] = json!(session.hold_off);
            made["session_tag"] = json!(session.session_tag);
            made["status"] = json!(session.status);
            made["result"] = json!(session.result);
            for (name, value) in
                ["time_start", "time_end", "time_started", "time_ended"].into_iter().zip(session.times)
            {
                made[name] = time(value);
            }
            for empty in ["jobs", "schedule"] {
                if document[empty].as_object().is_none() {
                    document[empty] = json!({});
                }
            }
        }
        Body::Backup(backup) => {
            made["backup_id"] = json!(row.id);
            made["backup_metadata"] = json!(backup.metadata);
            made["status"] = json!(backup.status);
            made["user_name"] = json!(backup.user_name);
        }
        other => panic!("{other:?}"),
    }
    strip(&mut made);
    strip(&mut document);
    (made, document)
}

/// The actions that 19.0 shows in a job: live ones of its own project.
fn actions_of(job: &Row, rows: &[Row]) -> Vec<String> {
    let is_shown = |id: &str| {
        rows.iter().any(|row| {
            row.id == id
                && matches!(row.body, Body::Action(_))
                && row.state == State::Live
                && row.project == job.project
        })
    };
    let mut places = Vec::new();
    for row in rows.iter().filter(|row| row.state == State::Live) {
        if let Body::JobAction(place) = &row.body
            && place.job_id == job.id
            && is_shown(&place.action_id)
        {
            places.push((place.position, row.id.clone(), place.action_id.clone()));
        }
    }
    places.sort();
    places.into_iter().map(|(_, _, action)| action).collect()
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(map) => {
            let old = std::mem::replace(map, Map::new());
            for (key, mut value) in old {
                strip(&mut value);
                if !value.is_null() {
                    map.insert(key, value);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(strip),
        _ => {}
    }
}
