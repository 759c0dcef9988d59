//! Writes rows into the staging file, with the columns for look-ups.

use std::borrow::Cow;

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use serde::Serialize;
use serde_json::Value;

use super::failed;
use super::table::{NewBody, NewMember, NewRow, bodies, fate, kind, members, staged, state};
use crate::import::Result;
use crate::import::ids;
use crate::import::legacy::{Body, Problem, Row, Session, State, Table};
use crate::import::plan::{actions, refusal, schedules, text};

/// A [`Row`] without its `raw`, which is kept beside it.
#[derive(Serialize)]
struct Slim<'r> {
    table: Table,
    id: &'r str,
    state: State,
    project: Option<&'r str>,
    user: &'r str,
    created: Option<NaiveDateTime>,
    updated: Option<NaiveDateTime>,
    version: Option<i64>,
    body: Cow<'r, Body>,
    problems: &'r [Problem],
    raw: (),
}

/// The look-up columns of a body.
#[derive(Default)]
struct Facts<'r> {
    name: Option<&'r str>,
    parent: Option<&'r str>,
    hint: Option<&'r str>,
    position: i64,
    is_central: bool,
    is_full: bool,
    core: i64,
    retries: i32,
    retry_interval: i32,
    mandatory: bool,
}

/// Adds a row with a number.
pub fn add(connection: &mut SqliteConnection, number: i64, row: &Row) -> Result<()> {
    let body = match &row.body {
        // What a session knows of its jobs is asked for by job.
        Body::Session(session) => {
            Cow::Owned(Body::Session(Session { jobs: serde_json::Map::new(), ..session.clone() }))
        }
        body => Cow::Borrowed(body),
    };
    let slim = Slim {
        table: row.table,
        id: &row.id,
        state: row.state,
        project: row.project.as_deref(),
        user: &row.user,
        created: row.created,
        updated: row.updated,
        version: row.version,
        body,
        problems: &row.problems,
        raw: (),
    };
    let text = json(&slim);
    let facts = facts(&row.body);
    let same = text::digest(&json(&(&row.project, &row.user, &row.state, &row.body)));
    let refused = refusal::check(row, &text).map(|(reason, _)| reason);
    let target = (!crate::store::is_id(&row.id)).then(|| ids::replacing(row.table, &row.id));
    let mut size = text.len();
    if let Body::Session(session) = &row.body {
        for (job, part) in &session.jobs {
            let part = json(part);
            size += job.len() + part.len();
            diesel::insert_into(members::table)
                .values(NewMember { number, job, part: &part })
                .execute(connection)
                .map_err(|error| failed(&error))?;
        }
    }
    let staged_row = NewRow {
        number,
        kind: kind(row.table),
        id: &row.id,
        state: match (&row.body, row.state) {
            (_, State::Deleted) => state::DELETED,
            (_, State::Null) => state::NULL,
            (Body::Broken, State::Live) => state::BROKEN,
            (_, State::Live) => state::LIVE,
        },
        project: row.project.as_deref().filter(|project| !project.is_empty()),
        hint: facts.hint,
        user: &row.user,
        name: facts.name,
        parent: facts.parent,
        position: facts.position,
        is_central: facts.is_central,
        stamp: row.updated.or(row.created).map(|time| time.and_utc().timestamp_micros()),
        version: row.version,
        is_full: facts.is_full,
        sort: row.raw.get("_id").and_then(Value::as_str).unwrap_or(&row.id),
        core: facts.core,
        same,
        retries: facts.retries,
        retry_interval: facts.retry_interval,
        mandatory: facts.mandatory,
        size: i64::try_from(size).unwrap_or(i64::MAX),
        target: target.as_deref(),
        fate: if refused.is_some() { fate::QUARANTINED } else { fate::KEPT },
        reason: refused,
        is_given: false,
    };
    diesel::insert_into(staged::table)
        .values(&staged_row)
        .execute(connection)
        .map_err(|error| failed(&error))?;
    diesel::insert_into(bodies::table)
        .values(NewBody { number, row: &text, raw: &json(&row.raw) })
        .execute(connection)
        .map_err(|error| failed(&error))?;
    Ok(())
}

fn json(value: &impl Serialize) -> String {
    // Every value has a text.
    serde_json::to_string(value).unwrap_or_default()
}

fn facts(body: &Body) -> Facts<'_> {
    match body {
        Body::Client(client) => Facts {
            // MySQL ignores blanks at the end when it compares names.
            name: Some(client.name.trim_end_matches(' ')),
            parent: Some(text::first(client.hostname.as_deref().unwrap_or_default(), 255)),
            hint: hint(&client.name),
            is_central: client.is_central,
            is_full: client.supported.iter().any(Option::is_some),
            ..Facts::default()
        },
        Body::Action(action) => {
            let (retries, retry_interval, mandatory) = actions::runs(action);
            Facts {
                core: actions::core(&action.definition),
                retries,
                retry_interval,
                mandatory,
                ..Facts::default()
            }
        }
        Body::Report(report) => Facts { parent: Some(&report.action_id), ..Facts::default() },
        Body::Job(job) => Facts {
            name: Some(job.client.trim_end_matches(' ')),
            parent: job.session_id.as_deref().filter(|id| !id.is_empty()),
            hint: hint(&job.client),
            core: schedules::core(&job.schedule),
            ..Facts::default()
        },
        Body::JobAction(place) => Facts {
            name: Some(&place.action_id),
            parent: Some(&place.job_id),
            position: place.position.unwrap_or(i64::MIN),
            ..Facts::default()
        },
        Body::Session(session) => Facts { core: schedules::core(&session.schedule), ..Facts::default() },
        Body::Backup(backup) => {
            let client = backup.metadata.get("client_id").and_then(Value::as_str).unwrap_or_default();
            Facts { hint: hint(client), ..Facts::default() }
        }
        Body::Trust(trust) => Facts { parent: Some(&trust.job_id), ..Facts::default() },
        Body::Broken => Facts::default(),
    }
}

/// The project that the name of a client begins with.
fn hint(name: &str) -> Option<&str> {
    let (project, _) = name.split_once('_')?;
    (project.len() == 32 && project.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(project)
}
