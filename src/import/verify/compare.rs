//! Compares two documents, apart from allowed differences.

mod allow;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::Kind;

type Document = Map<String, Value>;

/// A place at which two documents differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The JSON path; empty if one of the documents is missing.
    pub path: String,
    /// The value in the old service's document.
    pub old: Option<Value>,
    /// The value in this service's document.
    pub ours: Option<Value>,
}

/// What the plan has done with the entries of a job's `job_actions`.
#[derive(Debug, Clone, Default)]
pub struct Entries {
    /// Those that are not attached, by their number.
    pub gone: BTreeSet<usize>,
    /// The actions that stand for others, by the entry's number.
    pub actions: BTreeMap<usize, String>,
}

/// Where the documents differ, beyond what [`allow`] says.
pub fn compare(kind: Kind, old: Value, ours: Value, entries: &Entries) -> Vec<Difference> {
    let (Value::Object(mut old), Value::Object(mut ours)) = (old.clone(), ours.clone()) else {
        return vec![Difference { path: String::new(), old: Some(old), ours: Some(ours) }];
    };
    if kind == Kind::Job {
        align(&mut old, &mut ours, entries);
    }
    for allowance in allow::ALL {
        allowance(kind, &mut old, &mut ours);
    }
    let mut differences = Vec::new();
    objects(&mut String::new(), &old, &ours, &mut differences);
    differences
}

/// Makes maps of the two lists of a job's actions, so that those that belong together have the same key: the entry's
/// number in the old list. What is only in ours gets `+` and its number there.
fn align(old: &mut Document, ours: &mut Document, entries: &Entries) {
    let take = |document: &mut Document| match document.remove("job_actions") {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    };
    let (old_items, our_items) = (take(old), take(ours));
    let id = |entry: &Value| entry.get("action_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_one_to_one = old_items.len() - entries.gone.len().min(old_items.len()) == our_items.len();
    let mut rest = our_items.into_iter().enumerate().peekable();
    let (mut old_map, mut our_map) = (Map::new(), Map::new());
    for (number, entry) in old_items.into_iter().enumerate() {
        if !entries.gone.contains(&number) {
            let wanted = entries.actions.get(&number).cloned().unwrap_or_else(|| id(&entry));
            let is_there = is_one_to_one || rest.clone().any(|(_, ours)| id(&ours) == wanted);
            while is_there && let Some((place, ours)) = rest.next() {
                if is_one_to_one || id(&ours) == wanted {
                    our_map.insert(number.to_string(), ours);
                    break;
                }
                our_map.insert(format!("+{place}"), ours);
            }
        }
        old_map.insert(number.to_string(), entry);
    }
    our_map.extend(rest.map(|(place, entry)| (format!("+{place}"), entry)));
    old.insert("job_actions".to_owned(), Value::Object(old_map));
    ours.insert("job_actions".to_owned(), Value::Object(our_map));
}

fn objects(path: &mut String, old: &Document, ours: &Document, found: &mut Vec<Difference>) {
    let keys: BTreeSet<&String> = old.keys().chain(ours.keys()).collect();
    for key in keys {
        member(path, key, old.get(key), ours.get(key), found);
    }
}

fn member(
    path: &mut String,
    key: &str,
    old: Option<&Value>,
    ours: Option<&Value>,
    found: &mut Vec<Difference>,
) {
    let length = path.len();
    path.push('/');
    path.push_str(&key.replace('~', "~0").replace('/', "~1"));
    match (old, ours) {
        (Some(Value::Object(old)), Some(Value::Object(ours))) => objects(path, old, ours, found),
        (Some(Value::Array(old)), Some(Value::Array(ours))) => {
            for place in 0..old.len().max(ours.len()) {
                member(path, &place.to_string(), old.get(place), ours.get(place), found);
            }
        }
        (old, ours) if is_equal(old, ours) => {}
        (old, ours) => {
            found.push(Difference { path: path.clone(), old: old.cloned(), ours: ours.cloned() });
        }
    }
    path.truncate(length);
}

/// Compares numbers by value, because databases store JSON parsed and write 1.0 or 1e3 in their own form.
fn is_equal(old: Option<&Value>, ours: Option<&Value>) -> bool {
    match (old, ours) {
        (Some(Value::Number(old)), Some(Value::Number(ours))) => old == ours || old.as_f64() == ours.as_f64(),
        (old, ours) => old == ours,
    }
}

#[cfg(test)]
mod tests;
