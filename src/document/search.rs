//! The search body of the lists (contract, api-v2 §10): parsing it, and matching documents where the conditions are not
//! about columns.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;

use front::error::{Error, Result};
use serde_json::{Map, Value, json};

use super::collection::Collection;
use super::shape::{Shape, about, must_be};
use crate::store::search::{Condition, Search};

/// The maximum number of conditions and words in one search. The SQL statement nests one level per condition.
const MAX_CONDITIONS: usize = 100;

/// The body of a GET of a list.
pub static SEARCH: Shape = Shape::new("Search", || {
    let object = json!({"type": "object", "maxProperties": MAX_CONDITIONS});
    let list = json!({"type": "array", "items": object, "maxItems": MAX_CONDITIONS});
    let conditions = |what: &str| {
        let either = json!({"anyOf": [list, object]});
        about(what, must_be("an object, or a list of at most 100 objects", either))
    };
    let time = |what: &str| {
        let number = json!({"type": "integer", "minimum": i64::MIN, "maximum": i64::MAX});
        let text = json!({"type": "string", "pattern": "^ *[+-]?[0-9]{1,18} *$"});
        let time = json!({"anyOf": [number, text, {"type": "null"}]});
        about(what, must_be("a whole number of seconds since 1970, as a number or as text, or null", time))
    };
    let schema = json!({
        "type": "object",
        "properties": {
            "match": conditions(
                "What a document must have: keys with values, compared with their types. A key with a fixed place is \
                 looked for there, any other anywhere. `_all`: words that must be part of some value, in any case.",
            ),
            "match_not": conditions("What a document must not have, in the same form."),
            "time_after": time("For backups: the least `time_stamp`, in epoch seconds."),
            "time_before": time("For backups: the greatest `time_stamp`, in epoch seconds."),
        },
    });
    about(&format!("At most {MAX_CONDITIONS} conditions and words together. Other keys mean nothing."), schema)
})
.with_example(|| json!({"match": [{"status": "running"}], "match_not": [{"client_id": "web1.example.com"}]}));

/// Parses a search body. `{}`, or no body at all, matches every document.
///
/// # Errors
/// 400 if `match` or `match_not` is neither a list of objects nor an object, a time is not an integer, or there are
/// more than [`MAX_CONDITIONS`].
pub fn parse(body: Value) -> Result<Search> {
    let body = SEARCH.check(body)?;
    let mut search = Search::default();
    let wanted =
        conditions(body.get("match")).into_iter().flat_map(|(key, value)| match nested(&key, &value) {
            Some(conditions) => conditions,
            None => vec![(key, value)],
        });
    for (key, value) in wanted {
        if key == "_all" {
            search.words.extend(words(&value));
        } else {
            search.wanted.push(Condition { key, value });
        }
    }
    for (key, value) in conditions(body.get("match_not")) {
        if key == "_all" {
            search.unwanted_words.push(words(&value));
        } else {
            search.unwanted.push(Condition { key, value });
        }
    }
    let unwanted_words: usize = search.unwanted_words.iter().map(Vec::len).sum();
    if search.wanted.len() + search.unwanted.len() + search.words.len() + unwanted_words > MAX_CONDITIONS {
        return Err(Error::bad_request(format!(
            "A search has at most {MAX_CONDITIONS} conditions and words."
        )));
    }
    sort_and_dedup(&mut search.words);
    search.unwanted_words.iter_mut().for_each(sort_and_dedup);
    search.time_after = time(body.get("time_after"))?;
    search.time_before = time(body.get("time_before"))?;
    Ok(search)
}

/// The client whose scheduler sends a search with this body as its poll: `match` has only the `client_id`, and
/// `match_not` has only the status `completed`. Every freezer-scheduler sends exactly that. Any other search is not a
/// poll, and delivers no events.
pub fn polling_client(body: &Value) -> Option<&str> {
    let body = body.as_object().filter(|body| body.len() == 2)?;
    let only = |list: &str, key: &str| match body.get(list)?.as_array()?.as_slice() {
        [Value::Object(condition)] if condition.len() == 1 => condition.get(key)?.as_str(),
        _ => None,
    };
    only("match", "client_id").filter(|_| only("match_not", "status") == Some("completed"))
}

/// The conditions in the value of `match` or `match_not`.
fn conditions(list: Option<&Value>) -> Vec<(String, Value)> {
    let objects: Vec<&Map<String, Value>> = match list {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_object).collect(),
        Some(Value::Object(object)) => vec![object],
        _ => Vec::new(),
    };
    objects.into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect()
}

/// The conditions in `_all`, if its value is the JSON text of a list of objects, which the command line and scripts
/// send.
fn nested(key: &str, value: &Value) -> Option<Vec<(String, Value)>> {
    let text = value.as_str().filter(|_| key == "_all")?;
    let list: Vec<Map<String, Value>> = serde_json::from_str(text).ok()?;
    Some(list.into_iter().flatten().collect())
}

fn words(value: &Value) -> Vec<String> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.to_lowercase().split_whitespace().map(str::to_owned).collect()
}

/// Leaves each word once, the longest first: a long word is the least likely to be in a document, so most documents are
/// rejected by the first comparison.
fn sort_and_dedup(words: &mut Vec<String>) {
    words.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    words.dedup();
}

fn time(value: Option<&Value>) -> Result<Option<i64>> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => text.trim().parse().map(Some).map_err(|_| bad_time()),
        Some(value) => value.as_i64().map(Some).ok_or_else(bad_time),
    }
}

fn bad_time() -> Error {
    Error::bad_request("time_after and time_before take whole seconds since the epoch.")
}

/// Whether a document matches a search.
pub fn matches(document: &Value, search: &Search, collection: &Collection) -> bool {
    let members = OnceCell::new();
    let holds = |condition: &Condition| holds(document, &members, condition, collection);
    search.wanted.iter().all(holds) && !search.unwanted.iter().any(holds) && has_words(document, search)
}

/// Whether a document has every wanted word, and lacks a word of each unwanted text. The document's text is converted
/// to lower case once, however many words there are.
fn has_words(document: &Value, search: &Search) -> bool {
    if search.words.is_empty() && search.unwanted_words.is_empty() {
        return true;
    }
    let mut text = String::new();
    append_scalars(document, &mut text);
    let has_all = |words: &[String]| words.iter().all(|word| text.contains(word.as_str()));
    has_all(&search.words) && !search.unwanted_words.iter().any(|words| has_all(words))
}

/// The values of every key of a document, at any depth. Collected by the first condition that needs them.
type Members<'d> = OnceCell<HashMap<&'d str, Vec<&'d Value>>>;

fn holds<'d>(
    document: &'d Value,
    members: &Members<'d>,
    condition: &Condition,
    collection: &Collection,
) -> bool {
    let values = occurrences(document, members, &condition.key, collection);
    if values.is_empty() {
        // A missing key equals null, as it does upstream.
        return condition.value.is_null();
    }
    values.contains(&&condition.value)
}

/// Every value that `key` has in a document.
fn occurrences<'m, 'd: 'm>(
    document: &'d Value,
    members: &'m Members<'d>,
    key: &str,
    collection: &Collection,
) -> Cow<'m, [&'d Value]> {
    if let Some(place) = collection.place(key) {
        return document.pointer(place).into_iter().collect();
    }
    let mut values = Vec::new();
    if key.contains('.') {
        values_at_path(document, key, &mut values);
    }
    if !values.is_empty() {
        return values.into();
    }
    let members = members.get_or_init(|| {
        let mut members = HashMap::new();
        collect_members(document, &mut members);
        members
    });
    members.get(key).map_or_else(|| values.into(), |values| values.as_slice().into())
}

/// Adds the values at a dotted path. In a list, the path goes on in each item.
fn values_at_path<'d>(value: &'d Value, path: &str, values: &mut Vec<&'d Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| values_at_path(item, path, values)),
        Value::Object(object) => match path.split_once('.') {
            None => values.extend(object.get(path)),
            Some((head, rest)) => {
                if let Some(inner) = object.get(head) {
                    values_at_path(inner, rest, values);
                }
            }
        },
        _ => {}
    }
}

/// Adds the values of all keys in a value, at any depth.
fn collect_members<'d>(value: &'d Value, members: &mut HashMap<&'d str, Vec<&'d Value>>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_members(item, members)),
        Value::Object(object) => {
            for (name, inner) in object {
                members.entry(name).or_default().push(inner);
                collect_members(inner, members);
            }
        }
        _ => {}
    }
}

/// Appends every scalar of a document in lower case, one per line. No search word contains a line break, so a word is
/// never found across two scalars.
fn append_scalars(value: &Value, text: &mut String) {
    match value {
        Value::Null => return,
        Value::Bool(flag) => text.push_str(if *flag { "true" } else { "false" }),
        // An exponent may be in upper case.
        Value::Number(number) => text.push_str(&number.to_string().to_ascii_lowercase()),
        Value::String(scalar) if scalar.is_ascii() => {
            let begin = text.len();
            text.push_str(scalar);
            text[begin..].make_ascii_lowercase();
        }
        Value::String(scalar) => text.push_str(&scalar.to_lowercase()),
        Value::Array(items) => return items.iter().for_each(|item| append_scalars(item, text)),
        Value::Object(object) => return object.values().for_each(|item| append_scalars(item, text)),
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::jobs::COLLECTION;

    fn job() -> Value {
        json!({
            "job_schedule": {"status": "running"},
            "job_actions": [{"freezer_action": {"status": "completed", "mode": "fs", "backup_name": "Nightly Root"}}],
        })
    }

    fn finds(body: Value) -> bool {
        matches(&job(), &parse(body).unwrap(), &COLLECTION)
    }

    #[test]
    fn a_well_known_key_is_looked_up_in_its_own_place_only() {
        assert!(finds(json!({"match": [{"status": "running"}]})));
        assert!(finds(json!({"match_not": [{"status": "completed"}]})));
    }

    #[test]
    fn any_other_key_is_found_anywhere_and_compared_with_its_type() {
        assert!(finds(json!({"match": [{"mode": "fs"}]})));
        assert!(finds(json!({"match": {"job_actions.freezer_action.mode": "fs"}})));
        assert!(!finds(json!({"match": [{"mode": 1}]})));
        assert!(!finds(json!({"match_not": [{"mode": "fs"}]})));
        assert!(finds(json!({"match": [{"absent": null}]})));
    }

    #[test]
    fn all_is_every_word_in_any_case_or_a_list_of_conditions() {
        assert!(finds(json!({"match": [{"_all": "root NIGHT"}, {"mode": "fs"}]})));
        assert!(!finds(json!({"match": [{"_all": "nightly"}, {"mode": "mongo"}]})));
        assert!(!finds(json!({"match": [{"_all": "nightly weekly"}]})));
        assert!(finds(json!({"match": [{"_all": "[{\"mode\": \"fs\"}]"}]})));
        assert!(!finds(json!({"match": [{"_all": "[{\"mode\": \"nova\"}]"}]})));
        assert!(!finds(json!({"match_not": [{"_all": "nightly"}]})));
        assert!(finds(json!({"match": [{"_all": "root root Root night"}]})));
        assert!(finds(json!({"match_not": [{"_all": "nightly nightly weekly"}]})));
    }

    #[test]
    fn a_word_is_part_of_one_value_only() {
        // The scalars are in the order of their keys: "nightly root", "fs", "completed", "running".
        assert!(!finds(json!({"match": [{"_all": "rootfs"}]})));
        assert!(!finds(json!({"match": [{"_all": "[\"rootfs\"]"}]})));
        let document = json!({"a": "\u{c9}T\u{c9}", "b": 1.5e300, "c": true, "d": null, "e": ["X\ny"]});
        let has =
            |text: &str| matches(&document, &parse(json!({"match": [{"_all": text}]})).unwrap(), &COLLECTION);
        for text in ["\u{e9}t\u{e9}", "1.5E+300", "TRUE", "x y"] {
            assert!(has(text), "{text}");
        }
        for text in ["null", "\u{e9}t\u{e9}1", "truex"] {
            assert!(!has(text), "{text}");
        }
    }

    #[test]
    fn anything_but_objects_is_refused() {
        for body in [json!([]), json!({"match": "x"}), json!({"match": [1]}), json!({"time_after": "soon"})] {
            assert_eq!(parse(body).unwrap_err().status(), 400);
        }
    }

    #[test]
    fn a_poll_is_exactly_what_schedulers_send() {
        let completed = json!([{"status": "completed"}]);
        let poll = json!({"match_not": completed, "match": [{"client_id": "a"}]});
        assert_eq!(polling_client(&poll), Some("a"));
        for other in [
            json!({}),
            json!({"match": [{"client_id": "a"}]}),
            json!({"match": [{"client_id": 1}], "match_not": completed}),
            json!({"match": {"client_id": "a"}, "match_not": completed}),
            json!({"match": [{"client_id": "a", "job_id": "b"}], "match_not": completed}),
            json!({"match": [{"client_id": "a"}, {"client_id": "a"}], "match_not": completed}),
            json!({"match": [{"client_id": "a"}, {"_all": "x"}], "match_not": completed}),
            json!({"match": [{"_all": "[{\"client_id\": \"a\"}]"}], "match_not": completed}),
            json!({"match": [{"client_id": "a"}], "match_not": [{"status": "running"}]}),
            json!({"match": [{"client_id": "a"}], "match_not": [{"job_schedule.status": "completed"}]}),
            json!({"match": [{"client_id": "a"}], "match_not": [{"status": "completed"}, {"event": ""}]}),
            json!({"match": [{"client_id": "a"}], "match_not": completed, "time_after": 0}),
        ] {
            assert_eq!(polling_client(&other), None, "{other}");
        }
    }

    #[test]
    fn the_number_of_conditions_is_limited() {
        let conditions = |count| vec![json!({"a": 1}); count];
        assert!(parse(json!({"match": conditions(50), "match_not": conditions(50)})).is_ok());
        assert!(parse(json!({"match": conditions(50), "match_not": conditions(51)})).is_err());
        let nested = Value::from(conditions(101)).to_string();
        for all in ["x ".repeat(101), nested] {
            assert!(parse(json!({"match": {"_all": all}})).is_err());
        }
        assert!(parse(json!({"match_not": {"_all": "x ".repeat(101)}})).is_err());
    }
}
