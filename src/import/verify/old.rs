//! The documents of the old API, made from rows of the source by code that shares nothing with the plan.

use serde_json::{Map, Value, json};

use crate::import::legacy::{Action, Backup, Body, Client, Job, Row, Session, State};

/// The rows of other tables that a job's document shows.
#[derive(Debug, Default)]
pub struct JobRows {
    /// The rows of `job_actions` with the actions that they name, as far as there is one, in any order.
    pub places: Vec<(Row, Option<Row>)>,
    /// The rows of `user_credentials`.
    pub trusts: Vec<Row>,
}

/// The document; `None` for a row that the API does not show.
pub fn document(row: &Row, job_rows: &JobRows) -> Option<Value> {
    if row.state != State::Live {
        return None;
    }
    if let Some(stored) = stored(&row.raw) {
        return Some(stored.clone());
    }
    Some(match &row.body {
        Body::Client(body) => client(row, body),
        Body::Action(body) => action(row, body),
        Body::Session(body) => session(row, body),
        Body::Job(body) => job(row, body, job_rows),
        Body::Backup(body) => backup(row, body),
        _ => return None,
    })
}

/// The document as it is stored in Elasticsearch, which is what the API answered. A row of a table has an `id`.
fn stored(raw: &Value) -> Option<&Value> {
    match raw.get("_source") {
        Some(source) => Some(source),
        None => (raw.is_object() && raw.get("id").is_none()).then_some(raw),
    }
}

fn client(row: &Row, client: &Client) -> Value {
    let [actions, modes, storages, engines] = &client.supported;
    json!({
        "project_id": row.project,
        "user_id": row.user,
        "client": {
            "uuid": client.uuid.as_ref().unwrap_or(&row.id),
            "hostname": client.hostname,
            "client_id": client.name,
            "is_central": client.is_central,
            "description": client.description,
            "supported_actions": actions,
            "supported_modes": modes,
            "supported_storages": storages,
            "supported_engines": engines,
        },
    })
}

fn action(row: &Row, action: &Action) -> Value {
    let mut document = placed(row, action);
    document.insert("mandatory".to_owned(), json!(action.mandatory));
    document.insert("timeout".to_owned(), action.definition.get("timeout").cloned().unwrap_or_default());
    Value::Object(document)
}

/// An action as release 19 shows it inside a job.
fn placed(row: &Row, action: &Action) -> Map<String, Value> {
    let members = [
        ("action_id", json!(row.id)),
        ("project_id", json!(row.project)),
        ("user_id", json!(row.user)),
        ("max_retries", json!(action.max_retries)),
        ("max_retries_interval", json!(action.max_retries_interval)),
        ("freezer_action", Value::Object(action.definition.clone())),
    ];
    members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn session(row: &Row, session: &Session) -> Value {
    let [start, end, started, ended] = session.times;
    let known = json!({
        "session_id": row.id,
        "project_id": row.project,
        "user_id": row.user,
        "description": session.description,
        "session_tag": session.session_tag,
        "hold_off": session.hold_off,
        "status": session.status,
        "result": session.result,
        "time_start": start,
        "time_end": end,
        "time_started": started,
        "time_ended": ended,
        "schedule": session.schedule,
        "jobs": session.jobs,
    });
    let mut document = session.other.clone();
    document.extend(known.as_object().cloned().unwrap_or_default());
    Value::Object(document)
}

fn job(row: &Row, job: &Job, job_rows: &JobRows) -> Value {
    let entries = match &job.entries {
        Some(entries) => entries.clone(),
        None => entries(row, &job_rows.places),
    };
    let mut document = json!({
        "job_id": row.id,
        "project_id": row.project,
        "user_id": row.user,
        "client_id": job.client,
        "description": job.description,
        "session_id": job.session_id,
        "session_tag": job.session_tag,
        "job_schedule": job.schedule,
        "job_actions": entries,
    });
    let latest = job_rows
        .trusts
        .iter()
        .filter(|trust| trust.state == State::Live)
        .max_by_key(|trust| (trust.updated.or(trust.created), trust.id.clone()));
    if let Some(Row { body: Body::Trust(trust), .. }) = latest {
        document["user_credentials"] =
            json!({"trust_id": trust.trust_id, "trustor_user_id": trust.trustor_user_id});
    }
    document
}

/// The actions of a job out of the table of them. One that is deleted, or in another project, is not shown.
fn entries(job: &Row, places: &[(Row, Option<Row>)]) -> Vec<Value> {
    let mut shown: Vec<_> = places
        .iter()
        .filter(|(place, _)| place.state == State::Live)
        .filter_map(|(place, action)| {
            let (Body::JobAction(at), Some(row)) = (&place.body, action) else { return None };
            let Body::Action(action) = &row.body else { return None };
            let is_shown = row.state == State::Live && row.project == job.project;
            is_shown.then(|| ((at.position, &place.id), Value::Object(placed(row, action))))
        })
        .collect();
    shown.sort_by_key(|(at, _)| *at);
    shown.into_iter().map(|(_, entry)| entry).collect()
}

fn backup(row: &Row, backup: &Backup) -> Value {
    json!({
        "backup_id": row.id,
        "project_id": row.project,
        "user_id": row.user,
        "user_name": backup.user_name,
        "status": backup.status,
        "backup_metadata": backup.metadata,
    })
}
