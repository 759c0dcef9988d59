//! Converts documents into rows.

mod action;
mod backup;
mod client;
mod job;
mod session;
mod trust;

use chrono::NaiveDateTime;
use serde_json::{Map, Value};

use super::fields::Fields;
use super::hit::Hit;
use super::kinds::Kinds;
use crate::import::legacy::{Body, Problem, Row, State, Table};
use crate::store::is_id;

/// The fields of a row that depend on the document's kind.
struct Content {
    id: String,
    created: Option<NaiveDateTime>,
    body: Body,
}

/// Why a document cannot become a row; its problems say so, too.
struct Unreadable;

/// The row of a document. `place` replaces a missing id.
pub fn row(hit: Hit, kinds: &Kinds, place: &str) -> Row {
    let Hit { index, doc_type, id, version, mut source, raw } = hit;
    // A client of 2016 wrote its version into the document.
    source.remove("_version");
    let Some(table) = kinds.table_of(doc_type.as_deref(), index.as_deref(), &source) else {
        let detail = "The document is of none of the old service's kinds.";
        return broken(Table::Unknown, id.unwrap_or_else(|| place.to_owned()), "unknown-kind", detail, raw);
    };
    let known_id = own_id(table, &source).or_else(|| id.clone()).unwrap_or_else(|| place.to_owned());
    let mut fields = Fields::new("", source);
    let project = fields.word("project_id");
    let user = fields.text("user_id").unwrap_or_default();
    let content = match table {
        Table::Clients => client::read(&mut fields, id.as_deref(), &user, project.as_deref()),
        Table::Actions => action::read(&mut fields, id.as_deref()),
        Table::Jobs => job::read(&mut fields, id.as_deref()),
        Table::Sessions => session::read(&mut fields, id.as_deref()),
        Table::Backups => backup::read(&mut fields, id.as_deref()),
        _ => trust::read(&mut fields, id.as_deref()),
    };
    let (content, problems) = match content {
        Ok(content) => (content, fields.into_problems()),
        // The whole document goes to the side file, so its other members need no problems of their own.
        Err(Unreadable) => (Content { id: known_id, created: None, body: Body::Broken }, fields.problems),
    };
    let Content { id, created, body } = content;
    Row { table, id, state: State::Live, project, user, created, updated: None, version, body, problems, raw }
}

/// The row for something that is not a document.
pub fn broken(table: Table, id: String, reason: &str, detail: impl Into<String>, raw: Value) -> Row {
    Row {
        table,
        id,
        state: State::Live,
        project: None,
        user: String::new(),
        created: None,
        updated: None,
        version: None,
        body: Body::Broken,
        problems: vec![Problem { reason: reason.to_owned(), detail: detail.into(), value: None }],
        raw,
    }
}

/// The id that the API shows, for a report on a document that cannot be read.
fn own_id(table: Table, source: &Map<String, Value>) -> Option<String> {
    let key = match table {
        Table::Actions => "action_id",
        Table::Jobs => "job_id",
        Table::Sessions => "session_id",
        Table::Backups => "backup_id",
        _ => return None,
    };
    source.get(key).and_then(Value::as_str).filter(|id| !id.is_empty()).map(str::to_owned)
}

/// The API's id of an object, or `_id` where there is none.
fn business_id(fields: &mut Fields, key: &str, id: Option<&str>) -> Result<String, Unreadable> {
    if let Some(own) = fields.word(key) {
        return Ok(own);
    }
    match id.filter(|id| is_id(id)) {
        Some(id) => {
            fields.note("no-id", format!("There is no `{key}`; `_id` stands for it."), None);
            Ok(id.to_owned())
        }
        None => {
            unreadable(fields, "no-id", format!("There is no `{key}`, and no `_id` that could stand for it."))
        }
    }
}

/// Refuses a document; this is the first problem that is named.
fn unreadable<T>(fields: &mut Fields, reason: &str, detail: impl Into<String>) -> Result<T, Unreadable> {
    let problem = Problem { reason: reason.to_owned(), detail: detail.into(), value: None };
    fields.problems.insert(0, problem);
    Err(Unreadable)
}

/// Gives the keys of a `freezer_action` the names that the API has for them now.
fn rename_keys(definition: &mut Map<String, Value>) {
    for (old, new) in [("remove_older_then", "remove_older_than"), ("src_file", "path_to_backup")] {
        if !definition.contains_key(new)
            && let Some(value) = definition.remove(old)
        {
            definition.insert(new.to_owned(), value);
        }
    }
}
