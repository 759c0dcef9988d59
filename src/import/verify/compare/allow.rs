//! Allowed differences between the documents of the old service and of this one. Each function removes one of them from
//! both documents.

use serde_json::{Map, Value, json};

use super::{Document, Kind};
use crate::document::clients::{ACTIONS, ENGINES, MODES, STORAGES};
use crate::schedule::normalized;

/// All of them, in the order in which they are applied: the first ones bring old documents into today's form.
pub const ALL: &[fn(Kind, &mut Document, &mut Document)] = &[
    revisions,
    old_names,
    nulls,
    members_of_a_session,
    user_name,
    time_stamp,
    job_of_a_backup,
    no_project,
    reports,
    trust_in_an_action,
    blanks,
    always_shown,
];

/// The revision: each side counts its own.
fn revisions(_: Kind, old: &mut Document, ours: &mut Document) {
    for document in [old, ours] {
        document.remove("_version");
        document.remove("version");
    }
}

/// Names of the first releases, which only Elasticsearch keeps. The import gives today's.
fn old_names(kind: Kind, old: &mut Document, _: &mut Document) {
    let rename = |object: Option<&mut Value>, from: &str, to: &str| {
        let Some(Value::Object(object)) = object else { return };
        if let Some(value) = object.remove(from) {
            object.entry(to).or_insert(value);
        }
    };
    match kind {
        Kind::Client => {
            if let (Some(uuid), Some(Value::Object(client))) = (old.remove("uuid"), old.get_mut("client")) {
                client.entry("uuid").or_insert(uuid);
            }
        }
        Kind::Action => {
            rename(old.get_mut("freezer_action"), "src_file", "path_to_backup");
            rename(old.get_mut("freezer_action"), "remove_older_then", "remove_older_than");
        }
        Kind::Job => {
            rename(old.get_mut("job_schedule"), "job_event", "event");
            for (_, entry) in entries(old) {
                rename(entry.get_mut("freezer_action"), "src_file", "path_to_backup");
                rename(entry.get_mut("freezer_action"), "remove_older_then", "remove_older_than");
            }
        }
        Kind::Session | Kind::Backup => {}
    }
    if let Some(tag) = old.get("session_tag").and_then(Value::as_str).and_then(|tag| tag.parse::<i64>().ok())
    {
        old.insert("session_tag".to_owned(), tag.into());
    }
}

/// A member that is null is a member that is missing. Inside of the metadata of a backup, and of a member of an action,
/// it is what the client wrote.
fn nulls(_: Kind, old: &mut Document, ours: &mut Document) {
    fn prune(object: &mut Document) {
        object.retain(|_, value| !value.is_null());
        for (key, value) in object {
            match value {
                Value::Object(members) if key == "freezer_action" => {
                    members.retain(|_, value| !value.is_null())
                }
                Value::Object(members) if key != "backup_metadata" => prune(members),
                _ => {}
            }
        }
    }
    prune(old);
    prune(ours);
}

/// The jobs of a session: the old service has none, null or an empty list before the first one is attached, and empty
/// text for a time that has not come.
fn members_of_a_session(kind: Kind, old: &mut Document, ours: &mut Document) {
    if kind != Kind::Session {
        return;
    }
    for document in [old, ours] {
        match document.get_mut("jobs") {
            Some(Value::Object(jobs)) => {
                for member in jobs.values_mut().filter_map(Value::as_object_mut) {
                    for (key, none) in PART {
                        let none = if *none == "-1" { json!(-1) } else { json!("") };
                        if is_nothing(member.get(*key)) {
                            member.insert((*key).to_owned(), none);
                        }
                    }
                }
            }
            _ => {
                document.insert("jobs".to_owned(), json!({}));
            }
        }
    }
}

/// The entry of a session about a job that has not run.
const PART: &[(&str, &str)] = &[("status", ""), ("result", ""), ("time_started", "-1"), ("time_ended", "-1")];

/// The name of the user who made a backup: beside the metadata up to release 18, inside of it here.
fn user_name(kind: Kind, old: &mut Document, ours: &mut Document) {
    if kind != Kind::Backup {
        return;
    }
    let Some(name) = old.remove("user_name") else { return };
    if let Some(Value::Object(metadata)) = old.get_mut("backup_metadata") {
        metadata.entry("user_name").or_insert(name);
    }
    // Version 1 of our API shows it at both places.
    ours.remove("user_name");
}

/// The time of a backup: ours is always a number, because clients calculate with it. Text that is a number becomes one,
/// and in place of anything else, or of a time that no clock shows, stands when the record was written.
fn time_stamp(kind: Kind, old: &mut Document, ours: &mut Document) {
    if kind != Kind::Backup {
        return;
    }
    let metadata = |document: &mut Document| match document.remove("backup_metadata") {
        Some(Value::Object(metadata)) => metadata,
        _ => Map::new(),
    };
    let (mut theirs, mut shown) = (metadata(old), metadata(ours));
    let number = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text.trim().parse::<i64>().ok(),
        Some(value) => value.as_i64(),
        None => None,
    };
    let of_old = number(theirs.get("time_stamp")).or_else(|| number(theirs.get("timestamp")));
    let of_ours = shown.get("time_stamp").and_then(Value::as_i64);
    let is_usual = theirs.get("time_stamp").is_some_and(Value::is_i64);
    if of_ours.is_some() && (of_ours == of_old || !is_usual || of_old.is_some_and(|time| time < 0)) {
        theirs.remove("time_stamp");
        shown.remove("time_stamp");
    }
    old.insert("backup_metadata".to_owned(), Value::Object(theirs));
    ours.insert("backup_metadata".to_owned(), Value::Object(shown));
}

/// The job of a backup, which the old table has in a column of its own, too: the old API shows the metadata alone, and
/// ours keeps what only the column has in there.
fn job_of_a_backup(kind: Kind, old: &mut Document, ours: &mut Document) {
    if kind != Kind::Backup {
        return;
    }
    let is_shown = old.get("backup_metadata").is_some_and(|metadata| metadata.get("job_id").is_some());
    if !is_shown && let Some(Value::Object(metadata)) = ours.get_mut("backup_metadata") {
        metadata.remove("job_id");
    }
}

/// Version 1 of the old API knows no projects: which one a row is in is the operator's to say at the import.
fn no_project(_: Kind, old: &mut Document, ours: &mut Document) {
    if is_nothing(old.get("project_id")) {
        old.remove("project_id");
        ours.remove("project_id");
    }
}

/// The outcome of an action, which Elasticsearch stores inside the action, and this service in an action report.
fn reports(kind: Kind, old: &mut Document, ours: &mut Document) {
    let only_in_old = |old: Option<&mut Value>, ours: Option<&Value>, keys: &[&str]| {
        let (Some(Value::Object(old)), Some(Value::Object(ours))) = (old, ours) else { return };
        for key in keys.iter().filter(|key| !ours.contains_key(**key)) {
            old.remove(*key);
        }
    };
    const OUTCOME: &[&str] = &["result", "time_elapsed", "report_date"];
    match kind {
        Kind::Action => only_in_old(old.get_mut("freezer_action"), ours.get("freezer_action"), OUTCOME),
        Kind::Job => {
            for (key, entry) in entries(old) {
                let Some(our_entry) = ours.get("job_actions").and_then(|all| all.get(key.as_str())) else {
                    continue;
                };
                only_in_old(entry.get_mut("freezer_action"), our_entry.get("freezer_action"), OUTCOME);
                only_in_old(Some(entry), Some(our_entry), &["exit_status"]);
            }
        }
        _ => {}
    }
}

/// The trust that a central scheduler wrote into an action. This service stores it with the job.
fn trust_in_an_action(kind: Kind, old: &mut Document, ours: &mut Document) {
    if kind != Kind::Job {
        return;
    }
    for (key, entry) in entries(old) {
        let is_ours = ours
            .get("job_actions")
            .and_then(|all| all.pointer(&format!("/{key}/freezer_action/os_trust_id")));
        if is_ours.is_none()
            && let Some(Value::Object(action)) = entry.get_mut("freezer_action")
        {
            action.remove("os_trust_id");
        }
    }
}

/// Blanks in a schedule: this service merges several into one.
fn blanks(kind: Kind, old: &mut Document, ours: &mut Document) {
    let key = match kind {
        Kind::Job => "job_schedule",
        Kind::Session => "schedule",
        _ => return,
    };
    for document in [old, ours] {
        if let Some(Value::Object(schedule)) = document.get_mut(key) {
            *schedule = normalized(schedule);
        }
    }
}

/// Members that this service always shows. If the old document has none or an empty text, this service shows the default
/// of a missing one.
fn always_shown(kind: Kind, old: &mut Document, ours: &mut Document) {
    for (pointer, value) in defaults(kind) {
        stands_for_none(old, ours, pointer, value.as_ref());
    }
    if kind == Kind::Job {
        let Some(Value::Object(all)) = ours.get_mut("job_actions") else { return };
        for (key, entry) in entries(old) {
            let (Some(old), Some(Value::Object(ours))) = (entry.as_object_mut(), all.get_mut(key)) else {
                continue;
            };
            for key in ENTRY {
                stands_for_none(old, ours, key, None);
            }
        }
    }
}

/// Members that an entry of a job takes from its action.
const ENTRY: &[&str] = &["/mandatory", "/max_retries", "/max_retries_interval", "/project_id", "/user_id"];

/// The members that this service fills in when they are missing, with their defaults; `None` if the default varies.
fn defaults(kind: Kind) -> Vec<(&'static str, Option<Value>)> {
    let is = |pointer, value: Value| (pointer, Some(value));
    match kind {
        Kind::Client => vec![
            is("/client/is_central", json!(false)),
            is("/client/supported_actions", json!(ACTIONS)),
            is("/client/supported_modes", json!(MODES)),
            is("/client/supported_storages", json!(STORAGES)),
            is("/client/supported_engines", json!(ENGINES)),
            is("/client/description", json!("")),
            ("/client/state", None),
            ("/client/last_seen_at", None),
        ],
        Kind::Action => vec![
            is("/mandatory", json!(false)),
            is("/max_retries", json!(5)),
            is("/max_retries_interval", json!(6)),
            // A copy of that inside of freezer_action.
            ("/timeout", None),
        ],
        Kind::Session => vec![
            is("/description", json!("")),
            is("/session_tag", json!(0)),
            is("/hold_off", json!(30)),
            is("/status", json!("active")),
            is("/status", json!("")),
            is("/result", json!("")),
            is("/time_start", json!(-1)),
            is("/time_end", json!(-1)),
            is("/time_started", json!(-1)),
            is("/time_ended", json!(-1)),
            is("/schedule", json!({})),
            is("/last_start", json!("")),
            is("/policy", json!("all")),
        ],
        Kind::Job => vec![
            is("/description", json!("")),
            is("/session_id", json!("")),
            is("/session_tag", json!(0)),
            is("/job_schedule/event", json!("")),
            is("/job_schedule/status", json!("")),
            is("/job_schedule/result", json!("")),
            is("/job_schedule/time_started", json!(-1)),
            is("/job_schedule/time_ended", json!(-1)),
            ("/job_schedule/time_created", None),
        ],
        Kind::Backup => vec![is("/status", json!("available"))],
    }
}

/// Removes the member from both documents if the old one is empty and the new one is `value`, or anything for `None`.
fn stands_for_none(old: &mut Document, ours: &mut Document, pointer: &str, value: Option<&Value>) {
    let key = pointer.rsplit('/').next().unwrap_or_default();
    let mut path: Vec<&str> = pointer.split('/').skip(1).collect();
    path.pop();
    let (mut old, mut ours) = (old, ours);
    for step in path {
        let theirs = old.entry(step).or_insert_with(|| json!({}));
        let (Value::Object(inner_old), Some(Value::Object(inner_ours))) = (theirs, ours.get_mut(step)) else {
            return;
        };
        (old, ours) = (inner_old, inner_ours);
    }
    if !is_nothing(old.get(key)) {
        return;
    }
    match (ours.get(key), value) {
        (Some(shown), Some(value)) if shown != value => {}
        (None, _) | (Some(_), _) => {
            old.remove(key);
            ours.remove(key);
        }
    }
}

/// Whether a value is empty: missing, null, an empty text or list, or an unset time.
fn is_nothing(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Number(number)) => number.as_i64().is_some_and(|number| number < 0),
        Some(_) => false,
    }
}

/// The entries of `job_actions`, which are a map by now.
fn entries(document: &mut Document) -> impl Iterator<Item = (&String, &mut Value)> {
    document.get_mut("job_actions").and_then(Value::as_object_mut).into_iter().flat_map(|all| all.iter_mut())
}
