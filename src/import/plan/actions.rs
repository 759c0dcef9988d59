//! Actions.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::draft::{Draft, Times};
use super::reports;
use super::text::{digest, natural};
use crate::document::actions::{DEFAULT_RETRIES, DEFAULT_RETRY_INTERVAL, max_size, spec};
use crate::document::{MAX_DOCUMENT, actions};
use crate::import::ids;
use crate::import::legacy::{Action, Row};
use crate::import::staging::table::Head;
use crate::import::unit::TargetRow;
use crate::store::actions::{Action as TargetAction, ActionSpec};
use crate::store::types::time::Time;

/// Keys that are ignored when definitions are compared: the trust of a central scheduler, and the action's outcome.
const NOT_COMPARED: &[&str] = &["os_trust_id", "result", "time_elapsed", "report_date"];

/// The most characters of `backup_name`.
const MAX_BACKUP_NAME: usize = 255;

/// The current name of a key.
fn current(key: &str) -> &str {
    match key {
        "src_file" => "path_to_backup",
        "remove_older_then" => "remove_older_than",
        key => key,
    }
}

/// A digest of a definition; null counts as missing.
pub fn core(definition: &Map<String, Value>) -> i64 {
    let mut core: BTreeMap<&str, &Value> = BTreeMap::new();
    for (key, value) in definition {
        if value.is_null() || NOT_COMPARED.contains(&key.as_str()) {
            continue;
        }
        match current(key) {
            current if current == key => drop(core.insert(current, value)),
            current => drop(core.entry(current).or_insert(value)),
        }
    }
    // Every value can be serialized.
    digest(&serde_json::to_string(&core).unwrap_or_default())
}

/// How an action runs by default: tries, seconds between them, whether it must succeed.
pub fn runs(action: &Action) -> (i32, i32, bool) {
    let inside = action.definition.get("mandatory").and_then(Value::as_bool);
    (
        natural(action.max_retries).unwrap_or(DEFAULT_RETRIES),
        natural(action.max_retries_interval).unwrap_or(DEFAULT_RETRY_INTERVAL),
        action.mandatory.or(inside).unwrap_or(false),
    )
}

/// The columns and metadata of an action. A text that does not fit into its column goes to `cut`, with its key.
pub fn specified(action: &Action, mut cut: impl FnMut(&str, &str)) -> ActionSpec {
    let mut definition = Map::new();
    for (key, value) in &action.definition {
        match current(key) {
            current if current == key => drop(definition.insert(key.clone(), value.clone())),
            current => {
                let slot = definition.entry(current).or_insert(Value::Null);
                if slot.is_null() {
                    *slot = value.clone();
                }
            }
        }
    }
    definition
        .retain(|key, value| !(value.is_null() && matches!(key.as_str(), "action" | "restore_abs_path")));
    if let Some(Value::String(name)) = definition.get_mut("backup_name") {
        let short = super::text::first(name, MAX_BACKUP_NAME);
        if short.len() < name.len() {
            cut("backup_name", name);
            *name = short.to_owned();
        }
    }
    let (retries, interval, mandatory) = runs(action);
    let body = json!({
        "max_retries": retries,
        "max_retries_interval": interval,
        "mandatory": mandatory,
    });
    let mut body = match body {
        Value::Object(body) => body,
        _ => Map::new(),
    };
    body.insert("freezer_action".to_owned(), Value::Object(definition));
    spec(body)
}

/// Plans an action, and a report if its definition contains the outcome.
pub fn plan(draft: &mut Draft, head: &Head, row: &Row, action: &Action, now: Time) {
    let mut long = None;
    let spec = specified(action, |key, text| long = Some((key.to_owned(), text.to_owned())));
    if let Some((key, text)) = long {
        draft.text(&key, Some(&text), MAX_BACKUP_NAME);
    }
    for (key, number) in
        [("max_retries", action.max_retries), ("max_retries_interval", action.max_retries_interval)]
    {
        if let Some(number) = number.filter(|number| natural(Some(*number)).is_none()) {
            draft.note("unknown-value", format!("{key} is {number}; the default is taken."));
        }
    }
    // Documents of Elasticsearch, which have no times, leave out unset members.
    let is_of_a_table = row.created.is_some() || row.updated.is_some();
    let is_incomplete =
        action.max_retries.is_none() || action.max_retries_interval.is_none() || action.mandatory.is_none();
    if is_of_a_table && is_incomplete {
        draft.note(
            "defaulted",
            "max_retries, max_retries_interval or mandatory is NULL; the default is taken.",
        );
    }
    let times = draft.times(row, None, now);
    let owner = (head.project.as_deref().unwrap_or_default(), row.user.as_str());
    let target = new(head.target(), owner, spec, times);
    let size = max_size(&target);
    if size > MAX_DOCUMENT {
        draft.quarantine("too-large", format!("Its document has {size} bytes, and may have {MAX_DOCUMENT}."));
        return;
    }
    let id = target.id.clone();
    draft.push(TargetRow::Action(Box::new(target)));
    if let Some(report) = action.report.as_ref().filter(|report| !reports::is_empty(report)) {
        let parts = reports::Parts { id: ids::made("report", &[&row.id]), action_id: Some(id), times };
        reports::push(draft, owner, report, parts);
    }
}

/// The row to write.
pub fn new(id: &str, (project, user): (&str, &str), spec: ActionSpec, times: Times) -> TargetAction {
    TargetAction {
        id: id.to_owned(),
        project_id: project.to_owned(),
        user_id: user.to_owned(),
        spec,
        created_at: times.created,
        updated_at: times.updated,
        version: 1,
    }
}

/// The approximate number of bytes of an action in the document of a job.
pub fn weight(spec: &ActionSpec) -> usize {
    crate::document::size(&actions::FreezerAction(spec))
}
