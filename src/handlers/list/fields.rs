//! The parameter `fields`, which selects members of each document.

use front::error::{Error, Result};
use serde_json::{Map, Value};

use crate::document::collection::Collection;

/// The maximum number of members, not counting members inside another selected member.
const MAX_PATHS: usize = 100;

/// The paths of the selected members. None of them is below another.
#[derive(Debug, PartialEq, Eq)]
pub struct Fields(Vec<Vec<String>>);

impl Fields {
    /// Parses a value such as `id,client.hostname`.
    ///
    /// # Errors
    /// 400 if it names no member, or a top-level member that the documents of this collection never have.
    pub fn parse(text: &str, collection: &Collection) -> Result<Self> {
        let paths = text.split(',').map(str::trim).filter(|path| !path.is_empty());
        let mut paths: Vec<Vec<String>> =
            paths.map(|path| path.split('.').map(str::to_owned).collect()).collect();
        // After sorting, a path is followed by the paths below it.
        paths.sort();
        paths.dedup_by(|path, above| path.starts_with(above));
        if paths.len() > MAX_PATHS {
            return Err(Error::invalid_parameter(format!("fields may name {MAX_PATHS} members.")));
        }
        if paths.is_empty() {
            return Err(Error::invalid_parameter("fields must name members of the documents."));
        }
        let schema = collection.document.map(crate::document::shape::Shape::schema);
        if let Some(known) = schema.as_ref().and_then(|schema| schema["properties"].as_object())
            && let Some(unknown) =
                paths.iter().filter_map(|path| path.first()).find(|name| !known.contains_key(*name))
        {
            return Err(Error::invalid_parameter(format!(
                "fields names {unknown:?}, which no {} have.",
                collection.path
            )));
        }
        Ok(Self(paths))
    }

    /// The top-level members that are selected, as a whole or in part.
    pub fn members(&self) -> Vec<String> {
        let mut members: Vec<String> = self.0.iter().filter_map(|path| path.first().cloned()).collect();
        members.dedup();
        members
    }

    /// The selected members of a document. A member that the document does not have is left out.
    pub fn select(&self, document: Value) -> Value {
        let mut selected = Value::Object(Map::new());
        for path in &self.0 {
            copy(&document, &mut selected, path);
        }
        selected
    }
}

fn copy(from: &Value, to: &mut Value, path: &[String]) {
    let (Some((name, rest)), Value::Object(to)) = (path.split_first(), to) else { return };
    let Some(value) = from.get(name) else { return };
    if rest.is_empty() {
        to.insert(name.clone(), value.clone());
    } else if value.is_object() {
        copy(value, to.entry(name.clone()).or_insert_with(|| Value::Object(Map::new())), rest);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::document::collection::Collection;

    const ANY: Collection = Collection {
        noun: "clients",
        path: "clients",
        keys: &[],
        places: &[],
        extras: &[],
        is_strict: false,
        document: None,
    };

    #[test]
    fn members_are_selected_by_their_paths() {
        let document = json!({"id": 1, "client": {"a": 2, "b": [3], "c": 4}, "other": null});
        for (fields, kept) in [
            ("id", json!({"id": 1})),
            ("client.a,client.b", json!({"client": {"a": 2, "b": [3]}})),
            ("client,client.a", json!({"client": {"a": 2, "b": [3], "c": 4}})),
            (" other , missing, id.x", json!({"other": null})),
        ] {
            assert_eq!(Fields::parse(fields, &ANY).unwrap().select(document.clone()), kept, "{fields}");
        }
        assert!(Fields::parse(" ,", &ANY).is_err());
    }

    #[test]
    fn each_member_counts_once() {
        let named = |text: &str| Fields::parse(text, &ANY).map(|fields| fields.0.len());
        assert_eq!(named(&"a,".repeat(4000)).unwrap(), 1);
        assert_eq!(named("a.b.c,a-b,a.b,a.bc,a.b.d,b").unwrap(), 4);
        assert_eq!(named("a.b,a,c.a").unwrap(), 2);
        let distinct = |count: usize| (0..count).map(|n| format!("k{n},")).collect::<String>();
        assert_eq!(named(&distinct(100)).unwrap(), 100);
        assert_eq!(named(&distinct(101)).unwrap_err().status(), 400);
    }
}
