//! Compares an answer with the recorded one, field by field.

use serde_json::Value;

use super::names::Names;

/// A field that differs: its path, the old value and ours.
pub type Unlike = (String, String, String);

/// The fields of an answer that differ from the recorded one.
pub fn documents(old: &Value, ours: &Value, names: &mut Names) -> Vec<Unlike> {
    let mut unlike = Vec::new();
    compare("", "", old, ours, names, &mut unlike);
    unlike
}

/// Summarizes an answer. A refusal is reduced to its title, as its text may contain ids.
pub fn summary(body: &Value) -> String {
    body.get("title").unwrap_or(body).to_string()
}

fn compare(path: &str, key: &str, old: &Value, ours: &Value, names: &mut Names, unlike: &mut Vec<Unlike>) {
    match (old, ours) {
        (Value::Object(old), Value::Object(ours)) => {
            let mut expected = Vec::new();
            for (key, old) in old {
                let path = join(path, if names.is_known(key) { "{}" } else { key });
                let our_key = names.id(key).to_owned();
                match ours.get(&our_key) {
                    Some(ours) => compare(&path, key, old, ours, names, unlike),
                    None => unlike.push((path, old.to_string(), "absent".to_owned())),
                }
                expected.push(our_key);
            }
            for (key, ours) in ours.iter().filter(|(key, _)| !expected.contains(key)) {
                unlike.push((join(path, key), "absent".to_owned(), ours.to_string()));
            }
        }
        (Value::Array(old), Value::Array(ours)) if old.iter().chain(ours).any(|item| id(item).is_some()) => {
            lists(&format!("{path}[]"), old, ours, names, unlike);
        }
        (Value::Array(old), Value::Array(ours)) if old.len() == ours.len() => {
            for (old, ours) in old.iter().zip(ours) {
                compare(&format!("{path}[]"), "", old, ours, names, unlike);
            }
        }
        _ if names.learn_or_compare(key, old, ours) => {}
        _ => unlike.push((path.to_owned(), old.to_string(), ours.to_string())),
    }
}

/// Compares lists of documents by their ids. An old id that is not known yet gets the next free one of ours.
fn lists(path: &str, old: &[Value], ours: &[Value], names: &mut Names, unlike: &mut Vec<Unlike>) {
    let mut free: Vec<&Value> = ours.iter().collect();
    let (known, new): (Vec<_>, Vec<_>) = old.iter().partition(|item| {
        id(item).is_some_and(|old| free.iter().any(|ours| id(ours) == Some(names.id(old))))
    });
    for old in known.into_iter().chain(new) {
        let old_id = id(old).unwrap_or_default();
        let at = free.iter().position(|ours| id(ours) == Some(names.id(old_id)));
        let at = at.or((!names.is_known(old_id) && !free.is_empty()).then_some(0));
        match at {
            Some(at) => compare(path, "", old, free.remove(at), names, unlike),
            None => unlike.push((path.to_owned(), "present".to_owned(), "absent".to_owned())),
        }
    }
    for _ in free {
        unlike.push((path.to_owned(), "absent".to_owned(), "present".to_owned()));
    }
}

/// The id of a document in a list.
fn id(document: &Value) -> Option<&str> {
    let client = document.pointer("/client/client_id");
    let keys = ["job_id", "backup_id", "action_id", "session_id"];
    client.or_else(|| keys.iter().find_map(|key| document.get(key))).and_then(Value::as_str)
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
