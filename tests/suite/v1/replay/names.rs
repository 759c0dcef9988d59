//! Maps ids, uuids and creation times of the old service to ours.

use std::collections::BTreeMap;

use serde_json::Value;

/// The keys with values that the service generates.
const MADE: [&str; 6] = ["uuid", "user_id", "action_id", "job_id", "session_id", "backup_id"];

#[derive(Default)]
pub struct Names {
    ids: BTreeMap<String, String>,
    times: BTreeMap<i64, i64>,
}

impl Names {
    /// Our id for an old one.
    pub fn id<'a>(&'a self, old: &'a str) -> &'a str {
        self.ids.get(old).map_or(old, String::as_str)
    }

    pub fn is_known(&self, old: &str) -> bool {
        self.ids.contains_key(old)
    }

    /// Whether our value of this key stands for the old one. Generated ids and times are learned when first seen.
    pub fn learn_or_compare(&mut self, key: &str, old: &Value, ours: &Value) -> bool {
        match (old, ours) {
            (Value::String(old), Value::String(ours)) if MADE.contains(&key) => {
                let both = !old.is_empty() && !ours.is_empty();
                // An id of ours stands for one old id only.
                let is_new = both && !self.is_known(old) && !self.ids.values().any(|known| known == ours);
                if is_new {
                    self.ids.insert(old.clone(), ours.clone());
                }
                self.id(old) == ours
            }
            (Value::String(old), Value::String(ours)) => self.id(old) == ours,
            (Value::Number(old), Value::Number(ours)) if key == "time_created" => {
                match (old.as_i64(), ours.as_i64()) {
                    (Some(old), Some(ours)) if old > 0 && ours > 0 => {
                        *self.times.entry(old).or_insert(ours) == ours
                    }
                    (old, ours) => old == ours,
                }
            }
            _ => old == ours,
        }
    }

    pub fn in_path(&self, path: &str) -> String {
        path.split('/').map(|segment| self.id(segment)).collect::<Vec<_>>().join("/")
    }

    /// A document with our ids in the place of the old ones.
    pub fn in_document(&self, document: &Value) -> Value {
        match document {
            Value::String(text) => self.id(text).into(),
            Value::Array(items) => items.iter().map(|item| self.in_document(item)).collect(),
            Value::Object(members) => {
                let ours = members.iter().map(|(key, value)| {
                    let time = value.as_i64().filter(|_| key == "time_created");
                    match time.and_then(|time| self.times.get(&time)) {
                        Some(ours) => (key.clone(), (*ours).into()),
                        None => (self.id(key).to_owned(), self.in_document(value)),
                    }
                });
                Value::Object(ours.collect())
            }
            _ => document.clone(),
        }
    }
}
