//! Takes the members of an object of a document, key by key. Members that are left have no place in the target.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Timelike};
use serde_json::{Map, Number, Value, json};

use crate::import::legacy::Problem;

/// The seconds from 1970 to the year 10,000, which no supported database can store.
const END_OF_TIME: i64 = 253_402_300_800;

/// The members that were not taken yet, and the problems of those that were.
#[derive(Debug)]
pub struct Fields {
    /// The prefix of keys in problems: empty, or `client.`.
    path: &'static str,
    /// The members that are left.
    pub map: Map<String, Value>,
    /// The problems so far.
    pub problems: Vec<Problem>,
}

impl Fields {
    /// The members of an object.
    pub fn new(path: &'static str, map: Map<String, Value>) -> Self {
        Self { path, map, problems: Vec::new() }
    }

    /// A member as it is; `None` for null.
    pub fn value(&mut self, key: &str) -> Option<Value> {
        self.map.remove(key).filter(|value| !value.is_null())
    }

    /// A text; a number or a truth value is taken for its text.
    pub fn text(&mut self, key: &str) -> Option<String> {
        let value = self.value(key)?;
        match text(&value) {
            Some(text) => Some(text),
            None => self.wrong(key, "text", value),
        }
    }

    /// A text that is not empty.
    pub fn word(&mut self, key: &str) -> Option<String> {
        self.text(key).filter(|text| !text.is_empty())
    }

    /// A whole number, perhaps as text; an empty text is none.
    pub fn int(&mut self, key: &str) -> Option<i64> {
        let value = self.value(key)?;
        match &value {
            Value::String(text) if text.trim().is_empty() => None,
            other => match int(other) {
                Some(number) => Some(number),
                None => self.wrong(key, "a whole number", value),
            },
        }
    }

    /// Seconds since 1970; the old service writes −1 and '' where there is no time.
    pub fn seconds(&mut self, key: &str) -> Option<i64> {
        self.int(key).filter(|seconds| *seconds >= 0)
    }

    /// A truth value, perhaps as text or number.
    pub fn flag(&mut self, key: &str) -> Option<bool> {
        let value = self.value(key)?;
        match text(&value).as_deref().map(str::to_ascii_lowercase).as_deref() {
            Some("true" | "1") => Some(true),
            Some("false" | "0" | "") => Some(false),
            _ => self.wrong(key, "true or false", value),
        }
    }

    /// An object; an empty text and an empty list stand for an empty one.
    pub fn object(&mut self, key: &str) -> Option<Map<String, Value>> {
        match self.value(key)? {
            Value::Object(map) => Some(map),
            Value::String(text) if text.is_empty() => None,
            Value::Array(list) if list.is_empty() => None,
            other => self.wrong(key, "an object", other),
        }
    }

    /// Texts; an empty list is none.
    pub fn texts(&mut self, key: &str) -> Option<Vec<String>> {
        match self.value(key)? {
            Value::Array(list) => {
                let texts: Option<Vec<String>> =
                    list.iter().map(|item| item.as_str().map(str::to_owned)).collect();
                match texts {
                    Some(texts) => Some(texts).filter(|texts| !texts.is_empty()),
                    None => self.wrong(key, "a list of texts", Value::Array(list)),
                }
            }
            Value::String(text) if text.is_empty() => None,
            other => self.wrong(key, "a list of texts", other),
        }
    }

    /// A point in time: seconds since 1970, or a date as text.
    pub fn moment(&mut self, key: &str) -> Option<NaiveDateTime> {
        let value = self.value(key)?;
        match moment(&value) {
            Some(moment) => Some(moment),
            None if value.as_str().is_some_and(|text| text.trim().is_empty()) || int(&value) == Some(-1) => {
                None
            }
            None => self.wrong(key, "a time", value),
        }
    }

    /// Notes something.
    pub fn note(&mut self, reason: &str, detail: impl Into<String>, value: Option<Value>) {
        self.problems.push(Problem { reason: reason.to_owned(), detail: detail.into(), value });
    }

    fn wrong<T>(&mut self, key: &str, expected: &str, value: Value) -> Option<T> {
        let name = format!("{}{key}", self.path);
        self.note("bad-json", format!("`{name}` is not {expected}."), Some(json!({ name: value })));
        None
    }

    /// The problems, including one for every member that is left.
    pub fn into_problems(mut self) -> Vec<Problem> {
        for (key, value) in std::mem::take(&mut self.map) {
            let name = format!("{}{key}", self.path);
            self.note("other-key", format!("`{name}` has no place here."), Some(json!({ name: value })));
        }
        self.problems
    }
}

/// The text of what is no object and no list.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A whole number, also of a number with a fraction or of a text.
#[allow(clippy::cast_possible_truncation)] // that is what it is for; too large a number becomes the largest
pub fn int(value: &Value) -> Option<i64> {
    let whole =
        |number: &Number| number.as_i64().or_else(|| number.as_f64().map(|number| number.trunc() as i64));
    match value {
        Value::Number(number) => whole(number),
        Value::String(text) => text.trim().parse::<Number>().ok().as_ref().and_then(whole),
        _ => None,
    }
}

/// A point in time, in whole seconds.
pub fn moment(value: &Value) -> Option<NaiveDateTime> {
    if let Some(seconds) = int(value) {
        return from_seconds(seconds);
    }
    let text = value.as_str()?.trim();
    let zoned = DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.naive_utc());
    let plain = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"]
        .into_iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
    zoned.or(plain).or_else(day)?.with_nanosecond(0)
}

/// A point in time that can be meant: not before 1970, and before the year 10,000.
pub fn from_seconds(seconds: i64) -> Option<NaiveDateTime> {
    let is_usable = (1..END_OF_TIME).contains(&seconds);
    is_usable.then(|| DateTime::from_timestamp(seconds, 0)).flatten().map(|moment| moment.naive_utc())
}
