//! A row of an old table in the form that every source has.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::super::legacy::{
    Action, Backup, Body, Client, Job, JobAction, Report, Row, Session, State, Table, Trust,
};
use super::record::Record;
use super::schema::Schema;

/// Reads a row. `moved` are the jobs whose actions are in a table of their own where others' are not.
pub(super) fn row(table: Table, mut record: Record<'_>, schema: &Schema, moved: &HashSet<String>) -> Row {
    let id = record.id("id");
    if id.is_empty() {
        record.problem("no-id", "id is empty".to_owned(), None);
    }
    let state = state(&record);
    let project = record.some_text("project_id");
    let user = record.text("user_id").unwrap_or_default();
    let created = record.time("created_at");
    let updated = record.time("updated_at");
    let body = match table {
        Table::Clients => Body::Client(client(&mut record, &id)),
        Table::Actions => Body::Action(action(&mut record)),
        Table::ActionReports => Body::Report(report(&mut record, &id)),
        Table::Sessions => Body::Session(session(&mut record)),
        Table::Jobs => Body::Job(job(&mut record, schema, moved.contains(&id))),
        Table::JobActions => Body::JobAction(job_action(&mut record)),
        Table::UserCredentials => Body::Trust(trust(&mut record)),
        Table::Backups => backup(&mut record).map_or(Body::Broken, Body::Backup),
        Table::Unknown => Body::Broken,
    };
    let (raw, mut problems) = record.finish();
    if matches!(body, Body::Broken) {
        // The first one is the reason for which the row is quarantined.
        problems.sort_by_key(|problem| problem.reason != "bad-json");
    }
    Row { table, id, state, project, user, created, updated, version: None, body, problems, raw }
}

/// The old service looks for rows with `deleted = 0`, and so does not find one with any other value.
fn state(record: &Record<'_>) -> State {
    match record.bytes("deleted") {
        _ if !record.has("deleted") => State::Live,
        None => State::Null,
        Some(b"0") => State::Live,
        Some(_) => State::Deleted,
    }
}

fn client(record: &mut Record<'_>, id: &str) -> Client {
    Client {
        name: record.text("client_id").unwrap_or_default(),
        hostname: record.text("hostname"),
        description: record.text("description"),
        uuid: record.some_text("uuid").filter(|uuid| uuid != id),
        config_id: None,
        supported: ["supported_actions", "supported_modes", "supported_storages", "supported_engines"]
            .map(|column| record.texts(column)),
        is_central: record.boolean("is_central").unwrap_or_default(),
    }
}

fn action(record: &mut Record<'_>) -> Action {
    let (mut definition, _) = record.object("backup_metadata");
    // Until 7.2 the API's name of the path was the column's.
    if !record.has("path_to_backup")
        && let Some(path) = definition.remove("src_file")
    {
        definition.entry("path_to_backup").or_insert(path);
    }
    let texts: [(&str, &[&str]); 6] = [
        ("action", &["action"]),
        ("mode", &["actionmode", "mode"]),
        ("path_to_backup", &["path_to_backup", "src_file"]),
        ("backup_name", &["backup_name"]),
        ("container", &["container"]),
        ("log_file", &["log_file"]),
    ];
    for (key, columns) in texts {
        if let Some(text) = columns.iter().find_map(|column| record.text(column)) {
            definition.insert(key.to_owned(), Value::from(text));
        }
    }
    for key in ["timeout", "priority"] {
        if let Some(number) = record.number(key) {
            definition.insert(key.to_owned(), Value::from(number));
        }
    }
    Action {
        definition,
        max_retries: record.number("max_retries"),
        max_retries_interval: record.number("max_retries_interval"),
        mandatory: record.boolean("mandatory"),
        report: None,
    }
}

fn report(record: &mut Record<'_>, id: &str) -> Report {
    Report {
        action_id: id.to_owned(),
        result: record.text("result"),
        time_elapsed: record.text("time_elapsed"),
        report_date: record.time("report_date"),
        log: record.bytes("log").filter(|log| !log.is_empty()).map(<[u8]>::to_vec),
    }
}

fn job(record: &mut Record<'_>, schema: &Schema, is_moved: bool) -> Job {
    Job {
        client: record.text("client_id").unwrap_or_default(),
        session_id: Some(record.id("session_id")).filter(|id| !id.is_empty()),
        session_tag: record.number("session_tag"),
        description: record.text("description"),
        schedule: record.object("schedule").0,
        entries: entries(record, schema, is_moved),
    }
}

/// The actions that are inside the job. Where there is a table of them, too, an upgrade stopped before it removed the
/// column, and the table counts for the jobs that have rows in it.
fn entries(record: &mut Record<'_>, schema: &Schema, is_moved: bool) -> Option<Vec<Value>> {
    if !record.has("job_actions") {
        return None;
    }
    if schema.table(Table::JobActions).is_none() {
        return Some(record.list("job_actions"));
    }
    let list = record.list("job_actions");
    match (list.is_empty(), is_moved) {
        (true, _) => None,
        (false, false) => Some(list),
        (false, true) => {
            let detail = "the table job_actions has rows of the job, and they count".to_owned();
            record.problem("other-key", format!("job_actions: {detail}"), record.cell("job_actions"));
            None
        }
    }
}

fn job_action(record: &mut Record<'_>) -> JobAction {
    JobAction {
        job_id: record.id("job_id"),
        action_id: record.id("action_id"),
        position: record.number("position"),
    }
}

fn session(record: &mut Record<'_>) -> Session {
    Session {
        schedule: record.object("schedule").0,
        jobs: record.object("job").0,
        description: record.text("description"),
        hold_off: record.number("hold_off"),
        session_tag: record.number("session_tag"),
        status: record.text("status"),
        result: record.text("result"),
        times: ["time_start", "time_end", "time_started", "time_ended"]
            .map(|column| record.number(column).filter(|time| *time != -1)),
        other: Map::new(),
    }
}

/// `None` if the metadata, which is all that a backup is, cannot be read.
fn backup(record: &mut Record<'_>) -> Option<Backup> {
    let (metadata, is_readable) = record.object("backup_metadata");
    is_readable.then(|| Backup {
        job_id: Some(record.id("job_id")).filter(|id| !id.is_empty()),
        status: record.some_text("status"),
        user_name: record.some_text("user_name"),
        legacy_id: None,
        metadata,
    })
}

fn trust(record: &mut Record<'_>) -> Trust {
    Trust {
        job_id: record.id("job_id"),
        trust_id: record.text("trust_id").unwrap_or_default(),
        trustor_user_id: record.text("trustor_user_id").unwrap_or_default(),
    }
}
